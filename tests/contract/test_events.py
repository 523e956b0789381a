"""What is published about events holds: for the examples, and for what the services really emit."""

import datetime as dt
import functools
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from jsonschema import Draft202012Validator, FormatChecker

from bookings.models import Booking
from bookings.serializers import BookingShape
from bookings.services import complete_bookings, work_off_payments
from customers.serializers import CustomerShape
from developers.shapes import Shape
from payments.serializers import PaymentShape
from rooms.models import Room
from rooms.serializers import BlockShape, RoomShape
from tests.cast import Player
from tests.stage import HOURLY, book, booking_body, slot_at
from tests.stripe.stand_in import StandIn
from webhooks.engine.relay import relay
from webhooks.envelope import MAX_BYTES, body
from webhooks.examples import example_envelope, example_object
from webhooks.models import Endpoint, Event
from webhooks.serializers import EndpointShape
from webhooks.services import ping
from webhooks.types import EventType

SHAPES: dict[str, type[Shape]] = {
    "booking": BookingShape,
    "room": RoomShape,
    "block": BlockShape,
    "customer": CustomerShape,
    "payment": PaymentShape,
    "webhook_endpoint": EndpointShape,
}


@functools.cache
def schemas() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((settings.BASE_DIR / "docs" / "events.json").read_text())
    return found


def check(event: dict[str, Any]) -> None:
    """Raises when the event is not what is published of its type, or has what is published nowhere."""
    schema = schemas()[event["type"]]
    errors = [
        f"{error.json_path}: {error.message}"
        for error in Draft202012Validator(schema, format_checker=FormatChecker()).iter_errors(event)
    ]
    assert not errors, (event["type"], errors[:3])
    assert list(event) == schema["required"]
    named = schema["properties"]["data"]["properties"]["previous_attributes"]["properties"].keys()
    assert event["data"]["previous_attributes"].keys() <= named


def test_each_type_has_a_valid_schema_that_is_served() -> None:
    answer = Client().get("/backend/docs/events.json")

    assert answer["Content-Type"] == "application/json"
    assert answer.json() == schemas()
    assert list(schemas()) == EventType.values
    for schema in schemas().values():
        Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("type", EventType)
def test_each_example_is_what_its_schema_says(type: EventType) -> None:
    event = example_envelope(type)

    check(event)
    assert event == example_envelope(type)
    assert event["test"] is (type == EventType.WEBHOOK_PING)
    assert event["data"]["object"] == example_object(type)
    assert (event["object"]["type"], event["object"]["id"]) == (example_object(type)["object"], example_object(type)["id"])
    if type.endswith((".updated", ".canceled", ".completed", ".archived", ".no_show")):
        assert event["data"]["previous_attributes"]


@pytest.mark.parametrize("type", [type for type in EventType if type != EventType.CUSTOMER_DELETED])
def test_each_example_has_its_shape_whole_and_in_order(type: EventType) -> None:
    found = example_object(type)

    assert list(found) == [name for name, _ in SHAPES[found["object"]].getters()]


@pytest.mark.parametrize(
    "change",
    [
        lambda event: event["data"]["object"].pop("reference"),
        lambda event: event["data"]["object"].update(party_size="four"),
        lambda event: event["data"].update(previous_attributes={"party_size": "four"}),
        lambda event: event.update(type="booking.updated"),
    ],
    ids=["without a field", "wrong type", "wrong before", "other event"],
)
def test_a_schema_refuses_what_differs(change: Callable[[dict[str, Any]], object]) -> None:
    event = example_envelope(EventType.BOOKING_CREATED)
    validator = Draft202012Validator(schemas()["booking.created"])
    assert validator.is_valid(event)

    change(event)

    assert not validator.is_valid(event)


def test_what_is_emitted_is_what_the_schemas_say(alice: Player, group_room: Room, shared_room: Room, stripe: StandIn) -> None:
    """A season in one go, so that every type that exists occurs, most of them in more than one way."""
    tell_of_bookings(alice, group_room, shared_room)
    tell_of_payments(alice, group_room)
    tell_of_rooms_and_blocks(alice, group_room)
    tell_of_customers(alice)
    with_endpoint = Endpoint.objects.create(organization=alice.organization, url="https://hooks.example.com/")
    ping(endpoint=with_endpoint, by=alice.actor)

    while relay():
        pass

    events = [json.loads(event.body) for event in Event.objects.order_by("sequence")]
    for event in events:
        check(event)
        assert event["test"] is (event["type"] == EventType.WEBHOOK_PING)
        if event["data"]["object"].get("deleted") is None:
            shape = SHAPES[event["object"]["type"]]
            assert event["data"]["object"].keys() == {name for name, _ in shape.getters()}
    assert {event["type"] for event in events} == set(EventType.values)


def test_a_truncated_event_is_valid_too(alice: Player) -> None:
    long = {"object": "customer", "id": "cus_x", "notes": "x" * MAX_BYTES}
    event = Event(organization=alice.organization, type="customer.updated", sequence=7, object_type="customer", object_id="cus_x")
    event.object_version, event.actor_type, event.actor_id = 2, "system", "system"
    event.data = {"object": long, "previous_attributes": {}}

    found = json.loads(body(event))

    check(found)
    assert (found["truncated"], found["data"]["object"]) == (True, None)


def tell_of_bookings(alice: Player, group_room: Room, shared_room: Room) -> None:
    api = alice.api
    body = booking_body(
        group_room, slot_at(10), guests=[{"name": "Bo"}], metadata={"a": "b"}, payment={"mode": "pos", "amount": 10_000}
    )
    moved = api.post("/bookings", body, idempotency_key="order-1").json()["id"]
    for changes in (
        {"starts_at": slot_at(11).isoformat()},
        {"party_size": 5, "notes_internal": "VIP"},
        {"room": shared_room.public_id, "private": False},
    ):
        answer = api.put(f"/bookings/{moved}", changes)
        assert answer.status_code == 200, answer.content
    assert api.delete(f"/bookings/{moved}").status_code == 200
    held = api.post("/bookings", booking_body(group_room, slot_at(12), hold=True)).json()["id"]
    assert api.post(f"/bookings/{held}/confirm").status_code == 200
    came, stayed_away = (book(alice.actor, group_room, slot_at(days)) for days in (13, 14))
    begin(came, minutes_ago=30)
    assert api.post(f"/bookings/{came.public_id}/check-in").status_code == 200
    begin(came, minutes_ago=90)
    assert complete_bookings() == 1
    begin(stayed_away, minutes_ago=30)
    assert api.post(f"/bookings/{stayed_away.public_id}/no-show").status_code == 200


def tell_of_payments(alice: Player, group_room: Room) -> None:
    api = alice.api
    declined = api.post("/bookings", booking_body(group_room, slot_at(15), payment={"payment_method": "pm_card_chargeDeclined"}))
    assert declined.status_code == 402, declined.content
    path = f"/bookings/{declined.json()['booking']}"
    paid = api.post(f"{path}/confirm", {"payment": {"payment_method": "pm_card_visa"}})
    assert paid.status_code == 200, paid.content
    assert api.post(f"{path}/refunds", {"amount": 2_500}).status_code == 201
    work_off_payments()


def tell_of_rooms_and_blocks(alice: Player, group_room: Room) -> None:
    api = alice.api
    spare = api.post("/rooms", {"name": "Spare", "duration_minutes": 60, "min_party": 1, "max_party": 4, "capacity": 4}).json()[
        "id"
    ]
    policies: dict[str, Any] = {"cancellation_policy": {"windows": []}, "reschedule_policy": {"windows": []}}
    for changes in ({"name": "Annex", "difficulty": 2}, {"schedule": HOURLY}, {**policies, "schedule": {"rules": []}}):
        assert api.put(f"/rooms/{spare}", changes).status_code == 200
    assert api.delete(f"/rooms/{spare}").status_code == 200
    times = {
        "starts_at": slot_at(20).isoformat(),
        "ends_at": slot_at(21).isoformat(),
        "recurrence": {"freq": "weekly", "count": 3},
    }
    for asked in ({"rooms": [group_room.public_id], **times}, {"all": True, "date_from": "2030-12-24", "date_to": "2030-12-26"}):
        block = api.post("/schedules/block", {**asked, "on_conflict": "keep"}).json()["id"]
        assert api.put(f"/schedules/block/{block}", {"reason": "holiday"}).status_code == 200
        assert api.delete(f"/schedules/block/{block}").status_code == 200


def tell_of_customers(alice: Player) -> None:
    api = alice.api
    consent = {"value": True, "source": "checkout"}
    customer = api.post("/customers", {"email": "bo@example.com", "marketing_consent": consent}).json()["id"]
    assert api.put(f"/customers/{customer}", {"name": "Bo", "tags": ["vip"], "language": "fr"}).status_code == 200
    assert api.delete(f"/customers/{customer}").status_code == 200


def begin(booking: Booking, *, minutes_ago: int) -> None:
    started = timezone.now() - dt.timedelta(minutes=minutes_ago)
    Booking.objects.filter(pk=booking.pk).update(starts_at=started, ends_at=started + dt.timedelta(minutes=60))
