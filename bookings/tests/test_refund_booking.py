"""`POST /bookings/:id/refunds`: money back while the booking stands."""

from typing import Any

import pytest

from bookings.models import Booking, BookingHistory
from bookings.services import work_off_payments
from developers.services import create_key
from organizations.permissions import Scope
from payments.models import Payment, Refund
from rooms.models import Room
from tests.cast import Api, Player
from tests.security.routes import ABSENT
from tests.stage import book, booking_body, slot_at
from tests.stripe.stand_in import StandIn
from webhooks.models import Event

TILL = {"mode": "pos", "amount": 10_000}


@pytest.fixture
def paid(alice: Player, group_room: Room) -> Booking:
    return book(alice.actor, group_room, slot_at(10), payment=TILL)


def refund(player: Player, booking: Booking, body: Any = None, **headers: str) -> Any:
    return player.api.post(f"/bookings/{booking.public_id}/refunds", body, **headers)


def test_without_an_amount_all_goes_back_and_the_booking_stands(alice: Player, paid: Booking) -> None:
    answer = refund(alice, paid)

    body = answer.json()
    assert (answer.status_code, body["status"], body["payment_status"]) == (201, "confirmed", "refunded")
    assert (body["amount_paid"], body["amount_refunded"], body["version"]) == (10_000, 10_000, paid.version + 1)
    assert (body["refund"]["amount"], body["refund"]["status"], len(body["refund"]["refunds"])) == (10_000, "succeeded", 1)
    assert answer["ETag"].startswith(f'"{body["version"]}-')


def test_a_part_goes_back_with_its_reason(alice: Player, paid: Booking) -> None:
    body = refund(alice, paid, {"amount": 2_500, "reason": "The lights went out."}).json()

    assert (body["payment_status"], body["amount_refunded"], body["amount_due"]) == ("partially_refunded", 2_500, 2_500)
    assert body["refund"]["refunds"][0]["reason"] == "The lights went out."


def test_the_newest_payments_go_back_first(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10), payment={"mode": "pos", "amount": 3_000})
    alice.api.put(f"/bookings/{booking.public_id}", {"payment": {"mode": "external", "amount": 7_000}})

    first = refund(alice, booking, {"amount": 6_000}).json()["refund"]
    second = refund(alice, booking, {"amount": 2_000}).json()["refund"]

    old, new = Payment.objects.of(booking.public_id).order_by("pk")
    assert [(part["payment"], part["amount"]) for part in first["refunds"]] == [(new.public_id, 6_000)]
    assert [(part["payment"], part["amount"]) for part in second["refunds"]] == [(new.public_id, 1_000), (old.public_id, 1_000)]
    assert second["amount"] == 2_000


def test_more_than_was_paid_never_goes_back(alice: Player, paid: Booking) -> None:
    assert refund(alice, paid, {"amount": 4_000}).status_code == 201

    refused = refund(alice, paid, {"amount": 6_001})

    assert (refused.status_code, refused.json()["code"], refused.json()["refundable"]) == (422, "refund_exceeds_paid", 6_000)
    assert refund(alice, paid, {"amount": 6_000}).status_code == 201
    nothing_left = refund(alice, paid)
    assert (nothing_left.json()["code"], nothing_left.json()["refundable"]) == ("refund_exceeds_paid", 0)
    assert sum(Refund.objects.values_list("amount", flat=True)) == 10_000


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({"amount": 0}, "/amount"), ({"amount": "100"}, "/amount"), ({"amount": 1.5}, "/amount"), ({"sum": 100}, "/sum")],
)
def test_an_odd_refund_is_refused_by_name(alice: Player, paid: Booking, body: Any, pointer: str) -> None:
    refused = refund(alice, paid, body)

    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer)
    assert Refund.objects.count() == 0


def test_only_a_key_that_may_refund_does(alice: Player, bob: Player, charlie: Player, paid: Booking) -> None:
    _, secret = create_key(by=alice.actor, name="till", scopes=[scope for scope in Scope if scope != Scope.REFUNDS_WRITE])
    path = f"/bookings/{paid.public_id}/refunds"

    for api in (Api(secret), bob.api):
        refused = api.post(path, {"amount": 100})
        assert (refused.status_code, refused.json()["required_scopes"]) == (403, ["refunds:write"])
    assert charlie.api.post(path, {"amount": 100}).status_code == 404
    assert alice.api.post(f"/bookings/bkg_{ABSENT}/refunds", {"amount": 100}).status_code == 404
    assert alice.api.get(path).status_code == 405
    assert Refund.objects.count() == 0


def test_repeated_with_the_same_key_it_gives_back_once(alice: Player, paid: Booking) -> None:
    first = refund(alice, paid, {"amount": 2_500}, idempotency_key="refund-1")
    again = refund(alice, paid, {"amount": 2_500}, idempotency_key="refund-1")
    other = refund(alice, paid, {"amount": 2_500}, idempotency_key="refund-2")

    assert (again.status_code, again.json(), again["Idempotency-Replayed"]) == (201, first.json(), "true")
    assert other.json()["refund"]["id"] != first.json()["refund"]["id"]
    assert Refund.objects.count() == 2


def test_an_outdated_copy_refunds_nothing(alice: Player, paid: Booking) -> None:
    tag = alice.api.get(f"/bookings/{paid.public_id}")["ETag"]
    assert refund(alice, paid, {"amount": 1_000}, if_match=tag).status_code == 201

    outdated = refund(alice, paid, {"amount": 1_000}, if_match=tag)

    assert (outdated.status_code, outdated.json()["code"]) == (412, "version_conflict")
    assert Refund.objects.count() == 1


def test_subscribers_and_history_hear_of_it(alice: Player, paid: Booking) -> None:
    refund(alice, paid, {"amount": 2_500})

    event = Event.objects.get(type="booking.updated")
    assert event.data["previous_attributes"] == {"payment_status": "paid", "amount_refunded": 0, "amount_due": 0}
    assert event.data["object"]["amount_refunded"] == 2_500
    line = BookingHistory.objects.order_by("-pk").first()
    assert (line.action, line.changes["amount_refunded"]) == ("refunded", [0, 2_500])


def test_through_stripe_it_is_pending_until_stripe_has_it(alice: Player, group_room: Room, stripe: StandIn) -> None:
    made = alice.api.post("/bookings", booking_body(group_room, slot_at(10), payment={"payment_method": "pm_card_visa"})).json()
    booking = Booking.objects.get(public_id=made["id"])

    answered = refund(alice, booking, {"amount": 2_500}).json()
    assert (answered["refund"]["status"], answered["amount_refunded"]) == ("pending", 2_500)
    assert stripe.refunded() == 0

    work_off_payments()
    assert stripe.refunded() == 2_500
    event = Event.objects.get(type="payment.refunded")
    assert (event.object_id, event.data["object"]["amount_refunded"]) == (made["payment"]["id"], 2_500)
    work_off_payments()
    assert (stripe.refunded(), Event.objects.filter(type="payment.refunded").count()) == (2_500, 1)
