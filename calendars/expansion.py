"""From a calendar's text to its busy times. Pure, and without Django: it runs in a process of its own (`calendars.reading`),
because a few hundred letters of recurrence can ask for more than any worker has.
"""

import datetime as dt
import json
import re
import resource
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any
from zoneinfo import ZoneInfo

from common.walltime import UTC, day_bounds, wall_instant, zone

MAX_COMPONENTS = 50_000  # of a text of 5 MB; single events of the past are not even read
MAX_READ = 5_000  # of what is left
MAX_TIMES = 2_000
LONGEST = dt.timedelta(days=366)  # of a block; what lasts longer becomes several
CPU_SECONDS, MEMORY_BYTES = 10, 1024**3  # what may be read takes about half of either
TITLE_LETTERS, UID_LETTERS = 200, 500
CLOCK, EXACT = "X-WR-TIMEZONE", "X-BOOKINGFLOW-EXACT"  # properties: theirs, and one of ours for where DURATION is lost
FOREVER = dt.date(2400, 1, 1)  # of a leap year, like all that it stands for
_EVERY_FEW = re.compile(r"^RRULE[^\n]*FREQ=(SECONDLY|MINUTELY)", re.IGNORECASE | re.MULTILINE)
_BEGIN = re.compile(r"^BEGIN:", re.IGNORECASE | re.MULTILINE)
_EVENT = re.compile(r"^BEGIN:VEVENT$.*?^END:VEVENT$", re.IGNORECASE | re.MULTILINE | re.DOTALL)
_LASTS = re.compile(r"^(?:RRULE|RDATE|RECURRENCE-ID|DURATION)\b", re.IGNORECASE | re.MULTILINE)
_DAY = {
    name: re.compile(rf"^{name}[:;].*?(\d{{8}})(?:T\d{{6}}Z?)?$", re.IGNORECASE | re.MULTILINE) for name in ("DTSTART", "DTEND")
}
_FOLD = re.compile(rb"\r?\n[ \t]")


class Refused(Exception):
    """The calendar cannot be read; the text is a Reason's value."""


@dataclass(frozen=True, slots=True)
class Busy:
    """A stretch that is taken. `recurrence` says which of a series it is, `part` which piece of a very long one. Instants are
    RFC 3339 in UTC; whole days have theirs as well as dates, the last included. `origin`: see `calendars.ical`.
    """

    uid: str
    recurrence: str
    part: int
    starts_at: str
    ends_at: str
    date_from: str = ""
    date_to: str = ""
    title: str = ""
    origin: str = ""


def checked_text(body: bytes) -> str:
    """The calendar as text, its long lines in one. Raises Refused for what can be seen to be none, or none that is read."""
    if b"\n" not in body:
        body = body.replace(b"\r", b"\n")  # else there would be one line, and nothing in it
    try:
        text = _FOLD.sub(b"", body).decode("utf-8-sig")  # in this order: some break lines within a letter
    except UnicodeDecodeError:
        raise Refused("bad_encoding") from None
    if "\0" in text:
        raise Refused("bad_encoding")
    if not text.lstrip()[:15].upper().startswith("BEGIN:VCALENDAR"):
        raise Refused("not_a_calendar")
    if not text.rstrip().upper().endswith("END:VCALENDAR"):
        raise Refused("malformed")  # cut off: what is missing would be taken for canceled
    if len(_BEGIN.findall(text)) > MAX_COMPONENTS:
        raise Refused("too_many")
    if _EVERY_FEW.search(text):
        raise Refused("too_frequent")
    return text


def expand(text: str, *, timezone: str, since: dt.datetime, until: dt.datetime, origin: str) -> list[Busy]:
    """All that is busy within [since, until), by start. Times of no zone are those of `timezone`. `origin` is the name of the
    property that is told back. Raises Refused.
    """
    import icalendar  # here, so that the worker itself never loads them
    import recurring_ical_events

    text = _near(text.replace("\r", ""), since, until)
    if len(_BEGIN.findall(text)) > MAX_READ:
        raise Refused("too_many")
    try:
        calendars = icalendar.Calendar.from_ical(text, multiple=True)
        found = [
            busy for one in calendars for busy in _expanded(one, zone(timezone), since, until, origin, recurring_ical_events)
        ]
    except MemoryError:
        raise Refused("too_complex") from None
    except Exception:  # whatever the libraries make of what they were never meant for
        raise Refused("malformed") from None
    if len(found) > MAX_TIMES:
        raise Refused("too_many")
    return sorted(found, key=lambda busy: (busy.starts_at, busy.uid, busy.recurrence))


def _near(text: str, since: dt.datetime, until: dt.datetime) -> str:
    """Without the single events that are days away from the window: most of a calendar is its past, and the library takes a
    thousandth of a second for each event.
    """
    first, last = (f"{when:%Y%m%d}" for when in (since - dt.timedelta(days=2), until + dt.timedelta(days=2)))

    def kept(match: re.Match[str]) -> str:
        starts, ends = (_DAY[name].search(match[0]) for name in ("DTSTART", "DTEND"))
        if starts is None or _LASTS.search(match[0]):
            return match[0]
        return match[0] if (ends or starts)[1] >= first and starts[1] <= last else ""

    return _EVENT.sub(kept, text)


def _expanded(calendar: Any, tz: ZoneInfo, since: dt.datetime, until: dt.datetime, origin: str, library: Any) -> Iterator[Busy]:
    _settle_zone(calendar)
    events = [event for event in calendar.walk("VEVENT") if "DTSTART" in event]
    series = {str(event.get("UID")) for event in events if event.keys() & {"RRULE", "RDATE", "RECURRENCE-ID"}}
    _settle(events)
    _tell_apart([event for event in events if str(event.get("UID")) not in series])
    day = dt.timedelta(days=1)  # a floating time lies up to 14 hours off
    for event in library.of(calendar, components=["VEVENT"]).between(since - day, until + day):
        if _is_busy(event):
            yield from _pieces(event, str(event.get("UID", "")) in series, tz, since, until, origin)


def _settle_zone(calendar: Any) -> None:
    """The clock of a whole calendar is no part of the standard: known by Outlook's name too, and passed over where its name says
    nothing.
    """
    from icalendar.timezone import tzp

    if CLOCK in calendar:
        found = tzp.timezone(str(calendar.pop(CLOCK)).strip())
        if isinstance(found, ZoneInfo):
            calendar[CLOCK] = found.key


def _settle(events: Iterable[Any]) -> None:
    """What the library cannot do: ends that lie too far off for its sums, lengths in hours across a clock change, and a last day
    without a time, which belongs to the series.
    """
    for event in events:
        if "DTEND" in event and getattr(event["DTEND"], "dt", FOREVER).year > FOREVER.year:
            event["DTEND"].dt = event["DTEND"].dt.replace(year=FOREVER.year)
        if "DURATION" in event:
            event.add(EXACT, "1")
        rules = event.get("RRULE", [])
        for rule in rules if isinstance(rules, list) else [rules]:
            if "UNTIL" in rule and isinstance(start := event["DTSTART"].dt, dt.datetime):
                rule["UNTIL"] = [_last_moment(until, start) for until in rule["UNTIL"]]


def _last_moment(until: dt.date, start: dt.datetime) -> dt.date:
    if isinstance(until, dt.datetime):
        return until
    last = start.replace(year=until.year, month=until.month, day=until.day, hour=23, minute=59, second=59)
    return last if last.tzinfo is None else last.astimezone(UTC)


def _tell_apart(singles: Iterable[Any]) -> None:
    """Entries that share a UID, and are no older texts of one another, by one of their own: the library takes them for one."""
    shared: dict[str, list[Any]] = {}
    for event in singles:
        if "UID" in event:
            shared.setdefault(str(event["UID"]), []).append(event)
    for twins in (twins for twins in shared.values() if len(twins) > 1):
        newest = max(_revision(event) for event in twins)
        for number, event in enumerate([event for event in twins if _revision(event) == newest]):
            if number:
                event["UID"] = type(event["UID"])(f"{event['UID']}\0{number}")


def _revision(event: Any) -> int:
    return int(event.get("SEQUENCE", 0))


def _is_busy(event: Any) -> bool:
    """Tentative counts: who keeps a time free for somebody does not want it sold."""
    free = (
        str(event.get("TRANSP", "")).upper() == "TRANSPARENT"
        or str(event.get("X-MICROSOFT-CDO-BUSYSTATUS", "")).upper() == "FREE"
    )
    return not free and str(event.get("STATUS", "")).upper() != "CANCELLED"


def _pieces(event: Any, is_series: bool, tz: ZoneInfo, since: dt.datetime, until: dt.datetime, origin: str) -> Iterator[Busy]:
    first, last = event["DTSTART"].dt, event["DTEND"].dt
    whole_days = not isinstance(first, dt.datetime)
    if whole_days:
        last = max(last, first + dt.timedelta(days=1))  # many write a single day's own date as its end
    elif EXACT in event:
        last = _end(first, last - first, tz)
    same = {
        "uid": str(event.get("UID", "")).partition("\0")[0][:UID_LETTERS],
        "recurrence": _recurrence(event["RECURRENCE-ID"].dt) if is_series else "",
        "title": _clean(str(event.get("SUMMARY", "")))[:TITLE_LETTERS],
        "origin": str(event.get(origin, ""))[:64],
    }
    if not whole_days:
        first, last = _instant(first, tz), _instant(last, tz)
    for part, start, end in _split(first, last, since.date() if whole_days else since):
        days = {"date_from": start.isoformat(), "date_to": (end - dt.timedelta(days=1)).isoformat()} if whole_days else {}
        begins, ends = day_bounds(start, end - dt.timedelta(days=1), tz) if whole_days else (start, end)
        if begins >= until:
            return
        if begins < ends and ends > since:
            yield Busy(part=part, starts_at=begins.isoformat(), ends_at=ends.isoformat(), **days, **same)


def _split(first: Any, last: Any, since: Any) -> Iterator[tuple[int, Any, Any]]:
    """(which, start, end) of the pieces of at most LONGEST, from the one in which `since` lies: counted from the first start, so
    that they are the same tomorrow.
    """
    part = max(0, (since - first) // LONGEST)
    while (start := first + part * LONGEST) < last:
        yield part, start, min(last, start + LONGEST)
        part += 1


def _instant(when: dt.datetime, tz: ZoneInfo) -> dt.datetime:
    return wall_instant(when, tz) if when.tzinfo is None else when.astimezone(UTC)


def _end(start: dt.datetime, length: dt.timedelta, tz: ZoneInfo) -> dt.datetime:
    """Days by the clock, and then hours as they pass: of both there may be 23 or 25."""
    days = dt.timedelta(days=length.days)
    return _instant(start + days, tz) + (length - days)


def _recurrence(when: dt.datetime | dt.date) -> str:
    """The same whichever zone it was written in."""
    aware = isinstance(when, dt.datetime) and when.tzinfo is not None
    return (when.astimezone(UTC) if aware else when).isoformat()  # type: ignore[union-attr]


def _clean(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


def main(lines: Iterable[str]) -> None:
    """What `calendars.reading` starts: the arguments as JSON on the first line, the calendar behind it."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    sys.setrecursionlimit(500)
    given = iter(lines)
    asked = json.loads(next(given))
    since, until = dt.datetime.fromisoformat(asked["since"]), dt.datetime.fromisoformat(asked["until"])
    try:
        found = expand("".join(given), timezone=asked["timezone"], since=since, until=until, origin=asked["origin"])
        json.dump([asdict(busy) for busy in found], sys.stdout)
    except Refused as refusal:
        json.dump(str(refusal), sys.stdout)


if __name__ == "__main__":
    main(sys.stdin)
