"""What happened to keys and deliveries, in words. `{% load developers %}`."""

import datetime as dt
import http.client
import json
from typing import Any

from django import template
from django.conf import settings
from django.utils import timezone

from calendars.models import CalendarImport
from calendars.serializers import CalendarImportShape
from common.http import Failure
from dashboard.templatetags.ui import ago
from webhooks.engine.record import LEASE_EXPIRED
from webhooks.models import Attempt, Delivery, Endpoint
from webhooks.types import EventType

register = template.Library()

# In few words, for a table, and in a sentence.
FAILURES = {
    Failure.DNS: ("Name not found", "The host's name was not found"),
    Failure.REFUSED: ("Refused", "Nothing listens there: the connection was refused"),
    Failure.RESET: ("Closed", "The connection was closed without an answer"),
    Failure.TLS: ("TLS", "The certificate could not be verified"),
    Failure.TIMEOUT: ("Timed out", "No whole answer in time"),
    Failure.BLOCKED_ADDRESS: ("Not public", "The host's address is not on the public internet"),
    Failure.REDIRECT: ("Redirect", "It answered with a redirect, which is not followed"),
    Failure.HTTP: ("Error", "It answered with an error"),
    Failure.PROTOCOL: ("Not HTTP", "What came back is not HTTP"),
    Failure.CONNECTION: ("No connection", "No connection could be made"),
    LEASE_EXPIRED: ("Ours", "Our worker vanished; it is tried again"),
}
_D, _E = Delivery.State, Endpoint.Status
STATES = {
    _D.PENDING: ("info", "Waiting", "clock"),
    _D.LEASED: ("info", "Being sent", "paper-airplane"),
    _D.SCHEDULED: ("warn", "Failed, tried again", "arrow-path"),
    _D.HELD: ("held", "Held", "pause"),
    _D.SUCCEEDED: ("good", "Arrived", "check"),
    _D.EXHAUSTED: ("bad", "Given up", "x-mark"),
    _D.CANCELED: ("quiet", "Canceled", "no-symbol"),
}
KEYS = {
    "live": ("good", "Live", "check"),
    "expiring": ("warn", "Expires soon", "clock"),
    "expired": ("bad", "Expired", "x-mark"),
    "revoked": ("quiet", "Revoked", "no-symbol"),
}


def _badge(tone: str, text: str, icon: str) -> dict[str, str]:
    return {"tone": tone, "text": text, "icon": icon}


@register.inclusion_tag("components/badge.html")
def delivery_state(delivery: Delivery) -> dict[str, str]:
    return _badge(*STATES[_D(delivery.state)])


@register.inclusion_tag("components/badge.html")
def endpoint_state(endpoint: Endpoint) -> dict[str, str]:
    if endpoint.status == _E.PAUSED:
        return _badge("held", "Paused", "pause")
    if endpoint.status == _E.DISABLED:
        return _badge("bad", "Disabled", "x-mark")
    return _badge("warn", "Failing", "exclamation-triangle") if endpoint.failing_since else _badge("good", "Active", "check")


IMPORTS = {
    CalendarImport.State.PENDING: ("quiet", "Not read yet", "clock"),
    CalendarImport.State.OK: ("good", "Up to date", "check"),
    CalendarImport.State.STALE: ("warn", "Stale", "exclamation-triangle"),
    CalendarImport.State.PAUSED: ("held", "Paused", "pause"),
}


@register.inclusion_tag("components/badge.html")
def import_state(source: CalendarImport) -> dict[str, str]:
    return _badge(*IMPORTS[source.state])


@register.filter
def import_failure(source: CalendarImport) -> str:
    """Why it could not be read, in words; nothing where it could."""
    return CalendarImportShape.get_failure_detail(source) or ""


@register.inclusion_tag("components/badge.html")
def key_state(state: str) -> dict[str, str]:
    return _badge(*KEYS[state])


@register.inclusion_tag("components/badge.html")
def mode_badge(mode: str) -> dict[str, str]:
    return _badge("info", "Test", "beaker") if mode == "test" else _badge("quiet", "Live", "")


@register.inclusion_tag("components/badge.html")
def answer_status(status: int) -> dict[str, str]:
    """Of a call of ours: `404 Not Found`, in the colour of its class."""
    tone = "good" if status < 300 else "quiet" if status < 400 else "warn" if status < 500 else "bad"
    icon = "check" if status < 400 else "exclamation-triangle" if status < 500 else "x-mark"
    return _badge(tone, f"{status} {http.client.responses.get(status, '')}".strip(), icon)


@register.filter
def outcome(row: Attempt | Delivery) -> str:
    """Of an attempt, or of a delivery's last one: `Answered 204`, `Answered 503`, `No whole answer in time (15 s)`."""
    if row.failure in ("", Failure.HTTP):
        return f"Answered {row.status_code}" if row.status_code else ""
    return failure_words(row.failure, row.status_code)


@register.filter
def brief_outcome(row: Attempt | Delivery) -> str:
    """The same for a table: `204`, `503`, `Timed out`."""
    return brief_failure(row.failure, row.status_code)


@register.filter
def brief_failure(failure: str, status: int | None = None) -> str:
    if failure in ("", Failure.HTTP):
        return str(status or "")
    words = FAILURES.get(failure, (failure, ""))[0]
    return f"{words} ({status})" if status else words


@register.filter
def failure_words(failure: str, status: int | None = None) -> str:
    """Of a class of failure."""
    words = FAILURES.get(failure, ("", failure))[1]
    if failure == Failure.TIMEOUT:
        words += f" ({settings.WEBHOOK_TOTAL_SECONDS:g} s)"
    return f"{words} ({status})" if status else words


@register.filter
def due(at: dt.datetime | None) -> str:
    """When something waits for its time: `due now`, `in 5 min`. Nothing for None."""
    return "due now" if at is not None and at <= timezone.now() else ago(at)


@register.filter
def event_words(type: str) -> str:
    """`A booking was confirmed`."""
    return EventType(type).label


@register.filter
def duration(seconds: float | None) -> str:
    """`84 ms`, `1.2 s`. Nothing for None."""
    if seconds is None:
        return ""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


@register.filter
def pretty(text: str) -> str:
    """JSON on many lines; anything else as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except ValueError:
        return text


@register.filter
def header_lines(headers: dict[str, Any]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in headers.items())


@register.filter
def at_most(number: int, most: int) -> str:
    """`1,000 or more` where counting stopped."""
    return f"{number:,}+" if number >= most else f"{number:,}"
