"""Where a time stands on the page of a day: rows of five minutes, hours in which nothing happens drawn together. Pure."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

HOUR, MINUTES_A_ROW = dt.timedelta(hours=1), 5
ROWS_AN_HOUR = 60 // MINUTES_A_ROW
QUIET = (9, 18)  # the hours shown of a day on which nothing happens
LONG_BLOCK = dt.timedelta(hours=12)  # blocks from this length on do not stretch the day
# The shortest that is shown decides the scale: there must be room for who comes.
ROOMY_BELOW, AIRY_BELOW = dt.timedelta(minutes=60), dt.timedelta(minutes=30)

Stretch = tuple[dt.datetime, dt.datetime]


@dataclass(frozen=True, slots=True)
class Line:
    """An hour's line. `is_midnight`: another date begins; `is_gap`: idle hours follow, drawn as one."""

    at: dt.datetime
    place: str
    label: str
    is_midnight: bool = False
    is_gap: bool = False


class Ruler:
    """From instants to rows. Hours are counted from midnight in real time, so that a day has 23 or 25 of them as its clock
    says; the labels are what the clock shows.
    """

    def __init__(self, midnight: dt.datetime, tz: ZoneInfo, stretches: Iterable[Stretch], blocks: Iterable[Stretch] = ()) -> None:
        self.midnight, self.tz = midnight, tz
        shown = [stretch for stretch in stretches if stretch[1] > midnight]
        shown += [(start, end) for start, end in blocks if end - start < LONG_BLOCK and end > midnight]
        used = {hour for start, end in shown for hour in range(self._hour(start), self._hour(end, up=True))}
        self.scale = _scale(min((end - start for start, end in shown), default=HOUR))
        self._rows: dict[int, int] = {}  # by hour
        self._idle: set[int] = set()  # the hours drawn together
        self.lines: list[Line] = []
        self._lay(sorted(used or range(*QUIET)))

    def _hour(self, at: dt.datetime, *, up: bool = False) -> int:
        passed = max(at, self.midnight) - self.midnight
        return -(-passed // HOUR) if up else passed // HOUR

    def _lay(self, used: list[int]) -> None:
        row, before = 0, used[0]
        for hour in used:
            idle = hour - before - 1
            if idle == 1:
                row = self._line(hour - 1, row)
            elif idle > 1:
                together = range(hour - idle, hour)
                self._idle.update(together)
                self._rows.update(dict.fromkeys(together, row))
                row = self._line(together[0], row, is_gap=True)
            row, before = self._line(hour, row), hour
        self.first, self.last = self.midnight + used[0] * HOUR, self.midnight + (before + 1) * HOUR
        self.rows = row

    def _line(self, hour: int, row: int, *, is_gap: bool = False) -> int:
        """Draw an hour; answers the row after it."""
        self._rows[hour] = row
        at = self.midnight + hour * HOUR
        local = at.astimezone(self.tz)
        twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
        label = f"{local:%H:%M %Z}" if twice else f"{local:%H:%M}"
        is_midnight = hour > 0 and (local.hour, local.minute) == (0, 0)
        self.lines.append(Line(at, place(row, ROWS_AN_HOUR), label, is_midnight, is_gap))
        return row + ROWS_AN_HOUR

    def row(self, at: dt.datetime, *, up: bool = False) -> int:
        """The row that holds an instant; of the hours drawn together, and outside the day, the nearest that there is."""
        at = min(max(at, self.first), self.last)
        if at == self.last:
            return self.rows
        hour, rest = divmod(at - self.midnight, HOUR)
        minutes = 0 if hour in self._idle else rest / dt.timedelta(minutes=1)
        return self._rows[hour] + int(-(-minutes // MINUTES_A_ROW) if up else minutes // MINUTES_A_ROW)

    def place(self, start: dt.datetime, end: dt.datetime) -> str:
        """The classes that put a stretch where it belongs."""
        row = min(self.row(start), self.rows - 1)
        return place(row, max(1, self.row(end, up=True) - row))


def place(row: int, span: int) -> str:
    """Classes of pages/calendar.css, two digits to the base of 12 for each number: no inline style is needed."""
    return f"a{row // 12} b{row % 12} s{span // 12} t{span % 12}"


def _scale(shortest: dt.timedelta) -> str:
    return "airy" if shortest < AIRY_BELOW else "roomy" if shortest < ROOMY_BELOW else ""
