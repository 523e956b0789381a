"""Finding a booking from anywhere."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client

from bookings.models import Booking
from bookings.querysets import WORDS as BOOKINGS
from common.search import matches
from customers.models import Customer
from customers.querysets import WORDS as CUSTOMERS
from dashboard.tests.pages import queries, sign_in
from rooms.models import Room
from tests import standing
from tests.cast import Player
from tests.stage import book, slot_at

house, alice, group_room, paris = standing.house, standing.owner, standing.group_room, standing.paris


def find(client: Client, typed: str) -> Any:
    return client.get("/dashboard/search", {"q": typed})


@pytest.fixture
def booking(alice: Player, group_room: Room) -> Booking:
    customer = {"name": "Zoë O'Brien-Smith", "email": "zoe.smith@example.com", "phone": "+33612345678"}
    return book(alice.actor, group_room, slot_at(10), customer=customer, external_id="POS/2026-77")


def test_a_reference_leads_to_its_booking(alice: Player, booking: Booking) -> None:
    client, reference = sign_in(alice), booking.reference
    for typed in (
        reference,
        reference.lower(),
        f"{reference[:4]}-{reference[4:]}",
        f" {reference[:4]} {reference[4:]} ",
        booking.public_id,
    ):
        answer = find(client, typed)
        assert (answer.status_code, answer.url) == (302, f"/dashboard/bookings/{booking.public_id}")


def test_another_organizations_reference_leads_nowhere(charlie: Player, booking: Booking) -> None:
    for typed in (booking.reference, booking.public_id, "zoe", "+33612345678"):
        answer = find(sign_in(charlie), typed)
        assert answer.status_code == 200
        assert booking.public_id not in answer.content.decode().replace(typed, "")


@pytest.mark.parametrize(
    "typed",
    [
        *("zoë", "ZO", "smith", "brien", "o'brien", "smith zoë", "zoe.smith@ex", "Zoe.Smith@Example.com", "+33 6 12 34 56 78"),
        *("06 12 34 56 78", "0033612345678", "345678", "+3361"),
    ],
)
def test_words_and_numbers_find_bookings_and_customers(alice: Player, booking: Booking, typed: str) -> None:
    client = sign_in(alice)
    with queries():
        answer = find(client, typed)

    assert answer.context["bookings"] == [booking]
    assert answer.context["customers"] == [booking.customer]


def test_references_and_external_ids_are_found_by_their_beginnings(alice: Player, booking: Booking) -> None:
    assert find(sign_in(alice), booking.reference[:4]).context["bookings"] == [booking]
    assert find(sign_in(alice), "POS/2026-7").context["bookings"] == [booking]


@pytest.mark.parametrize(
    "typed", ["", " ", "z", "mith", "'", "\\", "':*", "a' | 'b", "zoë:* | x", "\0zo", "!!", "(", "zoë &", "\u0000"]
)
def test_anything_may_be_typed(alice: Player, booking: Booking, typed: str) -> None:
    answer = find(sign_in(alice), typed)

    assert answer.status_code == 200


def test_an_erased_customer_is_gone(alice: Player, booking: Booking) -> None:
    Customer.objects.filter(pk=booking.customer_id).update(erased_at=booking.created_at)

    assert find(sign_in(alice), "smith").context["customers"] == []


def test_at_most_twenty_of_each(alice: Player, shared_room: Room) -> None:
    for number in range(21):
        book(alice.actor, shared_room, slot_at(10 + number), party_size=1, customer={"name": f"Smith {number}"})

    client = sign_in(alice)
    with queries():
        answer = find(client, "smith")

    assert (len(answer.context["bookings"]), len(answer.context["customers"])) == (20, 20)
    assert answer.content.decode().count("There are more") == 2


def test_an_index_answers(alice: Player, booking: Booking) -> None:
    """The expression asked for is the index's own, whatever Django makes of both."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")

    key = alice.organization.pk
    assert "booking_by_words" in Booking.objects.filter(matches(BOOKINGS, "smith", organization=key)).explain()
    assert "customer_by_words" in Customer.objects.filter(matches(CUSTOMERS, "smith", organization=key)).explain()
