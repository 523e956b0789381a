"""From a change to a signed request at a real receiver, and what each answer leads to."""

import datetime as dt
import time
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from standardwebhooks import Webhook

from common.http import Outcome
from rooms.models import Room
from tests.cast import Player
from tests.stage import booking_body, slot_at
from webhooks.engine import drain
from webhooks.engine.claim import claim
from webhooks.engine.record import reclaim, record
from webhooks.engine.relay import relay
from webhooks.engine.send import Result
from webhooks.models import Attempt, Delivery, Endpoint, Event
from webhooks.services import create_endpoint, delete_endpoint, emit, pause_endpoint, rotate_secret, update_endpoint
from webhooks.tests.conftest import Receiver, Request, emit_some, make_due
from webhooks.types import EventType

State = Delivery.State


def answer(status: int, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: (status, named, b"answer")


def test_a_booking_arrives_signed_as_the_api_shows_it(alice: Player, group_room: Room, endpoint: Any, receiver: Receiver) -> None:
    booking = alice.api.post("/bookings", booking_body(group_room, slot_at(10)), idempotency_key="order-1").json()

    drain()

    request = next(request for request in receiver.requests if request.event["type"] == "booking.created")
    Webhook(endpoint.secret_text).verify(request.body, request.headers)
    event = request.event
    assert event["data"]["object"] == booking
    assert event["request"]["idempotency_key"] == "order-1"
    assert (event["organization"], event["mode"]) == (alice.organization.public_id, "live")
    assert request.headers["webhook-id"] == event["id"]
    assert request.headers["user-agent"].startswith("BookingFlow-Webhooks/1")
    assert (request.headers["bookingflow-attempt"], request.headers["bookingflow-redelivery"]) == ("1", "false")
    assert {delivery.state for delivery in Delivery.objects.all()} == {State.SUCCEEDED}


def test_numbers_have_no_gaps_and_belong_to_one_organization(alice: Player, charlie: Player, endpoint: Endpoint) -> None:
    emit_some(alice.actor, 3)
    emit_some(charlie.actor, 2)
    emit_some(alice.actor, 2)

    drain()

    for player, count in ((alice, 5), (charlie, 2)):
        numbers = Event.objects.visible_to(player.actor).order_by("pk").values_list("sequence", flat=True)
        assert list(numbers) == list(range(1, count + 1))


def test_an_endpoint_hears_what_it_subscribed_to(alice: Player, group_room: Room, receiver: Receiver) -> None:
    create_endpoint(by=alice.actor, url=receiver.url(), event_types=["booking.canceled"], headers={"X-Till": "3"})
    booking = alice.api.post("/bookings", booking_body(group_room, slot_at(10))).json()
    alice.api.delete(f"/bookings/{booking['id']}")

    drain()

    assert receiver.types == ["booking.canceled"]
    assert receiver.requests[0].headers["x-till"] == "3"


def test_an_event_outside_a_transaction_is_refused(alice: Player, transactional_db: None) -> None:
    with pytest.raises(RuntimeError):
        emit(EventType.CUSTOMER_CREATED, by=alice.actor, object={"object": "customer", "id": "cus_1"}, version=1)


@pytest.mark.parametrize("status", [400, 404, 500, 502])
def test_a_failure_is_tried_again_with_the_same_bytes(alice: Player, endpoint: Any, receiver: Receiver, status: int) -> None:
    emit_some(alice.actor)
    receiver.answer = answer(status)
    drain()
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.lane, delivery.attempts, delivery.status_code) == (State.SCHEDULED, "retry", 1, status)
    wait = (delivery.due_at - timezone.now()).total_seconds()
    assert (50 < wait <= 60) if status == 502 else (4 < wait <= 5.5)

    receiver.answer = answer(200)
    make_due()
    drain()

    first, second = receiver.requests
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])
    assert second.headers["bookingflow-attempt"] == "2"
    Webhook(endpoint.secret_text).verify(second.body, second.headers)
    assert Delivery.objects.get().state == State.SUCCEEDED
    assert list(Attempt.objects.order_by("pk").values_list("number", "status_code", "answer")) == [
        (1, status, "answer"),
        (2, 200, "answer"),
    ]


def test_after_the_last_attempt_it_is_given_up(alice: Player, endpoint: Endpoint, receiver: Receiver, settings: Any) -> None:
    settings.WEBHOOK_RETRY_SECONDS = [5.0, 30.0]
    receiver.answer = answer(500)
    emit_some(alice.actor)
    for _ in range(5):
        drain()
        make_due()

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts, len(receiver.requests)) == (State.EXHAUSTED, 3, 3)
    assert delivery.finished_at is not None


def test_a_connection_error_has_no_answer_and_is_retried_like_other_failures(alice: Player) -> None:
    create_endpoint(by=alice.actor, url="http://127.0.0.1:1/hook")
    emit_some(alice.actor)

    drain()

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.failure, delivery.status_code) == (State.SCHEDULED, "refused", None)


@pytest.mark.parametrize("status", [301, 302, 307])
def test_a_redirect_is_neither_followed_nor_a_success(alice: Player, endpoint: Endpoint, receiver: Receiver, status: int) -> None:
    receiver.answer = answer(status, location=receiver.url("/elsewhere"))
    emit_some(alice.actor)

    drain()

    assert [request.path for request in receiver.requests] == ["/hook"]
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.failure) == (State.SCHEDULED, "redirect")


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_rests_the_whole_endpoint(alice: Player, endpoint: Endpoint, receiver: Receiver, status: int) -> None:
    receiver.answer = answer(status, retry_after="120")
    emit_some(alice.actor)
    drain()
    emit_some(alice.actor)
    drain()

    assert len(receiver.requests) == 1
    endpoint.refresh_from_db()
    assert endpoint.resting_until is not None
    assert 110 < (endpoint.resting_until - timezone.now()).total_seconds() <= 120
    assert Delivery.objects.filter(state=State.SCHEDULED).get().due_at >= endpoint.resting_until - dt.timedelta(seconds=1)


def test_gone_disables_the_endpoint_and_holds_what_follows(alice: Player, endpoint: Endpoint, receiver: Receiver) -> None:
    receiver.answer = answer(410)
    emit_some(alice.actor)
    drain()
    emit_some(alice.actor, 2)
    drain()

    endpoint.refresh_from_db()
    assert (endpoint.status, endpoint.disabled_reason) == ("disabled", "gone")
    assert len(receiver.requests) == 1
    assert set(Delivery.objects.values_list("state", flat=True)) == {State.HELD}


def test_a_rotation_between_retries_signs_by_what_is_live_then(alice: Player, endpoint: Any, receiver: Receiver) -> None:
    receiver.answer = answer(500)
    emit_some(alice.actor)
    drain()
    _, new = rotate_secret(endpoint=endpoint, by=alice.actor, overlap=dt.timedelta(0))
    receiver.answer = answer(200)
    make_due()
    drain()

    first, second = receiver.requests
    Webhook(endpoint.secret_text).verify(first.body, first.headers)
    Webhook(new).verify(second.body, second.headers)
    assert len(second.headers["webhook-signature"].split()) == 1


def test_during_the_overlap_both_secrets_verify(alice: Player, endpoint: Any, receiver: Receiver) -> None:
    _, new = rotate_secret(endpoint=endpoint, by=alice.actor)
    emit_some(alice.actor)
    drain()

    request = receiver.requests[0]
    for secret in (endpoint.secret_text, new):
        Webhook(secret).verify(request.body, request.headers)


def test_a_change_of_address_counts_from_the_next_attempt_on(alice: Player, endpoint: Endpoint, receiver: Receiver) -> None:
    receiver.answer = answer(500)
    emit_some(alice.actor)
    drain()
    update_endpoint(endpoint=endpoint, by=alice.actor, url=receiver.url("/new"))
    make_due()
    drain()

    assert [request.path for request in receiver.requests] == ["/hook", "/new"]


def test_an_endpoint_paused_with_a_delivery_in_flight_holds_its_retry(
    alice: Player, endpoint: Endpoint, receiver: Receiver, transactional_db: None
) -> None:
    def pause_and_fail(request: Request) -> tuple[int, dict[str, str], bytes]:
        try:
            pause_endpoint(endpoint=endpoint, by=alice.actor)
        finally:
            connection.close()  # the receiver's own thread
        return 500, {}, b""

    receiver.answer = pause_and_fail
    emit_some(alice.actor)
    drain()

    assert (Delivery.objects.get().state, Attempt.objects.get().status_code) == (State.HELD, 500)


def test_an_endpoint_deleted_with_a_delivery_in_flight_breaks_nothing(
    alice: Player, endpoint: Endpoint, receiver: Receiver, transactional_db: None
) -> None:
    def delete(request: Request) -> tuple[int, dict[str, str], bytes]:
        try:
            delete_endpoint(endpoint=endpoint, by=alice.actor)
        finally:
            connection.close()
        return 200, {}, b""

    receiver.answer = delete
    emit_some(alice.actor)
    drain()

    assert (Delivery.objects.count(), Attempt.objects.count(), Event.objects.count()) == (0, 0, 1)


def test_a_worker_whose_lease_another_has_taken_is_noted_and_changes_nothing(
    alice: Player, endpoint: Endpoint, receiver: Receiver
) -> None:
    """Its lease ran out while it waited for the receiver, and another worker has the delivery now."""
    emit_some(alice.actor)
    relay()
    (slow,) = claim(10)
    Delivery.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert reclaim() == 1
    (quick,) = claim(10)
    now = timezone.now()
    record([Result(slow, now, Outcome(20.0, status=200))])
    assert Delivery.objects.get().state == State.LEASED
    record([Result(quick, now, Outcome(0.1, status=200))])

    assert Delivery.objects.get().state == State.SUCCEEDED
    assert list(Attempt.objects.order_by("pk").values_list("failure", "late")) == [
        ("lease_expired", False),
        ("", True),
        ("", False),
    ]


def test_the_rate_limit_is_enforced_on_the_wire(alice: Player, endpoint: Endpoint, receiver: Receiver, settings: Any) -> None:
    settings.WEBHOOK_RATE_PER_SECOND, settings.WEBHOOK_BURST = 20.0, 10
    emit_some(alice.actor, 25)
    began, arrivals = time.monotonic(), []
    receiver.answer = lambda request: (arrivals.append(time.monotonic() - began), (200, {}, b""))[1]

    while Delivery.objects.exclude(state=State.SUCCEEDED).exists() or not arrivals:
        drain()

    for moment in arrivals:
        assert sum(1 for other in arrivals if other <= moment) <= 10 + 20 * (moment + 0.1)
