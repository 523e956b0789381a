"""From a room to a booking on one page, once."""

import re
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from bookings.models import Booking
from common.walltime import utc_text
from customers.models import Customer
from customers.services import create_customer
from dashboard.tests.bookings import text
from dashboard.tests.pages import queries, sign_in
from payments.models import Payment
from rooms.models import Room
from rooms.services import update_room
from tests import standing
from tests.cast import Player
from tests.stage import book, slot_at

house, alice, group_room, paris = standing.house, standing.owner, standing.group_room, standing.paris

PAGE = reverse("dashboard:new_booking")


def page_for(room: Room | None = None, **more: Any) -> str:
    parts = {"form": "token", **({"room": room.public_id} if room else {}), **more}
    return PAGE + "?" + "&".join(f"{name}={value}" for name, value in parts.items())


def at(days: int, hour: int = 12) -> str:
    return str(utc_text(slot_at(days, hour)))


@pytest.fixture
def client(alice: Player) -> Client:
    return sign_in(alice)


def order(client: Client, room: Room, **form: Any) -> Any:
    filled = {"party_size": 4, "private": "on", "total": 10_000, "name": "Eve", "paid": "none", **form}
    return client.post(page_for(room, starts_at=at(10)), {name: value for name, value in filled.items() if value is not None})


def test_the_way_from_a_room_to_a_price(client: Client, group_room: Room) -> None:
    first: Any = client.get(PAGE)
    assert re.fullmatch(r"\?form=[\w-]{16}", first.url)

    with queries():
        rooms = text(client.get(page_for()))
    assert f"room={group_room.public_id}" in rooms
    with queries():
        days = text(client.get(page_for(group_room)))
    assert f"day={slot_at(3).date()}" in days
    with queries():
        starts = text(client.get(page_for(group_room, day=slot_at(3).date())))
    assert f"starts_at={at(3).replace(':', '%3A')}" in starts
    with queries():
        last = text(client.get(page_for(group_room, starts_at=at(3), party_size=5, private="on")))
    assert "5 players" in last
    assert 'name="total" value="10000"' in last
    assert "Book for €100.00" in last


def test_what_is_taken_is_said_in_the_list_of_starts(client: Client, alice: Player, group_room: Room) -> None:
    book(alice.actor, group_room, slot_at(3))

    page = text(client.get(page_for(group_room, day=slot_at(3).date())))

    assert "Booked" in page
    assert f"starts_at={at(3).replace(':', '%3A')}" not in page


def test_a_new_customer_books_and_pays_later(client: Client, alice: Player, group_room: Room) -> None:
    answer = order(client, group_room, email="Eve@Example.com", phone="+33 6 12 34 56 78", notes_internal="VIP")

    made = Booking.objects.get()
    assert answer.url == reverse("dashboard:booking", args=[made.public_id])
    assert (made.status, made.source, made.created_by_id) == ("confirmed", "dashboard", alice.user.public_id)
    assert (made.contact["email"], made.contact["phone"], made.notes_internal) == ("eve@example.com", "+33612345678", "VIP")
    assert (made.amount_due, made.party_size, made.private) == (10_000, 4, True)


def test_a_known_customer_pays_at_the_terminal(client: Client, alice: Player, group_room: Room) -> None:
    known = create_customer(by=alice.actor, name="Ada", email="ada@example.com")
    url = page_for(group_room, starts_at=at(10), customer=known.public_id)
    with queries():
        assert "Somebody else" in text(client.get(url))

    client.post(url, {"party_size": 4, "private": "on", "total": 10_000, "paid": "pos", "amount": "100", "reference": "T1"})

    made = Booking.objects.get()
    assert (made.customer, made.payment_status) == (known, "paid")
    assert Payment.objects.get().mode == "pos"


def test_a_slot_is_held(client: Client, group_room: Room) -> None:
    order(client, group_room, paid="hold")

    assert Booking.objects.get().status == "held"


def test_the_same_form_books_once(client: Client, group_room: Room, shared_room: Room) -> None:
    form = {"party_size": 2, "private": None, "total": 5_000}
    first, second = order(client, shared_room, **form), order(client, shared_room, **form)

    assert Booking.objects.count() == 1
    assert first.url == second.url
    assert "booked already" in " ".join(str(message) for message in get_messages(second.wsgi_request))
    assert "makes no second one" in text(client.get(page_for(shared_room, starts_at=at(10))))


def test_a_refused_form_may_be_sent_again(client: Client, group_room: Room) -> None:
    assert order(client, group_room, total=9_999).status_code == 422
    assert order(client, group_room).status_code == 302
    assert Booking.objects.count() == 1


def test_tokens_are_each_organizations_own(client: Client, charlie: Player, group_room: Room) -> None:
    order(client, group_room)

    assert "makes no second one" not in text(sign_in(charlie).get(page_for()))


def test_another_price_than_was_shown_is_not_agreed_to(client: Client, alice: Player, group_room: Room) -> None:
    update_room(room=group_room, by=alice.actor, pricing={"model": "per_group", "currency": "EUR", "amount": 12_000})

    answer = order(client, group_room)

    assert answer.status_code == 422
    assert "The price is €120.00 by now." in text(answer)
    assert 'name="total" value="12000"' in text(answer)
    assert not Booking.objects.exists()


def test_a_slot_taken_meanwhile_offers_others(client: Client, alice: Player, group_room: Room) -> None:
    book(alice.actor, group_room, slot_at(10))

    answer = order(client, group_room, name="Eve Kept")

    page = text(answer)
    assert answer.status_code == 422
    assert "The slot is not available." in page
    assert f"starts_at={at(10, 13).replace(':', '%3A')}" in page
    assert "Eve Kept" in page
    assert "Book for" not in page


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"name": ""}, "name"),
        ({"email": "no address"}, "email"),
        ({"phone": "0612345678"}, "phone"),
        ({"paid": "pos", "amount": ""}, "amount"),
        ({"paid": "pos", "amount": "1.234"}, "amount"),
        ({"paid": "gold"}, "paid"),
    ],
    ids=["nobody", "email", "phone", "no amount", "amount", "payment"],
)
def test_what_is_refused_is_named(client: Client, group_room: Room, form: dict[str, str], field: str) -> None:
    answer = order(client, group_room, **{"notes_internal": "Kept note", **form})

    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert "Kept note" in text(answer)
    assert not Booking.objects.exists()


def test_customers_are_found_as_one_types(client: Client, alice: Player, group_room: Room) -> None:
    known = create_customer(by=alice.actor, name="Zoe <b>", email="zoe@example.com")
    url = page_for(group_room, starts_at=at(10), q="zo")

    part = client.get(url, headers={"HX-Request": "true", "HX-Target": "found"})
    whole = client.get(url)

    assert part.templates[0].name == "dashboard/bookings/_customers.html"
    for answer in (part, whole):
        assert f"customer={known.public_id}" in text(answer)
        assert "Zoe &lt;b&gt;" in text(answer)


def test_others_customers_and_rooms_are_not_there(charlie: Player, alice: Player, group_room: Room) -> None:
    known = create_customer(by=alice.actor, name="Zoe")
    client = sign_in(charlie)

    assert client.get(page_for(group_room)).status_code == 404
    assert known.public_id not in text(client.get(page_for(q="zoe")))
    assert Customer.objects.get() == known


def test_a_reader_may_not(bob: Player, group_room: Room) -> None:
    assert sign_in(bob).get(page_for(group_room)).status_code == 403
    assert order(sign_in(bob), group_room).status_code == 403


@pytest.mark.parametrize(
    "query", ["day=never", "starts_at=soon", "party_size=-1", "from=2999-01-01", "from=0001-01-01", "day=1999-01-01"]
)
def test_what_is_not_understood_counts_as_not_chosen(client: Client, group_room: Room, query: str) -> None:
    assert client.get(page_for(group_room) + "&" + query).status_code == 200


def test_a_shared_room_can_be_had_alone_for_more(client: Client, upgrade_room: Room) -> None:
    shared = text(client.get(page_for(upgrade_room, starts_at=at(10), party_size=2)))
    alone = text(client.get(page_for(upgrade_room, starts_at=at(10), party_size=2, private="on")))

    assert "Book for €50.00" in shared
    assert "Book for €100.00" in alone
