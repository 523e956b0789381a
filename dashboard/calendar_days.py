"""Days as the calendar shows them: what availability tells, with the bookings and the blocks that make it so.

A game after midnight belongs to the evening in which it was put on sale: the day shown is that of the people in the house.
Each start belongs to one day; the calendar of a day also recalls what is left of the night before.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import pairwise
from urllib.parse import urlencode

from bookings.models import Booking
from common.walltime import day_start, utc_text, zone
from organizations.actor import Actor
from rooms import availability, calendar
from rooms.availability import Reason, Slot
from rooms.models import Block, Room
from rooms.recurrence import stretches
from rooms.schedule import Timetable

DAY, MOMENT = dt.timedelta(days=1), dt.timedelta(microseconds=1)
SHOWN = [status for status in Booking.Status if status not in (Booking.Status.CANCELED, Booking.Status.EXPIRED)]
# Of a booking the calendar reads neither what was agreed nor what was answered.
NOT_READ = ("price_rules", "policy", "guests", "answers", "notes_customer", "notes_internal", "metadata")
_IN_THE_WAY = {Reason.BOOKED, Reason.HELD, Reason.SHARED_SPACE_BUSY}


class Kind(StrEnum):
    GAME = "game"
    FREE = "free"
    SHUT = "shut"  # was or will be on sale, and cannot be booked
    BUSY = "busy"  # another room has the space
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Party:
    """Who comes, and how it stands with them."""

    booking: Booking
    status: str
    state: str  # in words, where it is not simply what one expects

    @property
    def due(self) -> int:
        """What they still have to pay, minor units; nothing of those who never came."""
        return 0 if self.status == Booking.Status.NO_SHOW else self.booking.amount_due

    @property
    def name(self) -> str:
        contact = self.booking.contact
        return contact.get("name") or contact.get("email") or contact.get("phone") or self.booking.reference


@dataclass(slots=True)
class Entry:
    """A stretch of a room's day. `until` is where its drawing ends: starts on sale may overlap one another."""

    kind: Kind
    room: Room
    starts_at: dt.datetime
    ends_at: dt.datetime
    now: dt.datetime
    until: dt.datetime
    slot: Slot | None = None
    parties: list[Party] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    word: str = ""  # why nobody can book it
    is_blocked: bool = False
    is_all_day: bool = False

    @property
    def is_past(self) -> bool:
        return self.ends_at <= self.now

    @property
    def is_on(self) -> bool:
        return self.starts_at <= self.now < self.ends_at

    @property
    def is_shared(self) -> bool:
        """Whether several parties may play it together."""
        return self.kind == Kind.GAME and not self.parties[0].booking.private

    @property
    def seats_sold(self) -> int:
        return sum(party.booking.party_size for party in self.parties)

    @property
    def capacity(self) -> int:
        claim = self.parties[0].booking.claim
        return claim.session.capacity if claim else self.room.capacity

    @property
    def seats_left(self) -> int:
        """That can be booked now."""
        return self.slot.seats_left if self.slot and self.slot.is_available else 0

    @property
    def timezone(self) -> str:
        return self.room.venue.timezone

    @property
    def falls_on(self) -> dt.date:
        """Its calendar date, which after midnight is not that of its business day."""
        return self.starts_at.astimezone(zone(self.timezone)).date()

    @property
    def query(self) -> str:
        """Room and start, for the address of the page that books them."""
        return urlencode({"room": self.room.public_id, "starts_at": utc_text(self.starts_at)})


@dataclass(frozen=True, slots=True)
class RoomDay:
    """A room's business day. `night_before` is what its calendar date has of the day before; `is_closed`: no start at all."""

    room: Room
    date: dt.date
    entries: list[Entry]
    night_before: list[Entry]
    is_closed: bool

    @property
    def games(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.kind == Kind.GAME]

    @property
    def free(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.kind == Kind.FREE]

    @property
    def offered(self) -> int:
        """Games sold, and those that were or still are to be had beside them."""
        left, ends_at = 0, None
        for entry in self.entries:
            is_open = entry.kind == Kind.FREE or (entry.kind == Kind.SHUT and entry.slot is not None)
            if is_open and (ends_at is None or entry.starts_at >= ends_at):
                left, ends_at = left + 1, entry.ends_at
        return len(self.games) + left


@dataclass(frozen=True, slots=True)
class Summary:
    """Days in numbers. `due` is {currency: minor units}."""

    sold: int
    offered: int
    free: int
    guests: int
    due: dict[str, int]


def summary(days: Iterable[RoomDay]) -> Summary:
    days = list(days)
    due: dict[str, int] = defaultdict(int)
    parties = [party for day in days for game in day.games for party in game.parties]
    for party in parties:
        if party.due:
            due[party.booking.currency] += party.due
    return Summary(
        sold=sum(len(day.games) for day in days),
        offered=sum(day.offered for day in days),
        free=sum(len(day.free) for day in days),
        guests=sum(party.booking.party_size for party in parties if party.status != Booking.Status.NO_SHOW),
        due=dict(due),
    )


def current_day(rooms: Iterable[Room], now: dt.datetime, tz: str) -> dt.date:
    """Today, or yesterday while its evening goes on in one of the rooms."""
    today = now.astimezone(zone(tz)).date()
    for room in rooms:
        late = Timetable(room.schedule, zone(tz)).after_midnight(today - DAY)
        if late and now < max(late) + dt.timedelta(minutes=room.duration_minutes):
            return today - DAY
    return today


def load(actor: Actor, rooms: Sequence[Room], first: dt.date, last: dt.date, *, now: dt.datetime) -> list[RoomDay]:
    """The business days from `first` to `last` of rooms on one clock, day by day, in the rooms' order: five queries.

    `rooms` come from `with_spaces()`. Of archived ones only those are there that have bookings then.
    """
    if not rooms:
        return []
    tz = zone(rooms[0].venue.timezone)
    start, end = day_start(first, tz), day_start(last + 2 * DAY, tz)
    bookings = _bookings(actor, rooms, start, end)
    known = {booking.room_id for booking in bookings}
    rooms = [room for room in rooms if room.status != Room.Status.ARCHIVED or room.pk in known]
    told = availability.days(rooms, first, last + DAY, now=now, include_unavailable=True)
    slots: dict[int, list[Slot]] = defaultdict(list)
    for day in told:
        slots[day.room.pk] += day.slots
    games = _games(rooms, bookings, slots, now)
    blocks = _blocks(actor, rooms, start, end, now)
    rows = [_Row(room, slots[room.pk], games, blocks[room.pk], now) for room in rooms]
    return [_room_day(row, first + DAY * offset) for offset in range((last - first).days + 1) for row in rows]


class _Row:
    """A room with all that the days asked for have of it, worked out once for all of them."""

    def __init__(
        self, room: Room, slots: list[Slot], games: dict[int, list[Entry]], blocks: list[Entry], now: dt.datetime
    ) -> None:
        self.room, self.slots, self.blocks = room, slots, blocks
        self.tz = zone(room.venue.timezone)
        self.timetable = Timetable(room.schedule, self.tz)
        for game in games[room.pk]:
            game.is_blocked = any(block.starts_at < game.ends_at and block.ends_at > game.starts_at for block in blocks)
        self.entries = [*games[room.pk], *_unsold(slots, games, now)]


def _bookings(actor: Actor, rooms: Sequence[Room], start: dt.datetime, end: dt.datetime) -> list[Booking]:
    found = (
        Booking.objects.visible_to(actor)
        .reading_as(SHOWN)
        .filter(room__in=rooms, starts_at__gte=start - calendar.LONGEST_PERIOD, starts_at__lt=end, ends_at__gt=start)
    )
    return list(found.select_related("claim__session").defer(*NOT_READ).order_by("starts_at", "pk"))


def _games(
    rooms: Sequence[Room], bookings: list[Booking], slots: dict[int, list[Slot]], now: dt.datetime
) -> dict[int, list[Entry]]:
    """By room, in order; the parties of a shared game together."""
    by_id = {room.pk: room for room in rooms}
    at = {(room_id, slot.starts_at): slot for room_id, found in slots.items() for slot in found}
    together: dict[tuple[int, dt.datetime], list[Booking]] = defaultdict(list)
    for booking in bookings:
        together[booking.room_id, booking.starts_at].append(booking)
    games: dict[int, list[Entry]] = defaultdict(list)
    for (room_id, starts_at), parties in together.items():
        ends_at = max(booking.ends_at for booking in parties)
        entry = Entry(Kind.GAME, by_id[room_id], starts_at, ends_at, now, ends_at, slot=at.get((room_id, starts_at)))
        entry.parties = [_party(booking, now) for booking in parties]
        games[room_id].append(entry)
    return games


def _party(booking: Booking, now: dt.datetime) -> Party:
    status, state = booking.reads_as_at(now), ""
    if status == Booking.Status.HELD and booking.hold_expires_at is not None:
        state = f"Held, {-((now - booking.hold_expires_at) // dt.timedelta(minutes=1))} min left"
    elif status == Booking.Status.CONFIRMED and booking.starts_at <= now:
        state = "Not checked in"
    elif status in (Booking.Status.CHECKED_IN, Booking.Status.NO_SHOW):
        state = str(status.label)
    return Party(booking, status, state)


def _blocks(
    actor: Actor, rooms: Sequence[Room], start: dt.datetime, end: dt.datetime, now: dt.datetime
) -> dict[int, list[Entry]]:
    """By room, in order and side by side: what lies under another is named with it."""
    laid: dict[int, list[Entry]] = defaultdict(list)
    for block in Block.objects.visible_to(actor).touching(start, end).with_spaces():
        for room in rooms:
            if calendar.covers(block, room):
                for first, last in stretches(block, zone(room.venue.timezone), start, end):
                    laid[room.pk].append(Entry(Kind.BLOCK, room, first, last, now, last, blocks=[block]))
    return defaultdict(list, {room_id: list(_side_by_side(found)) for room_id, found in laid.items()})


def _side_by_side(entries: list[Entry]) -> Iterator[Entry]:
    before: Entry | None = None
    for entry in sorted(entries, key=lambda one: (one.starts_at, -one.ends_at.timestamp())):
        if before is not None and entry.starts_at < before.ends_at:
            before.blocks += entry.blocks
            if entry.ends_at > before.ends_at:
                before.ends_at = before.until = entry.ends_at
            continue
        before = entry
        yield entry


def _room_day(row: _Row, date: dt.date) -> RoomDay:
    first, last, begins, ends = _bounds(row, date)
    today = [entry for entry in row.entries if begins <= entry.starts_at < ends]
    before = [
        replace(entry)  # the day before draws it up to another one
        for entry in row.entries
        if (first <= entry.starts_at < begins and entry.kind in (Kind.GAME, Kind.FREE))
        or (entry.kind == Kind.GAME and entry.starts_at < first < entry.ends_at)
    ]
    latest = max((entry.ends_at for entry in today), default=ends)
    covering = [
        replace(block, is_all_day=block.starts_at <= first and block.ends_at >= last)
        for block in row.blocks
        if block.starts_at < max(ends, latest) and block.ends_at > first
    ]
    return RoomDay(
        row.room,
        date,
        _in_order([*today, *covering]),
        _in_order(before),
        is_closed=not any(begins <= slot.starts_at < ends for slot in row.slots) and not today,
    )


def _bounds(row: _Row, date: dt.date) -> tuple[dt.datetime, dt.datetime, dt.datetime, dt.datetime]:
    """The calendar date, and the business day: it begins after the last start of the night before."""
    first, last = day_start(date, row.tz), day_start(date + DAY, row.tz)
    begins, ends = (
        max(row.timetable.after_midnight(evening), default=midnight - MOMENT) + MOMENT
        for evening, midnight in ((date - DAY, first), (date, last))
    )
    return first, last, begins, ends


def _unsold(slots: list[Slot], games: dict[int, list[Entry]], now: dt.datetime) -> Iterator[Entry]:
    """The starts of a room at which nobody plays."""
    mine = games[slots[0].room.pk] if slots else []
    played = {game.starts_at for game in mine}
    for slot in slots:
        reasons = set(slot.reasons)
        if slot.starts_at in played or Reason.ROOM_INACTIVE in reasons:
            continue
        if slot.is_available:
            kind, word = Kind.FREE, ""
        elif reasons & _IN_THE_WAY:
            if any(_crosses(slot, game) for game in mine):
                continue
            kind, word = Kind.BUSY, "Space in use" + _neighbour(slot, games)
        elif Reason.BLOCKED in reasons:
            continue
        else:
            kind, word = Kind.SHUT, _why_shut(slot, now)
        yield Entry(kind, slot.room, slot.starts_at, slot.ends_at, now, slot.ends_at, slot=slot, word=word)


def _crosses(slot: Slot, game: Entry) -> bool:
    """Whether game and slot want the space at once, set-up and turnaround included."""
    setup, turnaround = (dt.timedelta(minutes=minutes) for minutes in (game.room.setup_minutes, game.room.turnaround_minutes))
    begins, ends = slot.starts_at - slot.terms.setup, slot.ends_at + slot.terms.turnaround
    return game.starts_at - setup < ends and game.ends_at + turnaround > begins


def _neighbour(slot: Slot, games: dict[int, list[Entry]]) -> str:
    """Which room has the space then; empty when it is not among those shown."""
    spaces = set(slot.room.space_ids)
    for entries in games.values():
        for game in entries:
            if not spaces.isdisjoint(game.room.space_ids) and _crosses(slot, game):
                return f" by {game.room.name}"
    return ""


def _why_shut(slot: Slot, now: dt.datetime) -> str:
    if slot.starts_at <= now:
        return "Not sold"
    if Reason.BEYOND_HORIZON in slot.reasons:
        return "Not on sale yet"
    return "Too late to book" if Reason.LEAD_TIME in slot.reasons else "Not bookable"


def _in_order(entries: list[Entry]) -> list[Entry]:
    """By time; blocks before what lies on them. A start on sale is drawn until the next one."""
    entries.sort(key=lambda entry: (entry.starts_at, entry.kind != Kind.BLOCK))
    drawn = [entry for entry in entries if entry.kind != Kind.BLOCK]
    for entry, follower in pairwise(drawn):
        entry.until = min(entry.ends_at, follower.starts_at) if follower.starts_at > entry.starts_at else entry.ends_at
    return entries
