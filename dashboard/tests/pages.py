"""For tests of pages: a browser's session without the browser."""

import contextlib
import html
import re
import time
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dashboard.access import MODE, ORGANIZATION
from tests.cast import Player

MOST_QUERIES = 12
PASSWORD = "correct horse battery"


def sign_in(player: Player, *, mode: str = "live", recently: bool = True) -> Client:
    """A client that has just signed in, and works in the player's organization."""
    client = Client()
    if player.session and mode == "live" and recently:
        client.cookies[settings.SESSION_COOKIE_NAME] = player.session
        return client
    if not player.user.has_usable_password():  # who has none is never asked for it again
        player.user.set_password(PASSWORD)
        player.user.save()
    client.force_login(player.user)
    session = client.session
    session[ORGANIZATION], session[MODE] = player.organization.public_id, mode
    if recently:  # as the sign-in page notes it
        session["account_authentication_methods"] = [{"method": "password", "at": time.time(), "email": player.user.email}]
        session["account_authentication_methods_user"] = str(player.user.pk)
    session.save()
    return client


def text_of(answer: Any) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", answer.content.decode()))


@contextlib.contextmanager
def queries(most: int = MOST_QUERIES) -> Iterator[None]:
    """Fail, and show them, when the block asks the database more often."""
    with CaptureQueriesContext(connection) as captured:
        yield
    asked = "\n".join(query["sql"][:300] for query in captured)
    assert len(captured) <= most, f"{len(captured)} queries:\n{asked}"
