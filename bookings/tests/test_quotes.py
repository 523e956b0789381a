"""Quotes: the numbers are what then happens."""

import datetime as dt

from django.utils import timezone

from bookings.models import Quote
from common.walltime import utc_text
from rooms.models import Room
from rooms.services import update_room
from tests.cast import Player
from tests.stage import book, booking_body, slot_at


def test_a_quote_pins_the_price_for_a_while(alice: Player, group_room: Room) -> None:
    body = {"room": group_room.public_id, "starts_at": utc_text(slot_at(10)), "party_size": 4}
    quote = alice.api.post("/bookings/quote", body).json()
    update_room(room=group_room, by=alice.actor, pricing={"model": "per_group", "currency": "EUR", "amount": 99_900})

    booked = alice.api.post("/bookings", booking_body(group_room, slot_at(10), quote=quote["id"]))

    assert quote["price"]["total"] == quote["due"] == 10_000
    assert booked.json()["price"]["total"] == 10_000


def test_a_quote_that_ran_out_with_another_price_is_refused(alice: Player, group_room: Room) -> None:
    body = {"room": group_room.public_id, "starts_at": utc_text(slot_at(10)), "party_size": 4}
    quote = alice.api.post("/bookings/quote", body).json()
    update_room(room=group_room, by=alice.actor, pricing={"model": "per_group", "currency": "EUR", "amount": 99_900})
    Quote.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))

    answer = alice.api.post("/bookings", booking_body(group_room, slot_at(10), quote=quote["id"]))

    assert (answer.status_code, answer.json()["code"], answer.json()["price"]["total"]) == (409, "price_changed", 99_900)


def test_a_quote_for_something_else_is_refused(alice: Player, group_room: Room) -> None:
    body = {"room": group_room.public_id, "starts_at": utc_text(slot_at(10)), "party_size": 4}
    quote = alice.api.post("/bookings/quote", body).json()

    answer = alice.api.post("/bookings", booking_body(group_room, slot_at(11), quote=quote["id"]))

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/quote")


def test_a_slot_that_cannot_be_booked_is_not_quoted(alice: Player, group_room: Room) -> None:
    book(alice.actor, group_room, slot_at(10))
    body = {"room": group_room.public_id, "starts_at": utc_text(slot_at(10)), "party_size": 4}

    assert alice.api.post("/bookings/quote", body).json()["code"] == "slot_unavailable"


def test_the_sentence_can_be_read_aloud(alice: Player, group_room: Room) -> None:
    body = {"room": group_room.public_id, "starts_at": utc_text(slot_at(10)), "party_size": 4}

    sentence = alice.api.post("/bookings/quote", body).json()["sentence"]

    local = slot_at(10)
    assert sentence.startswith(f"{local:%a} {local.day} {local:%b %Y}, ")
    assert " Paris time, 4 players, €100, free cancellation until " in sentence


def test_the_preview_of_a_change_is_what_happens(alice: Player, group_room: Room) -> None:
    policy = {"windows": [{"hours_before": 24, "allowed": True, "fee": 500}], "max_times": None}
    update_room(room=group_room, by=alice.actor, reschedule_policy=policy)
    booking = book(alice.actor, group_room, slot_at(10), payment={"mode": "pos", "amount": 10_000})
    change = {"starts_at": utc_text(slot_at(11))}

    quote = alice.api.post(f"/bookings/{booking.public_id}/quote", change).json()
    happened = alice.api.put(f"/bookings/{booking.public_id}", {**change, "quote": quote["id"]}).json()["price_change"]

    assert (quote["fee"], quote["due"], quote["refund"]) == (500, 500, 0)
    assert (happened["fee"], happened["due"], happened["refund"]) == (500, 500, 0)


def test_the_preview_of_a_cancellation_is_what_happens(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10), payment={"mode": "pos", "amount": 10_000})

    quote = alice.api.post(f"/bookings/{booking.public_id}/quote", {"kind": "cancel"}).json()
    refund = alice.api.delete(f"/bookings/{booking.public_id}").json()["refund"]

    assert quote["refund"] == refund["amount"] == 10_000
    assert "canceling gives back €100" in quote["sentence"]


def test_a_preview_changes_nothing(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10))

    alice.api.post(f"/bookings/{booking.public_id}/quote", {"starts_at": utc_text(slot_at(11))})

    assert alice.api.get(f"/bookings/{booking.public_id}").json()["version"] == 1
