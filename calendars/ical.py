"""Entries as iCalendar (RFC 5545). Pure: the same entries are the same bytes, so that an ETag stands for both.

Every event carries ORIGIN, its organization: an import of ours knows by it, and by its UID, what it must not bring back.
"""

import datetime as dt
import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from icalendar import Calendar, Timezone, TimezoneDaylight, TimezoneStandard, vDuration, vText
from icalendar.parser import Contentline

from common.walltime import UTC, day_start, zone

ORIGIN = "X-BOOKINGFLOW-ORGANIZATION"
OUR_UID = re.compile(r"(?:bkg|blk)_[0-9a-z]{26}@(?P<host>.+)")
PRODUCT = "-//BookingFlow//Calendar//EN"
REFRESH = dt.timedelta(minutes=15)  # how often we would like to be asked; most calendars ask when they like
YEARS_AHEAD = 10  # of clock changes told, for series without an end


@dataclass(frozen=True, slots=True)
class Entry:
    """One event. `start` and `end` are instants, or days, the end not included; `rule` is a block's weekly recurrence."""

    uid: str
    sequence: int
    start: dt.datetime | dt.date
    end: dt.datetime | dt.date
    summary: str
    created_at: dt.datetime
    updated_at: dt.datetime
    status: str = "CONFIRMED"
    location: str = ""
    description: str = ""
    url: str = ""
    rule: tuple[tuple[str, str], ...] = ()


def written(entries: Sequence[Entry], *, name: str, timezone: str, organization: str) -> bytes:
    """A calendar of the entries by the clock of `timezone`, with that clock's changes for all of their time."""
    calendar, tz = Calendar(), zone(timezone)
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    calendar.add("x-wr-timezone", timezone)
    calendar.add("x-published-ttl", vDuration(REFRESH).to_ical().decode())
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    if timezone != "UTC" and (instants := [entry.start for entry in entries if isinstance(entry.start, dt.datetime)]):
        calendar.add_component(_clock(timezone, min(instants).year - 1, max(instants).year + YEARS_AHEAD))
    head, end, tail = calendar.to_ical().rpartition(b"END:VCALENDAR")
    return head + b"".join(_event(entry, tz, organization) for entry in entries) + end + tail


def _event(entry: Entry, tz: ZoneInfo, organization: str) -> bytes:
    """Line by line: the library's components take ten times as long, which of 2,000 events is a second."""
    lines = [
        "BEGIN:VEVENT",
        f"UID:{entry.uid}",
        f"SEQUENCE:{entry.sequence}",
        f"DTSTAMP:{_utc(entry.updated_at)}",
        f"CREATED:{_utc(entry.created_at)}",
        f"LAST-MODIFIED:{_utc(entry.updated_at)}",
        f"DTSTART{_wall(entry.start, tz)}",
        f"DTEND{_wall(entry.end, tz)}",
        f"SUMMARY:{_text(entry.summary)}",
        f"STATUS:{entry.status}",
        f"TRANSP:{'TRANSPARENT' if entry.status == 'CANCELLED' else 'OPAQUE'}",
        *(
            f"{name}:{_text(value)}"
            for name, value in (("LOCATION", entry.location), ("DESCRIPTION", entry.description))
            if value
        ),
        *([f"URL:{entry.url}"] if entry.url else []),
        *([f"RRULE:{_rule(entry, tz)}"] if entry.rule else []),
        f"{ORIGIN}:{organization}",
        "END:VEVENT",
    ]
    return b"".join(_folded(line) for line in lines)


def _folded(line: str) -> bytes:
    """As bytes, broken where it is longer than a line may be."""
    return (line.encode() if len(line) < 70 and line.isascii() else Contentline(line).to_ical()) + b"\r\n"


def _rule(entry: Entry, tz: ZoneInfo) -> str:
    """UNTIL is a day with days, and with instants the last moment of it, in UTC."""
    parts = dict(entry.rule)
    if until := parts.get("UNTIL"):
        last = dt.date.fromisoformat(until)
        end = day_start(last + dt.timedelta(days=1), tz) - dt.timedelta(seconds=1)
        parts["UNTIL"] = _utc(end) if isinstance(entry.start, dt.datetime) else f"{last:%Y%m%d}"
    return ";".join(f"{part}={value}" for part, value in parts.items())


def _wall(when: dt.datetime | dt.date, tz: ZoneInfo) -> str:
    if not isinstance(when, dt.datetime):
        return f";VALUE=DATE:{when:%Y%m%d}"
    if tz.key == "UTC":
        return f":{_utc(when)}"
    return f";TZID={tz.key}:{when.astimezone(tz):%Y%m%dT%H%M%S}"


def _utc(when: dt.datetime) -> str:
    return f"{when.astimezone(UTC):%Y%m%dT%H%M%SZ}"


@functools.lru_cache(maxsize=1_024)
def _text(value: str) -> str:
    """Escaped. What cannot stand in a calendar (a control character) would make readers refuse all of it."""
    return vText("".join(letter for letter in value if letter == "\n" or letter.isprintable())).to_ical().decode()


@functools.lru_cache(maxsize=256)
def _clock(timezone: str, first_year: int, last_year: int) -> Timezone:
    """The zone's changes in those years, told by the wall time at which the old offset ends, as RFC 5545 wants it. (The library's
    own `from_tzinfo` tells the new offset's, which in spring is an hour late.) RDATE names the first of them too: some readers
    look at nothing else.
    """
    tz, component = zone(timezone), Timezone()
    component.add("tzid", timezone)
    onsets: dict[tuple[dt.timedelta, dt.timedelta, str, bool], list[dt.datetime]] = {}
    for before, since in _changes(tz, first_year, last_year):
        old, new = _offset(before, tz), _offset(since, tz)
        local = since.astimezone(tz)
        wall = since + old
        kind = (old, new, str(local.tzname()), bool(local.dst()))
        onsets.setdefault(kind, []).append(dt.datetime.combine(wall.date(), wall.time()))
    for (old, new, name, is_daylight), found in onsets.items():
        observance = TimezoneDaylight() if is_daylight else TimezoneStandard()
        observance.add("dtstart", found[0])
        observance.add("rdate", found)
        observance.add("tzoffsetfrom", old)
        observance.add("tzoffsetto", new)
        observance.add("tzname", name)
        component.add_component(observance)
    return component


def _changes(tz: ZoneInfo, first_year: int, last_year: int) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """The last second before and the first of each offset; of the first one the start twice."""
    day, end = dt.datetime(first_year, 1, 1, tzinfo=UTC), dt.datetime(last_year + 1, 1, 1, tzinfo=UTC)
    yield day, day
    while day < end:
        following = day + dt.timedelta(days=1)
        if _offset(day, tz) != _offset(following, tz):
            changes_at = _change(day, following, tz)
            yield changes_at - dt.timedelta(seconds=1), changes_at
        day = following


def _change(low: dt.datetime, high: dt.datetime, tz: ZoneInfo) -> dt.datetime:
    """The first second of the new offset."""
    old = _offset(low, tz)
    while high - low > dt.timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        low, high = (middle, high) if _offset(middle, tz) == old else (low, middle)
    return high


def _offset(instant: dt.datetime, tz: ZoneInfo) -> dt.timedelta:
    offset = instant.astimezone(tz).utcoffset()
    assert offset is not None
    return offset
