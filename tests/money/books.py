"""The books: what Stripe has moved, what our rows say and what the booking says are the same sums."""

import datetime as dt
from typing import Any

from django.test import Client

from bookings.models import Booking
from bookings.services import work_off_payments
from payments.models import Payment, Refund
from tests.stripe.account import Row
from tests.stripe.stand_in import StandIn

CARD: dict[str, Any] = {"payment_method": "pm_card_visa"}
DECLINED: dict[str, Any] = {"payment_method": "pm_card_chargeDeclined"}
WITH_BANK: dict[str, Any] = {"payment_method": "pm_card_authenticationRequired"}
BROWSER: dict[str, Any] = {"mode": "stripe"}
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def let_time_pass() -> None:
    """Whatever waits for its next look at Stripe has waited long enough."""
    for orders in (Payment.objects, Refund.objects):
        orders.filter(check_at__isnull=False).update(check_at=LONG_AGO)


def work_off(rounds: int = 3) -> None:
    """All that the sweep would come to by itself: an order, the refund that follows from it, and once more."""
    for _ in range(rounds):
        let_time_pass()
        work_off_payments()


def hear(stripe: StandIn, *events: Row) -> None:
    """What Stripe has to tell, through its door."""
    for event in events or stripe.events():
        body, headers = stripe.signed(event)
        answer = Client().post("/webhooks/stripe", body, content_type="application/json", headers=headers)
        assert answer.status_code == 200, answer.content


def require_equal_books(stripe: StandIn) -> None:
    """Payment by payment, booking by booking, and in all: nothing is moved at Stripe that we do not know of."""
    came_in_all = back_in_all = 0
    for booking in Booking.objects.all():
        came_for_it = back_for_it = 0
        for payment in Payment.objects.of(booking.public_id).prefetch_related("refunds"):
            came = payment.amount if payment.status == Payment.Status.SUCCEEDED else 0
            back = sum(refund.amount for refund in payment.refunds.all() if refund.status != Refund.Status.FAILED)
            assert 0 <= back <= came, payment
            if payment.intent:
                moved = (stripe.charged(payment.intent), stripe.refunded(payment.intent))
                assert moved == (came, back), f"{payment}, {payment.status}: at Stripe {moved}, here {(came, back)}"
                came_in_all, back_in_all = came_in_all + came, back_in_all + back
            came_for_it, back_for_it = came_for_it + came, back_for_it + back
        assert (booking.amount_paid, booking.amount_refunded) == (came_for_it, back_for_it), booking.status
        assert booking.amount_due >= 0
    assert (stripe.charged(), stripe.refunded()) == (came_in_all, back_in_all)
