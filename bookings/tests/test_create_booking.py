"""`POST /bookings`."""

import datetime as dt
import json
from typing import Any

import pytest
from django.utils import timezone

from bookings.models import Booking, BookingHistory
from bookings.rules import check_answers
from bookings.services import erase_customer
from common.errors import ValidationFailed
from customers.models import Customer
from customers.services import create_customer
from payments.models import Payment
from rooms.models import Room
from rooms.services import create_block, update_room
from tests import standing
from tests.cast import Player
from tests.stage import book, booking_body, make_room, slot_at
from webhooks.models import Event

house, alice, group_room, paris = standing.house, standing.owner, standing.group_room, standing.paris


def test_a_booking_is_confirmed_at_once_with_price_policy_and_event(alice: Player, group_room: Room) -> None:
    answer = alice.api.post("/bookings", booking_body(group_room, slot_at(10)))

    assert answer.status_code == 201, answer.content
    booking = answer.json()
    assert booking["status"] == "confirmed"
    assert booking["payment_status"] == "unpaid"
    assert booking["price"] == {
        "currency": "EUR",
        "lines": [{"kind": "base", "label": "4 players", "quantity": 1, "amount": 10_000}],
        "subtotal": 8_333,
        "tax": 1_667,
        "total": 10_000,
    }
    assert booking["amount_due"] == 10_000
    assert booking["created_by"] == {"type": "api_key", "id": alice.key.public_id}
    assert booking["starts_at_local"].endswith(("+01:00", "+02:00"))
    assert answer["ETag"] == '"1"'
    event = Event.objects.get(object_id=booking["id"])
    assert event.type == "booking.created"
    assert event.request_id == answer["Request-Id"]
    assert event.data["object"] == booking
    assert BookingHistory.objects.get().action == "created"


def test_a_second_booking_of_the_slot_is_refused_with_reasons_and_alternatives(alice: Player, group_room: Room) -> None:
    book(alice.actor, group_room, slot_at(10))

    answer = alice.api.post("/bookings", booking_body(group_room, slot_at(10)))

    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["reasons"]) == (409, "slot_unavailable", ["booked"])
    assert len(problem["alternatives"]) == 5
    offered = problem["alternatives"][0]["starts_at"]
    assert alice.api.post("/bookings", {**booking_body(group_room, slot_at(10)), "starts_at": offered}).status_code == 201


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"party_size": 1}, 422, "party_too_small"),
        ({"party_size": 7}, 422, "party_too_large"),
        ({"party_size": 10_000}, 422, "party_too_large"),
        ({"party_size": 0}, 422, "validation_failed"),
        ({"party_size": "4"}, 422, "validation_failed"),
        ({"party_size": True}, 422, "validation_failed"),
        ({"private": False}, 422, "private_unavailable"),
        ({"starts_at": "2020-01-01T12:00:00Z"}, 422, "past_start"),
        ({"starts_at": "2099-01-01T12:00:00Z"}, 422, "beyond_horizon"),
        ({"starts_at": "9999-01-01T12:00:00Z"}, 422, "validation_failed"),
        ({"starts_at": "2026-12-05T12:00:00"}, 422, "validation_failed"),
        ({"starts_at": "2026-03-29T02:30:00"}, 422, "validation_failed"),
        ({"starts_at": 5}, 422, "validation_failed"),
        ({"room": "rm_00000000000000000000000000"}, 422, "validation_failed"),
        ({"customer": {}}, 422, "validation_failed"),
        ({"customer": {"email": "nonsense"}}, 422, "validation_failed"),
        ({"customer": {"name": "A", "phone": "0612"}}, 422, "validation_failed"),
        ({"payment": {"mode": "stripe"}}, 422, "payment_mode_unavailable"),
        ({"payment": {"mode": "pos"}}, 422, "validation_failed"),
        ({"payment": {"mode": "pos", "amount": -1}}, 422, "validation_failed"),
        ({"hold": True, "payment": {"mode": "pos", "amount": 1}}, 422, "validation_failed"),
        ({"colour": "red"}, 422, "validation_failed"),
        ({"answers": {"unknown": "x"}}, 422, "validation_failed"),
    ],
)
def test_bad_input_is_refused_by_name_and_leaves_nothing(
    alice: Player, group_room: Room, changes: dict[str, Any], status: int, code: str
) -> None:
    answer = alice.api.post("/bookings", {**booking_body(group_room, slot_at(10)), **changes})

    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content
    assert not Booking.objects.exists()
    assert not Customer.objects.exists()
    assert alice.api.post("/bookings", booking_body(group_room, slot_at(10))).status_code == 201


def test_every_refused_field_is_named(alice: Player) -> None:
    answer = alice.api.post("/bookings", {"party_size": "x", "guests": [{"name": 5}], "nonsense": 1})

    pointers = {error["pointer"]: error["code"] for error in answer.json()["errors"]}
    assert pointers == {
        "/room": "required",
        "/starts_at": "required",
        "/customer": "required",
        "/party_size": "invalid",
        "/guests/0/name": "invalid",
        "/nonsense": "unknown_field",
    }


def test_a_start_off_the_timetable_is_refused(alice: Player, group_room: Room) -> None:
    answer = alice.api.post("/bookings", booking_body(group_room, slot_at(10, 12, 30)))

    assert (answer.status_code, answer.json()["code"]) == (422, "outside_schedule")
    assert answer.json()["reasons"] == ["outside_schedule"]


def test_lead_time_counts_in_real_minutes(alice: Player, group_room: Room) -> None:
    update_room(room=group_room, by=alice.actor, lead_time_minutes=60 * 24 * 11)

    answer = alice.api.post("/bookings", booking_body(group_room, slot_at(10)))

    assert (answer.status_code, answer.json()["code"]) == (422, "lead_time")


def test_an_archived_room_is_refused(alice: Player, group_room: Room) -> None:
    alice.api.delete(f"/rooms/{group_room.public_id}")

    assert alice.api.post("/bookings", booking_body(group_room, slot_at(10))).json()["code"] == "room_inactive"


def test_a_blocked_slot_is_refused(alice: Player, group_room: Room) -> None:
    create_block(by=alice.actor, rooms=[group_room], starts_at=slot_at(10, 11), ends_at=slot_at(10, 13))

    answer = alice.api.post("/bookings", booking_body(group_room, slot_at(10)))

    assert (answer.json()["code"], answer.json()["reasons"]) == ("slot_unavailable", ["blocked"])


def test_shared_seats_are_sold_exactly_to_capacity(alice: Player, shared_room: Room) -> None:
    at = slot_at(10)
    assert alice.api.post("/bookings", booking_body(shared_room, at, party_size=7)).status_code == 201

    refused = alice.api.post("/bookings", booking_body(shared_room, at, party_size=4))
    assert (refused.status_code, refused.json()["code"], refused.json()["seats_left"]) == (409, "insufficient_seats", 3)
    assert alice.api.post("/bookings", booking_body(shared_room, at, party_size=3)).status_code == 201
    assert alice.api.post("/bookings", booking_body(shared_room, at, party_size=1)).json()["code"] == "insufficient_seats"


def test_private_and_shared_games_exclude_each_other(alice: Player, upgrade_room: Room) -> None:
    at, later = slot_at(10), slot_at(10, 13)
    private = alice.api.post("/bookings", booking_body(upgrade_room, at, party_size=2, private=True))
    assert private.json()["price"]["total"] == 2 * 2_500 + 5_000
    assert alice.api.post("/bookings", booking_body(upgrade_room, at, party_size=1)).json()["code"] == "slot_unavailable"

    alice.api.post("/bookings", booking_body(upgrade_room, later, party_size=1))
    refused = alice.api.post("/bookings", booking_body(upgrade_room, later, party_size=2, private=True))
    assert (refused.json()["code"], refused.json()["reasons"]) == ("slot_unavailable", ["private_unavailable"])


def test_rooms_that_share_a_space_exclude_each_other(alice: Player, group_room: Room) -> None:
    twin = make_room(alice.actor, group_room.venue, name="Torchlight", shares_space_with=[group_room])
    book(alice.actor, group_room, slot_at(10))

    answer = alice.api.post("/bookings", booking_body(twin, slot_at(10)))

    assert (answer.status_code, answer.json()["reasons"]) == (409, ["shared_space_busy"])


def test_turnaround_is_enforced_when_booking(alice: Player, group_room: Room) -> None:
    slow = make_room(alice.actor, group_room.venue, name="Slow", turnaround_minutes=15)
    book(alice.actor, slow, slot_at(10))

    assert alice.api.post("/bookings", booking_body(slow, slot_at(10, 13))).json()["code"] == "slot_unavailable"
    assert alice.api.post("/bookings", booking_body(slow, slot_at(10, 14))).status_code == 201


def test_the_customer_is_found_by_email_whatever_its_case(alice: Player, group_room: Room) -> None:
    first = alice.api.post("/bookings", booking_body(group_room, slot_at(10), customer={"email": "ADA@example.com"})).json()
    second = alice.api.post(
        "/bookings", booking_body(group_room, slot_at(11), customer={"email": "ada@Example.com", "name": "Ada"})
    ).json()

    assert first["customer"] == second["customer"]
    assert Customer.objects.get().name == "Ada"
    assert (first["contact"]["name"], second["contact"]["name"]) == (None, "Ada")


def test_a_point_of_sale_records_what_it_took(alice: Player, group_room: Room) -> None:
    paid = {"mode": "pos", "amount": 10_000, "reference": "till-7"}

    booking = alice.api.post("/bookings", booking_body(group_room, slot_at(10), payment=paid)).json()

    assert (booking["payment_status"], booking["amount_paid"], booking["amount_due"]) == ("paid", 10_000, 0)
    payment = Payment.objects.get(subject=booking["id"])
    assert (payment.mode, payment.amount, payment.reference) == ("pos", 10_000, "till-7")


def test_an_external_id_is_taken_once(alice: Player, group_room: Room) -> None:
    first = alice.api.post("/bookings", booking_body(group_room, slot_at(10), external_id="pos-1")).json()

    again = alice.api.post("/bookings", booking_body(group_room, slot_at(11), external_id="pos-1"))

    assert (again.status_code, again.json()["code"], again.json()["booking"]) == (409, "duplicate_external_id", first["id"])


def test_answers_are_checked_against_the_rooms_questions(alice: Player, group_room: Room) -> None:
    fields = [
        {"key": "level", "label": "Level", "type": "choice", "required": True, "choices": ["easy", "hard"]},
        {"key": "wheelchair", "label": "Wheelchair", "type": "boolean", "required": False},
    ]
    update_room(room=group_room, by=alice.actor, custom_fields=fields)

    missing = alice.api.post("/bookings", booking_body(group_room, slot_at(10)))
    assert [error["pointer"] for error in missing.json()["errors"]] == ["/answers/level"]
    wrong = alice.api.post("/bookings", booking_body(group_room, slot_at(10), answers={"level": "x", "wheelchair": 1}))
    assert [error["pointer"] for error in wrong.json()["errors"]] == ["/answers/level", "/answers/wheelchair"]
    right = alice.api.post("/bookings", booking_body(group_room, slot_at(10), answers={"level": "hard"}))
    assert right.json()["answers"] == {"level": "hard"}


def test_emoji_and_right_to_left_text_come_back_as_they_went_in(alice: Player, group_room: Room) -> None:
    name = "‏عمر الخيّام‏ 🧩👩‍👩‍👧"

    booking = alice.api.post("/bookings", booking_body(group_room, slot_at(10), customer={"name": name})).json()

    assert alice.api.get(f"/bookings/{booking['id']}").json()["contact"]["name"] == name


def test_a_booking_is_found_by_its_reference(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10))

    assert alice.api.get(f"/bookings/{booking.reference.lower()}").json()["id"] == booking.public_id
    assert not set(booking.reference) & set("0O1I")


def test_a_booking_taken_over_from_elsewhere_may_lie_in_the_past(alice: Player, group_room: Room) -> None:
    made_at = timezone.now() - dt.timedelta(days=40)

    booking = book(alice.actor, group_room, slot_at(-30), made_at=made_at)

    assert booking.created_at == made_at


@pytest.mark.parametrize("number", ["1e20", "-1e300", "9007199254740993", "123456789012345678901234567890"])
def test_a_number_that_not_every_reader_can_read_is_no_answer(alice: Player, group_room: Room, number: str) -> None:
    update_room(room=group_room, by=alice.actor, custom_fields=[NUMBER])
    body = json.dumps(booking_body(group_room, slot_at(10), answers={"n": "$"})).replace('"$"', number).encode()

    answer = alice.api.call("POST", "/bookings", body)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/answers/n")
    assert alice.api.get("/bookings").json()["data"] == []


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan")])
def test_no_number_at_all_is_no_answer(number: float) -> None:
    with pytest.raises(ValidationFailed):
        check_answers([NUMBER], {"n": number})


def test_the_largest_numbers_come_back_as_they_went_in(alice: Player, group_room: Room) -> None:
    update_room(room=group_room, by=alice.actor, custom_fields=[NUMBER])

    for day, number in enumerate((2**53, -(2**53), 0.5), start=10):
        booking = alice.api.post("/bookings", booking_body(group_room, slot_at(day), answers={"n": number})).json()
        assert alice.api.get(f"/bookings/{booking['id']}").json()["answers"] == {"n": number}


NUMBER = {"key": "n", "label": "Number", "type": "number", "required": False}


@pytest.mark.parametrize("nobody", [{}, {"notes": "Regular"}, {"email": None, "name": ""}])
def test_a_customer_who_is_nobody_is_refused_by_name(alice: Player, group_room: Room, nobody: dict[str, Any]) -> None:
    answer = alice.api.post("/bookings", booking_body(group_room, slot_at(10), customer=nobody))

    errors = [(error["pointer"], error["code"]) for error in answer.json()["errors"]]
    assert (answer.status_code, errors) == (422, [("/customer", "required")])


def test_a_customer_who_was_erased_a_moment_ago_is_not_booked_for(alice: Player, group_room: Room) -> None:
    """The request found the customer; the erasure came in between."""
    customer = create_customer(by=alice.actor, name="Ada")
    erase_customer(customer=Customer.objects.get(), by=alice.actor)

    with pytest.raises(ValidationFailed) as refused:
        book(alice.actor, group_room, slot_at(10), customer=customer)

    assert refused.value.errors[0].pointer == "/customer"
    assert not Booking.objects.exists()


def test_a_reference_that_is_taken_is_drawn_again(alice: Player, group_room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    first = book(alice.actor, group_room, slot_at(10))
    monkeypatch.setattr(Booking._meta.get_field("reference"), "_get_default", lambda: first.reference)

    second = alice.api.post("/bookings", booking_body(group_room, slot_at(11)))

    assert second.status_code == 201
    assert second.json()["reference"] != first.reference
