"""The only place where wall-clock time becomes an instant.

PostgreSQL and Python choose different instants for the hour that a clock change repeats, so SQL never converts.
"""

import datetime as dt
import functools
from zoneinfo import ZoneInfo

UTC = dt.UTC


@functools.lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name; KeyError (ZoneInfoNotFoundError) when there is none."""
    return ZoneInfo(name)


def to_instant(day: dt.date, time: dt.time, tz: ZoneInfo) -> dt.datetime | None:
    """The UTC instant of a wall time, None when clocks skip it; one that happens twice is the first."""
    local = dt.datetime.combine(day, time, tzinfo=tz)  # fold=0: the first of two
    instant = local.astimezone(UTC)
    return instant if instant.astimezone(tz).replace(tzinfo=None) == local.replace(tzinfo=None) else None


def wall_instant(wall: dt.datetime, tz: ZoneInfo) -> dt.datetime:
    """The instant of a wall time that a calendar has set: one that clocks skip lies as far behind the skip (RFC 5545)."""
    return wall.replace(tzinfo=tz).astimezone(UTC)


def day_start(day: dt.date, tz: ZoneInfo) -> dt.datetime:
    """The instant at which a local day begins; where clocks skip midnight, the first instant after it."""
    return dt.datetime.combine(day, dt.time(), tzinfo=tz).astimezone(UTC)


def day_bounds(first: dt.date, last: dt.date, tz: ZoneInfo) -> tuple[dt.datetime, dt.datetime]:
    """[start of the first local day, start of the day after the last): 23, 24, 25 or other hours a day."""
    return day_start(first, tz), day_start(last + dt.timedelta(days=1), tz)


def utc_text(instant: dt.datetime | None) -> str | None:
    """RFC 3339 in UTC with a Z; whole seconds unless there are microseconds."""
    if instant is None:
        return None
    return (instant if instant.tzinfo is UTC else instant.astimezone(UTC)).isoformat().replace("+00:00", "Z")


def local_text(instant: dt.datetime, tz: ZoneInfo) -> str:
    """RFC 3339 with the zone's offset at that instant."""
    return instant.astimezone(tz).isoformat()


def spoken(instant: dt.datetime, tz: ZoneInfo) -> str:
    """For people: `Sat 14 Mar 2026, 18:30`."""
    local = instant.astimezone(tz)
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M}"


def place(zone_name: str) -> str:
    """For people: `Paris` of `Europe/Paris`."""
    return zone_name.rpartition("/")[2].replace("_", " ")
