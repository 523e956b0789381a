"""Quotes: the numbers are what then happens."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from bookings.models import Booking, Quote
from bookings.services import quote_creation
from bookings.tasks import forget_quotes
from common.walltime import utc_text
from rooms.models import Room, Session
from rooms.services import update_room
from tests import standing
from tests.cast import Player
from tests.stage import PER_GROUP, PER_PERSON, book, booking_body, make_room, make_venue, slot_at

house, alice, group_room, paris = standing.house, standing.owner, standing.group_room, standing.paris


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


def test_a_quoted_price_brings_its_rules_into_the_booking(alice: Player, shared_room: Room) -> None:
    body = {"room": shared_room.public_id, "starts_at": utc_text(slot_at(10)), "party_size": 4}
    quote = alice.api.post("/bookings/quote", body).json()
    update_room(room=shared_room, by=alice.actor, pricing={"model": "per_person", "currency": "EUR", "amount": 9_900})
    booked = alice.api.post("/bookings", booking_body(shared_room, slot_at(10), quote=quote["id"])).json()

    one_more = alice.api.put(f"/bookings/{booked['id']}", {"party_size": 5}).json()

    assert (booked["price"]["total"], one_more["price"]["total"]) == (4 * 2_500, 5 * 2_500)


@pytest.mark.parametrize(("size", "code"), [(50, "party_too_large"), (1, "party_too_small")])
def test_a_party_that_the_change_would_refuse_is_not_quoted(alice: Player, group_room: Room, size: int, code: str) -> None:
    booking = book(alice.actor, group_room, slot_at(10))

    for method, path in (("POST", "/quote"), ("PUT", "")):
        answer = alice.api.call(method, f"/bookings/{booking.public_id}{path}", {"party_size": size})
        assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_seats_that_are_not_left_are_not_quoted_and_none_are_taken(alice: Player, shared_room: Room) -> None:
    booking = book(alice.actor, shared_room, slot_at(10), party_size=4)
    book(alice.actor, shared_room, slot_at(10), party_size=4)

    assert alice.api.post(f"/bookings/{booking.public_id}/quote", {"party_size": 7}).json()["code"] == "insufficient_seats"
    assert alice.api.post(f"/bookings/{booking.public_id}/quote", {"party_size": 6}).status_code == 201
    assert Session.objects.get().seats_taken == 8


def test_a_room_of_another_currency_is_not_quoted(alice: Player, group_room: Room) -> None:
    dollars = {"model": "per_group", "currency": "USD", "amount": 10_000}
    other = make_room(alice.actor, make_venue(alice.actor, name="Boston", currency="USD"), name="Dollar", pricing=dollars)
    booking = book(alice.actor, group_room, slot_at(10))

    for method, path in (("POST", "/quote"), ("PUT", "")):
        answer = alice.api.call(method, f"/bookings/{booking.public_id}{path}", {"room": other.public_id})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/room")


@pytest.mark.parametrize("status", ["canceled", "expired", "checked_in", "completed", "no_show"])
@pytest.mark.parametrize("change", [{}, {"party_size": 5}])
def test_a_booking_that_cannot_be_changed_is_not_quoted(
    alice: Player, group_room: Room, status: str, change: dict[str, int]
) -> None:
    booking = book(alice.actor, group_room, slot_at(10))
    Booking.objects.update(status=status)

    answer = alice.api.post(f"/bookings/{booking.public_id}/quote", change)

    assert (answer.status_code, answer.json()["code"]) == (409, "invalid_transition")


def quoted_move(alice: Player, group_room: Room) -> tuple[str, dict[str, Any]]:
    """A booking and a quoted move of it to another room, whose price and the booking's fees rise after the quote."""
    other = make_room(alice.actor, group_room.venue, name="Other", pricing={**PER_GROUP, "amount": 8_000})
    booking = book(alice.actor, group_room, slot_at(10), payment={"mode": "pos", "amount": 10_000})
    path = f"/bookings/{booking.public_id}"
    quote = alice.api.post(f"{path}/quote", {"room": other.public_id}).json()
    assert (quote["price"]["total"], quote["fee"], quote["refund"]) == (8_000, 0, 2_000)

    update_room(room=other, by=alice.actor, pricing=PER_PERSON)
    dearer = {"cancellation": booking.policy["cancellation"], "reschedule": {"windows": [], "max_times": None}}
    Booking.objects.update(policy=dearer)
    return path, {"room": other.public_id, "quote": quote["id"]}


def test_a_change_costs_what_was_quoted_while_the_quote_lasts(alice: Player, group_room: Room) -> None:
    path, change = quoted_move(alice, group_room)

    answer = alice.api.put(path, change)

    assert answer.status_code == 200, answer.content
    assert answer.json()["price_change"] == {"old": 10_000, "new": 8_000, "fee": 0, "due": 0, "refund": 2_000, "currency": "EUR"}
    assert Booking.objects.get().price_rules["pricing"]["amount"] == 8_000


def test_a_quoted_change_still_needs_its_slot(alice: Player, group_room: Room) -> None:
    path, change = quoted_move(alice, group_room)
    book(alice.actor, Room.objects.with_spaces().get(name="Other"), slot_at(10))

    assert alice.api.put(path, change).json()["code"] == "slot_unavailable"


def test_a_change_quote_that_ran_out_holds_only_if_nothing_is_different(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10))
    path, change = f"/bookings/{booking.public_id}", {"starts_at": utc_text(slot_at(11))}
    same = alice.api.post(f"{path}/quote", change).json()
    Quote.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert alice.api.put(path, {**change, "quote": same["id"]}).status_code == 200

    back = {"starts_at": utc_text(slot_at(10))}
    other = alice.api.post(f"{path}/quote", back).json()
    Quote.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    Booking.objects.update(policy={**booking.policy, "reschedule": {"windows": [FEE], "max_times": None}})

    answer = alice.api.put(path, {**back, "quote": other["id"]})
    assert (answer.status_code, answer.json()["code"], answer.json()["fee"]) == (409, "price_changed", 700)


FEE = {"hours_before": 1, "allowed": True, "fee": 700}


def test_a_quote_gives_its_refund_once(alice: Player, shared_room: Room) -> None:
    """A change quoted for a booking as it was is counted anew after another change of it."""
    booking = book(alice.actor, shared_room, slot_at(10), payment={"mode": "pos", "amount": 10_000})
    path, fewer = f"/bookings/{booking.public_id}", {"party_size": 2}
    quote = alice.api.post(f"{path}/quote", fewer).json()
    assert alice.api.put(path, {**fewer, "quote": quote["id"]}).json()["price_change"]["refund"] == 5_000
    alice.api.put(path, {"party_size": 4})

    again = alice.api.put(path, {**fewer, "quote": quote["id"]})

    assert (again.status_code, again.json()["code"], again.json()["refund"]) == (409, "price_changed", 0)


def test_a_quote_is_forgotten_thirty_days_after_it_ran_out(alice: Player, group_room: Room) -> None:
    kept, forgotten = (quote_creation(by=alice.actor, room=group_room, starts_at=slot_at(10), party_size=size) for size in (3, 4))
    for quote, days in ((kept, 29), (forgotten, 31)):
        Quote.objects.filter(pk=quote.pk).update(expires_at=timezone.now() - dt.timedelta(days=days))

    forget_quotes()

    assert list(Quote.objects.all()) == [kept]
