"""One booking, with all that can be done to it."""

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bookings.models import Booking
from bookings.services import cancel_booking, change_booking
from dashboard.tests.bookings import said, starting, text, url
from dashboard.tests.pages import queries, sign_in
from organizations.models import Membership
from organizations.permissions import Role
from payments.models import Payment, Refund
from rooms.models import Room
from tests import standing
from tests.cast import Player
from tests.stage import book, make_room, slot_at

house, alice, group_room, paris = standing.house, standing.owner, standing.group_room, standing.paris

Status = Booking.Status


@pytest.fixture
def booking(alice: Player, group_room: Room) -> Booking:
    return book(alice.actor, group_room, slot_at(10), payment={"mode": "pos", "amount": 4_000})


@pytest.fixture
def client(alice: Player) -> Client:
    return sign_in(alice)


def test_a_booking_is_shown_by_id_and_by_reference(client: Client, booking: Booking) -> None:
    with queries():
        by_id = client.get(url("booking", booking))
    by_reference = client.get(reverse("dashboard:booking", args=[booking.reference.lower()]))

    assert by_id.status_code == by_reference.status_code == 200
    page = text(by_id)
    for part in (
        "Ada",
        "ada@example.com",
        "Vault",
        "€60.00</strong> due",
        "€100.00",
        "TVA included",
        "Booked",
        booking.reference,
    ):
        assert part in page


def test_history_is_told_in_words(client: Client, alice: Player, booking: Booking) -> None:
    change_booking(booking=booking, by=alice.actor, party_size=5, notes_internal="x", settlement="later")
    cancel_booking(booking=booking, by=alice.actor, reason="Ill")

    page = text(client.get(url("booking", booking)))

    assert "4 → 5 guests; internal note." in page
    assert "“Ill”" in page
    assert "· Alice" in page
    assert "€40.00 back" in page


def test_a_reader_sees_no_buttons(bob: Player, booking: Booking) -> None:
    page = text(sign_in(bob).get(url("booking", booking)))

    assert "Ada" in page
    for button in ("Cancel booking", "Check in<", "Change guests", "Refund<", "Save note", "Take payment"):
        assert button not in page


def test_staff_cancel_by_the_policy_alone(alice: Player, booking: Booking) -> None:
    Membership.objects.filter(user=alice.user).update(role=Role.STAFF)
    client = sign_in(alice)

    page = text(client.get(url("booking_cancel", booking)))
    assert "Cancel booking and refund €40.00" in page
    assert "Everything" not in page
    assert "Refund</a>" not in text(client.get(url("booking", booking)))
    answer: Any = client.post(url("booking_cancel", booking), {"version": booking.version, "refund": "full"})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    ("choice", "back"), [("policy", "€40.00 goes back."), ("none", "Nothing goes back.")], ids=["policy", "none"]
)
def test_canceling_tells_its_price_and_does_just_that(client: Client, booking: Booking, choice: str, back: str) -> None:
    with queries():
        page = text(client.get(url("booking_cancel", booking)))
    assert "Cancel booking and refund €40.00" in page
    assert "Cancel booking, refund nothing" in page

    form = {"version": booking.version, "refund": choice, "policy_refund": 4_000, "reason": "Ill"}
    answer: Any = client.post(url("booking_cancel", booking), form)

    booking.refresh_from_db()
    assert answer.url == url("booking", booking)
    assert said(answer) == [f"Booking {booking.reference} is canceled. {back}"]
    assert (booking.status, booking.cancel_reason) == (Status.CANCELED, "Ill")
    assert booking.amount_refunded == (4_000 if choice == "policy" else 0)


def test_another_refund_than_was_shown_is_not_made(client: Client, booking: Booking) -> None:
    form = {"version": booking.version, "refund": "policy", "policy_refund": 3_999}
    answer: Any = client.post(url("booking_cancel", booking), form)

    booking.refresh_from_db()
    assert answer.status_code == 422
    assert "By the policy €40.00 goes back now" in text(answer)
    assert booking.status == Status.CONFIRMED


def test_a_changed_booking_says_so_and_keeps_what_was_typed(client: Client, alice: Player, booking: Booking) -> None:
    change_booking(booking=booking, by=alice.actor, notes_internal="theirs")

    for name, form in (
        ("booking_cancel", {"refund": "policy", "reason": "Snowed in"}),
        ("booking_refund", {"amount": "10", "reason": "Snowed in"}),
        ("booking_guests", {"party_size": 4, "name": "Snowed in"}),
        ("booking_pay", {"paid": "pos", "amount": "10", "reference": "Snowed in"}),
    ):
        answer = client.post(url(name, booking), {"version": 1, **form})
        assert answer.status_code == 422, name
        page = text(answer)
        assert "Somebody else has changed this booking" in page
        assert 'value="Snowed in"' in page
        assert 'name="version" value="2"' in page
    note = client.post(url("booking_note", booking), {"version": 1, "notes_internal": "mine"})
    booking.refresh_from_db()
    assert note.status_code == 422
    assert "mine</textarea>" in text(note)
    assert f'name="version" value="{booking.version}"' in text(note)
    assert (booking.version, booking.notes_internal) == (2, "theirs")


def test_a_hold_is_extended_and_confirmed_with_money(client: Client, alice: Player, group_room: Room) -> None:
    held = book(alice.actor, group_room, slot_at(11), hold=True)
    Booking.objects.filter(pk=held.pk).update(hold_expires_at=timezone.now() + dt.timedelta(minutes=2))
    held.claim.expires_at = timezone.now() + dt.timedelta(minutes=2)
    held.claim.save()
    assert "data-countdown=" in text(client.get(url("booking", held)))

    answer: Any = client.post(url("booking_extend", held), {"version": held.version})
    assert "The slot is held until" in said(answer)[0]

    with queries():
        client.get(url("booking_confirm", held))
    bad = client.post(url("booking_confirm", held), {"paid": "pos", "amount": "", "version": 2})
    assert (bad.status_code, bad.context["form"].errors["amount"]) == (422, ["Say how much was paid."])
    answer = client.post(url("booking_confirm", held), {"paid": "pos", "amount": "100,00", "reference": "R1", "version": 2})

    held.refresh_from_db()
    assert said(answer)[-1] == f"{held.reference} is confirmed. €100.00 noted."
    assert (held.status, held.payment_status) == (Status.CONFIRMED, "paid")
    assert Payment.objects.get(subject=held.public_id).reference == "R1"


def test_a_hold_that_ran_out_takes_money_only(client: Client, alice: Player, group_room: Room) -> None:
    held = book(alice.actor, group_room, slot_at(11), hold=True)
    Booking.objects.filter(pk=held.pk).update(hold_expires_at=timezone.now() - dt.timedelta(minutes=2))

    assert 'value="none"' not in text(client.get(url("booking_confirm", held)))
    assert client.post(url("booking_confirm", held), {"paid": "none"}).status_code == 422
    answer: Any = client.post(url("booking_extend", held), {"version": held.version})
    assert said(answer) == ["The hold has run out: book again."]


def test_checking_in_and_taking_it_back(client: Client, booking: Booking) -> None:
    page = text(client.get(url("booking", booking)))
    assert "Check-in opens" in page
    assert "Check in</button>" not in page
    answer: Any = client.post(url("booking_check_in", booking), {"version": booking.version})
    assert said(answer) == ["Check-in begins 12 hours before the start."]

    starting(booking, hours=1)
    assert "Check in</button>" in text(client.get(url("booking", booking)))
    client.post(url("booking_check_in", booking), {"version": booking.version})
    booking.refresh_from_db()
    assert booking.status == Status.CHECKED_IN

    page = text(client.get(url("booking_confirm", booking)))
    assert "Take back check-in" in page
    client.post(url("booking_confirm", booking), {"version": booking.version})
    booking.refresh_from_db()
    assert booking.status == Status.CONFIRMED


def test_who_did_not_come_and_came_after_all(client: Client, booking: Booking) -> None:
    answer: Any = client.post(url("booking_no_show", booking), {"version": booking.version})
    assert said(answer) == ["The game has not begun yet."]

    starting(booking, minutes=-10)
    answer = client.post(url("booking_no_show", booking), {"version": booking.version})
    booking.refresh_from_db()
    assert (booking.status, said(answer)[-1]) == (Status.NO_SHOW, "Ada is marked as not having come.")
    assert "They came after all" in text(client.get(url("booking", booking)))


def test_money_is_noted(client: Client, booking: Booking) -> None:
    with queries():
        page = text(client.get(url("booking_pay", booking)))
    assert "€60.00 of €100.00 is still due" in page

    answer: Any = client.post(url("booking_pay", booking), {"paid": "external", "amount": "60", "version": booking.version})

    booking.refresh_from_db()
    assert said(answer) == [f"€60.00 noted for {booking.reference}."]
    assert (booking.amount_due, booking.payment_status) == (0, "paid")


def test_more_money_than_is_due_is_asked_about(client: Client, booking: Booking) -> None:
    form = {"paid": "pos", "amount": "600", "version": booking.version}
    assert "excess" not in text(client.get(url("booking_pay", booking)))

    asked = text(client.post(url("booking_pay", booking), form))
    assert "That is €540.00 more than is due." in asked
    assert 'name="excess"' in asked
    assert Payment.objects.filter(subject=booking.public_id).count() == 1

    client.post(url("booking_pay", booking), {**form, "excess": "on"})
    booking.refresh_from_db()
    assert (booking.amount_paid, booking.amount_due) == (64_000, 0)


def test_too_large_a_party_is_told_the_limit_beside_its_number(client: Client, booking: Booking) -> None:
    answer: Any = client.post(url("booking_guests", booking), {"party_size": 99, "name": "Ada", "version": booking.version})

    assert answer.status_code == 422
    assert answer.context["form"].errors["party_size"] == [f"Vault takes at most {booking.room.max_party}."]


def test_an_amount_goes_back_while_the_booking_stands(client: Client, booking: Booking) -> None:
    with queries():
        assert "Up to €40.00 can go back" in text(client.get(url("booking_refund", booking)))
    too_much = client.post(url("booking_refund", booking), {"amount": "41", "version": booking.version, "reason": "Late start"})
    assert too_much.status_code == 422
    assert "Late start" in text(too_much)

    answer: Any = client.post(url("booking_refund", booking), {"amount": "12.50", "version": booking.version})

    booking.refresh_from_db()
    assert said(answer) == ["€12.50 goes back to Ada."]
    assert (booking.status, Refund.objects.get(subject=booking.public_id).amount) == (Status.CONFIRMED, 1_250)


def test_details_change_at_once(client: Client, booking: Booking) -> None:
    with queries():
        client.get(url("booking_guests", booking))
    form = {"party_size": 4, "name": "Ada L", "email": "ada@example.com", "phone": "+33 6 12 34 56 78", "guests": "Eve\n\nBob "}
    answer: Any = client.post(url("booking_guests", booking), {**form, "version": booking.version})

    booking.refresh_from_db()
    assert said(answer) == ["Saved."]
    assert booking.guests == [{"name": "Eve"}, {"name": "Bob"}]
    assert (booking.contact["name"], booking.contact["phone"], booking.contact["language"]) == ("Ada L", "+33612345678", None)
    again = client.post(url("booking_guests", booking), {**form, "version": booking.version})
    assert said(again)[-1] == "Nothing has changed."


def test_a_changed_price_is_shown_first(client: Client, alice: Player, shared_room: Room) -> None:
    made = book(alice.actor, shared_room, slot_at(10), party_size=2)
    form = {"party_size": "4", "name": "Ada", "email": "ada@example.com", "version": "1"}

    shown = client.post(url("booking_guests", made), form)
    made.refresh_from_db()
    page = text(shown)
    assert (shown.status_code, made.party_size) == (200, 2)
    assert "The price goes from €50.00 to €100.00." in page
    assert "Change to 4 guests, €100.00" in page

    quote = re.search(r'name="quote" value="(quo_\w+)"', page)
    assert quote
    answer: Any = client.post(url("booking_guests", made), {**form, "quote": quote[1]})
    made.refresh_from_db()
    assert (said(answer), made.party_size, made.amount_due) == (["Saved."], 4, 10_000)


@pytest.mark.parametrize(
    ("field", "value"), [("party_size", "x"), ("party_size", "99"), ("email", "no address"), ("phone", "0612")], ids=str
)
def test_what_is_refused_is_named_and_the_rest_kept(client: Client, booking: Booking, field: str, value: str) -> None:
    form = {"party_size": "4", "name": "Ada Kept", "version": str(booking.version), field: value}
    answer: Any = client.post(url("booking_guests", booking), form)

    booking.refresh_from_db()
    assert answer.status_code == 422
    assert answer.context["form"].errors
    assert "Ada Kept" in text(answer)
    assert booking.contact["name"] == "Ada"


def test_answers_of_the_room_can_be_changed(client: Client, alice: Player, group_room: Room) -> None:
    questions = [
        {"key": "team", "label": "Team name", "type": "text", "required": True},
        {"key": "age", "label": "Youngest", "type": "number"},
        {"key": "lang", "label": "Language", "type": "choice", "choices": ["en", "fr"]},
    ]
    room = make_room(alice.actor, group_room.venue, name="Asking", custom_fields=questions)
    made = book(alice.actor, room, slot_at(10), answers={"team": "Owls"})
    form = {"party_size": 4, "name": "Ada", "email": "ada@example.com", "version": 1}

    bad = client.post(url("booking_guests", made), {**form, "answers_team": "", "answers_age": "9"})
    assert bad.context["form"].errors == {"answers_team": ["This answer is required."]}
    client.post(url("booking_guests", made), {**form, "answers_team": "Bats", "answers_age": "9", "answers_lang": "fr"})

    made.refresh_from_db()
    assert made.answers == {"team": "Bats", "age": 9, "lang": "fr"}
    assert "Team name" in text(client.get(url("booking", made)))


def test_a_canceled_booking_offers_nothing_more(client: Client, alice: Player, booking: Booking) -> None:
    cancel_booking(booking=booking, by=alice.actor)

    page = text(client.get(url("booking", booking)))
    for button in ("Cancel booking</a>", "Check in</button>", "Move</a>", "Extend hold", "Take payment"):
        assert button not in page
    assert client.get(url("booking_cancel", booking)).status_code == 302
    assert client.get(url("booking_confirm", booking)).status_code == 302


def test_more_than_the_price_is_told(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(5), payment={"mode": "pos", "amount": 10_000})
    client = sign_in(alice)

    assert "more than the price" not in client.get(f"/dashboard/bookings/{booking.public_id}").content.decode()
    change_booking(booking=booking, by=alice.actor, payment={"mode": "pos", "amount": 2_500})
    assert (
        "€25.00</strong> more than the price was paid" in client.get(f"/dashboard/bookings/{booking.public_id}").content.decode()
    )
