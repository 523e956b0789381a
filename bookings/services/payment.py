"""Money that an integrator reports for a booking."""

from typing import Any

from bookings.models import Booking
from organizations.actor import Actor
from payments.services import record_payment


def is_taken(payment: dict[str, Any] | None) -> bool:
    """Whether it tells of money at all; mode `none` does not."""
    return payment is not None and payment["mode"] != "none"


def pay(booking: Booking, payment: dict[str, Any] | None, *, by: Actor) -> None:
    """Note the payment, if there is one, and bring the payment status in line. Raises PaymentModeUnavailable."""
    if payment is not None and is_taken(payment):
        record_payment(
            subject=booking.public_id,
            mode=payment["mode"],
            amount=payment.get("amount", 0),
            currency=booking.currency,
            reference=payment.get("reference", ""),
            by=by,
        )
        booking.amount_paid += payment["amount"]
    booking.settle()
