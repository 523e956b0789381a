"""Answers that come when something newer is known, or that never came: what is written down is what Stripe says in the end."""

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from bookings.models import Booking, BookingHistory
from bookings.services.payments import carry_out_refund
from payments.models import Payment, Refund
from rooms.models import Claim, Room
from tests.cast import Player
from tests.crowd import at_once
from tests.money.books import CARD, LONG_AGO, WITH_BANK, hear, require_equal_books, work_off
from tests.money.killing import kill
from tests.stage import book, booking_body, slot_at
from tests.stripe.stand_in import StandIn

pytestmark = pytest.mark.django_db(transaction=True)


def booked(alice: Player, room: Room, **more: Any) -> str:
    made = alice.api.post("/bookings", booking_body(room, slot_at(10), **(more or {"payment": CARD})))
    assert made.status_code == 201, made.content
    return f"/bookings/{made.json()['id']}"


@pytest.fixture
def path(alice: Player, group_room: Room, stripe: StandIn) -> str:
    """Paid, canceled, and the refund is under way."""
    found = booked(alice, group_room)
    alice.api.delete(found)
    stripe.let_refunds_pend()
    work_off(1)
    return found


def during_a_slow_look(stripe: StandIn, happen: Callable[[], None]) -> None:
    """One worker has Stripe's answer on its way to it while things go on."""
    refund = Refund.objects.select_related("payment", "organization").get()
    slow = stripe.hold("GET /v1/refunds", done=True)

    def meanwhile() -> None:
        assert slow.arrived.wait(30)
        happen()
        slow.let_go()

    calls: list[Callable[[], None]] = [partial(carry_out_refund, refund), meanwhile]
    at_once(calls)


def test_an_old_answer_undoes_no_refund(alice: Player, path: str, stripe: StandIn) -> None:
    def succeed() -> None:
        stripe.succeed_refund(Refund.objects.get().stripe_id)
        work_off(1)
        assert Refund.objects.get().status == "succeeded"

    during_a_slow_look(stripe, succeed)

    assert Refund.objects.get().status == "succeeded"
    assert not BookingHistory.objects.filter(action="refund_failed").exists()
    assert alice.api.get(path).json()["payment_status"] == "refunded"
    require_equal_books(stripe)


def test_an_old_answer_revives_no_refund_that_has_failed(path: str, stripe: StandIn) -> None:
    stripe.succeed_refund(Refund.objects.get().stripe_id)

    def fail() -> None:
        stripe.fail_refund(Refund.objects.get().stripe_id)
        work_off(1)
        assert Refund.objects.get().status == "failed"

    during_a_slow_look(stripe, fail)
    work_off()

    assert Refund.objects.get().status == "failed"
    require_equal_books(stripe)


def test_a_refund_that_fails_late_can_be_made_again(alice: Player, path: str, stripe: StandIn) -> None:
    refund = Refund.objects.get()
    stripe.succeed_refund(refund.stripe_id)
    work_off()
    stripe.fail_refund(refund.stripe_id)
    hear(stripe)
    work_off()
    booking = alice.api.get(path).json()
    assert (booking["status"], booking["amount_paid"], booking["amount_refunded"]) == ("canceled", 10_000, 0)
    assert alice.api.delete(path).json()["refund"]["status"] == "failed"  # asked again it is no second one
    require_equal_books(stripe)

    assert alice.api.post(f"{path}/refunds", {"amount": 10_000}).status_code == 201
    work_off()

    assert (stripe.refunded(), alice.api.get(path).json()["amount_refunded"]) == (10_000, 10_000)
    require_equal_books(stripe)


def test_news_of_a_settled_payment_is_no_reason_to_look_for_ever(alice: Player, group_room: Room, stripe: StandIn) -> None:
    booked(alice, group_room)
    hear(stripe)
    work_off(1)
    asked = len(stripe.requests())

    work_off()

    assert len(stripe.requests()) == asked


DAY_AGO = {"created_at": timezone.now() - dt.timedelta(hours=24)}  # Stripe has forgotten the key


def test_a_refund_that_nobody_heard_of_for_a_day_is_found(alice: Player, group_room: Room, stripe: StandIn) -> None:
    path = booked(alice, group_room)
    alice.api.delete(path)
    with kill("after", "stripe:RefundService.create"):
        work_off(1)
    Refund.objects.update(**DAY_AGO)
    work_off()

    assert (Refund.objects.get().status, len(stripe.refunds())) == ("succeeded", 1)
    require_equal_books(stripe)


def test_a_charge_that_nobody_heard_of_for_a_day_is_found(alice: Player, group_room: Room, stripe: StandIn) -> None:
    with kill("after", "stripe:PaymentIntentService.confirm"):
        alice.api.post("/bookings", booking_body(group_room, slot_at(10), payment=CARD))
    Payment.objects.update(**DAY_AGO)
    work_off()

    assert (Booking.objects.get().payment_status, stripe.charged()) == ("paid", 10_000)
    require_equal_books(stripe)


def test_a_500_that_stripe_keeps_hides_no_refund(alice: Player, group_room: Room, stripe: StandIn, no_pauses: None) -> None:
    path = booked(alice, group_room)
    alice.api.delete(path)
    stripe.fail(500, "POST /v1/refunds", done=True, saved=True)
    work_off()

    assert (Refund.objects.get().status, len(stripe.refunds())) == ("succeeded", 1)
    require_equal_books(stripe)


def test_an_order_that_stripe_refuses_is_over_there_too(alice: Player, group_room: Room, stripe: StandIn) -> None:
    unknown = {"payment_method": "pm_nobody_knows"}
    refused = alice.api.post("/bookings", booking_body(group_room, slot_at(10), payment=unknown))
    assert (refused.status_code, refused.json()["code"]) == (402, "payment_failed")
    alice.api.post(f"/bookings/{refused.json()['booking']}/confirm", {"payment": CARD})
    work_off()

    assert [intent["status"] for intent in stripe.intents()] == ["canceled", "succeeded"]


def test_what_is_paid_twice_beside_a_change_goes_back(alice: Player, group_room: Room, stripe: StandIn) -> None:
    """At the till, while the bank is still asked about the whole new price."""
    path = booked(alice, group_room, payment={"mode": "none"})
    Booking.objects.update(price_rules={"pricing": {**group_room.pricing, "amount": 13_000}, "tax": group_room.venue.tax})
    asked = alice.api.put(path, {"starts_at": slot_at(11).isoformat(), "payment": WITH_BANK}).json()
    assert asked["payment"]["amount"] == 13_000
    assert alice.api.put(path, {"payment": {"mode": "pos", "amount": 10_000}}).status_code == 200

    stripe.authenticate(asked["payment"]["stripe"]["payment_intent"])
    work_off()

    booking = alice.api.get(path).json()
    assert (booking["price"]["total"], booking["amount_paid"], booking["amount_refunded"]) == (13_000, 23_000, 10_000)
    require_equal_books(stripe)


def test_a_slot_lost_while_the_card_is_charged_is_told(alice: Player, group_room: Room, stripe: StandIn) -> None:
    """The money goes back; the change is refused, also when it is asked for again with the same key."""
    path = booked(alice, group_room, payment={"mode": "pos", "amount": 4_000})
    slow = stripe.hold("POST /v1/payment_intents/.*/confirm")
    change = partial(alice.api.put, path, {"starts_at": slot_at(11).isoformat(), "payment": CARD}, idempotency_key="key")

    def rival() -> None:
        assert slow.arrived.wait(30)
        book(alice.actor, group_room, slot_at(11))
        slow.let_go()

    calls: list[Callable[[], Any]] = [change, rival]
    for answer in (at_once(calls)[0], change()):
        assert (answer.status_code, answer.json()["code"]) == (409, "slot_unavailable"), answer.content
    work_off()

    booking = alice.api.get(path).json()
    assert (booking["amount_paid"], booking["amount_refunded"], booking["amount_due"]) == (10_000, 6_000, 6_000)
    require_equal_books(stripe)


def test_a_hold_lost_while_the_card_is_charged_is_told(alice: Player, group_room: Room, stripe: StandIn) -> None:
    slow = stripe.hold("POST /v1/payment_intents/.*/confirm")
    body = booking_body(group_room, slot_at(10), payment=CARD)
    make = partial(alice.api.post, "/bookings", body, idempotency_key="key")

    def rival() -> None:
        assert slow.arrived.wait(30)
        Booking.objects.update(hold_expires_at=LONG_AGO)
        Claim.objects.update(expires_at=LONG_AGO)
        book(alice.actor, group_room, slot_at(10))
        slow.let_go()

    calls: list[Callable[[], Any]] = [make, rival]
    for answer in (at_once(calls)[0], make()):
        assert (answer.status_code, answer.json()["code"]) == (410, "hold_expired"), answer.content
    work_off()

    lost = alice.api.get(f"/bookings/{answer.json()['booking']}").json()
    assert (lost["status"], lost["payment_status"], stripe.refunded()) == ("expired", "refunded", 10_000)
    require_equal_books(stripe)
