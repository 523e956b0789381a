"""Taking a booking and the spaces it may touch, in the one order that cannot deadlock."""

from bookings.errors import Busy
from bookings.models import Booking
from bookings.services.caps import require_room
from common.errors import NotFound, VersionConflict
from organizations.actor import Actor
from rooms import claims
from rooms.models import Room


def locked_room(room: Room, *, by: Actor) -> Room:
    """Lock the room's spaces, then read the room anew: its rules may have changed while we waited. Raises KeyCapExceeded."""
    require_room(by, room)
    known = Room.objects.visible_to(by).with_spaces().get(pk=room.pk)
    claims.lock_spaces(known.space_ids)
    return Room.objects.visible_to(by).with_spaces().get(pk=room.pk)


def locked_booking(booking: Booking, *, by: Actor, expected_version: int | None = None, also: Room | None = None) -> Booking:
    """The booking, current and locked, behind the locks of its room's spaces and of those of the room it moves to.

    Raises NotFound, KeyCapExceeded, VersionConflict; Busy when it moved to yet another room in between.
    """
    require_room(by, booking.room, *filter(None, [also]))
    rooms = {booking.room_id, also.pk if also else booking.room_id}
    spaces = {space for room in Room.objects.visible_to(by).with_spaces().filter(pk__in=rooms) for space in room.space_ids}
    claims.lock_spaces(spaces)
    current = Booking.objects.visible_to(by).with_related().locked().filter(pk=booking.pk).first()
    if current is None:
        raise NotFound("booking")
    if expected_version is not None and current.version != expected_version:
        raise VersionConflict(current=current.version)
    require_room(by, current.room)
    if current.room_id not in rooms:
        raise Busy("The booking was moved at this very moment. Repeat the request.")
    return current
