"""Moving a booking: what is free, what it costs, what is refused."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client

from bookings.models import Booking
from bookings.services import check_in, create_booking
from common.walltime import utc_text
from dashboard.tests.pages import queries, sign_in
from payments.models import Payment
from rooms.models import Room, Venue
from tests import standing
from tests.cast import Player
from tests.stage import HOURLY, PER_GROUP, book, make_room, slot_at

house, alice, group_room, paris = standing.house, standing.owner, standing.group_room, standing.paris

DEARER_LATER = {**PER_GROUP, "adjustments": [{"label": "Evening", "times": {"from": "18:00", "to": "23:59"}, "fixed": 2_000}]}
CHEAPER_LATER = {**PER_GROUP, "adjustments": [{"label": "Evening", "times": {"from": "18:00", "to": "23:59"}, "fixed": -1_000}]}
HIDDEN = ("room", "starts_at", "version", "quote")
NOON, EVENING = slot_at(5, 12), slot_at(5, 19)


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def path(booking: Booking) -> str:
    return f"/dashboard/bookings/{booking.public_id}/move"


def slot(room: Room, at: dt.datetime) -> dict[str, str]:
    return {"room": room.public_id, "starts_at": utc_text(at) or ""}


def offer(client: Client, booking: Booking, room: Room, at: dt.datetime) -> Any:
    return client.get(path(booking), slot(room, at))


def accept(client: Client, booking: Booking, room: Room, at: dt.datetime, **more: Any) -> Any:
    """Post what the offer's form holds."""
    form = offer(client, booking, room, at).context["form"]
    hidden = {name: form.initial[name] for name in HIDDEN}
    return client.post(path(booking), {**hidden, "settlement": "later", **more})


def said(answer: Any) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


@pytest.fixture
def rising(alice: Player, paris: Venue) -> Room:
    return make_room(alice.actor, paris, pricing=DEARER_LATER)


@pytest.fixture
def falling(alice: Player, paris: Venue) -> Room:
    return make_room(alice.actor, paris, pricing=CHEAPER_LATER)


# Choosing


def test_free_slots_of_its_room_come_first_then_of_the_rooms_beside_it(alice: Player, group_room: Room) -> None:
    other = make_room(alice.actor, group_room.venue, name="Attic")
    make_room(alice.actor, group_room.venue, name="Closet", max_party=3, capacity=3)
    bank = make_room(alice.actor, group_room.venue, name="Bank")
    Room.objects.filter(pk=bank.pk).update(pricing={**PER_GROUP, "currency": "USD"})
    booking = book(alice.actor, group_room, NOON)
    book(alice.actor, group_room, EVENING, customer={"name": "Grace"})

    answer = sign_in(alice).get(path(booking))
    free = answer.context["rooms"]

    assert [one.room for one in free] == [group_room, other]
    starts = [one.starts_at for one, _ in free[0].slots]
    assert EVENING not in starts
    assert [query for one, query in free[0].slots if one.starts_at == NOON] == [""]
    assert len(starts) == 14
    assert "Move Ada" in text(answer)


def test_the_days_tell_how_much_is_free(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, NOON)

    days = sign_in(alice).get(path(booking)).context["days"]

    assert len(days) == 7
    assert [day.free for day in days if day.active] == [14]


def test_choosing_takes_few_queries(alice: Player, group_room: Room) -> None:
    for number in range(8):
        make_room(alice.actor, group_room.venue, name=f"Room {number}", booking_mode="shared" if number % 2 else "private")
    booking = book(alice.actor, group_room, NOON)
    client = sign_in(alice)

    with queries():
        client.get(path(booking))
    with queries(16):  # the quote is what it asks: it locks nothing, and pins the price
        offer(client, booking, group_room, EVENING)


# What it costs, and done


def test_a_dearer_slot_is_charged(alice: Player, rising: Room) -> None:
    booking, client = book(alice.actor, rising, NOON), sign_in(alice)
    assert "and charge €20.00</button>" in text(offer(client, booking, rising, EVENING))

    answer = accept(client, booking, rising, EVENING)

    booking.refresh_from_db()
    assert (booking.starts_at, booking.total, booking.amount_due) == (EVENING, 12_000, 12_000)
    assert answer.url == f"/dashboard/bookings/{booking.public_id}"
    assert "moved to" in said(answer)[0]
    assert "€120.00 is due." in said(answer)[0]


def test_the_difference_can_be_taken_at_the_till(alice: Player, rising: Room) -> None:
    booking = book(alice.actor, rising, NOON, payment={"mode": "pos", "amount": 10_000})

    accept(sign_in(alice), booking, rising, EVENING, settlement="pos", reference="till-7")

    booking.refresh_from_db()
    payment = Payment.objects.of(booking.public_id).latest("pk")
    assert (booking.amount_due, payment.amount, payment.mode, payment.reference) == (0, 2_000, "pos", "till-7")


def test_a_cheaper_slot_gives_money_back(alice: Player, falling: Room) -> None:
    booking, client = book(alice.actor, falling, NOON, payment={"mode": "pos", "amount": 10_000}), sign_in(alice)
    assert "and give back €10.00</button>" in text(offer(client, booking, falling, EVENING))

    answer = accept(client, booking, falling, EVENING)

    booking.refresh_from_db()
    assert (booking.total, booking.amount_refunded) == (9_000, 1_000)
    assert "€10.00 goes back." in said(answer)[0]


def test_the_fee_of_moving_is_told(alice: Player, paris: Venue) -> None:
    policy = {"windows": [{"hours_before": 0, "allowed": True, "fee": 500}], "max_times": None}
    room = make_room(alice.actor, paris, reschedule_policy=policy)
    booking, client = book(alice.actor, room, NOON), sign_in(alice)

    assert "Moving it now costs <strong>€5.00</strong>" in text(client.get(path(booking)))
    told = text(offer(client, booking, room, EVENING))
    assert "€5.00, in the price" in told
    assert "and charge €5.00</button>" in told


def test_the_price_is_the_one_that_was_shown(alice: Player, rising: Room) -> None:
    booking, client = book(alice.actor, rising, NOON), sign_in(alice)
    other = make_room(alice.actor, rising.venue, name="Attic")
    form = offer(client, booking, other, EVENING).context["form"].initial
    Room.objects.filter(pk=other.pk).update(pricing={**PER_GROUP, "amount": 99_000})

    client.post(path(booking), {name: form[name] for name in HIDDEN} | {"settlement": "later"})

    booking.refresh_from_db()
    assert (booking.room, booking.total) == (other, 10_000)


def test_a_hold_moves_and_takes_no_payment(alice: Player, rising: Room) -> None:
    booking, client = book(alice.actor, rising, NOON, hold=True), sign_in(alice)
    assert "How is it paid?" not in text(offer(client, booking, rising, EVENING))

    accept(client, booking, rising, EVENING)

    booking.refresh_from_db()
    assert (booking.starts_at, booking.reads_as) == (EVENING, Booking.Status.HELD)


# Refused


def test_a_slot_that_was_just_taken_is_refused_with_others(alice: Player, group_room: Room) -> None:
    booking, client = book(alice.actor, group_room, NOON), sign_in(alice)
    form = offer(client, booking, group_room, EVENING).context["form"].initial
    book(alice.actor, group_room, EVENING, customer={"name": "Grace"})

    answer = client.post(path(booking), {name: form[name] for name in HIDDEN} | {"settlement": "later"})

    assert answer.status_code == 422
    assert "Not moved.</strong> The slot is not available: it is booked." in text(answer)
    assert len(answer.context["refusal"].alternatives) == 5
    booking.refresh_from_db()
    assert booking.starts_at == NOON


def test_a_booking_that_was_changed_meanwhile_is_offered_anew(alice: Player, rising: Room) -> None:
    booking, client = book(alice.actor, rising, NOON), sign_in(alice)
    form = offer(client, booking, rising, EVENING).context["form"].initial
    Booking.objects.filter(pk=booking.pk).update(version=7)
    stale = {name: form[name] for name in HIDDEN}

    answer = client.post(path(booking), {**stale, "settlement": "pos", "reference": "till-7"})

    assert answer.status_code == 422
    assert "Not moved." in text(answer)
    assert (answer.context["form"]["version"].value(), answer.context["form"]["reference"].value()) == (7, "till-7")
    booking.refresh_from_db()
    assert booking.starts_at == NOON


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"starts_at": "tomorrow"}, "That slot is not there."),
        ({"starts_at": "2026-11-28T19:00"}, "That slot is not there."),
        ({"room": "rm_none"}, "That slot is not there."),
        ({"version": "x"}, "The page was out of date."),
        ({"settlement": "gold"}, "Select a valid choice."),
        ({"quote": "quo_none"}, "The page was out of date."),
    ],
)
def test_what_is_no_slot_or_form_is_refused(alice: Player, rising: Room, wrong: dict[str, str], told: str) -> None:
    booking, client = book(alice.actor, rising, NOON), sign_in(alice)

    answer = client.post(path(booking), {**slot(rising, EVENING), "version": "1", "settlement": "later", **wrong})

    assert answer.status_code == 422
    assert told in text(answer)
    booking.refresh_from_db()
    assert booking.starts_at == NOON


def test_another_organizations_room_is_no_slot(alice: Player, charlie: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, NOON)
    theirs = make_room(charlie.actor, Venue.objects.create(organization=charlie.organization, name="V"))

    assert "That slot is not there." in text(offer(sign_in(alice), booking, theirs, EVENING))


def test_a_slot_outside_the_rules_is_refused_with_the_reason(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, NOON)

    answer = offer(sign_in(alice), booking, group_room, NOON + dt.timedelta(minutes=7))

    assert answer.status_code == 422
    assert "The room has no game at that time." in text(answer)


def test_what_can_no_longer_be_moved_says_why(alice: Player, paris: Venue) -> None:
    never = {"windows": [{"hours_before": 0, "allowed": False, "fee": 0}], "max_times": None}
    room = make_room(alice.actor, paris, reschedule_policy=never)
    fixed = book(alice.actor, room, NOON)
    here = book(alice.actor, room, EVENING)
    Booking.objects.filter(pk=here.pk).update(starts_at=slot_at(0), ends_at=slot_at(1))
    check_in(booking=here, by=alice.actor)
    client = sign_in(alice)

    assert "It is too close to the start to move this booking." in text(client.get(path(fixed)))
    assert "A booking that is checked_in cannot be changed so." in text(client.get(path(here)))
    assert "rooms" not in client.get(path(here)).context


def test_names_are_escaped(alice: Player, group_room: Room) -> None:
    booking = create_booking(
        by=alice.actor, room=group_room, starts_at=NOON, party_size=4, customer={"name": "<b>x</b>", "email": "x@example.com"}
    )

    assert "<b>x" not in text(sign_in(alice).get(path(booking)))
    assert "<b>x" not in text(offer(sign_in(alice), booking, group_room, EVENING))


def test_a_reader_may_not(bob: Player, alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, NOON)

    assert sign_in(bob).get(path(booking)).status_code == 403
    assert sign_in(bob).post(path(booking), slot(group_room, EVENING)).status_code == 403


def test_days_without_a_slot_say_what_to_do(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, NOON)
    Room.objects.filter(pk=group_room.pk).update(schedule={**HOURLY, "rules": []})

    assert "Nothing free on this day" in text(sign_in(alice).get(path(booking)))
