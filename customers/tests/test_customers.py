"""`/customers`: full CRUD, de-duplication, history and stats, export, erasure."""

import json
from typing import Any

import pytest

from bookings.models import Booking, BookingHistory
from common.signing import decrypt
from customers.models import Customer
from developers.models import IdempotencyRecord
from developers.services import create_key
from organizations.models import AuditEntry
from organizations.permissions import Scope
from payments.models import Refund
from rooms.models import Room
from tests.cast import Api, Player
from tests.stage import book, booking_body, slot_at
from webhooks.models import Event


def test_a_customer_is_made_read_changed_and_listed(alice: Player) -> None:
    body = {"name": "Ada", "email": "Ada@Example.com", "phone": "+33612345678", "language": "fr", "tags": ["vip"], "notes": "x"}
    made = alice.api.post("/customers", {**body, "marketing_consent": {"value": True, "source": "checkout"}})
    customer = made.json()
    assert (made.status_code, customer["email"]) == (201, "ada@example.com")
    assert customer["marketing_consent"]["value"] is True
    assert customer["marketing_consent"]["at"] is not None

    path = f"/customers/{customer['id']}"
    changed = alice.api.put(path, {"tags": ["vip", "horror"]}).json()
    assert (changed["tags"], changed["name"], changed["version"]) == (["vip", "horror"], "Ada", 2)
    assert alice.api.put(path, {"tags": ["vip", "horror"]}).json()["version"] == 2
    for query in ("q=ada", "email=ADA@example.com", "phone=%2B33612345678", "tag=horror", "updated_since=2020-01-01T00:00:00Z"):
        assert [row["id"] for row in alice.api.get(f"/customers?{query}").json()["data"]] == [customer["id"]], query
    assert alice.api.get("/customers?tag=comedy").json()["data"] == []
    assert [event.type for event in Event.objects.order_by("pk")] == ["customer.created", "customer.updated"]


def test_an_email_address_belongs_to_one_customer(alice: Player, charlie: Player) -> None:
    first = alice.api.post("/customers", {"email": "ada@example.com"}).json()
    other = alice.api.post("/customers", {"email": "grace@example.com"}).json()

    again = alice.api.post("/customers", {"email": "ADA@example.com"})
    assert (again.status_code, again.json()["code"], again.json()["customer"]) == (409, "duplicate_customer", first["id"])
    assert alice.api.put(f"/customers/{other['id']}", {"email": "ada@example.com"}).json()["code"] == "duplicate_customer"
    assert charlie.api.post("/customers", {"email": "ada@example.com"}).status_code == 201


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, ""),
        ({"name": ""}, ""),
        ({"email": "x"}, "/email"),
        ({"phone": "06 12"}, "/phone"),
        ({"name": "A", "tags": "vip"}, "/tags"),
        ({"name": "A", "marketing_consent": True}, "/marketing_consent"),
        ({"name": "A", "metadata": {str(number): "x" for number in range(51)}}, "/metadata"),
        ({"name": "A" * 201}, "/name"),
    ],
)
def test_odd_customers_are_refused_by_name(alice: Player, body: dict[str, Any], pointer: str) -> None:
    answer = alice.api.post("/customers", body)

    assert (answer.status_code, [error["pointer"] for error in answer.json()["errors"]]) == (422, [pointer])


def test_a_profile_shows_history_and_figures(alice: Player, group_room: Room) -> None:
    booked = book(alice.actor, group_room, slot_at(10), payment={"mode": "pos", "amount": 10_000})
    canceled = book(alice.actor, group_room, slot_at(11))
    alice.api.delete(f"/bookings/{canceled.public_id}")

    profile = alice.api.get(f"/customers/{booked.customer.public_id}").json()

    assert [row["id"] for row in profile["bookings"]["data"]] == [canceled.public_id, booked.public_id]
    assert profile["stats"] == {
        "bookings": 2,
        "upcoming": 1,
        "visits": 0,
        "canceled": 1,
        "no_shows": 0,
        "first_booking_at": profile["bookings"]["data"][1]["starts_at"],
        "last_booking_at": profile["bookings"]["data"][1]["starts_at"],
        "spent": {"EUR": 10_000},
    }
    linked = alice.api.get(profile["bookings"]["url"])
    assert len(linked.json()["data"]) == 2


def test_without_the_scope_for_bookings_nothing_of_them_shows(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10))
    reader = Api(create_key(by=alice.actor, name="r", scopes=[Scope.CUSTOMERS_READ])[1])
    path = f"/customers/{booking.customer.public_id}"

    profile, export = reader.get(path), reader.get(f"{path}/export")

    assert (profile.status_code, profile.json()["stats"], profile.json()["bookings"]) == (200, None, None)
    assert profile.json()["email"] == "ada@example.com"
    assert (export.status_code, export.json()["required_scopes"]) == (403, ["customers:read", "bookings:read"])
    both = Api(create_key(by=alice.actor, name="b", scopes=[Scope.CUSTOMERS_READ, Scope.BOOKINGS_READ])[1])
    assert both.get(f"{path}/export").json()["payments"] is None


def test_consent_given_with_a_booking_is_recorded_and_only_withdrawn_by_name(alice: Player, group_room: Room) -> None:
    def consent_after(day: int, **more: Any) -> dict[str, Any]:
        body = booking_body(group_room, slot_at(day), customer={"email": "ada@example.com", **more})
        booking = alice.api.post("/bookings", body).json()
        consent: dict[str, Any] = alice.api.get(f"/customers/{booking['customer']}").json()["marketing_consent"]
        return consent

    assert consent_after(5) == {"value": False, "at": None, "source": None}
    given = consent_after(6, marketing_consent={"value": True, "source": "checkout"})
    assert (given["value"], given["source"], given["at"] is not None) == (True, "checkout", True)
    assert consent_after(7, marketing_consent={"value": True, "source": "widget"}) == given
    assert consent_after(8, marketing_consent={"value": False}, phone="+33612345678") == given
    customer = Customer.objects.get()
    assert (customer.phone, customer.version) == ("+33612345678", 3)
    told = [event for event in Event.objects.order_by("pk") if event.type == "customer.updated"]
    assert [list(event.data["previous_attributes"]) for event in told] == [["marketing_consent"], ["phone"]]
    withdrawn = alice.api.put(f"/customers/{customer.public_id}", {"marketing_consent": {"value": False, "source": "letter"}})
    assert withdrawn.json()["marketing_consent"]["value"] is False


def test_an_export_holds_all_that_is_kept(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10), payment={"mode": "pos", "amount": 10_000})

    export = alice.api.get(f"/customers/{booking.customer.public_id}/export").json()

    assert export["customer"]["email"] == "ada@example.com"
    assert [row["id"] for row in export["bookings"]] == [booking.public_id]
    assert [row["booking"] for row in export["payments"]] == [booking.public_id]


def test_a_customer_with_a_future_booking_is_not_erased(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10))

    answer = alice.api.delete(f"/customers/{booking.customer.public_id}")

    assert (answer.status_code, answer.json()["code"]) == (409, "customer_has_future_bookings")
    assert answer.json()["bookings"] == [booking.public_id]


SECRETS = (
    *("Ada Secret", "ada.secret@example.com", "+33699999999", "Grace Secret", "wheelchair secret", "vip secret"),
    *("passport secret", "passport secret II", "illness secret"),
)


def test_erasing_empties_every_place_where_a_person_stood(alice: Player, group_room: Room) -> None:
    """Profile, bookings, history, events and kept answers; money and audit stay."""
    person = {"name": SECRETS[0], "email": SECRETS[1], "phone": SECRETS[2], "notes": SECRETS[5]}
    body = booking_body(
        group_room,
        slot_at(10),
        customer=person,
        guests=[{"name": SECRETS[3]}],
        payment={"mode": "pos", "amount": 10_000},
        metadata={"passport": SECRETS[6]},
    )
    booking = alice.api.post("/bookings", body, idempotency_key="first").json()
    path = f"/bookings/{booking['id']}"
    alice.api.put(
        path, {"notes_customer": SECRETS[4], "contact": {"name": "Ada Secret II"}, "metadata": {"passport": SECRETS[7]}}
    )
    before = alice.api.delete(f"{path}?reason={SECRETS[8]}").json()
    assert Refund.objects.get().reason == before["canceled"]["reason"] == SECRETS[8]

    answer = alice.api.delete(f"/customers/{booking['customer']}")

    assert answer.json() == {"object": "customer", "id": booking["customer"], "deleted": True}
    kept = [
        *Customer.objects.values(),
        *Booking.objects.values(),
        *BookingHistory.objects.values(),
        *Event.objects.values(),
        *AuditEntry.objects.values(),
        *Refund.objects.values(),
        *({"body": decrypt(bytes(record.body or b"").decode())} for record in IdempotencyRecord.objects.all()),
    ]
    assert len([row for row in kept if "body" in row and row["body"] == '{"erased":true}']) == 1
    text = json.dumps(kept, default=str)
    assert [secret for secret in (*SECRETS, "Ada Secret II") if secret in text] == []
    after = alice.api.get(path).json()
    assert (after["amount_paid"], after["amount_refunded"], after["contact"]["name"]) == (10_000, 10_000, None)
    assert (after["metadata"], after["canceled"]) == ({}, {**before["canceled"], "reason": ""})
    assert after["version"] == before["version"] + 1
    assert after["updated_at"] > before["updated_at"]
    assert alice.api.get(path, if_none_match=f'"{before["version"]}"').status_code == 200
    assert alice.api.get(f"/customers/{booking['customer']}").status_code == 404
    assert Event.objects.latest("pk").data["object"] == answer.json()
    assert alice.api.post("/customers", {"email": SECRETS[1]}).status_code == 201


def test_a_stale_writer_is_stopped(alice: Player) -> None:
    customer = alice.api.post("/customers", {"name": "Ada"}).json()
    alice.api.put(f"/customers/{customer['id']}", {"name": "Ada L."})

    for answer in (
        alice.api.put(f"/customers/{customer['id']}", {"name": "A."}, if_match='"1"'),
        alice.api.delete(f"/customers/{customer['id']}", if_match='"1"'),
    ):
        assert (answer.status_code, answer["ETag"]) == (412, '"2"')
