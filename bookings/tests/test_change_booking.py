"""`PUT /bookings/:id`: one priced, atomic change."""

import pytest

from bookings.models import Booking
from common.walltime import utc_text
from payments.models import Payment
from rooms.models import Claim, Room
from rooms.services import update_room
from tests import standing
from tests.cast import Player
from tests.stage import book, booking_body, make_room, slot_at
from webhooks.models import Event

house, alice, group_room, paris = standing.house, standing.owner, standing.group_room, standing.paris


def test_moving_claims_the_new_slot_and_frees_the_old_one(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10))

    answer = alice.api.put(f"/bookings/{booking.public_id}", {"starts_at": utc_text(slot_at(11))})

    assert answer.status_code == 200, answer.content
    assert (answer.json()["starts_at"], answer.json()["version"]) == (utc_text(slot_at(11)), 2)
    assert answer.json()["price_change"] == {
        "old": 10_000,
        "new": 10_000,
        "fee": 0,
        "due": 10_000,
        "refund": 0,
        "currency": "EUR",
    }
    assert alice.api.post("/bookings", booking_body(group_room, slot_at(11))).status_code == 409
    assert alice.api.post("/bookings", booking_body(group_room, slot_at(10))).status_code == 201
    event = Event.objects.get(type="booking.updated")
    assert event.data["previous_attributes"]["starts_at"] == utc_text(slot_at(10))


def test_a_refused_move_changes_nothing(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10))
    book(alice.actor, group_room, slot_at(11))

    answer = alice.api.put(f"/bookings/{booking.public_id}", {"starts_at": utc_text(slot_at(11)), "notes_internal": "x"})

    assert (answer.status_code, answer.json()["code"]) == (409, "slot_unavailable")
    after = alice.api.get(f"/bookings/{booking.public_id}").json()
    assert (after["starts_at"], after["notes_internal"], after["version"]) == (utc_text(slot_at(10)), "", 1)
    assert Claim.objects.get(holder=booking.public_id, released_at=None)


def test_it_may_move_onto_its_own_time(alice: Player, paris: Room, group_room: Room) -> None:
    """A shift by less than its own length overlaps nobody but itself."""
    half_hourly = {
        "rules": [{"weekdays": [1, 2, 3, 4, 5, 6, 7], "first_start": "08:00", "last_start": "22:00", "interval_minutes": 30}]
    }
    room = make_room(alice.actor, group_room.venue, name="Half", schedule=half_hourly)
    booking = book(alice.actor, room, slot_at(10))

    assert alice.api.put(f"/bookings/{booking.public_id}", {"starts_at": utc_text(slot_at(10, 12, 30))}).status_code == 200


def test_another_room_is_priced_by_its_own_rules(alice: Player, group_room: Room) -> None:
    dear = make_room(
        alice.actor, group_room.venue, name="Dear", pricing={"model": "per_group", "currency": "EUR", "amount": 14_000}
    )
    booking = book(alice.actor, group_room, slot_at(10), payment={"mode": "pos", "amount": 10_000})

    answer = alice.api.put(f"/bookings/{booking.public_id}", {"room": dear.public_id})

    assert answer.json()["price_change"] == {"old": 10_000, "new": 14_000, "fee": 0, "due": 4_000, "refund": 0, "currency": "EUR"}
    assert (answer.json()["amount_due"], answer.json()["payment_status"]) == (4_000, "deposit_paid")


def test_the_same_room_keeps_the_price_rules_of_the_purchase(alice: Player, shared_room: Room) -> None:
    booking = book(alice.actor, shared_room, slot_at(10), party_size=2)
    update_room(room=shared_room, by=alice.actor, pricing={"model": "per_person", "currency": "EUR", "amount": 9_900})

    answer = alice.api.put(f"/bookings/{booking.public_id}", {"party_size": 3})

    assert answer.json()["price"]["total"] == 3 * 2_500


def test_fewer_guests_give_back_what_the_policy_grants(alice: Player, shared_room: Room) -> None:
    booking = book(alice.actor, shared_room, slot_at(10), party_size=6, payment={"mode": "pos", "amount": 15_000})

    answer = alice.api.put(f"/bookings/{booking.public_id}", {"party_size": 4})

    assert answer.json()["price_change"]["refund"] == 5_000
    assert (answer.json()["amount_refunded"], answer.json()["payment_status"]) == (5_000, "paid")
    assert alice.api.post("/bookings", booking_body(shared_room, slot_at(10), party_size=6)).status_code == 201


def test_more_guests_need_seats(alice: Player, shared_room: Room) -> None:
    booking = book(alice.actor, shared_room, slot_at(10), party_size=4)
    book(alice.actor, shared_room, slot_at(10), party_size=4)

    assert alice.api.put(f"/bookings/{booking.public_id}", {"party_size": 6}).status_code == 200
    refused = alice.api.put(f"/bookings/{booking.public_id}", {"party_size": 7})
    assert (refused.status_code, refused.json()["code"]) == (409, "insufficient_seats")
    assert alice.api.put(f"/bookings/{booking.public_id}", {"party_size": 9}).json()["code"] == "party_too_large"


def test_a_move_costs_its_fee_and_counts(alice: Player, group_room: Room) -> None:
    policy = {"windows": [{"hours_before": 24, "allowed": True, "fee": 500}], "max_times": 1}
    update_room(room=group_room, by=alice.actor, reschedule_policy=policy)
    booking = book(alice.actor, group_room, slot_at(10))

    moved = alice.api.put(f"/bookings/{booking.public_id}", {"starts_at": utc_text(slot_at(11))}).json()
    assert moved["price_change"] == {"old": 10_000, "new": 10_500, "fee": 500, "due": 10_500, "refund": 0, "currency": "EUR"}
    again = alice.api.put(f"/bookings/{booking.public_id}", {"starts_at": utc_text(slot_at(12))})
    assert (again.status_code, again.json()["code"]) == (409, "reschedule_not_allowed")


def test_changing_nothing_raises_no_version_and_tells_nobody(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10))
    events = Event.objects.count()

    answer = alice.api.put(f"/bookings/{booking.public_id}", {"party_size": 4, "starts_at": utc_text(slot_at(10))})

    assert (answer.json()["version"], Event.objects.count()) == (1, events)


def test_notes_guests_contact_and_metadata_change_without_a_price(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10))
    changes = {
        "guests": [{"name": "Ada"}, {"name": "Grace"}],
        "contact": {"name": "Grace", "email": "g@example.com", "phone": "+33612345678", "language": "fr"},
        "notes_customer": "Birthday",
        "notes_internal": "VIP",
        "metadata": {"pos": "7"},
        "external_id": "x-1",
    }

    answer = alice.api.call("PATCH", f"/bookings/{booking.public_id}", changes).json()

    assert {name: answer[name] for name in changes} == changes
    assert answer["price"]["total"] == 10_000


def test_a_canceled_booking_cannot_be_moved(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10))
    alice.api.delete(f"/bookings/{booking.public_id}")

    answer = alice.api.put(f"/bookings/{booking.public_id}", {"starts_at": utc_text(slot_at(11))})

    assert (answer.status_code, answer.json()["code"]) == (409, "invalid_transition")
    assert (answer.json()["status"], answer.json()["booking_status"]) == (409, "canceled")


def test_a_held_booking_stays_held_when_moved(alice: Player, group_room: Room) -> None:
    held = book(alice.actor, group_room, slot_at(10), hold=True)

    answer = alice.api.put(f"/bookings/{held.public_id}", {"starts_at": utc_text(slot_at(11))}).json()

    assert (answer["status"], answer["hold_expires_at"]) == ("held", utc_text(held.hold_expires_at))
    assert not Event.objects.filter(type__startswith="booking.").exists()


@pytest.mark.parametrize("version", ['"1"', '"1-abc123"', "*"])
def test_if_match_lets_the_right_version_through(alice: Player, group_room: Room, version: str) -> None:
    booking = book(alice.actor, group_room, slot_at(10))

    assert alice.api.put(f"/bookings/{booking.public_id}", {"notes_internal": "x"}, if_match=version).status_code == 200


def test_if_match_stops_a_stale_writer(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10))
    alice.api.put(f"/bookings/{booking.public_id}", {"notes_internal": "first"})

    answer = alice.api.put(f"/bookings/{booking.public_id}", {"notes_internal": "second"}, if_match='"1"')

    assert (answer.status_code, answer.json()["code"], answer["ETag"]) == (412, "version_conflict", '"2"')
    assert Booking.objects.get().notes_internal == "first"


PAID = {"mode": "pos", "amount": 5_000}


def test_money_for_a_hold_goes_to_confirm(alice: Player, group_room: Room) -> None:
    held = book(alice.actor, group_room, slot_at(10), hold=True)

    answer = alice.api.put(f"/bookings/{held.public_id}", {"payment": PAID})

    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["booking_status"]) == (409, "invalid_transition", "held")
    assert "/confirm" in problem["detail"]
    assert not Payment.objects.exists()


@pytest.mark.parametrize("status", ["canceled", "expired"])
def test_a_booking_that_will_not_take_place_takes_no_money(alice: Player, group_room: Room, status: str) -> None:
    booking = book(alice.actor, group_room, slot_at(10))
    Booking.objects.update(status=status)

    answer = alice.api.put(f"/bookings/{booking.public_id}", {"payment": PAID})

    assert (answer.status_code, answer.json()["code"]) == (409, "invalid_transition")
    assert not Payment.objects.exists()
    assert alice.api.put(f"/bookings/{booking.public_id}", {"payment": {"mode": "none"}}).status_code == 200


@pytest.mark.parametrize("status", ["confirmed", "checked_in", "completed", "no_show"])
def test_a_booking_that_stands_takes_money(alice: Player, group_room: Room, status: str) -> None:
    booking = book(alice.actor, group_room, slot_at(10))
    Booking.objects.update(status=status)

    answer = alice.api.put(f"/bookings/{booking.public_id}", {"payment": PAID}).json()

    assert (answer["amount_paid"], answer["payment_status"]) == (5_000, "deposit_paid")


def test_another_room_leaves_the_policies_of_the_purchase(alice: Player, group_room: Room) -> None:
    flexible = {"windows": [{"hours_before": 0, "refund_percent": 100}], "fee": 0, "deposit_refundable": True}
    other = make_room(alice.actor, group_room.venue, name="Flexible", cancellation_policy=flexible)
    booking = book(alice.actor, group_room, slot_at(10))

    quote = alice.api.post(f"/bookings/{booking.public_id}/quote", {"room": other.public_id}).json()
    moved = alice.api.put(f"/bookings/{booking.public_id}", {"room": other.public_id}).json()

    assert quote["deadlines"] == moved["deadlines"]
    assert moved["deadlines"]["free_cancel_until"] == utc_text(slot_at(8))
    assert Booking.objects.get().policy == booking.policy
