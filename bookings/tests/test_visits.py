"""On the day: check-in, no-show, completion, and the history of it all."""

import datetime as dt

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from bookings.models import Booking, BookingHistory
from bookings.services import complete_bookings
from rooms.models import Room
from tests.cast import Player
from tests.stage import book, slot_at
from webhooks.models import Event


def begin(booking: Booking, *, minutes_ago: int, length: int = 60) -> None:
    started = timezone.now() - dt.timedelta(minutes=minutes_ago)
    Booking.objects.filter(pk=booking.pk).update(starts_at=started, ends_at=started + dt.timedelta(minutes=length))


def test_a_checked_in_booking_is_completed_when_its_game_ends(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10))
    begin(booking, minutes_ago=30)
    assert alice.api.post(f"/bookings/{booking.public_id}/check-in").json()["status"] == "checked_in"
    assert complete_bookings() == 0

    begin(booking, minutes_ago=90)

    assert (complete_bookings(), complete_bookings()) == (1, 0)
    assert alice.api.get(f"/bookings/{booking.public_id}").json()["status"] == "completed"
    assert Event.objects.filter(object_id=booking.public_id).latest("pk").type == "booking.completed"


def test_a_confirmed_booking_that_has_ended_stays_confirmed(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10))
    begin(booking, minutes_ago=90)

    assert complete_bookings() == 0
    assert alice.api.get(f"/bookings/{booking.public_id}").json()["status"] == "confirmed"


def test_a_no_show_is_marked_after_the_start_and_can_be_taken_back(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10))
    early = alice.api.post(f"/bookings/{booking.public_id}/no-show")
    assert (early.status_code, early.json()["code"]) == (409, "invalid_transition")

    begin(booking, minutes_ago=20)
    assert alice.api.post(f"/bookings/{booking.public_id}/no-show").json()["status"] == "no_show"
    assert alice.api.post(f"/bookings/{booking.public_id}/check-in").json()["code"] == "invalid_transition"
    assert alice.api.post(f"/bookings/{booking.public_id}/confirm").json()["status"] == "confirmed"
    types = [event.type for event in Event.objects.filter(object_id=booking.public_id).order_by("pk")]
    assert types == ["booking.created", "booking.no_show", "booking.updated"]


def test_the_history_tells_who_did_what(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10))
    alice.api.put(f"/bookings/{booking.public_id}", {"notes_internal": "VIP"})
    canceled = alice.api.delete(f"/bookings/{booking.public_id}")

    lines = alice.api.get(f"/bookings/{booking.public_id}/events").json()["data"]

    assert [line["action"] for line in lines] == ["created", "changed", "canceled"]
    assert lines[0]["actor"] == {"type": "user", "id": alice.user.public_id}
    assert lines[1]["changes"]["notes_internal"] == ["", "VIP"]
    assert lines[2]["actor"] == {"type": "api_key", "id": alice.key.public_id}
    assert lines[2]["changes"]["status"] == ["confirmed", "canceled"]
    assert lines[2]["request_id"] == canceled["Request-Id"]


def test_the_history_cannot_be_changed(alice: Player, group_room: Room) -> None:
    book(alice.actor, group_room, slot_at(10))

    with pytest.raises(TypeError):
        BookingHistory.objects.update(action="x")
    for statement in ("UPDATE bookings_bookinghistory SET action = 'x'", "DELETE FROM bookings_bookinghistory"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_check_in_begins_twelve_hours_before_the_start(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10))
    begin(booking, minutes_ago=-13 * 60)
    early = alice.api.post(f"/bookings/{booking.public_id}/check-in")
    assert (early.status_code, early.json()["code"]) == (409, "invalid_transition")

    begin(booking, minutes_ago=-11 * 60)
    assert alice.api.post(f"/bookings/{booking.public_id}/check-in").json()["status"] == "checked_in"


def test_a_check_in_can_be_taken_back_until_the_game_ends(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10))
    begin(booking, minutes_ago=10)
    alice.api.post(f"/bookings/{booking.public_id}/check-in")
    back = alice.api.post(f"/bookings/{booking.public_id}/confirm")
    assert (back.status_code, back.json()["status"], back.json()["version"]) == (200, "confirmed", 3)
    types = [event.type for event in Event.objects.filter(object_id=booking.public_id).order_by("pk")]
    assert types == ["booking.created", "booking.updated", "booking.updated"]

    alice.api.post(f"/bookings/{booking.public_id}/check-in")
    begin(booking, minutes_ago=90)
    late = alice.api.post(f"/bookings/{booking.public_id}/confirm")
    assert (late.status_code, late.json()["code"]) == (409, "invalid_transition")


def test_a_history_is_read_page_by_page(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10))
    for note in "abc":
        alice.api.put(f"/bookings/{booking.public_id}", {"notes_internal": note})
    path = f"/bookings/{booking.public_id}/events"

    first = alice.api.get(f"{path}?limit=3").json()
    second = alice.api.get(f"{path}?limit=3&cursor={first['next_cursor']}").json()

    notes = [line["changes"].get("notes_internal", [None, None])[1] for line in first["data"] + second["data"]]
    assert notes == [None, "a", "b", "c"]
    assert (first["has_more"], second["has_more"]) == (True, False)
    for refused in ("limit=0", "limit=101", "sort=at", "status=held"):
        assert alice.api.get(f"{path}?{refused}").status_code == 422
    other = book(alice.actor, group_room, slot_at(11))
    foreign = alice.api.get(f"/bookings/{other.public_id}/events?limit=3&cursor={first['next_cursor']}")
    assert foreign.json()["code"] == "cursor_mismatch"
