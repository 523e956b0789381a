"""Which starts can be booked, and why the others cannot. The one validator for showing and for booking.

For each room the starts come from its timetable in venue time, the busy intervals from the calendar, sorted; each start
is laid against them by binary search: O(starts · log busy), after three queries for any number of rooms and days.
"""

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from common.errors import DomainError, ErrorCode
from common.walltime import day_bounds, day_start, zone
from rooms import calendar, pricing
from rooms.calendar import Calendar
from rooms.models import Room
from rooms.schedule import Timetable

MAX_ALTERNATIVES = 5
ALTERNATIVES_WITHIN = dt.timedelta(days=7)


class Reason(StrEnum):
    """Why a start cannot be booked, in the order in which reasons are told."""

    ROOM_INACTIVE = "room_inactive"
    OUTSIDE_SCHEDULE = "outside_schedule"
    LEAD_TIME = "lead_time"
    BEYOND_HORIZON = "beyond_horizon"
    PARTY_TOO_SMALL = "party_too_small"
    PARTY_TOO_LARGE = "party_too_large"
    PRIVATE_UNAVAILABLE = "private_unavailable"
    BLOCKED = "blocked"
    BOOKED = "booked"
    HELD = "held"
    SHARED_SPACE_BUSY = "shared_space_busy"
    INSUFFICIENT_SEATS = "insufficient_seats"


_RANK = {reason: rank for rank, reason in enumerate(Reason)}
# A start that is refused for one of these was never on sale that day; the others were, and are taken.
_NOT_ON_SALE = {Reason.ROOM_INACTIVE, Reason.LEAD_TIME, Reason.BEYOND_HORIZON, Reason.BLOCKED}


@dataclass(frozen=True, slots=True)
class Party:
    """Who asks: how many (None: as few as the room takes) and whether alone (None: as the room's mode has it)."""

    size: int | None = None
    private: bool | None = None


class Terms:
    """A room's terms for one party: what holds for each of its starts, worked out once."""

    def __init__(self, room: Room, party: Party, now: dt.datetime) -> None:
        self.room, self.tz = room, zone(room.venue.timezone)
        self.size = room.min_party if party.size is None else party.size
        self.private = default_private(room) if party.private is None else party.private
        self.duration = dt.timedelta(minutes=room.duration_minutes)
        self.setup, self.turnaround = dt.timedelta(minutes=room.setup_minutes), dt.timedelta(minutes=room.turnaround_minutes)
        self.first_start = now + dt.timedelta(minutes=room.lead_time_minutes)
        last_day = now.astimezone(self.tz).date() + dt.timedelta(days=room.horizon_days)
        self.horizon = day_start(last_day + dt.timedelta(days=1), self.tz)
        self.always = self._whatever_the_start()
        self._tax = room.venue.tax
        self._prices: dict[Any, int] = {}

    def _whatever_the_start(self) -> set[Reason]:
        room, mode = self.room, Room.BookingMode
        wrong_mode = room.booking_mode == (mode.SHARED if self.private else mode.PRIVATE)
        refused = {
            Reason.ROOM_INACTIVE: room.status == Room.Status.ARCHIVED,
            Reason.PARTY_TOO_SMALL: self.size < room.min_party,
            Reason.PARTY_TOO_LARGE: self.size > room.max_party,
            Reason.PRIVATE_UNAVAILABLE: wrong_mode,
        }
        return {reason for reason, holds in refused.items() if holds}

    def reasons(self, starts_at: dt.datetime) -> set[Reason]:
        """What the room's own rules say, whoever else has booked."""
        found = self.always.copy()
        if starts_at < self.first_start:
            found.add(Reason.LEAD_TIME)
        if starts_at >= self.horizon:
            found.add(Reason.BEYOND_HORIZON)
        return found

    def price(self, starts_at: dt.datetime, override: int | None) -> dict[str, Any]:
        rules, local = self.room.pricing, starts_at.astimezone(self.tz)
        key = pricing.moment(rules, local), override
        if key not in self._prices:
            found = pricing.price(
                rules,
                tax=self._tax,
                local_start=local,
                party_size=self.size,
                private=self.private,
                override=override,
            )
            self._prices[key] = found["total"]
        return {"amount": self._prices[key], "currency": rules["currency"], "party_size": self.size}


@dataclass(frozen=True, slots=True)
class Slot:
    """One start of one room, as the party that asks finds it."""

    terms: Terms
    starts_at: dt.datetime
    ends_at: dt.datetime
    reasons: list[Reason]
    seats_left: int
    private_available: bool
    price_override: int | None

    @property
    def room(self) -> Room:
        return self.terms.room

    @property
    def price(self) -> dict[str, Any]:
        """{amount, currency, party_size}: worked out when it is asked for, which the status of a day never does."""
        return self.terms.price(self.starts_at, self.price_override)

    @property
    def is_available(self) -> bool:
        return not self.reasons

    @property
    def status(self) -> str:
        return "available" if self.is_available else "unavailable"

    @property
    def book_by(self) -> dt.datetime:
        return self.starts_at - dt.timedelta(minutes=self.room.lead_time_minutes)


@dataclass(frozen=True, slots=True)
class Day:
    """A room's local day: `closed` when nothing is on sale, `limited` when less than half of what is on sale is open."""

    room: Room
    date: dt.date
    status: str
    slots: list[Slot]


def days(
    rooms: list[Room],
    first: dt.date,
    last: dt.date,
    *,
    now: dt.datetime,
    party: Party = Party(),
    ignore_holder: str | None = None,
    include_unavailable: bool = False,
    at_most: int | None = None,
) -> list[Day]:
    """Each room's local days from `first` to `last`, both included. `rooms` come from `with_spaces()`.

    `ignore_holder`: that booking's own claim is treated as absent, for moving it. `at_most` bounds the work: with more
    starts than that (a day counts as one at least) it raises DomainError RANGE_TOO_LARGE before the calendar is read.
    """
    if not rooms:
        return []
    asked = list(_starts([Terms(room, party, now) for room in rooms], first, last, at_most=at_most))
    bounds = [day_bounds(first, last, zone(room.venue.timezone)) for room in rooms]
    start, end = min(bound[0] for bound in bounds), max(bound[1] for bound in bounds)
    taken = _taken(rooms, start, end, now=now, ignore_holder=ignore_holder)
    found = []
    for terms, date, starts in asked:
        slots = [_slot(terms, start, override, taken) for start, override in starts.items()]
        found.append(_day(terms.room, date, slots, include_unavailable=include_unavailable))
    return found


def check(room: Room, starts_at: dt.datetime, *, now: dt.datetime, party: Party, ignore_holder: str | None = None) -> Slot:
    """One start, on the timetable or not."""
    terms = Terms(room, party, now)
    starts = Timetable(room.schedule, terms.tz).starts_on(starts_at.astimezone(terms.tz).date())
    taken = _taken([room], starts_at, starts_at, now=now, ignore_holder=ignore_holder)
    return _slot(terms, starts_at, starts.get(starts_at), taken, scheduled=starts_at in starts)


def alternatives(
    room: Room, near: dt.datetime, *, now: dt.datetime, party: Party, ignore_holder: str | None = None
) -> list[Slot]:
    """Up to five open starts of the same room, the nearest first, within a week either way."""
    tz = zone(room.venue.timezone)
    first, last = ((near + offset).astimezone(tz).date() for offset in (-ALTERNATIVES_WITHIN, ALTERNATIVES_WITHIN))
    found = days([room], first, last, now=now, party=party, ignore_holder=ignore_holder)
    slots = [slot for day in found for slot in day.slots]
    return sorted(slots, key=lambda slot: abs(slot.starts_at - near))[:MAX_ALTERNATIVES]


def _starts(
    offers: list[Terms], first: dt.date, last: dt.date, *, at_most: int | None
) -> Iterator[tuple[Terms, dt.date, dict[dt.datetime, int | None]]]:
    """Each room's starts, day by day. Raises DomainError RANGE_TOO_LARGE with more than `at_most`."""
    count = 0
    for terms in offers:
        timetable = Timetable(terms.room.schedule, terms.tz)
        for offset in range((last - first).days + 1):
            date = first + dt.timedelta(days=offset)
            starts = timetable.starts_on(date)
            count += max(len(starts), 1)
            if at_most is not None and count > at_most:
                raise DomainError("Ask for fewer rooms or days.", code=ErrorCode.RANGE_TOO_LARGE)
            yield terms, date, starts


def _taken(rooms: list[Room], first: dt.datetime, last: dt.datetime, *, now: dt.datetime, ignore_holder: str | None) -> Calendar:
    """The calendar as far as it matters to games that start between two instants: their set-up lies before, their
    turnaround after.
    """
    before = max(room.setup_minutes for room in rooms)
    after = max(room.duration_minutes + room.turnaround_minutes for room in rooms)
    start, end = first - dt.timedelta(minutes=before), last + dt.timedelta(minutes=after)
    return calendar.load(rooms, start, end, now=now, ignore_holder=ignore_holder)


def _day(room: Room, date: dt.date, slots: list[Slot], *, include_unavailable: bool) -> Day:
    on_sale = [slot for slot in slots if _NOT_ON_SALE.isdisjoint(slot.reasons)]
    shown = slots if include_unavailable else [slot for slot in slots if slot.is_available]
    return Day(room, date, _day_status(on_sale), shown)


def _day_status(on_sale: list[Slot]) -> str:
    available = sum(slot.is_available for slot in on_sale)
    if not on_sale:
        return "closed"
    if not available:
        return "sold_out"
    return "limited" if available * 2 < len(on_sale) else "available"


def _slot(terms: Terms, starts_at: dt.datetime, override: int | None, taken: Calendar, *, scheduled: bool = True) -> Slot:
    room = terms.room
    reasons = terms.reasons(starts_at)
    if not scheduled:
        reasons.add(Reason.OUTSIDE_SCHEDULE)
    game = taken.games.get((room.pk, starts_at))
    # To join a game takes no more time than it has already, whatever the room's duration is by now.
    ends_at = game.session_end if game else starts_at + terms.duration
    in_the_way = set() if game else _in_the_way(terms, starts_at, ends_at, taken)
    reasons |= in_the_way
    if taken.is_blocked(room.pk, starts_at, ends_at):
        reasons.add(Reason.BLOCKED)
    seats = game.seats if game else 0
    left = 0 if in_the_way else room.capacity - seats
    if terms.size > left and not in_the_way and Reason.PARTY_TOO_LARGE not in reasons:
        reasons.add(Reason.INSUFFICIENT_SEATS)
    if terms.private and game:
        reasons.add(Reason.PRIVATE_UNAVAILABLE)
    private_available = not (game or in_the_way) and room.booking_mode != Room.BookingMode.SHARED
    return Slot(terms, starts_at, ends_at, in_order(reasons), left, private_available, override)


def default_private(room: Room) -> bool:
    """What a party that does not say gets: a private room is private, a shared one is shared."""
    return room.booking_mode == Room.BookingMode.PRIVATE


def in_order(reasons: Collection[Reason]) -> list[Reason]:
    """As they are told."""
    return sorted(reasons, key=_RANK.__getitem__)


def _in_the_way(terms: Terms, starts_at: dt.datetime, ends_at: dt.datetime, taken: Calendar) -> set[Reason]:
    """Why a new game cannot have the time, set-up and turnaround included."""
    found = set()
    for space_id in terms.room.space_ids:
        for busy in taken.overlapping(space_id, starts_at - terms.setup, ends_at + terms.turnaround):
            own = busy.room_id == terms.room.pk
            found.add(Reason.HELD if busy.is_held else Reason.BOOKED if own else Reason.SHARED_SPACE_BUSY)
    return found
