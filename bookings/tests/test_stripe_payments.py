"""Paying through Stripe: from the payer's browser and on the server."""

from typing import Any

import pytest

from bookings.models import Booking
from bookings.services import work_off_payments
from payments.models import Payment
from rooms.models import Room
from tests.cast import Player
from tests.stage import booking_body, slot_at
from tests.stripe.stand_in import StandIn
from webhooks.models import Event

pytestmark = pytest.mark.django_db

CARD = {"payment_method": "pm_card_visa"}


def types() -> list[str]:
    return list(Event.objects.order_by("pk").values_list("type", flat=True).exclude(type__regex="^(customer|room)"))


def test_a_booking_is_held_until_the_payer_s_browser_has_paid(alice: Player, group_room: Room, stripe: StandIn) -> None:
    made = alice.api.post("/bookings", booking_body(group_room, slot_at(10), payment={"mode": "stripe"}))

    assert made.status_code == 201, made.content
    booking, payment = made.json(), made.json()["payment"]
    assert (booking["status"], booking["payment_status"], booking["amount_paid"]) == ("held", "pending", 0)
    assert (payment["status"], payment["amount"], payment["currency"]) == ("pending", 10_000, "EUR")
    assert payment["client_secret"].startswith(payment["stripe"]["payment_intent"])
    assert types() == []

    stripe.pay(payment["stripe"]["payment_intent"], "pm_card_visa")
    Payment.objects.update(check_at=booking["created_at"])
    work_off_payments()

    after = alice.api.get(f"/bookings/{booking['id']}").json()
    assert (after["status"], after["payment_status"], after["amount_paid"], after["amount_due"]) == (
        "confirmed",
        "paid",
        10_000,
        0,
    )
    assert types() == ["payment.succeeded", "booking.created"]


def test_a_card_that_is_there_is_charged_at_once(alice: Player, group_room: Room, stripe: StandIn) -> None:
    made = alice.api.post("/bookings", booking_body(group_room, slot_at(10), payment=CARD))

    assert made.status_code == 201, made.content
    booking = made.json()
    assert (booking["status"], booking["payment_status"], booking["amount_paid"]) == ("confirmed", "paid", 10_000)
    assert booking["payment"]["status"] == "succeeded"
    assert stripe.charged(booking["payment"]["stripe"]["payment_intent"]) == 10_000
    assert types() == ["payment.succeeded", "booking.created"]


def test_a_declined_card_leaves_the_booking_held_and_another_one_confirms_it(
    alice: Player, group_room: Room, stripe: StandIn
) -> None:
    refused = alice.api.post(
        "/bookings", booking_body(group_room, slot_at(10), payment={"payment_method": "pm_card_chargeDeclined"})
    )

    assert (refused.status_code, refused.json()["code"]) == (402, "payment_failed"), refused.content
    booking = alice.api.get(f"/bookings/{refused.json()['booking']}").json()
    assert (booking["status"], booking["payment_status"]) == ("held", "failed")
    assert types() == ["payment.failed"]

    paid = alice.api.post(f"/bookings/{booking['id']}/confirm", {"payment": CARD})
    assert paid.status_code == 200, paid.content
    assert (paid.json()["status"], paid.json()["payment_status"]) == ("confirmed", "paid")
    work_off_payments()
    assert sorted(intent["status"] for intent in stripe.intents()) == ["canceled", "succeeded"]
    assert stripe.charged() == 10_000


def test_a_card_that_needs_authentication_says_what_to_do_next(alice: Player, group_room: Room, stripe: StandIn) -> None:
    made = alice.api.post(
        "/bookings", booking_body(group_room, slot_at(10), payment={"payment_method": "pm_card_authenticationRequired"})
    )

    assert made.status_code == 201, made.content
    booking, payment = made.json(), made.json()["payment"]
    assert (booking["status"], payment["status"]) == ("held", "requires_action")
    assert payment["next_action"]["type"] == "use_stripe_sdk"
    assert payment["client_secret"]

    stripe.authenticate(payment["stripe"]["payment_intent"])
    Payment.objects.update(check_at=booking["created_at"])
    work_off_payments()
    assert Booking.objects.get().status == "confirmed"


def test_a_dearer_slot_is_paid_for_before_it_is_given(alice: Player, group_room: Room, stripe: StandIn) -> None:
    booking = alice.api.post("/bookings", booking_body(group_room, slot_at(10), payment=CARD)).json()
    group_room.pricing = {**group_room.pricing, "amount": 13_000}
    group_room.save()
    path = f"/bookings/{booking['id']}"
    move: dict[str, Any] = {"starts_at": slot_at(11).isoformat()}
    Booking.objects.update(price_rules={**Booking.objects.get().price_rules, "pricing": group_room.pricing})

    refused = alice.api.put(path, move)
    assert (refused.status_code, refused.json()["code"], refused.json()["amount"]) == (402, "payment_required", 3_000), (
        refused.content
    )
    assert alice.api.get(path).json()["starts_at"] == booking["starts_at"]

    moved = alice.api.put(path, {**move, "payment": CARD})
    assert moved.status_code == 200, moved.content
    assert moved.json()["price_change"] == {"old": 10_000, "new": 13_000, "fee": 0, "due": 3_000, "refund": 0, "currency": "EUR"}
    assert (moved.json()["amount_paid"], moved.json()["amount_due"], moved.json()["payment_status"]) == (13_000, 0, "paid")
    assert stripe.charged() == 13_000

    canceled = alice.api.delete(path)
    assert canceled.status_code == 200, canceled.content
    assert canceled.json()["refund"]["status"] == "pending"
    work_off_payments()
    assert stripe.refunded() == canceled.json()["refund"]["amount"]
    assert alice.api.delete(path).json()["refund"]["status"] == "succeeded"
    assert types()[-3:] == ["booking.canceled", "payment.refunded", "payment.refunded"]
