"""A booking from its hold to its refund: over HTTP, with a worker, Stripe and a subscriber; all amounts at each step."""

from collections import Counter
from typing import Any

import pytest
from standardwebhooks import Webhook

from payments.models import Payment
from rooms.models import Venue
from tests.cast import Player
from tests.money.books import BROWSER, CARD, require_equal_books
from tests.server import Server, eventually
from tests.stage import PER_PERSON, booking_body, make_room, slot_at
from tests.stripe.stand_in import StandIn
from webhooks.tests.conftest import Receiver, receiver

__all__ = ["receiver"]
pytestmark = pytest.mark.django_db(transaction=True)

EVENINGS = {"percent": 20, "times": {"from": "17:00", "to": "23:00"}}
HALF = {"windows": [{"hours_before": 48, "refund_percent": 50}], "fee": 0, "deposit_refundable": True}


class Life:
    """The API over HTTP, and what has to be true after each call."""

    def __init__(self, server: Server, player: Player, stripe: StandIn, receiver: Receiver) -> None:
        self.server, self.session, self.stripe, self.receiver = server, server.session(player.secret), stripe, receiver
        self.path = "/bookings"

    def __call__(self, method: str, body: Any = None, *, status: int = 200, path: str = "") -> dict[str, Any]:
        url = self.server.path(self.path + path)
        answer = self.session.request(method, url, json=body, timeout=60)
        assert answer.status_code == status, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def hears(self, **events: int) -> None:
        """So many of each, with underscores for dots, and nothing else about bookings and money."""
        expected = {name.replace("_", ".", 1): count for name, count in events.items()}
        eventually(lambda: self.heard() >= Counter(expected))
        assert self.heard() == expected

    def heard(self) -> Counter[str]:
        return Counter(type for type in self.receiver.types if type.startswith(("booking", "payment")))

    def stands(self, *, paid: int, back: int, due: int, **fields: Any) -> None:
        """The same sums in the booking, in our rows and at Stripe, whose side the worker may still be busy with."""
        eventually(lambda: (self.stripe.charged(), self.stripe.refunded()) == (paid, back))
        booking = self("GET")
        assert (booking["amount_paid"], booking["amount_refunded"], booking["amount_due"]) == (paid, back, due)
        assert {name: booking[name] for name in fields} == fields
        require_equal_books(self.stripe)


def test_a_whole_life(server: Server, background: None, alice: Player, paris: Venue, stripe: StandIn, receiver: Receiver) -> None:
    pricing = {**PER_PERSON, "adjustments": [EVENINGS]}
    room = make_room(alice.actor, paris, pricing=pricing, cancellation_policy=HALF)
    life = Life(server, alice, stripe, receiver)
    stripe.deliver_to(f"{server.url}/webhooks/stripe")
    life.path = "/webhook_endpoints"
    secret = life("POST", {"url": receiver.url()}, status=201)["secret"]

    life.path = "/bookings"
    made = life("POST", booking_body(room, slot_at(10), payment=BROWSER), status=201)
    life.path = f"/bookings/{made['id']}"
    assert made["payment"]["client_secret"]
    life.stands(paid=0, back=0, due=10_000, status="held", payment_status="pending")

    stripe.pay(made["payment"]["stripe"]["payment_intent"])
    life.hears(payment_succeeded=1, booking_created=1)
    life.stands(paid=10_000, back=0, due=0, status="confirmed", payment_status="paid")

    evening = {"starts_at": slot_at(10, 18).isoformat()}
    refused = life("PUT", evening, status=402)
    assert (refused["code"], refused["amount"], refused["currency"]) == ("payment_required", 2_000, "EUR")
    life.stands(paid=10_000, back=0, due=0, starts_at=made["starts_at"])

    moved = life("PUT", {**evening, "payment": CARD})
    assert moved["price_change"] == {"old": 10_000, "new": 12_000, "fee": 0, "due": 2_000, "refund": 0, "currency": "EUR"}
    life.stands(paid=12_000, back=0, due=0, starts_at=slot_at(10, 18).strftime("%Y-%m-%dT%H:%M:%SZ"))
    life.hears(payment_succeeded=2, booking_created=1, booking_updated=1)

    fewer = life("PUT", {"party_size": 3})
    assert fewer["price_change"] == {"old": 12_000, "new": 9_000, "fee": 0, "due": 0, "refund": 1_500, "currency": "EUR"}
    life.stands(paid=12_000, back=1_500, due=0, payment_status="paid")
    life.hears(payment_succeeded=2, booking_created=1, booking_updated=2, payment_refunded=1)

    canceled = life("DELETE")
    assert (canceled["status"], canceled["refund"]["amount"]) == ("canceled", 4_500)  # half of what is not kept already
    life.stands(paid=12_000, back=6_000, due=0, payment_status="partially_refunded")
    # Out of both payments: what is left of the newer one first.
    life.hears(payment_succeeded=2, booking_created=1, booking_updated=2, booking_canceled=1, payment_refunded=3)
    assert life("DELETE")["refund"]["status"] == "succeeded"
    assert life("DELETE")["amount_refunded"] == 6_000

    for request in receiver.requests:
        Webhook(secret).verify(request.body, request.headers)
    told = [request.event["data"]["object"] for request in receiver.requests if request.event["type"] == "payment.refunded"]
    payments = {payment.public_id: payment.amount for payment in Payment.objects.all()}
    assert {payment["id"]: payment["amount"] for payment in told} == payments
    assert max(payment["amount_refunded"] for payment in told) == 4_000
