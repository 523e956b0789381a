"""Catching up on events by their numbers."""

from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from rooms.models import Room
from tests.cast import Player
from tests.stage import booking_body, slot_at
from webhooks.engine.relay import relay
from webhooks.models import Delivery, Endpoint, Event
from webhooks.services import create_endpoint, delete_endpoint, emit, ping
from webhooks.tests.conftest import emit_some
from webhooks.types import EventType


def numbers(answer: Any) -> list[int]:
    assert answer.status_code == 200, answer.content
    return [event["sequence"] for event in answer.json()["data"]]


def test_events_are_read_by_number_without_gaps(alice: Player, charlie: Player) -> None:
    emit_some(alice.actor, 5)
    emit_some(charlie.actor, 2)
    relay()
    emit_some(alice.actor, 1)  # has no number yet, and must not be skipped later

    seen, url = [], "/events?limit=2"
    answer = alice.api.get(url)
    seen += numbers(answer)
    while answer.json()["has_more"]:
        answer = alice.api.get(f"{url}&after={answer.json()['next_after']}")
        seen += numbers(answer)
    assert (seen, answer.json()["next_after"]) == ([1, 2, 3, 4, 5], 5)

    relay()
    assert numbers(alice.api.get("/events?after=5")) == [6]
    later = alice.api.get("/events?after=6").json()
    assert (later["data"], later["has_more"], later["next_after"]) == ([], False, 6)


def test_an_event_is_its_envelope(alice: Player, group_room: Room) -> None:
    booking = alice.api.post("/bookings", booking_body(group_room, slot_at(10))).json()
    relay()

    (event,) = alice.api.get(f"/events?object={booking['id']}").json()["data"]

    assert (event["type"], event["data"]["object"]) == ("booking.created", booking)
    assert (event["test"], event["truncated"]) == (False, False)
    one = alice.api.get(f"/events/{event['id']}")
    assert one.json() == event
    assert alice.api.get(f"/events/{event['id']}", if_none_match=one["ETag"]).status_code == 304
    assert alice.api.get("/events/evt_unknown").status_code == 404


def test_an_event_whose_payload_is_past_keeping_still_shows(alice: Player) -> None:
    emit_some(alice.actor)
    relay()
    Event.objects.update(body="", data={})

    (event,) = alice.api.get("/events").json()["data"]

    assert (event["truncated"], event["data"]) == (True, {"object": None, "previous_attributes": {}})


def test_a_number_too_large_for_most_holds_nothing_up(alice: Player) -> None:
    customer = {"object": "customer", "id": "cus_1", "metadata": {"n": 2**70}}
    with transaction.atomic():
        emit(EventType.CUSTOMER_CREATED, by=alice.actor, object=customer, version=1)
    emit_some(alice.actor)
    relay()

    first, _ = alice.api.get("/events").json()["data"]

    assert first["data"]["object"] == customer


def test_filters_pass_over_what_they_leave_out(alice: Player, group_room: Room) -> None:
    alice.api.post("/bookings", booking_body(group_room, slot_at(10)))
    emit_some(alice.actor, 3)
    relay()
    last = len(numbers(alice.api.get("/events")))

    booked = alice.api.get("/events?type=booking.created").json()
    assert [event["type"] for event in booked["data"]] == ["booking.created"]
    assert (booked["has_more"], booked["next_after"]) == (False, last)
    assert len(numbers(alice.api.get("/events?type=booking.created,customer.created&limit=3"))) == 3
    first = alice.api.get("/events?type=customer.created&limit=1").json()
    assert first["has_more"] is True
    rest = alice.api.get(f"/events?type=customer.created&after={first['next_after']}").json()
    assert [event["type"] for event in rest["data"]] == ["customer.created"] * 3


def test_what_was_made_on_request_says_so_and_can_be_left_out(alice: Player, endpoint: Endpoint) -> None:
    emit_some(alice.actor)
    alice.api.post(f"/webhook_endpoints/{endpoint.public_id}/ping")
    alice.api.post(f"/webhook_endpoints/{endpoint.public_id}/test", {"type": "customer.created"})
    relay()

    def shown(query: str) -> list[tuple[str, bool]]:
        return [(event["type"], event["test"]) for event in alice.api.get(f"/events{query}").json()["data"]]

    made = [("webhook.ping", True), ("customer.created", True)]
    assert shown("") == [("customer.created", False), *made]
    assert (shown("?test=true"), shown("?test=false")) == (made, [("customer.created", False)])
    assert shown("?test=true&type=customer.created") == made[1:]


def test_a_deleted_endpoint_leaves_no_gap_in_the_numbers(alice: Player, endpoint: Endpoint) -> None:
    """Its tests keep their numbers, those given and those to come, and reach nobody else."""
    create_endpoint(by=alice.actor, url="https://hooks.example.com/other")
    ping(endpoint=endpoint, by=alice.actor)
    relay()
    ping(endpoint=endpoint, by=alice.actor)
    delete_endpoint(endpoint=endpoint, by=alice.actor)
    emit_some(alice.actor)
    relay()

    events = alice.api.get("/events").json()["data"]
    assert [(event["sequence"], event["test"]) for event in events] == [(1, True), (2, True), (3, False)]
    assert Delivery.objects.get().event.sequence == 3


def test_polling_without_news_is_one_small_query(alice: Player) -> None:
    emit_some(alice.actor, 3)
    relay()
    first = alice.api.get("/events?after=1")

    with CaptureQueriesContext(connection) as captured:
        again = alice.api.get("/events?after=1", if_none_match=first["ETag"])
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    with CaptureQueriesContext(connection) as bare:
        alice.api.get("/me")
    assert len(captured) == len(bare) + 1
    assert alice.api.get("/events?after=2", if_none_match=first["ETag"]).status_code == 200
    assert alice.api.get("/events?after=1&type=room.created", if_none_match=first["ETag"]).status_code == 200

    emit_some(alice.actor)
    relay()
    news = alice.api.get("/events?after=1", if_none_match=first["ETag"])
    assert numbers(news) == [2, 3, 4]


def test_a_page_takes_the_same_queries_however_long(alice: Player) -> None:
    emit_some(alice.actor, 20)
    relay()

    def queries(limit: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert len(numbers(alice.api.get(f"/events?limit={limit}"))) == limit
        return len(captured)

    assert queries(20) == queries(2)


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("after=-1", "after"),
        ("after=first", "after"),
        ("after=9999999999999999", "after"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("type=booking.eaten", "type"),
        ("object=%00", "object"),
        ("test=1", "test"),
        ("cursor=abc", "cursor"),
    ],
)
def test_odd_parameters_are_refused_by_name(alice: Player, query: str, parameter: str) -> None:
    answer = alice.api.get(f"/events?{query}")

    assert (answer.status_code, [error["parameter"] for error in answer.json()["errors"]]) == (422, [parameter])
