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
MINUTES_A_DAY = 1_440


class Timetable:
    """A room's timetable on its venue's clock, made ready to be asked for many days."""

    def __init__(self, schedule: dict[str, Any], tz: ZoneInfo) -> None:
        self.tz = tz
        self.overrides = {item["date"]: item for item in schedule.get("overrides", ())}
        rules = [_Rule(rule) for rule in schedule.get("rules", ())]
        self.seasons = [rule for rule in rules if rule.is_season]
        self.always = [rule for rule in rules if not rule.is_season]

    def starts_on(self, day: dt.date) -> dict[dt.datetime, int | None]:
        """The starts that fall on a local calendar day, in order, each with its rule's price_override (minor units)."""
        wall: dict[dt.time, int | None] = {}
        for business_day, is_late in ((day - DAY, True), (day, False)):
            for time, override in self._wall_starts(business_day, is_late=is_late):
                wall.setdefault(time, override)
        instants = ((to_instant(day, time, self.tz), wall[time]) for time in sorted(wall))
        return {instant: override for instant, override in instants if instant is not None}

    def after_midnight(self, evening: dt.date) -> set[dt.datetime]:
        """The starts of a business day that fall on the calendar day after it."""
        late = (to_instant(evening + DAY, time, self.tz) for time, _ in self._wall_starts(evening, is_late=True))
        return {instant for instant in late if instant is not None}

    def games_on(self, day: dt.date) -> int:
        """How many starts a local calendar day has by the clock on the wall: cheaper than `starts_on`, and the same but for a
        start that a clock change skips.
        """
        late = self._wall_starts(day - DAY, is_late=True)
        return len({time for time, _ in (*late, *self._wall_starts(day, is_late=False))})

    def _wall_starts(self, day: dt.date, *, is_late: bool) -> Iterator[tuple[dt.time, int | None]]:
        """(wall time, price override) of the starts of a business day: those before its midnight, or the late ones."""
        text, weekday = day.isoformat(), day.isoweekday()
        if text in self.overrides:
            if not is_late:
                yield from ((dt.time.fromisoformat(time), None) for time in self.overrides[text].get("start_times", ()))
            return
        season = [rule for rule in self.seasons if rule.first <= text <= (rule.last or text)]
        for rule in season or self.always:
            if weekday in rule.weekdays:
                yield from rule.late if is_late else rule.starts


class _Rule:
    """A rule's starts, worked out; ISO dates compare as texts."""

    def __init__(self, rule: dict[str, Any]) -> None:
        self.first, self.last = rule.get("valid_from") or "", rule.get("valid_until") or ""
        self.is_season = bool(self.first or self.last)
        self.weekdays = frozenset(rule["weekdays"])
        override, minutes = rule.get("price_override"), _minutes(rule)
        self.starts = [(_time(minute), override) for minute in minutes if minute < MINUTES_A_DAY]
        self.late = [(_time(minute - MINUTES_A_DAY), override) for minute in minutes if minute >= MINUTES_A_DAY]


def starts_on(schedule: dict[str, Any], day: dt.date, tz: ZoneInfo) -> dict[dt.datetime, int | None]:
    """See `Timetable`."""
    return Timetable(schedule, tz).starts_on(day)


def is_start(schedule: dict[str, Any], instant: dt.datetime, tz: ZoneInfo) -> bool:
    return instant in starts_on(schedule, instant.astimezone(tz).date(), tz)


def price_override(schedule: dict[str, Any], instant: dt.datetime, tz: ZoneInfo) -> int | None:
    """The price that the start's rule sets in place of the room's, minor units; None mostly."""
    return starts_on(schedule, instant.astimezone(tz).date(), tz).get(instant)


def _minutes(rule: dict[str, Any]) -> list[int]:
    """Minutes after the business day's midnight."""
    if "start_times" in rule:
        return [_minute(time) for time in rule["start_times"]]
    first, last = _minute(rule["first_start"]), _minute(rule["last_start"])
    if last < first:
        last += MINUTES_A_DAY
    return list(range(first, last + 1, rule["interval_minutes"]))


def _minute(time: str) -> int:
    return int(time[:2]) * 60 + int(time[3:])


def _time(minute: int) -> dt.time:
    return dt.time(minute // 60, minute % 60)
