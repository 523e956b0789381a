"""The list of customers, one of them, and their end."""

import json
from typing import Any

import pytest

from bookings.services import cancel_booking
from customers.models import Customer
from customers.services import create_customer
from dashboard.tests.pages import queries, sign_in
from rooms.models import Room
from tests.cast import Player
from tests.stage import book, slot_at

TYPED = {
    "name": "Grace Hopper",
    "email": "grace@example.com",
    "phone": "+33 6 12 34 56 78",
    "tags": "vip, navy",
    "notes": "Likes bugs",
}


@pytest.fixture
def grace(alice: Player) -> Customer:
    return create_customer(by=alice.actor, name="Grace Hopper", email="grace@example.com", phone="+33612345678", tags=["vip"])


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_a_customer_is_added_as_the_api_would(alice: Player) -> None:
    answer = sign_in(alice).post("/dashboard/customers/new", {**TYPED, "marketing_consent": "on"})

    made = Customer.objects.get(email="grace@example.com")
    assert answer["Location"] == f"/dashboard/customers/{made.public_id}"
    assert (made.phone, made.tags, made.marketing_consent_source) == ("+33612345678", ["vip", "navy"], "dashboard")


@pytest.mark.parametrize(
    ("typed", "field"),
    [({"name": "", "email": "", "phone": ""}, "__all__"), ({"email": "no address"}, "email"), ({"phone": "12"}, "phone")],
)
def test_bad_input_is_named_and_kept(alice: Player, typed: dict[str, str], field: str) -> None:
    answer = sign_in(alice).post("/dashboard/customers/new", {**TYPED, **typed})

    assert answer.status_code == 422
    assert field in answer.context["form"].errors
    assert "Likes bugs" in text(answer)
    assert not Customer.objects.exists()


def test_the_page_tells_visits_money_and_games(alice: Player, grace: Customer, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(5), customer=grace, payment={"mode": "pos", "amount": 4_000})

    client = sign_in(alice)
    with queries():
        page = text(client.get(f"/dashboard/customers/{grace.public_id}"))

    assert "€40" in page
    assert f"/dashboard/bookings/{booking.public_id}" in page


def test_a_change_keeps_the_date_of_consent(alice: Player, grace: Customer) -> None:
    client = sign_in(alice)
    url = f"/dashboard/customers/{grace.public_id}/edit"
    client.post(url, {**TYPED, "marketing_consent": "on", "version": 1})
    agreed = Customer.objects.get().marketing_consent_at
    answer = client.post(url, {**TYPED, "notes": "Found one", "marketing_consent": "on", "version": 2})

    assert (answer.status_code, Customer.objects.get().notes) == (302, "Found one")
    assert Customer.objects.get().marketing_consent_at == agreed


def test_somebody_elses_change_is_not_overwritten_unseen(alice: Player, grace: Customer) -> None:
    answer = sign_in(alice).post(f"/dashboard/customers/{grace.public_id}/edit", {**TYPED, "version": 7})

    assert answer.status_code == 422
    assert "Somebody else has changed it" in text(answer)
    assert "Likes bugs" in text(answer)


def test_customers_are_found_by_the_beginnings_of_words(alice: Player, charlie: Player, grace: Customer) -> None:
    create_customer(by=alice.actor, name="Ada")
    client = sign_in(alice)

    for typed in ("hop", "grace@exa", "+336123"):
        with queries():
            assert [row.name for row in client.get("/dashboard/customers", {"q": typed}).context["pager"].rows] == [
                "Grace Hopper"
            ]
    assert client.get("/dashboard/customers", {"q": "nobody"}).context["pager"].rows == []
    assert sign_in(charlie).get("/dashboard/customers", {"q": "hop"}).context["pager"].rows == []


def test_markup_in_what_was_typed_is_shown_as_text(alice: Player) -> None:
    evil = "<script>alert(1)</script>"
    person = create_customer(by=alice.actor, name=evil, notes=evil, tags=["<b>"], email="x@example.com")
    client = sign_in(alice)

    for path in ("", f"/{person.public_id}", f"/{person.public_id}/edit", f"/{person.public_id}/erase"):
        page = text(client.get(f"/dashboard/customers{path}"))
        assert evil not in page
        assert "&lt;script&gt;" in page


def test_the_export_is_what_the_api_hands_over(alice: Player, grace: Customer) -> None:
    answer = sign_in(alice).get(f"/dashboard/customers/{grace.public_id}/export")

    assert json.loads(answer.content) == alice.api.get(f"/customers/{grace.public_id}/export").json()
    assert "attachment" in answer["Content-Disposition"]


def test_a_spreadsheet_takes_no_formula_from_a_name(alice: Player) -> None:
    create_customer(by=alice.actor, name="=HYPERLINK(1)")

    assert b"'=HYPERLINK" in sign_in(alice).get("/dashboard/customers/export").getvalue()


def test_erasing_waits_for_coming_games(alice: Player, grace: Customer, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(5), customer=grace)
    client = sign_in(alice)
    url = f"/dashboard/customers/{grace.public_id}/erase"
    refused = client.post(url)
    cancel_booking(booking=booking, by=alice.actor)
    done = client.post(url)

    assert (refused.status_code, done.status_code) == (409, 302)
    assert not Customer.objects.visible_to(alice.actor).exists()
    assert client.get(f"/dashboard/customers/{grace.public_id}").status_code == 404


def test_a_reader_sees_no_button_and_cannot_forge_one(bob: Player, grace: Customer) -> None:
    client = sign_in(bob)
    page = text(client.get(f"/dashboard/customers/{grace.public_id}"))

    assert "/edit" not in page
    assert "/erase" not in page
    assert client.post(f"/dashboard/customers/{grace.public_id}/erase").status_code == 403
    assert client.post(f"/dashboard/customers/{grace.public_id}/edit", TYPED).status_code == 403
    assert Customer.objects.get().name == "Grace Hopper"
