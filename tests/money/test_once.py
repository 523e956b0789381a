"""However many ask at the same moment, money moves once."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import requests

from bookings.models import Booking
from bookings.services import work_off_payments
from payments.models import Payment, Refund
from rooms.models import Room
from tests.cast import Player
from tests.crowd import at_once
from tests.money.books import BROWSER, CARD, let_time_pass, require_equal_books, work_off
from tests.server import Server
from tests.stage import booking_body, slot_at
from tests.stripe.stand_in import StandIn

pytestmark = pytest.mark.django_db(transaction=True)
CALLERS = 20


class Caller:
    """The API over HTTP; each call on a connection of its own."""

    def __init__(self, server: Server, player: Player) -> None:
        self.server, self.secret = server, player.secret

    def __call__(self, method: str, path: str, body: Any = None, *, key: str = "") -> requests.Response:
        headers = {"Authorization": f"Bearer {self.secret}", **({"Idempotency-Key": key} if key else {})}
        return requests.request(method, self.server.path(path), json=body, headers=headers, timeout=60)

    def at_once(self, *calls: tuple[Any, ...], keys: list[str]) -> list[requests.Response]:
        return at_once([partial(self, *call, key=key) for call, key in zip(calls, keys, strict=True)])


@pytest.fixture
def call(server: Server, alice: Player) -> Caller:
    return Caller(server, alice)


@pytest.fixture
def path(call: Caller, group_room: Room, stripe: StandIn) -> str:
    """A booking paid with a card."""
    made = call("POST", "/bookings", booking_body(group_room, slot_at(10), payment=CARD))
    assert made.status_code == 201, made.text
    return f"/bookings/{made.json()['id']}"


KEYS = {
    "no keys": [""] * CALLERS,
    "one key": ["key"] * CALLERS,
    "keys of their own": [f"key-{number}" for number in range(CALLERS)],
}


@pytest.mark.parametrize("keys", KEYS.values(), ids=KEYS)
def test_twenty_cancellations_give_back_once(call: Caller, path: str, stripe: StandIn, keys: list[str]) -> None:
    answers = call.at_once(*[("DELETE", path)] * CALLERS, keys=keys)
    work_off()

    allowed = {200, 409} if keys[0] == keys[1] != "" else {200}
    assert {answer.status_code for answer in answers} <= allowed
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"idempotency_in_progress"}
    assert {answer.json()["refund"]["amount"] for answer in answers if answer.status_code == 200} == {10_000}
    assert (stripe.refunded(), len(stripe.refunds())) == (10_000, 1)
    require_equal_books(stripe)


def test_of_twenty_refunds_of_the_whole_amount_one_is_made(call: Caller, path: str, stripe: StandIn) -> None:
    answers = call.at_once(*[("POST", f"{path}/refunds", {"amount": 10_000})] * CALLERS, keys=KEYS["keys of their own"])
    work_off()

    assert Counter(answer.status_code for answer in answers) == {201: 1, 422: CALLERS - 1}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 422} == {"refund_exceeds_paid"}
    assert (stripe.refunded(), len(stripe.refunds())) == (10_000, 1)
    require_equal_books(stripe)


def test_refunds_of_a_part_stop_at_what_was_paid(call: Caller, path: str, stripe: StandIn) -> None:
    answers = call.at_once(*[("POST", f"{path}/refunds", {"amount": 3_000})] * 8, keys=[""] * 8)
    work_off()

    assert Counter(answer.status_code for answer in answers) == {201: 3, 422: 5}
    assert stripe.refunded() == 9_000
    require_equal_books(stripe)


def test_a_refund_beside_a_cancellation_gives_back_no_more_than_was_paid(call: Caller, path: str, stripe: StandIn) -> None:
    refund, cancel = ("POST", f"{path}/refunds", {"amount": 4_000}), ("DELETE", path)

    call.at_once(*[refund, cancel] * 4, keys=[""] * 8)
    work_off()

    assert call("GET", path).json()["status"] == "canceled"
    assert stripe.refunded() == 10_000
    require_equal_books(stripe)


def test_twenty_bookings_with_one_key_are_one_and_charged_once(call: Caller, group_room: Room, stripe: StandIn) -> None:
    body = booking_body(group_room, slot_at(10), payment=CARD)

    answers = call.at_once(*[("POST", "/bookings", body)] * CALLERS, keys=KEYS["one key"])
    work_off()

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.text for answer in answers if answer.status_code == 201}) == 1
    assert (stripe.charged(), len(stripe.intents()), Booking.objects.count()) == (10_000, 1, 1)
    require_equal_books(stripe)


@pytest.mark.parametrize("rounds", [2, pytest.param(8, marks=pytest.mark.soak)])
def test_two_cards_for_one_hold_pay_it_once(call: Caller, group_room: Room, stripe: StandIn, rounds: int) -> None:
    """Both may be charged, where both were on their way: the surplus goes back."""
    cards = ["pm_card_visa", "pm_card_mastercard"]
    for day in range(10, 10 + rounds):
        held = call("POST", "/bookings", booking_body(group_room, slot_at(day), hold=True)).json()
        confirm = f"/bookings/{held['id']}/confirm"

        call.at_once(*[("POST", confirm, {"payment": {"payment_method": card}}) for card in cards], keys=["", ""])
        work_off()

        after = call("GET", f"/bookings/{held['id']}").json()
        assert (after["status"], after["payment_status"]) == ("confirmed", "paid")
        assert after["amount_paid"] - after["amount_refunded"] == 10_000
    assert stripe.charged() - stripe.refunded() == rounds * 10_000
    assert {intent["status"] for intent in stripe.intents()} <= {"succeeded", "canceled"}
    require_equal_books(stripe)


def test_two_cards_for_one_change_pay_it_once(call: Caller, path: str, group_room: Room, stripe: StandIn) -> None:
    Booking.objects.update(price_rules={"pricing": {**group_room.pricing, "amount": 13_000}, "tax": group_room.venue.tax})
    move = {"starts_at": slot_at(11).isoformat(), "payment": CARD}

    call.at_once(*[("PUT", path, move)] * 4, keys=[""] * 4)
    work_off()

    after = call("GET", path).json()
    assert (after["price"]["total"], after["amount_paid"] - after["amount_refunded"]) == (13_000, 13_000)
    assert stripe.charged() - stripe.refunded() == 13_000
    require_equal_books(stripe)


def test_workers_at_the_same_moment_ask_stripe_once(alice: Player, group_room: Room, stripe: StandIn) -> None:
    """Some payments have come and some refunds are due; every order is looked at by one of the workers."""
    for day in range(10, 16):
        made = alice.api.post("/bookings", booking_body(group_room, slot_at(day), payment=[CARD, BROWSER][day % 2])).json()
        if day % 2:
            stripe.pay(made["payment"]["stripe"]["payment_intent"])
        else:
            alice.api.delete(f"/bookings/{made['id']}")
    let_time_pass()

    at_once([work_off_payments] * 4)

    assert len(stripe.requests("POST /v1/refunds")) == 3
    assert set(Refund.objects.values_list("status", flat=True)) == {"succeeded"}
    assert set(Payment.objects.values_list("status", flat=True)) == {"succeeded"}
    assert (stripe.charged(), stripe.refunded()) == (60_000, 30_000)
    require_equal_books(stripe)


def test_a_client_and_the_sweep_carry_out_one_order_once(alice: Player, group_room: Room, stripe: StandIn) -> None:
    """Each is at Stripe for the same payment, at the same moment; a declined card stays declined."""
    cards = {10: CARD, 11: {"payment_method": "pm_card_chargeDeclined"}}
    for day, card in cards.items():
        slow = stripe.hold("POST /v1/payment_intents/.*/confirm")

        def sweep(slow: Any = slow) -> None:
            assert slow.arrived.wait(30)
            let_time_pass()
            at_once([work_off_payments, slow.let_go])

        book = partial(alice.api.post, "/bookings", booking_body(group_room, slot_at(day), payment=card))
        calls: list[Callable[[], Any]] = [book, sweep]
        at_once(calls)
        work_off()

    assert stripe.charged() == 10_000
    found = Booking.objects.order_by("pk").values_list("status", "payment_status")
    assert list(found) == [("confirmed", "paid"), ("held", "failed")]
    require_equal_books(stripe)
