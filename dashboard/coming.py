"""A room's coming slots and prices as guests would find them: of the room as it is, or as it would be with what is typed."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from common.walltime import day_start, zone
from rooms import availability, pricing
from rooms.availability import Day, Reason, Slot
from rooms.models import Room
from rooms.schedule import Timetable

DAYS_AHEAD = 14
SLOTS_A_DAY = 16  # shown; more are counted
STARTS_AT_ONCE = 20_000  # 5-minute starts around the clock for two weeks are 4,032
WORDS = {
    Reason.LEAD_TIME: "too soon",
    Reason.BEYOND_HORIZON: "too far ahead",
    Reason.BLOCKED: "blocked",
    Reason.BOOKED: "booked",
    Reason.HELD: "held",
    Reason.SHARED_SPACE_BUSY: "space taken",
    Reason.INSUFFICIENT_SEATS: "full",
    Reason.ROOM_INACTIVE: "archived",
}
SIZES_SHOWN = 12  # party sizes in the table of prices


@dataclass(frozen=True)
class ComingDay:
    """What of a day is still to come."""

    day: Day
    now: dt.datetime

    @cached_property
    def slots(self) -> list[Slot]:
        return [slot for slot in self.day.slots if slot.starts_at > self.now]

    @property
    def open(self) -> list[Slot]:
        return [slot for slot in self.slots if slot.is_available][:SLOTS_A_DAY]

    @property
    def more(self) -> int:
        return sum(slot.is_available for slot in self.slots) - len(self.open)

    @property
    def taken(self) -> list[tuple[str, list[Slot]]]:
        """What cannot be booked, by the first word for it: [("booked", slots)]."""
        by_word: dict[str, list[Slot]] = {}
        for slot in self.slots:
            if slot.reasons:
                by_word.setdefault(WORDS.get(slot.reasons[0], "not open"), []).append(slot)
        return list(by_word.items())

    @property
    def price(self) -> dict[str, Any] | None:
        """{low, high, currency, party_size} of the open ones."""
        if not self.open:
            return None
        prices = [slot.price for slot in self.open]
        amounts = [price["amount"] for price in prices]
        return {**prices[0], "low": min(amounts), "high": max(amounts)}


def coming_days(room: Room, *, now: dt.datetime) -> list[ComingDay]:
    """Two weeks from today, by the venue's clock. `room` has `space_ids`. Raises DomainError RANGE_TOO_LARGE."""
    first = now.astimezone(zone(room.venue.timezone)).date()
    last = first + dt.timedelta(days=DAYS_AHEAD - 1)
    found = availability.days([room], first, last, now=now, include_unavailable=True, at_most=STARTS_AT_ONCE)
    return [ComingDay(day, now) for day in found]


@dataclass(frozen=True)
class Quote:
    """What a game would cost, and the table by party size for the same start."""

    room: Room
    day: dt.date
    starts: dict[dt.datetime, int | None]  # of that day; without any, an example at noon
    start: dt.datetime
    size: int
    private: bool

    def price(self, size: int) -> dict[str, Any]:
        return pricing.price(
            self.room.pricing,
            tax=self.room.venue.tax,
            local_start=self.start.astimezone(zone(self.room.venue.timezone)),
            party_size=size,
            private=self.private,
            override=self.starts.get(self.start),
        )

    @property
    def chosen(self) -> dict[str, Any]:
        return self.price(self.size)

    @property
    def deposit(self) -> int:
        return pricing.deposit_due(self.room.pricing, self.chosen["total"])

    @property
    def sizes(self) -> Iterator[tuple[int, int]]:
        """(party size, total), the first ones."""
        room = self.room
        for size in range(room.min_party, min(room.max_party, room.min_party + SIZES_SHOWN - 1) + 1):
            yield size, self.price(size)["total"]


def quote(room: Room, *, day: dt.date, time: str, size: int, private: bool | None) -> Quote:
    """At the day's start at that wall time, else its first; `size` within what the room takes."""
    tz = zone(room.venue.timezone)
    starts = Timetable(room.schedule, tz).starts_on(day)
    named = next((start for start in starts if f"{start.astimezone(tz):%H:%M}" == time), None)
    start = named or next(iter(starts), day_start(day, tz) + dt.timedelta(hours=12))
    within = min(max(size, room.min_party), room.max_party)
    alone = availability.default_private(room) if private is None else private
    return Quote(room, day, starts, start, within, alone)
