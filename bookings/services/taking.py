"""Taking money for a booking: noting what was taken elsewhere, or giving Stripe the order, inside the caller's transaction."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from bookings.models import Booking
from organizations.actor import Actor
from payments import services as payments
from payments.models import Payment

STRIPE = Payment.Mode.STRIPE.value


def is_taken(payment: Mapping[str, Any] | None) -> bool:
    """Whether it tells of money that is there already."""
    return payment is not None and payment["mode"] not in ("none", STRIPE)


def is_through_stripe(payment: Mapping[str, Any] | None) -> bool:
    return payment is not None and payment["mode"] == STRIPE


def note(booking: Booking, payment: Mapping[str, Any] | None, *, by: Actor) -> None:
    """Note the payment, if one was taken elsewhere, and bring the payment status in line."""
    if payment is not None and is_taken(payment):
        payments.record_payment(
            subject=booking.public_id,
            mode=payment["mode"],
            amount=payment["amount"],
            currency=booking.currency,
            reference=payment.get("reference", ""),
            by=by,
        )
        booking.amount_paid += payment["amount"]
    booking.settle()


def order(
    booking: Booking,
    payment: Mapping[str, Any],
    *,
    amount: int,
    by: Actor,
    now: dt.datetime,
    purpose: Mapping[str, Any] | None = None,
) -> None:
    """Have Stripe take the amount, once the caller's transaction is committed. Raises PaymentModeUnavailable."""
    payments.begin_payment(
        subject=booking.public_id,
        amount=amount,
        currency=booking.currency,
        payment_method=payment.get("payment_method", ""),
        purpose=purpose or {},
        now=now,
        by=by,
    )
    booking.settle(Booking.PaymentStatus.PENDING)


def due_at_once(booking: Booking) -> int:
    """What is to be paid for the booking to stand: the deposit where there is one, else all; minor units."""
    return max(0, (booking.deposit or booking.total) - booking.net_paid)


def order_of(booking: Booking, payment: Mapping[str, Any] | None) -> Payment | None:
    """The order that the payment has just become; None where there was nothing for Stripe to take."""
    if not is_through_stripe(payment):
        return None
    return Payment.objects.of(booking.public_id).open().filter(status=Payment.Status.CREATING, unwanted=False).first()
