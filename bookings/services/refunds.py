"""Giving money back for its own sake: the booking stands."""

from django.db import transaction

from bookings import events
from bookings.models import Booking
from bookings.serializers import BookingShape
from bookings.services.locking import locked_booking
from organizations.actor import Actor
from organizations.permissions import Scope
from payments.errors import RefundExceedsPaid
from payments.models import Payment, Refund
from payments.services import refundable, request_refund
from rooms import claims
from webhooks.types import EventType


@transaction.atomic
def refund_booking(
    *,
    booking: Booking,
    by: Actor,
    amount: int | None = None,
    payment: Payment | None = None,
    reason: str = "",
    expected_version: int | None = None,
) -> tuple[Booking, list[Refund]]:
    """Give the amount back, in minor units, or all that is left, whatever the policy says; with a `payment`, out of that one
    and no other.

    Raises NotAllowed, VersionConflict, RefundExceedsPaid.
    """
    by.require(Scope.REFUNDS_WRITE)
    booking = locked_booking(booking, by=by, expected_version=expected_version)
    before = BookingShape.json(booking)
    left = booking.net_paid if payment is None else min(booking.net_paid, refundable(payment))
    amount = left if amount is None else amount
    if not 0 < amount <= left:
        raise RefundExceedsPaid(refundable=left)
    refunds = request_refund(
        subject=booking.public_id,
        amount=amount,
        purpose=Refund.Purpose.REQUEST,
        reason=reason,
        now=claims.database_now(),
        payment=payment,
    )
    booking.amount_refunded += amount
    booking.settle()
    booking.version += 1
    booking.save()
    events.tell(booking, by=by, action="refunded", before=before, event=EventType.BOOKING_UPDATED)
    return booking, refunds
