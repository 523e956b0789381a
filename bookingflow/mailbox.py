"""On a developer's machine without a mail server: the letters that would have been sent, as a page."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.utils import parsedate_to_datetime
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

SEPARATOR = b"\n" + b"-" * 79 + b"\n"  # what Django's file backend puts after each letter
SHOWN = 50


@dataclass(frozen=True)
class Letter:
    at: dt.datetime
    subject: str
    to: str
    text: str


@never_cache
@require_safe
def mailbox(request: HttpRequest) -> HttpResponse:
    if not settings.MAILBOX:
        raise Http404
    return render(request, "mail.html", {"letters": newest(Path(settings.EMAIL_FILE_PATH))})


def newest(folder: Path) -> list[Letter]:
    """The newest letters of the newest files, each of which holds one connection's."""
    files = sorted(folder.glob("*.log"), key=lambda path: path.stat().st_mtime, reverse=True)[:SHOWN]
    letters = [letter for path in files for letter in _letters(path)]
    return sorted(letters, key=lambda letter: letter.at, reverse=True)[:SHOWN]


def _letters(path: Path) -> Iterator[Letter]:
    for part in path.read_bytes().split(SEPARATOR):
        if not part.strip():
            continue
        message = message_from_bytes(part.lstrip(), policy=policy.default)
        body = message.get_body(("plain", "html"))
        yield Letter(
            at=parsedate_to_datetime(message["Date"]).replace(tzinfo=dt.UTC),  # Django writes UTC, as -0000
            subject=message["Subject"],
            to=message["To"],
            text=body.get_content() if body else "",
        )
