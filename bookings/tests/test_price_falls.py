"""A change that lowers the price gives back what the policy grants, and never more."""

from typing import Any

import pytest

from bookings.models import Booking
from common.walltime import utc_text
from developers.services import create_key
from organizations.permissions import Scope
from payments.models import Refund
from rooms.models import Room, Venue
from rooms.services import update_room
from tests.cast import Api, Player
from tests.stage import PER_PERSON, book, make_room, slot_at

HALF = {"windows": [{"hours_before": 0, "refund_percent": 50}], "fee": 0, "deposit_refundable": True}
KEPT = {"windows": [{"hours_before": 0, "refund_percent": 100}], "fee": 0, "deposit_refundable": False}
PAID = {"mode": "pos", "amount": 10_000}


def room_with(alice: Player, paris: Venue, policy: dict[str, Any], **pricing: Any) -> Room:
    return make_room(alice.actor, paris, name="Heads", pricing={**PER_PERSON, **pricing}, cancellation_policy=policy)


def put(alice: Player, booking: Booking, **changes: Any) -> Any:
    answer = alice.api.put(f"/bookings/{booking.public_id}", changes)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_players_who_leave_and_come_back_unpaid_get_no_more_than_leaving_once(alice: Player, paris: Venue) -> None:
    booking = book(alice.actor, room_with(alice, paris, HALF), slot_at(10), payment=PAID)

    refunds = [put(alice, booking, party_size=size)["price_change"]["refund"] for size in (3, 4, 3, 4, 3, 4, 3)]

    assert refunds == [1_250, 0, 0, 0, 0, 0, 0]


def test_a_player_who_left_was_paid_for_again_and_leaves_once_more(alice: Player, paris: Venue) -> None:
    booking = book(alice.actor, room_with(alice, paris, HALF), slot_at(10), payment=PAID)
    put(alice, booking, party_size=3)
    put(alice, booking, party_size=4, payment={"mode": "pos", "amount": 1_250})

    assert put(alice, booking, party_size=3)["price_change"]["refund"] == 1_250


def test_each_fall_gives_back_its_own_share(alice: Player, paris: Venue) -> None:
    """What the policy kept of the first fall is not shared out again by the second."""
    booking = book(alice.actor, room_with(alice, paris, HALF), slot_at(10), payment=PAID)

    assert [put(alice, booking, party_size=size)["price_change"]["refund"] for size in (3, 2)] == [1_250, 1_250]


def test_a_deposit_that_is_not_refundable_is_not_lowered_by_a_change(alice: Player, paris: Venue) -> None:
    room = room_with(alice, paris, KEPT, deposit={"percent": 60})
    booking = book(alice.actor, room, slot_at(10), payment=PAID)

    fallen = put(alice, booking, party_size=2)
    booking.refresh_from_db()
    canceled = alice.api.delete(f"/bookings/{booking.public_id}").json()

    assert (fallen["price_change"]["new"], fallen["price_change"]["refund"], booking.deposit) == (5_000, 4_000, 6_000)
    assert (canceled["refund"], canceled["amount_refunded"]) == (None, 4_000)


def test_a_deposit_that_goes_back_follows_the_price(alice: Player, paris: Venue) -> None:
    room = room_with(alice, paris, {**KEPT, "deposit_refundable": True}, deposit={"percent": 60})
    booking = book(alice.actor, room, slot_at(10), payment=PAID)

    assert put(alice, booking, party_size=2)["price_change"]["refund"] == 5_000
    assert Booking.objects.get().deposit == 3_000


def test_canceling_is_not_free_where_a_deposit_is_kept(alice: Player, paris: Venue) -> None:
    room = room_with(alice, paris, KEPT, deposit={"percent": 60})
    booking = book(alice.actor, room, slot_at(10), payment=PAID)
    quoted = {"room": room.public_id, "starts_at": utc_text(slot_at(11)), "party_size": 4}

    kept = alice.api.get(f"/bookings/{booking.public_id}").json()["deadlines"]
    quote = alice.api.post("/bookings/quote", quoted).json()
    update_room(room=room, by=alice.actor, pricing=PER_PERSON)
    without = put(alice, book(alice.actor, room, slot_at(12)), notes_internal="x")["deadlines"]

    assert kept["free_cancel_until"] is None
    assert quote["deadlines"]["free_cancel_until"] is None
    assert "free cancellation" not in quote["sentence"]
    assert without["free_cancel_until"] == utc_text(slot_at(12))


def test_fewer_players_before_canceling_give_back_no_more_than_canceling(alice: Player, paris: Venue) -> None:
    shrunk = book(alice.actor, room_with(alice, paris, HALF), slot_at(10), payment=PAID)
    put(alice, shrunk, party_size=2)
    put(alice, shrunk, party_size=3)
    put(alice, shrunk, party_size=2)

    assert alice.api.delete(f"/bookings/{shrunk.public_id}").json()["amount_refunded"] <= 5_000 + 1_250
    other = book(alice.actor, shrunk.room, slot_at(11), payment=PAID)
    put(alice, other, party_size=2)
    assert alice.api.delete(f"/bookings/{other.public_id}").json()["amount_refunded"] == 5_000


def test_the_answer_to_a_cancellation_tells_only_of_its_own_refund(alice: Player, paris: Venue) -> None:
    booking = book(alice.actor, room_with(alice, paris, HALF), slot_at(10), payment=PAID)
    put(alice, booking, party_size=3)

    first = alice.api.delete(f"/bookings/{booking.public_id}").json()
    again = alice.api.delete(f"/bookings/{booking.public_id}").json()

    assert (first["refund"]["amount"], len(first["refund"]["refunds"])) == (3_750, 1)
    assert again == first
    assert first["amount_refunded"] == 1_250 + 3_750
    assert list(Refund.objects.order_by("pk").values_list("purpose", flat=True)) == ["change", "cancellation"]


def test_a_cancellation_without_a_refund_answers_none_after_an_earlier_one(alice: Player, paris: Venue) -> None:
    booking = book(alice.actor, room_with(alice, paris, HALF), slot_at(10), payment=PAID)
    put(alice, booking, party_size=3)

    assert alice.api.delete(f"/bookings/{booking.public_id}?refund=none").json()["refund"] is None


@pytest.mark.parametrize(("size", "status"), [(3, 403), (5, 200)])
def test_a_key_that_only_writes_cannot_give_money_back(alice: Player, paris: Venue, size: int, status: int) -> None:
    booking = book(alice.actor, room_with(alice, paris, HALF), slot_at(10), payment=PAID)
    _, secret = create_key(by=alice.actor, name="Till", scopes=[Scope.BOOKINGS_WRITE])

    answer = Api(secret).put(f"/bookings/{booking.public_id}", {"party_size": size})

    assert answer.status_code == status
    assert answer.json().get("required_scopes", [Scope.BOOKINGS_CANCEL]) == [Scope.BOOKINGS_CANCEL]
    booking.refresh_from_db()
    assert (booking.party_size, booking.amount_refunded) == (4 if status == 403 else size, 0)
