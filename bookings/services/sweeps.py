"""What the clock does to bookings. Readers see it at once; the sweeps write it down."""

import datetime as dt

from django.db import transaction

from bookings import events
from bookings.models import Booking, Quote
from bookings.serializers import BookingShape
from bookings.services.locking import locked_booking
from organizations.actor import Actor
from payments.services import drop_payments
from rooms import claims
from webhooks.types import EventType

BATCH = 500  # rows a run; the next run takes the rest
QUOTES_KEPT = dt.timedelta(days=30)  # after they have run out: a change that waits for its money is made by its quote


def expire_holds() -> int:
    """Write down the holds that have run out and free their slots. Answers how many; safe to run in parallel."""
    now = claims.database_now()
    lapsed = Booking.objects.lapsed(now).select_related("organization", "room")[:BATCH]
    return sum(_expire(booking) for booking in lapsed)


@transaction.atomic
def _expire(booking: Booking) -> bool:
    by = Actor.system(booking.organization)
    booking = locked_booking(booking, by=by)
    now = claims.database_now()
    if booking.status == Booking.Status.EXPIRED or booking.reads_as_at(now) != Booking.Status.EXPIRED:
        return False
    before = {**BookingShape.json(booking), "status": booking.status}  # its shape reads as expired already
    if booking.claim is not None:
        claims.release(booking.claim)
    drop_payments(subject=booking.public_id, now=now)
    booking.status = Booking.Status.EXPIRED
    booking.settle()
    booking.version += 1
    booking.save(update_fields=["status", "payment_status", "version", "updated_at"])
    events.tell(booking, by=by, action="expired", before=before)
    return True


def complete_bookings() -> int:
    """Close the checked-in games that have ended. Answers how many."""
    over = Booking.objects.over(claims.database_now()).select_related("organization", "room")[:BATCH]
    return sum(_complete(booking) for booking in over)


@transaction.atomic
def _complete(booking: Booking) -> bool:
    by = Actor.system(booking.organization)
    booking = locked_booking(booking, by=by)
    if booking.status != Booking.Status.CHECKED_IN:
        return False
    before = BookingShape.json(booking)
    booking.status = Booking.Status.COMPLETED
    booking.version += 1
    booking.save(update_fields=["status", "version", "updated_at"])
    events.tell(booking, by=by, action="completed", before=before, event=EventType.BOOKING_COMPLETED)
    return True


def forget_quotes() -> int:
    """Drop those that have long run out. Answers how many."""
    return Quote.objects.filter(expires_at__lt=claims.database_now() - QUOTES_KEPT).delete()[0]
