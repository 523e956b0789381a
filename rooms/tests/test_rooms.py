"""`/rooms` and `/venues`: full CRUD, and what must hold between the fields."""

from typing import Any

import pytest

from common.errors import ValidationFailed
from common.money import MAX_AMOUNT
from organizations.actor import Actor
from rooms.models import Room, Space, Venue
from rooms.services import create_room, default_venue, delete_venue, sandbox_for
from tests.cast import Player
from tests.stage import HOURLY, PER_GROUP, book, booking_body, make_room, slot_at
from webhooks.models import Event

ROOM: dict[str, Any] = {"name": "The Vault", "schedule": HOURLY, "pricing": PER_GROUP}


def test_a_room_is_made_read_changed_and_archived(alice: Player) -> None:
    made = alice.api.post("/rooms", {**ROOM, "min_party": 2, "metadata": {"pos": "1"}})
    room = made.json()
    assert (made.status_code, room["slug"], room["status"], made["ETag"]) == (201, "the-vault", "active", '"1"')
    assert Venue.objects.get().is_default

    path = f"/rooms/{room['id']}"
    assert alice.api.get(f"{path}?availability_days=0").json() == room
    changed = alice.api.put(path, {"name": "The Safe", "turnaround_minutes": 15}).json()
    assert (changed["name"], changed["turnaround_minutes"], changed["min_party"], changed["version"]) == ("The Safe", 15, 2, 2)
    assert alice.api.delete(path).json()["status"] == "archived"
    assert alice.api.delete(path).json()["version"] == 3
    assert [row["id"] for row in alice.api.get("/rooms?status=active").json()["data"]] == []
    types = [event.type for event in Event.objects.order_by("pk")]
    assert types == ["room.created", "room.updated", "room.archived"]


def test_changing_the_timetable_is_an_event_of_the_schedule(alice: Player, group_room: Room) -> None:
    schedule = {"rules": [{"weekdays": [1], "start_times": ["10:00"]}], "overrides": []}

    alice.api.put(f"/rooms/{group_room.public_id}", {"schedule": schedule})

    event = Event.objects.latest("pk")
    assert (event.type, event.data["object"]["schedule"], event.data["previous_attributes"]) == (
        "schedule.updated",
        schedule,
        {"schedule": HOURLY},
    )


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"min_party": 7}, "/min_party"),
        ({"max_party": 9}, "/max_party"),
        ({"capacity": -1}, "/capacity"),
        ({"duration_minutes": 0}, "/duration_minutes"),
        ({"hold_minutes": 31}, "/hold_minutes"),
        ({"name": ""}, "/name"),
        ({"name": 5}, "/name"),
        ({"slug": "Not A Slug"}, "/slug"),
        ({"images": ["javascript:alert(1)"]}, "/images/0"),
        ({"metadata": {"a": {"b": 1}}}, "/metadata/a"),
        ({"pricing": {"model": "per_group", "currency": "EUR"}}, "/pricing/amount"),
        ({"pricing": {"model": "per_group", "currency": "EUR", "amount": -5}}, "/pricing/amount"),
        ({"pricing": {"model": "per_group", "currency": "euro", "amount": 5}}, "/pricing/currency"),
        ({"pricing": {"model": "tiered", "currency": "EUR", "tiers": []}}, "/pricing/tiers"),
        (
            {
                "pricing": {
                    "model": "tiered",
                    "currency": "EUR",
                    "tiers": [{"min": 1, "max": 2, "amount": 1}, {"min": 4, "max": 6, "amount": 1}],
                }
            },
            "/pricing/tiers",
        ),
        ({"pricing": {"model": "tiered", "currency": "EUR", "tiers": [{"min": 1, "max": 3, "amount": 1}]}}, "/pricing/tiers"),
        ({"pricing": {**PER_GROUP, "private_upgrade": {"amount": 1}}}, "/pricing/private_upgrade"),
        ({"pricing": {**PER_GROUP, "adjustments": [{"percent": 5, "fixed": 5}]}}, "/pricing/adjustments/0/percent"),
        ({"pricing": {**PER_GROUP, "adjustments": [{"percent": 12.345}]}}, "/pricing/adjustments/0/percent"),
        ({"pricing": {**PER_GROUP, "adjustments": [{"percent": "12"}]}}, "/pricing/adjustments/0/percent"),
        ({"pricing": {**PER_GROUP, "deposit": {"percent": 100.01}}}, "/pricing/deposit/percent"),
        ({"schedule": {"rules": [{"start_times": ["10:00"]}]}}, "/schedule/rules/0/weekdays"),
        ({"schedule": {"rules": [{"weekdays": [8], "start_times": ["10:00"]}]}}, "/schedule/rules/0/weekdays/0"),
        ({"schedule": {"rules": [{"weekdays": [1], "start_times": ["24:00"]}]}}, "/schedule/rules/0/start_times/0"),
        ({"schedule": {"rules": [{"weekdays": [1], "first_start": "10:00"}]}}, "/schedule/rules/0/first_start"),
        ({"schedule": {"overrides": [{"date": "2027-01-01"}]}}, "/schedule/overrides/0/closed"),
        (
            {"cancellation_policy": {"windows": [{"hours_before": 1, "refund_percent": 101}]}},
            "/cancellation_policy/windows/0/refund_percent",
        ),
        ({"custom_fields": [{"key": "x", "label": "X", "type": "choice"}]}, "/custom_fields/0/choices"),
        ({"venue": "ven_x"}, "/venue"),
    ],
)
def test_odd_rooms_are_refused_by_name(alice: Player, changes: dict[str, Any], pointer: str) -> None:
    answer = alice.api.post("/rooms", {**ROOM, **changes})

    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed"), answer.content
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert not Room.objects.exists()


def test_a_start_that_does_not_exist_on_its_day_is_refused(alice: Player, paris: Venue) -> None:
    schedule = {"overrides": [{"date": "2027-03-28", "start_times": ["02:30"]}]}

    answer = alice.api.post("/rooms", {**ROOM, "venue": paris.public_id, "schedule": schedule})

    assert (answer.status_code, answer.json()["code"]) == (422, "nonexistent_local_time")


def test_a_room_with_future_bookings_is_not_archived(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10))

    answer = alice.api.delete(f"/rooms/{group_room.public_id}")
    assert (answer.status_code, answer.json()["code"]) == (409, "room_has_future_bookings")
    assert answer.json()["bookings"] == [booking.public_id]
    assert alice.api.put(f"/rooms/{group_room.public_id}", {"status": "archived"}).status_code == 409
    alice.api.delete(f"/bookings/{booking.public_id}")
    assert alice.api.delete(f"/rooms/{group_room.public_id}").status_code == 200


def test_capacity_stays_above_what_is_sold(alice: Player, shared_room: Room) -> None:
    book(alice.actor, shared_room, slot_at(10), party_size=7)

    refused = alice.api.put(f"/rooms/{shared_room.public_id}", {"capacity": 6, "max_party": 6})
    assert (refused.status_code, refused.json()["code"], refused.json()["sold"]) == (409, "capacity_below_sold", 7)
    assert alice.api.put(f"/rooms/{shared_room.public_id}", {"capacity": 12}).status_code == 200
    assert alice.api.post("/bookings", booking_body(shared_room, slot_at(10), party_size=5)).status_code == 201


def test_changing_buffers_leaves_sold_games_as_they_were(alice: Player, group_room: Room) -> None:
    book(alice.actor, group_room, slot_at(10))
    book(alice.actor, group_room, slot_at(10, 13))

    assert alice.api.put(f"/rooms/{group_room.public_id}", {"turnaround_minutes": 30}).status_code == 200
    assert alice.api.post("/bookings", booking_body(group_room, slot_at(10, 11))).status_code == 409


def test_slugs_and_external_ids_are_unique_in_the_organization(alice: Player, charlie: Player, group_room: Room) -> None:
    alice.api.put(f"/rooms/{group_room.public_id}", {"slug": "vault", "external_id": "x"})

    assert alice.api.post("/rooms", {**ROOM, "slug": "vault"}).json()["errors"][0]["pointer"] == "/slug"
    assert alice.api.post("/rooms", {**ROOM, "external_id": "x"}).json()["code"] == "duplicate_external_id"
    assert alice.api.post("/rooms", {**ROOM, "name": "Vault"}).json()["slug"].startswith("vault-")
    assert charlie.api.post("/rooms", {**ROOM, "slug": "vault", "external_id": "x"}).status_code == 201


def test_a_venue_is_made_read_changed_and_deleted(alice: Player) -> None:
    body = {
        "name": "Lyon",
        "timezone": "Europe/Paris",
        "currency": "EUR",
        "tax": {"rate": "5.5", "inclusive": False, "label": "TVA"},
    }
    made = alice.api.post("/venues", body).json()
    assert (made["tax"], made["is_default"]) == (body["tax"], True)
    path = f"/venues/{made['id']}"
    assert alice.api.get(path).json() == made
    assert alice.api.put(path, {"name": "Lyon 2"}).json()["name"] == "Lyon 2"
    assert [row["name"] for row in alice.api.get("/venues?q=lyon").json()["data"]] == ["Lyon 2"]
    assert alice.api.delete(path).json() == {"object": "venue", "id": made["id"], "deleted": True}
    assert alice.api.get(path).status_code == 404


def test_changing_nothing_of_a_venue_changes_nothing(alice: Player, paris: Venue) -> None:
    path = f"/venues/{paris.public_id}"
    before = alice.api.get(path).json()

    assert alice.api.put(path, {}).json() == alice.api.put(path, {"tax": before["tax"], "name": "Paris"}).json() == before


def test_a_venue_with_bookings_keeps_its_time_zone(alice: Player, group_room: Room) -> None:
    book(alice.actor, group_room, slot_at(10))
    path = f"/venues/{group_room.venue.public_id}"

    refused = alice.api.put(path, {"timezone": "America/New_York"})
    assert (refused.status_code, refused.json()["code"]) == (409, "venue_has_bookings")
    assert alice.api.put(path, {"timezone": "Europe/Paris", "name": "Lutèce"}).json()["version"] == 2


def test_another_time_zone_of_a_venue_changes_its_rooms(alice: Player, group_room: Room) -> None:
    path = f"/rooms/{group_room.public_id}?availability_days=0"
    before = alice.api.get(path)

    alice.api.put(f"/venues/{group_room.venue.public_id}", {"timezone": "America/New_York"})

    after = alice.api.get(path, if_none_match=before["ETag"])
    assert (after.status_code, after.json()["timezone"], after.json()["version"]) == (200, "America/New_York", 2)
    event = Event.objects.latest("pk")
    assert (event.type, event.object_version, event.data) == (
        "room.updated",
        2,
        {"object": after.json(), "previous_attributes": {"timezone": "Europe/Paris"}},
    )


def test_prices_are_in_the_venues_currency(alice: Player, group_room: Room) -> None:
    dollars = {**PER_GROUP, "currency": "USD"}
    body = {**ROOM, "venue": group_room.venue.public_id, "pricing": dollars}

    for answer in (alice.api.post("/rooms", body), alice.api.put(f"/rooms/{group_room.public_id}", {"pricing": dollars})):
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/pricing/currency")
    # A venue may go over to another currency before its rooms do; until they do they can be changed otherwise.
    assert alice.api.put(f"/venues/{group_room.venue.public_id}", {"currency": "USD"}).status_code == 200
    assert alice.api.put(f"/rooms/{group_room.public_id}", {"name": "Safe"}).status_code == 200
    assert alice.api.put(f"/rooms/{group_room.public_id}", {"pricing": dollars}).status_code == 200


@pytest.mark.parametrize(
    ("name", "slug"), [("x" * 59 + " y z", "x" * 59), ("The_Old -- Mill", "the-old-mill"), ("密室", "room-")]
)
def test_a_slug_that_is_made_could_have_been_given(alice: Player, name: str, slug: str) -> None:
    made = alice.api.post("/rooms", {**ROOM, "name": name}).json()

    assert made["slug"].startswith(slug)
    assert not made["slug"].endswith("-")
    assert alice.api.put(f"/rooms/{made['id']}", {"slug": made["slug"]}).status_code == 200


def test_a_room_is_not_made_in_a_venue_that_has_just_gone(alice: Player, paris: Venue) -> None:
    """Both take turns, so this is all that can be left of a race."""
    gone = Venue.objects.get(pk=paris.pk)
    delete_venue(venue=paris, by=alice.actor)

    with pytest.raises(ValidationFailed) as refusal:
        create_room(by=alice.actor, venue=gone, name="Late")
    assert refusal.value.errors[0].pointer == "/venue"


def test_the_dearest_room_can_be_shown_and_booked(alice: Player, paris: Venue) -> None:
    pricing = {**PER_GROUP, "amount": MAX_AMOUNT, "adjustments": [{"percent": 1_000}] * 100}
    room = make_room(alice.actor, paris, pricing=pricing)

    shown = alice.api.get(f"/rooms/{room.public_id}").json()
    assert shown["availability"][5]["slots"][0]["price"]["amount"] == MAX_AMOUNT
    assert alice.api.post("/bookings", booking_body(room, slot_at(10))).json()["price"]["total"] == MAX_AMOUNT


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"timezone": "Europe/Atlantis"}, "/timezone"),
        ({"timezone": "../../etc/passwd"}, "/timezone"),
        ({"currency": "eur"}, "/currency"),
        ({"tax": {"rate": "100"}}, "/tax/rate"),
        ({"tax": {"rate": 20}}, "/tax/rate"),
    ],
)
def test_odd_venues_are_refused_by_name(alice: Player, changes: dict[str, Any], pointer: str) -> None:
    answer = alice.api.post("/venues", {"name": "X", "timezone": "UTC", "currency": "EUR", **changes})

    assert (answer.status_code, [error["pointer"] for error in answer.json()["errors"]]) == (422, [pointer])


def test_a_venue_with_rooms_is_not_deleted(alice: Player, group_room: Room) -> None:
    answer = alice.api.delete(f"/venues/{group_room.venue.public_id}")

    assert (answer.status_code, answer.json()["code"], answer.json()["rooms"]) == (409, "venue_has_rooms", [group_room.public_id])


def test_the_sandbox_twin_opens_furnished_and_apart(alice: Player, group_room: Room) -> None:
    make_room(alice.actor, group_room.venue, name="Torchlight", shares_space_with=[group_room])

    twin = sandbox_for(alice.organization)

    assert sandbox_for(alice.organization) == twin
    assert (twin.mode, twin.sandbox_of) == ("test", alice.organization)
    copies = list(Room.objects.visible_to(Actor.system(twin)).with_spaces().order_by("name"))
    assert [room.name for room in copies] == ["Torchlight", "Vault"]
    assert copies[0].space_ids == copies[1].space_ids
    assert Space.objects.get(pk=copies[0].space_ids[0]).organization == twin
    assert copies[1].public_id != group_room.public_id


def test_an_organization_gets_one_default_venue(alice: Player) -> None:
    assert default_venue(alice.organization) == default_venue(alice.organization)
