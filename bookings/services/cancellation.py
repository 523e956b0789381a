"""Freeing the slot and giving back what is owed, once."""

import datetime as dt
from typing import Any, Literal

from django.db import transaction

from bookings import events, policies
from bookings.errors import CancellationNotAllowed, InvalidTransition
from bookings.models import Booking
from bookings.serializers import BookingShape
from bookings.services.locking import locked_booking
from organizations.actor import Actor
from organizations.permissions import Scope
from payments.errors import RefundExceedsPaid
from payments.models import Refund
from payments.serializers import RefundShape
from payments.services import drop_payments, request_refund
from rooms import claims
from webhooks.types import EventType

RefundChoice = Literal["policy", "full", "none"] | int
_S = Refund.Status


@transaction.atomic
def cancel_booking(
    *,
    booking: Booking,
    by: Actor,
    refund: RefundChoice = "policy",
    reason: str = "",
    expected_version: int | None = None,
) -> Booking:
    """Free the slot, refund by the booking's own policy or by the caller's choice, tell subscribers.
    Canceling twice changes nothing.

    Raises NotAllowed, VersionConflict, InvalidTransition, CancellationNotAllowed, RefundExceedsPaid.
    """
    by.require(Scope.BOOKINGS_CANCEL)
    if refund != "policy":
        by.require(Scope.REFUNDS_WRITE)
    booking = locked_booking(booking, by=by, expected_version=expected_version)
    if booking.status == Booking.Status.CANCELED:
        return booking
    before, now = BookingShape.json(booking), claims.database_now()
    require_cancelable(booking, now=now)
    amount = refund_amount(booking, refund, now=now)
    if amount:
        request_refund(subject=booking.public_id, amount=amount, purpose=Refund.Purpose.CANCELLATION, reason=reason, now=now)
        booking.amount_refunded += amount
    drop_payments(subject=booking.public_id, now=now)
    if booking.claim is not None:
        claims.release(booking.claim)

    booking.status, booking.hold_expires_at = Booking.Status.CANCELED, None
    booking.canceled_at, booking.cancel_reason, booking.canceled_by = now, reason, by.as_json()
    booking.settle()
    booking.version += 1
    booking.save()
    events.tell(booking, by=by, action="canceled", before=before, event=EventType.BOOKING_CANCELED)
    return booking


def require_cancelable(booking: Booking, *, now: dt.datetime) -> None:
    """Raises InvalidTransition, CancellationNotAllowed."""
    status = booking.reads_as_at(now)
    if status not in (Booking.Status.HELD, Booking.Status.CONFIRMED):
        raise InvalidTransition(f"A booking that is {status} cannot be canceled.", booking_status=status)
    if booking.starts_at <= now:
        raise CancellationNotAllowed("The game has begun.")


def refund_amount(booking: Booking, choice: RefundChoice, *, now: dt.datetime) -> int:
    """Minor units to give back. Raises RefundExceedsPaid."""
    if choice == "policy":
        return policies.refund_on_cancellation(
            booking.policy, starts_at=booking.starts_at, at=now, paid=booking.net_paid - booking.kept, deposit=booking.deposit
        )[0]
    amount = {"full": booking.net_paid, "none": 0}.get(choice, choice) if isinstance(choice, str) else choice
    assert isinstance(amount, int)
    if amount > booking.net_paid:
        raise RefundExceedsPaid(refundable=booking.net_paid)
    return amount


def refund_summary(booking: Booking) -> dict[str, Any] | None:
    """What the booking's cancellation gave back, as its answer tells it; None when nothing."""
    of_cancellation = Refund.objects.of(booking.public_id).for_cancellation()
    return summary(list(of_cancellation.select_related("payment").order_by("pk")))


def summary(refunds: list[Refund]) -> dict[str, Any] | None:
    """One act's refunds, out of one payment or several; the status is the least settled of theirs."""
    if not refunds:
        return None
    states = {refund.status for refund in refunds}
    return {
        "object": "refund",
        "id": refunds[-1].public_id,
        "status": next(status for status in (_S.FAILED, _S.PENDING, _S.SUCCEEDED) if status in states),
        "amount": sum(refund.amount for refund in refunds),
        "currency": refunds[-1].currency,
        "refunds": [RefundShape.json(refund) for refund in refunds],
    }
