"""A room's policies in sentences, for a game that starts at a given time."""

import datetime as dt
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from dashboard.templatetags.ui import local, money
from rooms.models import Room
from rooms.policies import policies_of

EXAMPLE_HOUR = dt.time(20)


def example_start(policies: dict[str, Any], tz: ZoneInfo) -> dt.datetime:
    """A Saturday evening far enough ahead for each deadline to lie ahead, too."""
    windows = [*policies["cancellation"]["windows"], *policies["reschedule"]["windows"]]
    hours = max((window["hours_before"] for window in windows), default=0)
    day = dt.datetime.now(tz).date() + dt.timedelta(days=hours // 24 + 2)
    saturday = day + dt.timedelta(days=(6 - day.isoweekday()) % 7)
    return dt.datetime.combine(saturday, EXAMPLE_HOUR, tzinfo=tz).astimezone(dt.UTC)


def of_room(room: Room, tz: ZoneInfo) -> dict[str, Any]:
    """{start, cancellation, reschedule}: the sentences, for an example."""
    return of(policies_of(room), tz, room.pricing["currency"])


def of(policies: dict[str, Any], tz: ZoneInfo, currency: str) -> dict[str, Any]:
    start = example_start(policies, tz)
    return {
        "start": start,
        "cancellation": list(_cancellation(policies["cancellation"], start, tz, currency)),
        "reschedule": list(_reschedule(policies["reschedule"], start, tz, currency)),
    }


def _cancellation(policy: dict[str, Any], start: dt.datetime, tz: ZoneInfo, currency: str) -> Iterator[str]:
    windows = _far_to_near(policy["windows"])
    for window in windows:
        percent = window["refund_percent"]
        back = {100: "all of it comes back", 0: "nothing comes back"}.get(percent, f"{percent} % come back")
        yield f"Cancel until {_until(window, start, tz)}: {back}."
    if not windows:
        yield "Cancel at any time: nothing comes back."
    elif windows[-1]["hours_before"]:
        yield "Cancel later: nothing comes back."
    if policy["fee"] and windows:
        yield f"{money(policy['fee'], currency)} of what comes back are kept as a fee."
    if not policy["deposit_refundable"]:
        yield "A deposit never comes back."


def _reschedule(policy: dict[str, Any], start: dt.datetime, tz: ZoneInfo, currency: str) -> Iterator[str]:
    windows, most = _far_to_near(policy["windows"]), policy["max_times"]
    if most == 0 or not any(window["allowed"] for window in windows):
        yield "A booking cannot be moved."
        return
    for window in windows:
        costs = f"for {money(window['fee'], currency)}" if window["fee"] else "free of charge"
        yield f"Move until {_until(window, start, tz)}: {costs if window['allowed'] else 'not possible'}."
    if windows[-1]["hours_before"]:
        yield "Move later: not possible."
    if most is not None:
        yield f"A booking may be moved {'once' if most == 1 else f'{most} times'}."


def _far_to_near(windows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(windows, key=lambda window: -window["hours_before"])


def _until(window: dict[str, Any], start: dt.datetime, tz: ZoneInfo) -> str:
    hours = window["hours_before"]
    return local(start - dt.timedelta(hours=hours), tz) if hours else "the start"
