"""Bookings that imports hit: both stay, and somebody has to decide."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection

from django.db.models import Exists, OuterRef, Q

from bookings.models import Booking
from calendars.models import CalendarImport, ImportedTime
from organizations.actor import Actor
from rooms.models import Room

MAX_CONFLICTS = 100  # bookings named, of all imports together
_LIVE = (Booking.Status.HELD, Booking.Status.CONFIRMED, Booking.Status.CHECKED_IN)


def conflicts_of(imports: Collection[CalendarImport], *, by: Actor, now: dt.datetime) -> dict[int, list[Booking]]:
    """By the import's key, its coming bookings by start; four queries, however many imports there are."""
    if not imports:
        return {}
    times = ImportedTime.objects.filter(source__in=imports, ends_at__gt=now, block__isnull=False)
    overlapping = times.filter(starts_at__lt=OuterRef("ends_at"), ends_at__gt=OuterRef("starts_at"))
    live = Booking.objects.visible_to(by).reading_as(_LIVE).filter(Exists(overlapping), ends_at__gt=now)
    bookings = list(live.with_related().order_by("starts_at", "pk")[:MAX_CONFLICTS])
    if not bookings:
        return {}
    rooms = {room.pk: room for room in Room.objects.visible_to(by).with_spaces()}
    within = Q(ends_at__gt=bookings[0].starts_at, starts_at__lt=max(booking.ends_at for booking in bookings))
    taken = list(times.filter(within).values_list("source", "starts_at", "ends_at"))
    found: dict[int, list[Booking]] = defaultdict(list)
    for source in imports:
        stretches = [(starts_at, ends_at) for pk, starts_at, ends_at in taken if pk == source.pk]
        spaces = _spaces(source, rooms.values())
        for booking in bookings:
            is_there = not spaces.isdisjoint(rooms[booking.room_id].space_ids)
            if is_there and any(start < booking.ends_at and end > booking.starts_at for start, end in stretches):
                found[source.pk].append(booking)
    return found


def _spaces(source: CalendarImport, rooms: Collection[Room]) -> set[int]:
    taken = (room for room in rooms if room.pk == source.room_id or (source.venue_id and room.venue_id == source.venue_id))
    return {space for room in taken for space in room.space_ids}
