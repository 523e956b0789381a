"""What other senders of webhooks are known to get wrong, between a change and its receiver. What the HTTP client alone must
withstand stands in common/tests/test_http.py; kill -9 and restarts in tests/outages.
"""

import base64
import datetime as dt
import hashlib
import hmac
import threading
import time
from typing import Any

import orjson
import pytest
import redis
from django.conf import settings as product
from django.db import connection, transaction
from django.utils import timezone
from standardwebhooks import Webhook

from common.ids import new_id
from tests.cast import Player
from tests.crowd import at_once
from webhooks.engine import drain
from webhooks.engine.claim import IN_FLIGHT_PER_ENDPOINT, claim
from webhooks.engine.record import reclaim
from webhooks.engine.relay import relay
from webhooks.models import Attempt, Delivery, Endpoint, Event
from webhooks.services import create_endpoint, emit, enable_endpoint, pause_endpoint, resend, rotate_secret, update_endpoint
from webhooks.tests.conftest import Receiver, Request, emit_some, make_due
from webhooks.types import EventType

State = Delivery.State
Answer = tuple[int, dict[str, str], bytes]
OK: Answer = (200, {}, b"")
BROKEN: Answer = (500, {}, b"")


def test_no_retry_is_a_celery_task_with_an_eta(
    alice: Player, endpoint: Endpoint, receiver: Receiver, transactional_db: None
) -> None:
    """Past the broker's visibility timeout such a task is delivered again and again. A retry is a row; tasks are for now."""
    receiver.answer = lambda request: BROKEN
    with redis.Redis.from_url(product.REDIS_URL) as broker:
        emit_some(alice.actor)
        drain()
        bells = [orjson.loads(message)["headers"] for message in broker.lrange("webhooks", 0, -1)]

    assert Delivery.objects.get().due_at > timezone.now()
    assert {bell["eta"] for bell in bells} == {None}  # one at least: nobody takes them here


def test_no_transaction_is_open_while_a_request_is_under_way(
    alice: Player, endpoint: Endpoint, receiver: Receiver, transactional_db: None
) -> None:
    """A slow receiver must not pin a connection. Sent from inside a transaction, the same look sees it: it is not blind."""
    pinned: list[int] = []

    def look(request: Request) -> Answer:
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            arrived_at = cursor.fetchone()[0]
            time.sleep(0.6)
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND xact_start < %s"
                " AND datname = current_database() AND pid <> pg_backend_pid()",
                [arrived_at],
            )
            pinned.append(cursor.fetchone()[0])
        connection.close()  # the receiver's own thread
        return OK

    receiver.answer = look
    emit_some(alice.actor)
    drain()
    emit_some(alice.actor)
    with transaction.atomic():
        drain()

    assert pinned == [0, 1]


def test_a_database_error_after_a_2xx_neither_loses_the_log_nor_sends_again(
    alice: Player, endpoint: Endpoint, receiver: Receiver, transactional_db: None, caplog: pytest.LogCaptureFixture
) -> None:
    """The database throws everybody out just before the receiver answers."""

    def answer(request: Request) -> Answer:
        with connection.cursor() as cursor:
            others = "datname = current_database() AND pid <> pg_backend_pid()"
            cursor.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
        connection.close()
        return OK

    receiver.answer = answer
    emit_some(alice.actor)

    assert drain() == 1

    assert "the database is away" in caplog.text
    assert len(receiver.requests) == 1
    assert (Delivery.objects.get().state, Attempt.objects.get().status_code) == (State.SUCCEEDED, 200)


def test_a_change_that_is_rolled_back_fires_nothing_and_a_bare_save_neither(
    alice: Player, endpoint: Endpoint, receiver: Receiver, transactional_db: None
) -> None:
    with transaction.atomic():
        made = alice.api.post("/customers", {"name": "Ada"})
        transaction.set_rollback(True)
    endpoint.save()

    drain()

    assert (made.status_code, receiver.requests, Event.objects.count()) == (201, [], 0)


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_a_final_3xx_is_given_up_and_not_a_success(
    alice: Player, endpoint: Endpoint, receiver: Receiver, settings: Any, status: int
) -> None:
    settings.WEBHOOK_RETRY_SECONDS = []  # the first attempt is the last
    receiver.answer = lambda request: (status, {"location": receiver.url("/elsewhere")} if status != 304 else {}, b"")
    emit_some(alice.actor)

    drain()

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.failure, delivery.status_code) == (State.EXHAUSTED, "redirect", status)
    assert [request.path for request in receiver.requests] == ["/hook"]


@pytest.mark.parametrize("how", ["disabled", "paused"])
def test_events_for_a_disabled_or_paused_endpoint_are_not_lost(
    alice: Player, endpoint: Endpoint, receiver: Receiver, how: str
) -> None:
    receiver.answer = lambda request: (410, {}, b"")
    if how == "paused":
        pause_endpoint(endpoint=endpoint, by=alice.actor)
    since = timezone.now()
    emit_some(alice.actor, 1)
    drain()
    emit_some(alice.actor, 3)
    drain()
    endpoint.refresh_from_db()
    assert (endpoint.status, len(receiver.requests)) == (how, 1 if how == "disabled" else 0)

    receiver.answer = lambda request: OK
    receiver.requests.clear()
    _, released = enable_endpoint(endpoint=endpoint, by=alice.actor, release_held_since=since)
    drain()

    events = set(Event.objects.values_list("public_id", flat=True))
    assert released == 4
    assert {request.headers["webhook-id"] for request in receiver.requests} == events
    assert set(Delivery.objects.values_list("state", flat=True)) == {State.SUCCEEDED}


def test_the_signature_is_of_the_bytes_on_the_wire_at_every_attempt(alice: Player, endpoint: Any, receiver: Receiver) -> None:
    """Bytes that another writer of JSON would spell otherwise: not ASCII, escapes, spaces, slashes, floats, the order of keys."""
    name = 'Zoë \U0001f5dd \u2028 </script> \\u00e9 \x7f " é'
    customer = {"object": "customer", "id": new_id("cus"), "z": 1.0, "a": 1e22, "name": name}
    receiver.answer = lambda request: BROKEN if len(receiver.requests) == 1 else OK
    with transaction.atomic():
        emit(EventType.CUSTOMER_CREATED, by=alice.actor, object=customer, version=1)
    drain()
    make_due()
    drain()
    resend(delivery=Delivery.objects.get(), by=alice.actor)
    drain()

    assert len(receiver.requests) == 3
    assert len({request.body for request in receiver.requests}) == 1
    assert receiver.requests[0].event["data"]["object"] == customer
    key = base64.b64decode(endpoint.secret_text.removeprefix("whsec_"))
    for request in receiver.requests:
        head = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode()
        digest = base64.b64encode(hmac.digest(key, head + request.body, hashlib.sha256)).decode()
        assert request.headers["webhook-signature"] == f"v1,{digest}"


def test_a_lease_that_expires_under_a_slow_worker_changes_nothing_when_it_comes_back(
    alice: Player, endpoint: Endpoint, receiver: Receiver, transactional_db: None, settings: Any
) -> None:
    """The first request hangs until a second one has succeeded; then it fails, and the success stays."""
    settings.WEBHOOK_LEASE_SECONDS, settings.WEBHOOK_TOTAL_SECONDS = 0.3, 20.0

    def has_arrived() -> bool:
        return Delivery.objects.filter(state=State.SUCCEEDED).exists()

    def answer(request: Request) -> Answer:
        if len(receiver.requests) > 1:
            return OK
        while not has_arrived():
            time.sleep(0.05)
        connection.close()
        return BROKEN

    def insist() -> int:
        while not has_arrived():
            drain()
            time.sleep(0.05)
        return 0

    receiver.answer = answer
    emit_some(alice.actor)
    at_once([insist, insist])

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts, delivery.status_code) == (State.SUCCEEDED, 1, 200)
    assert list(Attempt.objects.order_by("pk").values_list("failure", "late")) == [
        ("lease_expired", False),
        ("", False),
        ("http", True),
    ]
    first, again = receiver.requests
    assert (first.body, first.headers["webhook-id"]) == (again.body, again.headers["webhook-id"])


def test_two_relays_and_two_sweepers_do_everything_once(
    alice: Player, charlie: Player, receiver: Receiver, transactional_db: None, settings: Any
) -> None:
    settings.WEBHOOK_BURST = 1_000
    for player in (alice, charlie):
        create_endpoint(by=player.actor, url=receiver.url())
        emit_some(player.actor, 120)
    leased = 2 * IN_FLIGHT_PER_ENDPOINT

    at_once([relay, relay])
    while relay():
        pass
    assert sum(len(taken) for taken in at_once([lambda: claim(50), lambda: claim(50)])) <= leased
    claim(50)
    Delivery.objects.filter(state=State.LEASED).update(lease_expires_at=timezone.now())
    at_once([reclaim, reclaim])
    reclaim()
    assert Attempt.objects.filter(failure="lease_expired").count() == leased
    at_once([drain, drain])
    while Delivery.objects.waiting().exists():
        drain()

    ids = [request.headers["webhook-id"] for request in receiver.requests]
    assert (len(ids), len(set(ids)), Delivery.objects.count()) == (240, 240, 240)
    for player in (alice, charlie):
        numbers = Event.objects.visible_to(player.actor).order_by("pk").values_list("sequence", flat=True)
        assert list(numbers) == list(range(1, 121))


def test_an_endpoint_edited_with_a_delivery_in_flight_gets_the_next_attempt_at_its_new_address(
    alice: Player, endpoint: Endpoint, receiver: Receiver, transactional_db: None
) -> None:
    def edit_and_fail(request: Request) -> Answer:
        receiver.answer = lambda request: OK
        update_endpoint(endpoint=endpoint, by=alice.actor, url=receiver.url("/new"), headers={"X-Till": "3"}, description="Till")
        connection.close()
        return BROKEN

    receiver.answer = edit_and_fail
    emit_some(alice.actor)
    drain()
    make_due()
    drain()

    assert [(request.path, request.headers.get("x-till")) for request in receiver.requests] == [("/hook", None), ("/new", "3")]
    endpoint.refresh_from_db()
    assert (endpoint.description, endpoint.version) == ("Till", 2)  # what the worker wrote down left the edit alone


def test_a_secret_rotated_with_a_delivery_in_flight_signs_the_next_attempt(
    alice: Player, endpoint: Any, receiver: Receiver, transactional_db: None
) -> None:
    new: list[str] = []

    def rotate_and_fail(request: Request) -> Answer:
        receiver.answer = lambda request: OK
        new.append(rotate_secret(endpoint=endpoint, by=alice.actor, overlap=dt.timedelta(0))[1])
        connection.close()
        return BROKEN

    receiver.answer = rotate_and_fail
    emit_some(alice.actor)
    drain()
    make_due()
    drain()

    first, second = receiver.requests
    Webhook(endpoint.secret_text).verify(first.body, first.headers)
    Webhook(new[0]).verify(second.body, second.headers)
    assert len(second.headers["webhook-signature"].split()) == 1


def test_old_and_new_workers_together_send_everything_once(
    alice: Player, endpoint: Any, receiver: Receiver, transactional_db: None
) -> None:
    """The old one has requests under way when the owner edits the endpoint, rotates its secret and the new one starts. What the
    old one sent verifies with the old secret, what follows with both, and nothing is sent by both.
    """
    go_on, new_secret = threading.Event(), ""

    def answer(request: Request) -> Answer:
        if request.path == "/hook":
            go_on.wait(15)
        return OK

    def start_new() -> int:
        nonlocal new_secret
        while len(receiver.requests) < IN_FLIGHT_PER_ENDPOINT:
            time.sleep(0.02)
        _, new_secret = rotate_secret(endpoint=endpoint, by=alice.actor)
        update_endpoint(endpoint=endpoint, by=alice.actor, url=receiver.url("/new"))
        emit_some(alice.actor, 5)
        sent = drain()
        go_on.set()
        return sent

    receiver.answer = answer
    emit_some(alice.actor, IN_FLIGHT_PER_ENDPOINT)
    _, sent_by_new = at_once([drain, start_new])
    drain()

    ids = [request.headers["webhook-id"] for request in receiver.requests]
    assert sent_by_new == 0  # the endpoint has as much in flight as it may have, whoever sent it
    assert len(ids) == len(set(ids)) == IN_FLIGHT_PER_ENDPOINT + 5
    assert [request.path for request in receiver.requests] == ["/hook"] * IN_FLIGHT_PER_ENDPOINT + ["/new"] * 5
    for request in receiver.requests:
        Webhook(endpoint.secret_text).verify(request.body, request.headers)
    for request in receiver.requests[IN_FLIGHT_PER_ENDPOINT:]:
        Webhook(new_secret).verify(request.body, request.headers)
    assert set(Delivery.objects.values_list("state", flat=True)) == {State.SUCCEEDED}
