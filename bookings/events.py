"""What happened, for subscribers and for the booking's own history."""

from collections.abc import Mapping
from typing import Any

from bookings.models import Booking, BookingHistory
from bookings.serializers import BookingShape
from organizations.actor import Actor
from webhooks.services import changed_attributes, emit
from webhooks.types import EventType


def tell(
    booking: Booking, *, by: Actor, action: str, before: Mapping[str, Any] | None = None, event: EventType | None = None
) -> None:
    """Write the line of history, and the event for subscribers where the change is one that they hear of.

    `before` is the booking's base shape as it was. Of a booking that was never confirmed no subscriber hears.
    """
    after = BookingShape.json(booking)
    previous = changed_attributes(before, after) if before is not None else {}
    BookingHistory.objects.create(
        organization=by.organization,
        booking=booking,
        actor_type=by.type,
        actor_id=by.id,
        action=action,
        changes={name: [old, after[name]] for name, old in previous.items()},
        request_id=by.request_id,
    )
    if event is not None and booking.confirmed_at is not None:
        emit(event, by=by, object=after, version=booking.version, previous=previous)
