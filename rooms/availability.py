"""Which starts can be booked, and why the others cannot. The one validator for showing and for booking.

For each room the starts come from its timetable in venue time, the busy intervals from the calendar, sorted; each start
is laid against them by binary search: O(starts · log busy), after three queries for any number of rooms and days.
"""

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from common.walltime import day_bounds, zone
from rooms import calendar, pricing, schedule
from rooms.calendar import Calendar
from rooms.models import Room

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


_ORDER = {reason: index for index, reason in enumerate(Reason)}
# A start that is refused for one of these was never on sale that day; the others were, and are taken.
_NOT_ON_SALE = {Reason.ROOM_INACTIVE, Reason.LEAD_TIME, Reason.BEYOND_HORIZON, Reason.BLOCKED}


@dataclass(frozen=True, slots=True)
class Party:
    """Who asks: how many (None: as few as the room takes) and whether alone (None: as the room's mode has it)."""

    size: int | None = None
    private: bool | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """One start of one room, as the party that asks finds it. `price` is {amount, currency, party_size}."""

    room: Room
    starts_at: dt.datetime
    ends_at: dt.datetime
    reasons: list[Reason]
    seats_left: int
    private_available: bool
    price: dict[str, Any]

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
) -> list[Day]:
    """Each room's local days from `first` to `last`, both included. `rooms` come from `with_spaces()`.

    `ignore_holder`: that booking's own claim is treated as absent, for moving it.
    """
    bounds = [day_bounds(first, last, zone(room.venue.timezone)) for room in rooms]
    if not bounds:
        return []
    start, end = min(bound[0] for bound in bounds), max(bound[1] for bound in bounds)
    taken = calendar.load(rooms, start, end + calendar.LONGEST_PERIOD, now=now, ignore_holder=ignore_holder)
    found = []
    for room in rooms:
        for offset in range((last - first).days + 1):
            found.append(_day(room, first + dt.timedelta(days=offset), taken, now, party, include_unavailable))
    return found


def check(room: Room, starts_at: dt.datetime, *, now: dt.datetime, party: Party, ignore_holder: str | None = None) -> Slot:
    """One start, on the timetable or not."""
    tz = zone(room.venue.timezone)
    starts = schedule.starts_on(room.schedule, starts_at.astimezone(tz).date(), tz)
    around = calendar.LONGEST_PERIOD
    taken = calendar.load([room], starts_at - around, starts_at + around, now=now, ignore_holder=ignore_holder)
    return _slot(room, starts_at, starts.get(starts_at), taken, now, party, scheduled=starts_at in starts)


def alternatives(
    room: Room, near: dt.datetime, *, now: dt.datetime, party: Party, ignore_holder: str | None = None
) -> list[Slot]:
    """Up to five open starts of the same room, the nearest first, within a week either way."""
    tz = zone(room.venue.timezone)
    first, last = ((near + offset).astimezone(tz).date() for offset in (-ALTERNATIVES_WITHIN, ALTERNATIVES_WITHIN))
    found = days([room], first, last, now=now, party=party, ignore_holder=ignore_holder)
    slots = [slot for day in found for slot in day.slots]
    return sorted(slots, key=lambda slot: abs(slot.starts_at - near))[:MAX_ALTERNATIVES]


def _day(room: Room, date: dt.date, taken: Calendar, now: dt.datetime, party: Party, include_unavailable: bool) -> Day:
    starts = schedule.starts_on(room.schedule, date, zone(room.venue.timezone))
    slots = [_slot(room, start, override, taken, now, party) for start, override in starts.items()]
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


def _slot(
    room: Room,
    starts_at: dt.datetime,
    override: int | None,
    taken: Calendar,
    now: dt.datetime,
    party: Party,
    *,
    scheduled: bool = True,
) -> Slot:
    ends_at = starts_at + dt.timedelta(minutes=room.duration_minutes)
    size = room.min_party if party.size is None else party.size
    private = default_private(room) if party.private is None else party.private
    reasons = _rule_reasons(room, starts_at, size, private, now, scheduled)
    if taken.is_blocked(room.pk, starts_at, ends_at):
        reasons.add(Reason.BLOCKED)
    seats = _seats_taken(room, starts_at, ends_at, taken, reasons)
    left = 0 if seats is None else room.capacity - seats
    if seats is not None and size > left and Reason.PARTY_TOO_LARGE not in reasons:
        reasons.add(Reason.INSUFFICIENT_SEATS)
    if private and seats:
        reasons.add(Reason.PRIVATE_UNAVAILABLE)
    return Slot(
        room,
        starts_at,
        ends_at,
        sorted(reasons, key=_ORDER.__getitem__),
        left,
        seats == 0 and room.booking_mode != Room.BookingMode.SHARED,
        _price(room, starts_at, size, private, override),
    )


def default_private(room: Room) -> bool:
    """What a party that does not say gets: a private room is private, a shared one is shared."""
    return room.booking_mode == Room.BookingMode.PRIVATE


def _rule_reasons(room: Room, starts_at: dt.datetime, size: int, private: bool, now: dt.datetime, scheduled: bool) -> set[Reason]:
    """What the room's own rules say, whoever else has booked."""
    tz = zone(room.venue.timezone)
    last_day = now.astimezone(tz).date() + dt.timedelta(days=room.horizon_days)
    wrong_mode = private == (room.booking_mode == Room.BookingMode.SHARED) and (
        room.booking_mode != Room.BookingMode.SHARED_WITH_PRIVATE_UPGRADE
    )
    refused = {
        Reason.ROOM_INACTIVE: room.status == Room.Status.ARCHIVED,
        Reason.OUTSIDE_SCHEDULE: not scheduled,
        Reason.LEAD_TIME: starts_at < max(now + dt.timedelta(minutes=room.lead_time_minutes), now),
        Reason.BEYOND_HORIZON: starts_at.astimezone(tz).date() > last_day,
        Reason.PARTY_TOO_SMALL: size < room.min_party,
        Reason.PARTY_TOO_LARGE: size > room.max_party,
        Reason.PRIVATE_UNAVAILABLE: wrong_mode,
    }
    return {reason for reason, holds in refused.items() if holds}


def _seats_taken(room: Room, starts_at: dt.datetime, ends_at: dt.datetime, taken: Calendar, reasons: set[Reason]) -> int | None:
    """Seats sold of this very game, None when the time is another game's; adds why."""
    start = starts_at - dt.timedelta(minutes=room.setup_minutes)
    end = ends_at + dt.timedelta(minutes=room.turnaround_minutes)
    seats: int | None = 0
    for space_id in room.space_ids:
        for busy in taken.overlapping(space_id, start, end):
            own = busy.room_id == room.pk
            if own and busy.session_start == starts_at and not busy.exclusive:
                seats = busy.seats if seats is not None else None
                continue
            seats = None
            reasons.add(Reason.HELD if busy.is_held else Reason.BOOKED if own else Reason.SHARED_SPACE_BUSY)
    return seats


def _price(room: Room, starts_at: dt.datetime, size: int, private: bool, override: int | None) -> dict[str, Any]:
    found = pricing.price(
        room.pricing,
        tax=room.venue.tax,
        local_start=starts_at.astimezone(zone(room.venue.timezone)),
        party_size=size,
        private=private,
        override=override,
    )
    return {"amount": found["total"], "currency": found["currency"], "party_size": size}
