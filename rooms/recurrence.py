"""From a block to the stretches of time that it covers. Pure.

A weekly series keeps its wall time: on either side of a clock change it begins at the same hour by the venue's clock.
"""

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from common.walltime import day_bounds

if TYPE_CHECKING:
    from rooms.models import Block

Stretch = tuple[dt.datetime, dt.datetime]


def stretches(block: "Block", tz: ZoneInfo, start: dt.datetime, end: dt.datetime) -> Iterator[Stretch]:
    """The block's occurrences that touch [start, end), in order, as a venue on `tz` sees them."""
    for weeks in _weeks(block, tz, start, end):
        first, last = _occurrence(block, tz, weeks)
        if first < end and last > start:
            yield first, last


def merged(found: list[Stretch]) -> list[Stretch]:
    """In order and free of overlaps."""
    result: list[Stretch] = []
    for first, last in sorted(found):
        if result and first <= result[-1][1]:
            result[-1] = result[-1][0], max(last, result[-1][1])
        else:
            result.append((first, last))
    return result


def last_day(recurrence: dict[str, object] | None, first_day: dt.date) -> dt.date | None:
    """The day on which the last occurrence of a series begins; None: once, or without end."""
    if not recurrence:
        return None
    if until := recurrence.get("until"):
        return dt.date.fromisoformat(str(until))
    if count := recurrence.get("count"):
        weeks = (int(str(count)) - 1) * int(str(recurrence["interval"]))
        return first_day + dt.timedelta(weeks=weeks)
    return None


def first_day(block: "Block", tz: ZoneInfo) -> dt.date:
    """The local day on which the block, or its series, begins."""
    if block.date_from is not None:
        return block.date_from
    assert block.starts_at is not None
    return block.starts_at.astimezone(tz).date()


def _weeks(block: "Block", tz: ZoneInfo, start: dt.datetime, end: dt.datetime) -> Iterator[int]:
    """Offsets, in weeks, of the occurrences that may touch [start, end)."""
    if not block.recurrence:
        yield 0
        return
    began = first_day(block, tz)
    length = _length(block) + dt.timedelta(days=1)
    interval = block.recurrence["interval"]
    last = last_day(block.recurrence, began)
    ahead = (start - length).astimezone(tz).date() - began
    week = max(0, ahead.days // (7 * interval)) * interval
    while (day := began + dt.timedelta(weeks=week)) <= end.astimezone(tz).date() and (last is None or day <= last):
        yield week
        week += interval


def _occurrence(block: "Block", tz: ZoneInfo, weeks: int) -> Stretch:
    shift = dt.timedelta(weeks=weeks)
    if block.date_from is not None and block.date_to is not None:
        return day_bounds(block.date_from + shift, block.date_to + shift, tz)
    assert block.starts_at is not None
    assert block.ends_at is not None
    if not weeks:
        return block.starts_at, block.ends_at
    # Aware arithmetic within one zone moves the wall clock; the end keeps its distance in real time.
    first = (block.starts_at.astimezone(tz) + shift).astimezone(dt.UTC)
    return first, first + (block.ends_at - block.starts_at)


def _length(block: "Block") -> dt.timedelta:
    if block.starts_at is not None and block.ends_at is not None:
        return block.ends_at - block.starts_at
    assert block.date_from is not None
    assert block.date_to is not None
    return block.date_to - block.date_from + dt.timedelta(days=1)
