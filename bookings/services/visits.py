"""On the day: they came, or they did not."""

import datetime as dt

from django.db import transaction

from bookings import events
from bookings.errors import InvalidTransition
from bookings.models import Booking
from bookings.serializers import BookingShape
from bookings.services.locking import locked_booking
from organizations.actor import Actor
from organizations.permissions import Scope
from rooms import claims
from webhooks.types import EventType

# Whoever comes half a day early has another day in mind, or the wrong booking was picked.
EARLIEST_CHECK_IN = dt.timedelta(hours=12)


@transaction.atomic
def check_in(*, booking: Booking, by: Actor, expected_version: int | None = None) -> Booking:
    """The party is here; refused more than 12 hours before the start. Checking in twice changes nothing; until the game
    ends, `confirm_booking` takes it back. Raises NotAllowed, VersionConflict, InvalidTransition.
    """
    return _arrive(booking, Booking.Status.CHECKED_IN, EventType.BOOKING_UPDATED, by, expected_version)


@transaction.atomic
def mark_no_show(*, booking: Booking, by: Actor, expected_version: int | None = None) -> Booking:
    """Nobody came; refused before the start. Raises NotAllowed, VersionConflict, InvalidTransition."""
    return _arrive(booking, Booking.Status.NO_SHOW, EventType.BOOKING_NO_SHOW, by, expected_version)


def _arrive(booking: Booking, status: Booking.Status, event: EventType, by: Actor, expected_version: int | None) -> Booking:
    by.require(Scope.BOOKINGS_WRITE)
    booking = locked_booking(booking, by=by, expected_version=expected_version)
    if booking.status == status:
        return booking
    require_arrival(booking, status, now=claims.database_now())
    before = BookingShape.json(booking)
    booking.status = status
    booking.version += 1
    booking.save(update_fields=["status", "version", "updated_at"])
    events.tell(booking, by=by, action=str(status), before=before, event=event)
    return booking


def require_arrival(booking: Booking, status: Booking.Status, *, now: dt.datetime) -> None:
    """Raises InvalidTransition."""
    if (was := booking.reads_as_at(now)) != Booking.Status.CONFIRMED:
        raise InvalidTransition(f"A booking that is {was} cannot become {status}.", booking_status=was)
    if status == Booking.Status.NO_SHOW and booking.starts_at > now:
        raise InvalidTransition("The game has not begun yet.", booking_status=was)
    if status == Booking.Status.CHECKED_IN and booking.starts_at - EARLIEST_CHECK_IN > now:
        raise InvalidTransition("Check-in begins 12 hours before the start.", booking_status=was)
