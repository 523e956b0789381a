"""Whoever is killed, between whichever two steps: one charge, one refund, one booking, and the same sums on both sides.

Afterwards either the client repeats its request, with the same Idempotency-Key, or nobody comes and only the sweep runs.
"""

from collections.abc import Callable
from typing import Any

import pytest

from bookings.models import Booking
from bookings.services import expire_holds, work_off_payments
from payments.models import Payment
from rooms.models import Claim, Room
from tests import standing
from tests.cast import Player
from tests.money.books import BROWSER, CARD, LONG_AGO, let_time_pass, require_equal_books, work_off
from tests.money.killing import kill, let_leases_run_out
from tests.stage import booking_body, slot_at
from tests.stripe.stand_in import StandIn

house, alice, group_room, paris = standing.house, standing.owner, standing.group_room, standing.paris

pytestmark = pytest.mark.django_db

Request = tuple[str, str, Any]

MADE = {
    "the key is taken": ("after", "developers.idempotency:_claim"),
    "the order is written, not committed": ("after", "payments.services:begin_payment"),
    "the order is committed": ("before", "payments.services:advance_payment"),
    "the intent is at Stripe": ("after", "stripe:PaymentIntentService.create"),
}
PAID = {
    "Stripe has charged the card": ("after", "stripe:PaymentIntentService.confirm"),
    "Stripe's answer is here": ("after", "payments.services:advance_payment"),
    "the payment is noted, not committed": ("after", "payments.services:note_intent"),
    "all that follows is written, not committed": ("after", "bookings.services.payments:_arrived"),
    "all that follows is committed": ("after", "bookings.services.payments:_settle"),
    "the answer is ready, not stored": ("before", "developers.idempotency:_store"),
    "the answer is stored, not sent": ("after", "developers.idempotency:_store"),
}
REFUNDED = {
    "the refund is not yet asked for": ("before", "payments.services:advance_refund"),
    "Stripe has given it back": ("after", "stripe:RefundService.create"),
    "Stripe's answer is here": ("after", "payments.services:advance_refund"),
    "the refund is noted, not committed": ("after", "payments.services:note_refund"),
    "the refund is committed": ("after", "bookings.services.payments:_settle_refund"),
}


def booked(alice: Player, room: Room, *, day: int, **more: Any) -> str:
    made = alice.api.post("/bookings", booking_body(room, slot_at(day), **more))
    assert made.status_code == 201, made.content
    return f"/bookings/{made.json()['id']}"


def to_book(alice: Player, room: Room, day: int) -> Request:
    return "POST", "/bookings", booking_body(room, slot_at(day), payment=CARD)


def to_confirm(alice: Player, room: Room, day: int) -> Request:
    return "POST", f"{booked(alice, room, day=day, hold=True)}/confirm", {"payment": CARD}


def to_change(alice: Player, room: Room, day: int) -> Request:
    """To a slot at another hour, which costs more."""
    path = booked(alice, room, day=day, payment={"mode": "pos", "amount": 10_000})
    return "PUT", path, {"starts_at": slot_at(day, 18).isoformat(), "payment": CARD}


@pytest.fixture
def room(group_room: Room) -> Room:
    """€100, and €130 in the evening."""
    group_room.pricing = {**group_room.pricing, "adjustments": [{"fixed": 3_000, "times": {"from": "17:00", "to": "23:00"}}]}
    group_room.save()
    return group_room


@pytest.mark.parametrize("moment", [*MADE, *PAID])
@pytest.mark.parametrize(
    ("prepare", "sum"), [(to_book, 10_000), pytest.param(to_confirm, 10_000, marks=pytest.mark.soak), (to_change, 13_000)]
)
def test_a_card_is_charged_once(
    alice: Player, room: Room, stripe: StandIn, prepare: Callable[..., Request], sum: int, moment: str
) -> None:
    for day, client_returns in ((10, True), (11, False)):
        method, path, body = prepare(alice, room, day)
        charged_before, bookings_before = stripe.charged(), Booking.objects.count()
        key = f"key-{day}"
        with kill(*(MADE | PAID)[moment]):
            alice.api.call(method, path, body, idempotency_key=key)

        if client_returns:
            if moment != "the answer is stored, not sent":
                refused = alice.api.call(method, path, body, idempotency_key=key)
                assert (refused.status_code, refused.json()["code"]) == (409, "idempotency_in_progress")
            let_leases_run_out()
            answers = [alice.api.call(method, path, body, idempotency_key=key) for _ in range(2)]
            assert {answer.status_code for answer in answers} == {201 if path == "/bookings" else 200}, answers[0].content
            assert answers[0].content == answers[1].content
        work_off()

        nothing_happened = moment in list(MADE)[:2] and not client_returns
        booking = Booking.objects.filter(starts_at__date=slot_at(day).date()).first()
        if nothing_happened:
            assert (stripe.charged(), Booking.objects.count()) == (charged_before, bookings_before)
        else:
            assert booking is not None
            assert (booking.status, booking.amount_paid, booking.amount_refunded) == ("confirmed", sum, 0)
            assert booking.starts_at == slot_at(day, 18 if sum > 10_000 else 12)
        require_equal_books(stripe)


@pytest.mark.parametrize("moment", [*MADE, "Stripe's answer is here", "the payment is noted, not committed"])
def test_the_payer_s_browser_pays_once_or_finds_nothing_to_pay(alice: Player, room: Room, stripe: StandIn, moment: str) -> None:
    for day, client_returns in ((10, True), (11, False)):
        body = booking_body(room, slot_at(day), payment=BROWSER)
        with kill(*(MADE | PAID)[moment]):
            alice.api.post("/bookings", body, idempotency_key=f"key-{day}")
        let_leases_run_out()
        if client_returns:
            made = alice.api.post("/bookings", body, idempotency_key=f"key-{day}")
            assert made.status_code == 201, made.content
            stripe.pay(made.json()["payment"]["stripe"]["payment_intent"])
        else:
            work_off()
            Booking.objects.filter(status="held").update(hold_expires_at=LONG_AGO)
            Claim.objects.filter(released_at=None).exclude(expires_at=None).update(expires_at=LONG_AGO)
            expire_holds()
        work_off()

        require_equal_books(stripe)
    assert stripe.charged() == 10_000
    assert {intent["status"] for intent in stripe.intents()} <= {"succeeded", "canceled"}
    assert Booking.objects.filter(status="confirmed").count() == 1
    assert not Payment.objects.open().exists()


@pytest.mark.parametrize(
    ("when", "target", "happened"),
    [
        ("after", "developers.idempotency:_claim", False),
        ("after", "bookings.services.cancellation:request_refund", False),
        ("before", "developers.idempotency:_store", False),
        ("after", "developers.idempotency:run", True),
    ],
    ids=["the key is taken", "the refund is written", "all is written, not committed", "all is committed, not sent"],
)
def test_a_cancellation_gives_back_once(
    alice: Player, room: Room, stripe: StandIn, when: str, target: str, happened: bool
) -> None:
    for day, client_returns in ((10, True), (11, False)):
        path = booked(alice, room, day=day, payment=CARD)
        back_before = stripe.refunded()
        with kill(when, target):
            alice.api.delete(path, idempotency_key=f"key-{day}")
        let_leases_run_out()
        if client_returns:
            answers = [alice.api.delete(path, idempotency_key=f"key-{day}") for _ in range(2)]
            assert [(answer.status_code, answer.json()["refund"]["amount"]) for answer in answers] == [(200, 10_000)] * 2
        work_off()

        gone = happened or client_returns
        assert alice.api.get(path).json()["status"] == ("canceled" if gone else "confirmed")
        assert stripe.refunded() - back_before == (10_000 if gone else 0)
        require_equal_books(stripe)


@pytest.mark.parametrize("moment", REFUNDED)
def test_a_worker_that_is_killed_gives_back_once(alice: Player, room: Room, stripe: StandIn, moment: str) -> None:
    path = booked(alice, room, day=10, payment=CARD)
    alice.api.delete(path)
    with kill(*REFUNDED[moment]):
        work_off_payments()
    work_off_payments()  # too soon for the others: the killed one might still be at it
    let_time_pass()
    for _ in range(2):
        work_off_payments()

    assert stripe.refunded() == 10_000
    assert len(stripe.refunds()) == 1
    assert alice.api.delete(path).json()["refund"]["status"] == "succeeded"
    require_equal_books(stripe)


@pytest.mark.parametrize("moment", [moment for moment, (_, target) in PAID.items() if ".services" in target])
def test_a_worker_that_is_killed_takes_a_payment_in_once(alice: Player, room: Room, stripe: StandIn, moment: str) -> None:
    """The payer's browser has paid; the sweep is what notices."""
    made = alice.api.post("/bookings", booking_body(room, slot_at(10), payment=BROWSER)).json()
    stripe.pay(made["payment"]["stripe"]["payment_intent"])
    let_time_pass()
    with kill(*PAID[moment]):
        work_off_payments()
    work_off()

    assert alice.api.get(f"/bookings/{made['id']}").json()["status"] == "confirmed"
    assert stripe.charged() == 10_000
    require_equal_books(stripe)
