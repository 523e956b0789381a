"""For tests of the webhooks' pages: their paths, what a page says, and a receiver."""

import html
import re
from typing import Any

from webhooks.models import Endpoint
from webhooks.tests import conftest as hooks

DEVELOPERS = "/dashboard/settings/developers"
WEBHOOKS = f"{DEVELOPERS}/webhooks"
HOSTILE = '"><script>alert(1)</script>'

# A module of tests that names them has them as fixtures.
receiver, endpoint, loopback = hooks.receiver, hooks.endpoint, hooks.loopback


def text_of(answer: Any) -> str:
    """Of a page, as people read it."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def path(endpoint: Endpoint, verb: str = "") -> str:
    return f"{WEBHOOKS}/{endpoint.public_id}" + (f"/{verb}" if verb else "")
