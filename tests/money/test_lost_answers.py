"""Whatever happens between us and Stripe: the same request again, or the sweep, finds out what became of the money."""

from collections.abc import Callable
from typing import Any

import pytest

from bookings.models import Booking
from payments import gateway
from payments.models import Refund
from rooms.models import Room
from tests import standing
from tests.cast import Player
from tests.money.books import CARD, require_equal_books, work_off
from tests.server import eventually
from tests.stage import booking_body, slot_at
from tests.stripe.stand_in import StandIn

house, alice, group_room, paris = standing.house, standing.owner, standing.group_room, standing.paris

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_pauses")]

TRIES = gateway.RETRIES + 1
Trouble = Callable[[StandIn, str], Any]
TROUBLES: dict[str, Trouble] = {
    "one request is lost": lambda stripe, on: stripe.lose_request(on),
    "one answer is lost": lambda stripe, on: stripe.lose_answer(on),
    "all requests are lost": lambda stripe, on: stripe.lose_request(on, times=TRIES),
    "all answers are lost": lambda stripe, on: stripe.lose_answer(on, times=TRIES),
    "500 and nothing done": lambda stripe, on: stripe.fail(500, on, times=TRIES),
    "500 and yet done": lambda stripe, on: stripe.fail(500, on, times=TRIES, done=True),
    "429": lambda stripe, on: stripe.fail(429, on),
}
TO_CREATE, TO_CONFIRM, TO_CANCEL, TO_REFUND = (
    "POST /v1/payment_intents$",
    "POST /v1/payment_intents/.*/confirm",
    "POST /v1/payment_intents/.*/cancel",
    "POST /v1/refunds",
)


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("on", [TO_CREATE, TO_CONFIRM])
def test_the_card_is_charged_once(alice: Player, group_room: Room, stripe: StandIn, on: str, trouble: str) -> None:
    for day, client_returns in ((10, True), (11, False)):
        TROUBLES[trouble](stripe, on)
        body, key = booking_body(group_room, slot_at(day), payment=CARD), f"key-{day}"
        answer = alice.api.post("/bookings", body, idempotency_key=key)
        assert answer.status_code in (201, 503), answer.content
        if answer.status_code == 503:
            assert (answer.json()["code"], answer.json()["retryable"]) == ("payment_provider_unavailable", True)
        if client_returns:
            again = alice.api.post("/bookings", body, idempotency_key=key)
            assert again.status_code == 201, again.content
            assert again.json()["status"] == "confirmed"
        work_off()
        require_equal_books(stripe)

    assert stripe.charged() == 20_000
    assert set(Booking.objects.values_list("status", "payment_status")) == {("confirmed", "paid")}
    assert Booking.objects.count() == 2


@pytest.mark.parametrize("trouble", TROUBLES)
def test_the_refund_is_made_once(alice: Player, group_room: Room, stripe: StandIn, trouble: str) -> None:
    made = alice.api.post("/bookings", booking_body(group_room, slot_at(10), payment=CARD)).json()
    alice.api.delete(f"/bookings/{made['id']}")
    TROUBLES[trouble](stripe, TO_REFUND)
    work_off()

    assert (stripe.refunded(), len(stripe.refunds())) == (10_000, 1)
    assert Refund.objects.get().status == "succeeded"
    require_equal_books(stripe)


@pytest.mark.parametrize("trouble", TROUBLES)
def test_an_order_that_is_no_longer_wanted_ends_at_stripe(alice: Player, group_room: Room, stripe: StandIn, trouble: str) -> None:
    made = alice.api.post("/bookings", booking_body(group_room, slot_at(10), payment={"mode": "stripe"})).json()
    alice.api.delete(f"/bookings/{made['id']}")
    TROUBLES[trouble](stripe, TO_CANCEL)
    work_off()

    assert [intent["status"] for intent in stripe.intents()] == ["canceled"]
    assert alice.api.get(f"/bookings/{made['id']}").json()["payment_status"] == "unpaid"
    require_equal_books(stripe)


@pytest.mark.parametrize("done", [False, True], ids=["then done", "done before"])
def test_an_answer_beyond_the_time_out_is_no_answer(
    alice: Player, group_room: Room, stripe: StandIn, monkeypatch: pytest.MonkeyPatch, *, done: bool
) -> None:
    """Stripe is at it all the while, and done in the end."""
    monkeypatch.setattr(gateway, "TIMEOUT_SECONDS", 0.7)
    body = booking_body(group_room, slot_at(10), payment=CARD)
    slow = stripe.hold(TO_CONFIRM, done=done)
    assert alice.api.post("/bookings", body, idempotency_key="key").status_code == 503
    slow.let_go()
    eventually(lambda: stripe.charged() == 10_000)

    again = alice.api.post("/bookings", body, idempotency_key="key")
    assert (again.status_code, again.json()["status"]) == (201, "confirmed"), again.content
    alice.api.delete(f"/bookings/{again.json()['id']}")
    slow = stripe.hold(TO_REFUND, done=done)
    work_off(1)
    slow.let_go()
    eventually(lambda: stripe.refunded() == 10_000)
    work_off()

    assert (stripe.charged(), stripe.refunded(), len(stripe.refunds())) == (10_000, 10_000, 1)
    require_equal_books(stripe)


def test_a_500_that_stripe_keeps_hides_no_charge(alice: Player, group_room: Room, stripe: StandIn) -> None:
    """Its keys answer the same for a day, a 500 too: what became of the intent is asked without one."""
    stripe.fail(500, TO_CONFIRM, done=True, saved=True)
    body = booking_body(group_room, slot_at(10), payment=CARD)

    assert alice.api.post("/bookings", body, idempotency_key="key").status_code == 503
    again = alice.api.post("/bookings", body, idempotency_key="key")

    assert (again.status_code, again.json()["payment_status"]) == (201, "paid")
    assert stripe.charged() == 10_000
    require_equal_books(stripe)


def test_without_stripe_everything_else_goes_on(alice: Player, group_room: Room, stripe: StandIn) -> None:
    """It is away for long; money from elsewhere is taken meanwhile, and what was ordered is done later."""
    body = booking_body(group_room, slot_at(10), payment=CARD)
    paid = alice.api.post("/bookings", body).json()
    away = stripe.lose_request(".", times=1_000)
    assert alice.api.delete(f"/bookings/{paid['id']}").json()["refund"]["status"] == "pending"
    assert alice.api.post("/bookings", body).status_code == 503
    at_the_till = booking_body(group_room, slot_at(11), payment={"mode": "pos", "amount": 10_000})
    assert alice.api.post("/bookings", at_the_till).status_code == 201
    work_off()
    assert Refund.objects.get().status == "pending"

    away.times = 0
    work_off()

    assert Refund.objects.get().status == "succeeded"
    assert list(Booking.objects.order_by("pk").values_list("status", flat=True)) == ["canceled", "confirmed", "confirmed"]
    assert (stripe.charged(), stripe.refunded()) == (20_000, 10_000)
    require_equal_books(stripe)
