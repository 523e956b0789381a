"""`GET /metrics`: for who has the token, read from the tables."""

import datetime as dt
from collections import defaultdict
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from tests.cast import Api, Player
from webhooks.engine import drain
from webhooks.engine.relay import relay
from webhooks.models import Attempt, Delivery, Endpoint, Event
from webhooks.services import pause_endpoint, ping
from webhooks.tests.conftest import Receiver

TOKEN = "a token of some length"


@pytest.fixture(autouse=True)
def environment(settings: Any) -> None:
    settings.WEBHOOK_ALLOW_LOOPBACK = True
    settings.METRICS_TOKEN = TOKEN


def scrape() -> dict[str, dict[str, float]]:
    """{name without its prefix: {label's value: number}}."""
    answer = Client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=")
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for family in text_string_to_metric_families(answer.content.decode()):
        for sample in family.samples:
            found[sample.name.removeprefix("bookingflow_webhook_")]["".join(sample.labels.values())] = sample.value
    return found


@pytest.mark.parametrize(
    ("token", "authorization"),
    [
        ("", ""),
        ("", "Bearer "),
        (TOKEN, ""),
        (TOKEN, TOKEN),
        (TOKEN, "Bearer other"),
        (TOKEN, "Bearer ü"),
        (TOKEN, f"Basic {TOKEN}"),
    ],
)
def test_without_the_token_there_is_no_such_page(plans: None, settings: Any, token: str, authorization: str) -> None:
    settings.METRICS_TOKEN = token

    answer = Client().get("/metrics", headers={"Authorization": authorization})

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_quiet_service_tells_zeros(plans: None) -> None:
    assert scrape() == {
        "oldest_due_seconds": {"fresh": 0, "retry": 0, "replay": 0},
        "held_deliveries": {"": 0},
        "unrelayed_events": {"": 0},
        "attempts_5m": {"": 0},
        "lease_expiries_5m": {"": 0},
    }


def test_the_oldest_due_delivery_is_told_by_lane_resting_endpoints_included(alice: Player, endpoint: Endpoint) -> None:
    for _ in range(3):
        ping(endpoint=endpoint, by=alice.actor)
    relay()
    for pk, lane, seconds in zip(
        Delivery.objects.values_list("pk", flat=True), ["fresh", "fresh", "retry"], [30, 90, -90], strict=True
    ):
        Delivery.objects.filter(pk=pk).update(lane=lane, due_at=timezone.now() - dt.timedelta(seconds=seconds))
    Endpoint.objects.update(resting_until=timezone.now() + dt.timedelta(hours=1))

    assert scrape()["oldest_due_seconds"] == {"fresh": pytest.approx(90, abs=5), "retry": 0, "replay": 0}
    assert Api().get("/status").json()["webhook_lag_seconds"] == pytest.approx(90, abs=5)


def test_what_no_worker_has_relayed_counts_as_lag(alice: Player, endpoint: Endpoint) -> None:
    assert Api().get("/status").json()["webhook_lag_seconds"] == 0
    ping(endpoint=endpoint, by=alice.actor)
    Event.objects.update(occurred_at=timezone.now() - dt.timedelta(seconds=60))

    assert scrape()["unrelayed_events"] == {"": 1}
    assert Api().get("/status").json()["webhook_lag_seconds"] == pytest.approx(60, abs=5)


def test_held_deliveries_are_counted(alice: Player, endpoint: Endpoint) -> None:
    ping(endpoint=endpoint, by=alice.actor)
    pause_endpoint(endpoint=endpoint, by=alice.actor)
    relay()

    assert scrape()["held_deliveries"] == {"": 1}


def test_attempts_are_told_by_failure_and_expired_leases_by_themselves(
    alice: Player, endpoint: Endpoint, receiver: Receiver
) -> None:
    answers = iter([200, 500, 302])
    receiver.answer = lambda request: (next(answers), {}, b"")
    for _ in range(3):
        ping(endpoint=endpoint, by=alice.actor)
    drain()
    delivery = Delivery.objects.first()
    assert delivery is not None
    fields = {"delivery": delivery, "endpoint": endpoint, "number": 2, "seconds": 0}
    Attempt.objects.create(**fields, started_at=timezone.now(), failure="lease_expired")
    Attempt.objects.create(**fields, started_at=timezone.now() - dt.timedelta(minutes=6), failure="dns")

    found = scrape()

    assert found["attempts_5m"] == {"": 1, "http": 1, "redirect": 1}
    assert found["lease_expiries_5m"] == {"": 1}


def test_the_time_from_a_change_to_the_first_byte_is_that_of_first_attempts(
    alice: Player, endpoint: Endpoint, receiver: Receiver
) -> None:
    for _ in range(4):
        ping(endpoint=endpoint, by=alice.actor)
    drain()
    assert scrape()["first_byte_seconds"]["0.95"] < 5
    assert None not in Attempt.objects.values_list("first_byte_seconds", flat=True)
    now, keys = timezone.now(), list(Attempt.objects.order_by("pk").values_list("pk", flat=True))
    Event.objects.update(occurred_at=now - dt.timedelta(seconds=2))
    Attempt.objects.update(started_at=now, first_byte_seconds=0.25)
    Attempt.objects.filter(pk=keys[0]).update(first_byte_seconds=8)
    Attempt.objects.filter(pk=keys[1]).update(first_byte_seconds=1_000, number=2)
    held = Attempt.objects.get(pk=keys[2])
    Attempt.objects.filter(pk=held.pk).update(first_byte_seconds=2_000)
    Delivery.objects.filter(pk=held.delivery_id).update(created_at=now - dt.timedelta(hours=3))

    assert scrape()["first_byte_seconds"] == {
        "0.5": pytest.approx((2.25 + 10) / 2),
        "0.95": pytest.approx(2.25 + 0.95 * 7.75),
    }


def test_a_scrape_asks_a_fixed_number_of_questions(alice: Player, endpoint: Endpoint) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            scrape()
        return len(captured)

    few = queries()
    for _ in range(20):
        ping(endpoint=endpoint, by=alice.actor)
    relay()

    assert queries() == few <= 12
