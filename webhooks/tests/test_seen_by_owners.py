"""What owners are told of their endpoints' health and of each request."""

import datetime as dt
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from standardwebhooks import Webhook

from tests.cast import Player
from webhooks.engine import drain
from webhooks.engine.relay import relay
from webhooks.health import COUNT_AT_MOST, SAMPLED, delivered_lately, has_delivered, health_of
from webhooks.models import Attempt, Delivery, Endpoint
from webhooks.sent import MASK, sent_headers
from webhooks.services import create_endpoint, pause_endpoint, rotate_secret
from webhooks.tests.conftest import Receiver, emit_some, make_due


def test_nothing_was_sent(alice: Player, endpoint: Endpoint) -> None:
    health = health_of([endpoint])[endpoint.pk]

    assert (health.tried, health.rate, health.percent, health.p95_seconds, health.failure) == (0, None, None, None, "")
    assert (health.next_attempt_at, health.waiting, health.held) == (None, 0, 0)
    assert health_of([]) == {}
    assert delivered_lately(alice.actor) == (0, 0)
    assert not has_delivered(alice.actor)


def test_what_arrived_and_what_failed_is_counted(alice: Player, charlie: Player, endpoint: Endpoint, receiver: Receiver) -> None:
    emit_some(alice.actor, 3)
    drain()
    receiver.answer = lambda request: (503, {}, b"")
    emit_some(alice.actor, 1)
    drain()

    health = health_of([endpoint])[endpoint.pk]

    assert (health.tried, health.succeeded, health.percent) == (4, 3, 75)
    assert (health.failure, health.failure_status) == ("http", 503)
    assert health.failed_at is not None
    assert health.p95_seconds is not None
    assert 0 < health.p95_seconds < 10
    assert health.next_attempt_at == Delivery.objects.get(state="scheduled").due_at
    assert (health.waiting, health.held) == (1, 0)
    assert delivered_lately(alice.actor) == (3, 1)
    assert has_delivered(alice.actor)
    assert delivered_lately(charlie.actor) == (0, 0)
    assert not has_delivered(charlie.actor)


def test_what_is_held_is_told(alice: Player, endpoint: Endpoint) -> None:
    pause_endpoint(endpoint=endpoint, by=alice.actor)
    emit_some(alice.actor, 2)
    relay()
    Delivery.objects.update(state="held")  # as the next sweep does

    health = health_of([endpoint])[endpoint.pk]

    assert (health.held, health.waiting) == (2, 0)
    assert health.oldest_held_at == Delivery.objects.order_by("pk").first().event.occurred_at


def test_the_newest_count_and_only_so_many(alice: Player, endpoint: Endpoint) -> None:
    emit_some(alice.actor, 1)
    relay()
    template = Delivery.objects.get()
    now = timezone.now()

    def more(count: int, age: dt.timedelta, **fields: Any) -> None:
        Delivery.objects.bulk_create(
            Delivery(
                organization=alice.organization,
                endpoint=endpoint,
                event=template.event,
                lane="replay",
                created_at=now - age,
                **fields,
            )
            for _ in range(count)
        )

    more(SAMPLED, dt.timedelta(hours=2), state="exhausted", attempts=14, failure="timeout")
    more(SAMPLED, dt.timedelta(hours=1), state="succeeded", attempts=1)
    more(COUNT_AT_MOST, dt.timedelta(minutes=1), state="pending")
    more(1, dt.timedelta(hours=25), state="exhausted", attempts=14)

    health = health_of([endpoint])[endpoint.pk]

    assert health.waiting == COUNT_AT_MOST
    assert health.tried == 0  # behind so many that wait nobody looks
    Delivery.objects.filter(state="pending").delete()
    health = health_of([endpoint])[endpoint.pk]
    assert (health.tried, health.succeeded) == (SAMPLED, SAMPLED)
    assert delivered_lately(alice.actor) == (SAMPLED, SAMPLED)


def test_many_endpoints_cost_one_query(alice: Player, receiver: Receiver) -> None:
    endpoints = [create_endpoint(by=alice.actor, url=receiver.url(f"/{number}"))[0] for number in range(4)]
    emit_some(alice.actor, 2)
    drain()

    with CaptureQueriesContext(connection) as asked:
        found = health_of(endpoints)

    assert len(asked) == 1
    assert {health.succeeded for health in found.values()} == {2}


def test_the_request_is_shown_as_it_came_but_for_its_secrets(alice: Player, receiver: Receiver) -> None:
    endpoint, secret = create_endpoint(
        by=alice.actor, url=receiver.url(), headers={"X-Branch": "marais", "Authorization": "sesame"}
    )
    receiver.answer = lambda request: (500, {}, b"")
    emit_some(alice.actor, 1)
    drain()
    _, second = rotate_secret(endpoint=endpoint, by=alice.actor)
    make_due()
    drain()

    delivery = Delivery.objects.select_related("event", "endpoint").get()
    first, again = Attempt.objects.order_by("pk")

    for attempt, request in ((first, receiver.requests[0]), (again, receiver.requests[1])):
        shown = {name.lower(): value for name, value in sent_headers(delivery, attempt).items()}
        assert (shown.pop("x-branch"), shown.pop("authorization")) == (MASK, MASK)
        assert shown.items() <= request.headers.items()
    assert len(receiver.requests[1].headers["webhook-signature"].split()) == 2
    for key in (secret, second):
        Webhook(key).verify(receiver.requests[1].body, receiver.requests[1].headers)


def test_without_a_live_secret_nothing_was_sent(alice: Player, endpoint: Endpoint, receiver: Receiver) -> None:
    emit_some(alice.actor, 1)
    drain()
    delivery, attempt = Delivery.objects.select_related("event", "endpoint").get(), Attempt.objects.get()
    endpoint.secrets.update(retires_at=attempt.started_at - dt.timedelta(seconds=1))

    assert sent_headers(delivery, attempt) == {}
