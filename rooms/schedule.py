"""From a room's timetable to the instants at which its games start. Pure.

`{"rules": [{weekdays, start_times | first_start + last_start + interval_minutes, valid_from?, valid_until?,
price_override?}], "overrides": [{date, closed | start_times}]}`. For a day the most special part counts, alone:
its date override, else the dated rules (a season) that cover it, else the undated ones. A rule whose `last_start` is before
its `first_start` runs past midnight: those starts belong to the day on which the evening began (its weekday, its
override), and are listed on the calendar date on which they fall.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from common.walltime import to_instant

DAY = dt.timedelta(days=1)


def starts_on(schedule: dict[str, Any], day: dt.date, tz: ZoneInfo) -> dict[dt.datetime, int | None]:
    """The starts that fall on a local calendar day, in order, each with its rule's price_override (minor units)."""
    found: dict[dt.datetime, int | None] = {}
    for business_day in (day - DAY, day):
        for date, time, override in _wall_starts(schedule, business_day):
            if date == day and (instant := to_instant(date, time, tz)) is not None:
                found.setdefault(instant, override)
    return dict(sorted(found.items()))


def is_start(schedule: dict[str, Any], instant: dt.datetime, tz: ZoneInfo) -> bool:
    return instant in starts_on(schedule, instant.astimezone(tz).date(), tz)


def price_override(schedule: dict[str, Any], instant: dt.datetime, tz: ZoneInfo) -> int | None:
    """The price that the start's rule sets in place of the room's, minor units; None mostly."""
    return starts_on(schedule, instant.astimezone(tz).date(), tz).get(instant)


def _wall_starts(schedule: dict[str, Any], day: dt.date) -> Iterator[tuple[dt.date, dt.time, int | None]]:
    """(calendar date, wall time, price override) of the starts that belong to a business day."""
    text = day.isoformat()
    for override in schedule.get("overrides", ()):
        if override["date"] == text:
            for time in override.get("start_times", ()):
                yield day, dt.time.fromisoformat(time), None
            return
    for rule in _rules_of(schedule, day):
        for minute in _minutes(rule):
            yield day + DAY * (minute // 1440), dt.time(minute // 60 % 24, minute % 60), rule.get("price_override")


def _rules_of(schedule: dict[str, Any], day: dt.date) -> list[dict[str, Any]]:
    """The rules in force on a day; ISO dates compare as texts."""
    text, weekday = day.isoformat(), day.isoweekday()
    dated = [rule for rule in schedule.get("rules", ()) if rule.get("valid_from") or rule.get("valid_until")]
    season = [rule for rule in dated if (rule.get("valid_from") or text) <= text <= (rule.get("valid_until") or text)]
    rules = season or [rule for rule in schedule.get("rules", ()) if rule not in dated]
    return [rule for rule in rules if weekday in rule["weekdays"]]


def _minutes(rule: dict[str, Any]) -> list[int]:
    """Minutes after the business day's midnight."""
    if "start_times" in rule:
        return [_minute(time) for time in rule["start_times"]]
    first, last = _minute(rule["first_start"]), _minute(rule["last_start"])
    if last < first:
        last += 1440
    return list(range(first, last + 1, rule["interval_minutes"]))


def _minute(time: str) -> int:
    return int(time[:2]) * 60 + int(time[3:])
