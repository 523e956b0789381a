"""What already takes the spaces' time: read in three queries, whatever the number of rooms and days."""

import datetime as dt
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Q
from django.db.models.expressions import RawSQL

from common.walltime import zone
from rooms.models import Block, Claim, Occupancy, Room
from rooms.recurrence import Stretch, merged, stretches

# No session lasts longer with its set-up and turnaround (rules.py keeps it so): how far back the index is read.
LONGEST_PERIOD = dt.timedelta(hours=48)


@dataclass(frozen=True, slots=True)
class Busy:
    """A live session's hold on a space. `seats` are those of live claims; `is_held`: no claim on it is firm yet."""

    start: dt.datetime
    end: dt.datetime
    room_id: int
    session_id: int
    session_start: dt.datetime
    session_end: dt.datetime
    exclusive: bool
    seats: int
    is_held: bool


@dataclass(slots=True)
class Calendar:
    """Busy time by space and blocked time by room, sorted and free of overlaps; games that can be joined, by room and start."""

    busy: dict[int, list[Busy]] = field(default_factory=lambda: defaultdict(list))
    busy_from: dict[int, list[dt.datetime]] = field(default_factory=lambda: defaultdict(list))  # the start of each of `busy`
    games: dict[tuple[int, dt.datetime], Busy] = field(default_factory=dict)
    blocked: dict[int, list[Stretch]] = field(default_factory=dict)

    def overlapping(self, space_id: int, start: dt.datetime, end: dt.datetime) -> Iterable[Busy]:
        intervals = self.busy.get(space_id, ())
        index = bisect_left(self.busy_from.get(space_id, ()), end)
        while index and intervals[index - 1].end > start:
            index -= 1
            yield intervals[index]

    def is_blocked(self, room_id: int, start: dt.datetime, end: dt.datetime) -> bool:
        stretches = self.blocked.get(room_id, ())
        index = bisect_left(stretches, end, key=lambda stretch: stretch[0])
        return index > 0 and stretches[index - 1][1] > start


def load(
    rooms: list[Room], start: dt.datetime, end: dt.datetime, *, now: dt.datetime, ignore_holder: str | None = None
) -> Calendar:
    """The calendar of the rooms' spaces over [start, end) as it is at `now`: holds past their time, and the claim of
    `ignore_holder`, are not there. `rooms` come from `with_spaces()`.
    """
    calendar = Calendar()
    _read_busy(calendar, rooms, start, end, now=now, ignore_holder=ignore_holder)
    _read_blocks(calendar, rooms, start, end)
    return calendar


def _read_busy(
    calendar: Calendar,
    rooms: list[Room],
    start: dt.datetime,
    end: dt.datetime,
    *,
    now: dt.datetime,
    ignore_holder: str | None,
) -> None:
    rows = list(
        Occupancy.objects.filter(
            space__in={space for room in rooms for space in room.space_ids},
            active=True,
            period__startswith__gte=start - LONGEST_PERIOD,
            period__startswith__lt=end,
            period__endswith__gt=start,
        )
        .order_by("space_id", "period")
        .values_list(
            "space_id",
            "period__startswith",
            "period__endswith",
            "session_id",
            "session__room_id",
            "session__starts_at",
            "session__ends_at",
            "session__exclusive",
            "session__seats_taken",
        )
    )
    not_counted, open_seats = _loose_seats([row[3] for row in rows], now=now, ignore_holder=ignore_holder)
    for space_id, busy_from, busy_to, session_id, room_id, session_start, session_end, exclusive, taken in rows:
        seats = taken - not_counted[session_id]
        if seats > 0:
            is_held = seats <= open_seats[session_id]
            busy = Busy(busy_from, busy_to, room_id, session_id, session_start, session_end, exclusive, seats, is_held)
            calendar.busy[space_id].append(busy)
            calendar.busy_from[space_id].append(busy_from)
            if not exclusive:
                calendar.games[room_id, session_start] = busy


def _loose_seats(session_ids: list[int], *, now: dt.datetime, ignore_holder: str | None) -> tuple[dict[int, int], dict[int, int]]:
    """By session: the seats that do not count (dead or ignored claims), and those of open holds."""
    not_counted: dict[int, int] = defaultdict(int)
    held: dict[int, int] = defaultdict(int)
    loose = Q(expires_at__isnull=False)  # alone it is the index of open holds, which are few; else every session is looked up
    if ignore_holder:
        loose |= Q(holder=ignore_holder)
    # One array, and not a parameter for each of a month's thousand games, which cost more to write than to look up.
    sessions = RawSQL("SELECT unnest(%s::bigint[])", [session_ids])
    claims = Claim.objects.filter(loose, released_at=None, session__in=sessions)
    for session_id, holder, seats, expires_at in claims.values_list("session_id", "holder", "seats", "expires_at"):
        if holder == ignore_holder or expires_at <= now:
            not_counted[session_id] += seats
        else:
            held[session_id] += seats
    return not_counted, held


def _read_blocks(calendar: Calendar, rooms: list[Room], start: dt.datetime, end: dt.datetime) -> None:
    if not rooms:
        return
    blocks = Block.objects.filter(organization=rooms[0].organization_id).touching(start, end).with_spaces()
    blocked: dict[int, list[Stretch]] = defaultdict(list)
    for block in blocks:
        for room in rooms:
            if covers(block, room):
                blocked[room.pk] += stretches(block, zone(room.venue.timezone), start, end)
    calendar.blocked = {room_id: merged(found) for room_id, found in blocked.items()}


def covers(block: Block, room: Room) -> bool:
    """Whether the block takes the room: all rooms, or those played in a space of the rooms or the venue that it names."""
    return block.scope == Block.Scope.ALL or not set(block.space_ids).isdisjoint(room.space_ids)
