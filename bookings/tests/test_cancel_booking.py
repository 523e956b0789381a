"""`DELETE /bookings/:id`: cancel and process the refund, once."""

import datetime as dt

import pytest
from django.utils import timezone

from bookings import policies
from bookings.errors import RescheduleNotAllowed
from bookings.models import Booking
from payments.models import Refund
from rooms.models import Room
from tests import standing
from tests.cast import Player
from tests.stage import book, booking_body, slot_at
from webhooks.models import Event

house, alice, group_room, paris = standing.house, standing.owner, standing.group_room, standing.paris

PAID = {"mode": "pos", "amount": 10_000}


def test_canceling_frees_the_slot_refunds_and_tells(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10), payment=PAID)

    answer = alice.api.delete(f"/bookings/{booking.public_id}?reason=Illness")

    body = answer.json()
    assert (answer.status_code, body["status"], body["payment_status"]) == (200, "canceled", "refunded")
    assert (body["refund"]["amount"], body["refund"]["status"], body["amount_due"]) == (10_000, "succeeded", 0)
    assert body["canceled"]["reason"] == "Illness"
    assert alice.api.post("/bookings", booking_body(group_room, slot_at(10))).status_code == 201
    event = Event.objects.get(type="booking.canceled")
    assert event.data["previous_attributes"]["status"] == "confirmed"


def test_canceling_again_answers_the_same_and_refunds_nothing_more(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10), payment=PAID)
    first = alice.api.delete(f"/bookings/{booking.public_id}").json()

    assert alice.api.delete(f"/bookings/{booking.public_id}?refund=full").json() == first
    assert Refund.objects.count() == 1


@pytest.mark.parametrize(
    ("choice", "refunded", "status"), [("none", 0, "paid"), ("full", 10_000, "refunded"), ("2500", 2_500, "partially_refunded")]
)
def test_the_caller_may_choose_the_refund(alice: Player, group_room: Room, choice: str, refunded: int, status: str) -> None:
    booking = book(alice.actor, group_room, slot_at(1, 20), payment=PAID)

    body = alice.api.delete(f"/bookings/{booking.public_id}?refund={choice}").json()

    assert (body["amount_refunded"], body["payment_status"]) == (refunded, status)


def test_more_than_was_paid_is_never_refunded(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10), payment=PAID)

    answer = alice.api.delete(f"/bookings/{booking.public_id}?refund=10001")

    assert (answer.status_code, answer.json()["code"], answer.json()["refundable"]) == (422, "refund_exceeds_paid", 10_000)
    booking.refresh_from_db()
    assert booking.status == "confirmed"


def test_several_payments_are_refunded_newest_first(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10), payment={"mode": "pos", "amount": 3_000})
    alice.api.put(f"/bookings/{booking.public_id}", {"payment": {"mode": "external", "amount": 7_000}})

    refund = alice.api.delete(f"/bookings/{booking.public_id}?refund=8000").json()["refund"]

    assert [part["amount"] for part in refund["refunds"]] == [7_000, 1_000]
    assert refund["amount"] == 8_000


@pytest.mark.parametrize("refund", ["half", "-1", "1.5", "", "²", "9" * 5_000, "100000000000"])
def test_an_odd_refund_is_refused_by_name(alice: Player, group_room: Room, refund: str) -> None:
    booking = book(alice.actor, group_room, slot_at(10))

    answer = alice.api.delete(f"/bookings/{booking.public_id}?refund={refund}")

    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "refund")


def test_a_game_that_has_begun_cannot_be_canceled(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10))
    started = timezone.now() - dt.timedelta(minutes=5)
    Booking.objects.update(starts_at=started, ends_at=started + dt.timedelta(hours=1))

    answer = alice.api.delete(f"/bookings/{booking.public_id}")

    assert (answer.status_code, answer.json()["code"]) == (409, "cancellation_not_allowed")


POLICY = {
    "cancellation": {
        "windows": [{"hours_before": 48, "refund_percent": 100}, {"hours_before": 24, "refund_percent": 50}],
        "fee": 500,
        "deposit_refundable": False,
    },
    "reschedule": {
        "windows": [{"hours_before": 24, "allowed": True, "fee": 0}, {"hours_before": 6, "allowed": True, "fee": 700}],
        "max_times": 2,
    },
}
START = dt.datetime(2026, 6, 6, 18, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("hours", "paid", "deposit", "refund", "fee"),
    [
        (72, 10_000, 0, 9_500, 500),
        (48, 10_000, 0, 9_500, 500),
        (47.9, 10_000, 0, 4_500, 500),
        (24, 10_000, 3_000, 3_000, 500),  # half of 7,000 less the fee
        (24, 3_000, 3_000, 0, 0),
        (23, 10_000, 0, 0, 0),
        (72, 300, 0, 0, 300),  # the fee never takes more than there is
        (24, 10_001, 0, 4_501, 500),  # 5000.5 rounds half up
    ],
)
def test_refunds_by_the_policys_windows(hours: float, paid: int, deposit: int, refund: int, fee: int) -> None:
    at = START - dt.timedelta(hours=hours)

    assert policies.refund_on_cancellation(POLICY, starts_at=START, at=at, paid=paid, deposit=deposit) == (refund, fee)


def test_reschedules_by_the_policys_windows() -> None:
    def fee(hours: float, moved: int = 0) -> int:
        return policies.reschedule_fee(POLICY, starts_at=START, at=START - dt.timedelta(hours=hours), times_moved=moved)

    assert (fee(30), fee(24), fee(23), fee(6, moved=1)) == (0, 0, 700, 700)
    with pytest.raises(RescheduleNotAllowed):
        fee(5)
    with pytest.raises(RescheduleNotAllowed):
        fee(30, moved=2)


def test_deadlines_are_the_last_moments() -> None:
    free = {**POLICY, "cancellation": {**POLICY["cancellation"], "fee": 0}}

    assert policies.deadlines(free, starts_at=START, deposit=0) == {
        "free_cancel_until": START - dt.timedelta(hours=48),
        "reschedule_until": START - dt.timedelta(hours=6),
    }
    assert policies.deadlines(POLICY, starts_at=START, deposit=0)["free_cancel_until"] is None
