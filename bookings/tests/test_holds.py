"""Holds: they keep the slot for a while, and only for a while."""

import datetime as dt

import pytest
from django.utils import timezone

from bookings.models import Booking, BookingHistory
from bookings.services import confirm_booking, expire_holds
from rooms.models import Claim, Occupancy, Room
from rooms.services import update_room
from tests import standing
from tests.cast import Player
from tests.stage import book, booking_body, slot_at
from webhooks.models import Event

house, alice, group_room, paris = standing.house, standing.owner, standing.group_room, standing.paris


def lapse(booking: Booking) -> None:
    """Let the hold's time be over, as both bookings and rooms see it."""
    past = timezone.now() - dt.timedelta(seconds=1)
    Booking.objects.filter(pk=booking.pk).update(hold_expires_at=past)
    Claim.objects.filter(holder=booking.public_id, released_at=None).update(expires_at=past)


def test_a_hold_keeps_the_slot_and_tells_no_subscriber(alice: Player, group_room: Room) -> None:
    held = alice.api.post("/bookings", booking_body(group_room, slot_at(10), hold=True)).json()

    assert held["status"] == "held"
    assert held["hold_expires_at"] is not None
    refused = alice.api.post("/bookings", booking_body(group_room, slot_at(10)))
    assert refused.json()["reasons"] == ["held"]
    assert not Event.objects.filter(type__startswith="booking.").exists()


def test_confirming_makes_it_firm_and_is_the_bookings_creation(alice: Player, group_room: Room) -> None:
    held = book(alice.actor, group_room, slot_at(10), hold=True)

    answer = alice.api.post(f"/bookings/{held.public_id}/confirm")
    again = alice.api.post(f"/bookings/{held.public_id}/confirm")

    assert (answer.json()["status"], answer.json()["hold_expires_at"]) == ("confirmed", None)
    assert again.json()["version"] == answer.json()["version"] == 2
    assert [event.type for event in Event.objects.filter(object_id=held.public_id)] == ["booking.created"]
    assert Claim.objects.get(holder=held.public_id).expires_at is None


def test_a_hold_past_its_time_reads_as_expired_and_frees_the_slot_before_any_sweep(alice: Player, group_room: Room) -> None:
    held = book(alice.actor, group_room, slot_at(10), hold=True)
    lapse(held)

    assert alice.api.get(f"/bookings/{held.public_id}").json()["status"] == "expired"
    assert [row["id"] for row in alice.api.get("/bookings?status=expired").json()["data"]] == [held.public_id]
    assert alice.api.get("/bookings?status=held").json()["data"] == []
    slots = alice.api.get(f"/schedules?room={group_room.public_id}&date_from={slot_at(10).date()}&date_to={slot_at(10).date()}")
    assert slot_at(10).isoformat().replace("+00:00", "Z") in [slot["starts_at"] for slot in slots.json()["data"][0]["slots"]]
    assert alice.api.post("/bookings", booking_body(group_room, slot_at(10))).status_code == 201


def test_the_sweep_writes_it_down_once(alice: Player, group_room: Room) -> None:
    held = book(alice.actor, group_room, slot_at(10), hold=True)
    kept = book(alice.actor, group_room, slot_at(11), hold=True)
    lapse(held)

    assert (expire_holds(), expire_holds()) == (1, 0)

    held.refresh_from_db()
    kept.refresh_from_db()
    assert (held.status, held.version, kept.status) == ("expired", 2, "held")
    assert Occupancy.objects.filter(active=True).count() == 1
    assert [line.action for line in BookingHistory.objects.filter(booking=held)] == ["held", "expired"]


def test_an_expired_hold_cannot_be_confirmed_or_extended(alice: Player, group_room: Room) -> None:
    held = book(alice.actor, group_room, slot_at(10), hold=True)
    lapse(held)

    for act in ("confirm", "extend"):
        answer = alice.api.post(f"/bookings/{held.public_id}/{act}")
        assert (answer.status_code, answer.json()["code"]) == (410, "hold_expired")


def test_a_late_payment_claims_the_slot_again_if_it_is_free(alice: Player, group_room: Room) -> None:
    held = book(alice.actor, group_room, slot_at(10), hold=True)
    lapse(held)
    expire_holds()

    answer = alice.api.post(f"/bookings/{held.public_id}/confirm", {"payment": {"mode": "pos", "amount": 10_000}})

    assert (answer.json()["status"], answer.json()["payment_status"]) == ("confirmed", "paid")
    assert alice.api.post("/bookings", booking_body(group_room, slot_at(10))).status_code == 409


def test_a_late_payment_for_a_slot_that_is_gone_records_nothing(alice: Player, group_room: Room) -> None:
    held = book(alice.actor, group_room, slot_at(10), hold=True)
    lapse(held)
    book(alice.actor, group_room, slot_at(10))

    answer = alice.api.post(f"/bookings/{held.public_id}/confirm", {"payment": {"mode": "pos", "amount": 10_000}})

    assert (answer.status_code, answer.json()["code"], answer.json()["reasons"]) == (410, "hold_expired", ["booked"])
    held.refresh_from_db()
    assert held.amount_paid == 0


def test_a_hold_can_be_extended_up_to_an_hour_in_all(alice: Player, group_room: Room) -> None:
    held = book(alice.actor, group_room, slot_at(10), hold=True)
    before = held.hold_expires_at

    extended = alice.api.post(f"/bookings/{held.public_id}/extend")
    assert extended.status_code == 200
    assert extended.json()["hold_expires_at"] > before.isoformat()

    Booking.objects.filter(pk=held.pk).update(
        created_at=timezone.now() - dt.timedelta(minutes=59), hold_expires_at=timezone.now() + dt.timedelta(minutes=1)
    )
    refused = alice.api.post(f"/bookings/{held.public_id}/extend")
    assert (refused.status_code, refused.json()["code"]) == (409, "hold_limit_reached")


def test_a_held_booking_can_be_canceled_without_an_event(alice: Player, group_room: Room) -> None:
    held = book(alice.actor, group_room, slot_at(10), hold=True)

    answer = alice.api.delete(f"/bookings/{held.public_id}")

    assert (answer.json()["status"], answer.json()["refund"]) == ("canceled", None)
    assert not Event.objects.filter(type__startswith="booking.").exists()
    assert alice.api.post("/bookings", booking_body(group_room, slot_at(10))).status_code == 201


def test_a_copy_of_a_hold_is_stale_once_its_time_is_up(alice: Player, group_room: Room) -> None:
    held = book(alice.actor, group_room, slot_at(10), hold=True)
    tag = alice.api.get(f"/bookings/{held.public_id}")["ETag"]
    assert alice.api.get(f"/bookings/{held.public_id}", if_none_match=tag).status_code == 304
    lapse(held)

    answer = alice.api.get(f"/bookings/{held.public_id}", if_none_match=tag)

    assert (answer.status_code, answer.json()["status"]) == (200, "expired")
    assert alice.api.put(f"/bookings/{held.public_id}", {"notes_internal": "x"}, if_match=tag).status_code == 200


def test_the_history_says_that_the_hold_expired(alice: Player, group_room: Room) -> None:
    held = book(alice.actor, group_room, slot_at(10), hold=True)
    lapse(held)
    expire_holds()

    assert BookingHistory.objects.get(action="expired").changes == {"status": ["held", "expired"]}


def test_no_subscriber_hears_of_a_booking_that_was_never_confirmed(alice: Player, group_room: Room) -> None:
    canceled = book(alice.actor, group_room, slot_at(10), hold=True)
    alice.api.delete(f"/bookings/{canceled.public_id}")
    expired = book(alice.actor, group_room, slot_at(11), hold=True)
    lapse(expired)

    for booking in (canceled, expired):
        assert alice.api.put(f"/bookings/{booking.public_id}", {"notes_internal": "x"}).json()["version"] > 1
    assert not Event.objects.filter(type__startswith="booking.").exists()


def test_a_late_payment_is_not_asked_for_the_lead_time_again(alice: Player, group_room: Room) -> None:
    held = book(alice.actor, group_room, slot_at(10), hold=True)
    lapse(held)
    update_room(room=group_room, by=alice.actor, lead_time_minutes=60 * 24 * 11)

    answer = alice.api.post(f"/bookings/{held.public_id}/confirm", {"payment": {"mode": "pos", "amount": 10_000}})

    assert (answer.status_code, answer.json()["status"]) == (200, "confirmed")


def test_a_claim_that_outlived_its_hold_is_not_in_its_own_way(alice: Player, group_room: Room) -> None:
    held = book(alice.actor, group_room, slot_at(10), hold=True)
    Booking.objects.update(hold_expires_at=timezone.now() - dt.timedelta(seconds=1))  # and the claim lives on

    answer = alice.api.post(f"/bookings/{held.public_id}/confirm", {"payment": {"mode": "pos", "amount": 10_000}})

    assert (answer.status_code, answer.json()["status"]) == (200, "confirmed")
    assert Claim.objects.filter(holder=held.public_id, released_at=None).count() == 1


def test_a_machine_whose_clock_is_fast_expires_no_hold(alice: Player, group_room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    held = book(alice.actor, group_room, slot_at(10), hold=True)
    fast = timezone.now() + dt.timedelta(hours=1)
    monkeypatch.setattr(timezone, "now", lambda: fast)

    assert confirm_booking(booking=held, by=alice.actor).status == "confirmed"


def test_confirming_without_money_what_is_confirmed_changes_nothing(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10))
    events = Event.objects.count()

    answer = alice.api.post(f"/bookings/{booking.public_id}/confirm", {"payment": {"mode": "none"}})

    assert (answer.status_code, answer.json()["version"], Event.objects.count()) == (200, 1, events)
