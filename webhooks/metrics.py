"""How the engine is doing, read from the tables at the moment of asking: so every process tells the same."""

import datetime as dt
from collections.abc import Iterable, Iterator

from django.db import connection, transaction
from django.db.models import Count
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from webhooks.engine.claim import database_now
from webhooks.engine.record import LEASE_EXPIRED
from webhooks.models import Attempt, Delivery, Event

WINDOW = dt.timedelta(minutes=5)
COUNT_AT_MOST = 100_000  # rows; a monitor needs no exact number beyond
SAMPLED = 10_000  # first attempts, the newest, of which quantiles are taken
SECONDS = 5  # a statement that takes longer is given up

# Deliveries that were held at first, or taken back from a worker, were late for reasons of their own.
_FIRST_BYTES = """
SELECT percentile_cont(ARRAY[0.5, 0.95]) WITHIN GROUP (ORDER BY waited) FROM (
    SELECT extract(epoch FROM attempt.started_at - event.occurred_at) + attempt.first_byte_seconds AS waited
    FROM webhooks_attempt attempt
    JOIN webhooks_delivery delivery ON delivery.id = attempt.delivery_id
    JOIN webhooks_event event ON event.id = delivery.event_id
    WHERE attempt.started_at >= %s AND attempt.number = 1 AND attempt.first_byte_seconds IS NOT NULL
      AND delivery.lane <> 'replay' AND delivery.replay_id IS NULL
      AND (delivery.lane = 'retry' OR delivery.due_at <= delivery.created_at + interval '1 minute')
    ORDER BY attempt.started_at DESC LIMIT %s
) newest
"""


def metrics_text() -> bytes:
    """Everything, as Prometheus reads it."""
    registry = CollectorRegistry()
    registry.register(WebhookCollector())
    return generate_latest(registry)


def lag_seconds() -> float:
    """For how long the oldest news that could go out has been waiting, whatever it waits for; 0 when none does."""
    now = database_now()
    first = Event.objects.filter(sequence=None).order_by("occurred_at").values_list("occurred_at", flat=True).first()
    unrelayed = [first] if first else []
    return max((_age(since, now) for since in [*unrelayed, *_oldest_due(now).values()]), default=0.0)


class WebhookCollector(Collector):
    """Every question is answered by an index or stops at a limit: a scrape costs milliseconds, however much is waiting."""

    def describe(self) -> Iterable[Metric]:
        return []  # registering asks nothing of the database

    def collect(self) -> Iterator[Metric]:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = '{SECONDS}s'")
            now = database_now()
            found = [*_waiting(now), *_recent(now - WINDOW)]
        yield from found


def _waiting(now: dt.datetime) -> Iterator[Metric]:
    oldest = _oldest_due(now)
    ages = _gauge("oldest_due_seconds", "Age of the oldest delivery that is due, resting endpoints included.", "lane")
    for lane in Delivery.Lane.values:
        ages.add_metric([lane], _age(oldest[lane], now) if lane in oldest else 0.0)
    yield ages
    held = Delivery.objects.filter(state=Delivery.State.HELD)[:COUNT_AT_MOST].count()
    yield _gauge("held_deliveries", f"Deliveries that wait for their endpoint to be enabled; {COUNT_AT_MOST} at most.", held)
    unrelayed = Event.objects.filter(sequence=None)[:COUNT_AT_MOST].count()
    yield _gauge("unrelayed_events", f"Events without a number and deliveries yet; {COUNT_AT_MOST} at most.", unrelayed)


def _recent(since: dt.datetime) -> Iterator[Metric]:
    counts = dict(Attempt.objects.filter(started_at__gte=since).order_by().values_list("failure").annotate(Count("pk")))
    expired = counts.pop(LEASE_EXPIRED, 0)
    attempts = _gauge("attempts_5m", "Attempts begun in the last five minutes; failure is empty after a 2xx.", "failure")
    for failure, count in sorted({"": 0, **counts}.items()):
        attempts.add_metric([failure], count)
    yield attempts
    yield _gauge("lease_expiries_5m", "Deliveries taken back from vanished workers in the last five minutes.", expired)
    with connection.cursor() as cursor:
        cursor.execute(_FIRST_BYTES, [since, SAMPLED])
        quantiles = cursor.fetchone()[0]
    first_byte = _gauge("first_byte_seconds", "From a change to its receiver's first byte, in the last five minutes.", "quantile")
    for name, value in zip(("0.5", "0.95"), quantiles or [], strict=False):
        first_byte.add_metric([name], float(value))
    yield first_byte


def _gauge(name: str, help: str, value: str | float) -> GaugeMetricFamily:
    """Of one value, or, given a label's name, of several to come."""
    name = f"bookingflow_webhook_{name}"
    return GaugeMetricFamily(name, help, labels=[value]) if isinstance(value, str) else GaugeMetricFamily(name, help, value=value)


def _oldest_due(now: dt.datetime) -> dict[str, dt.datetime]:
    """Since when the first delivery of each lane has been due. One look into an index for each."""
    found = {}
    for lane in Delivery.Lane.values:
        due = Delivery.objects.waiting().filter(lane=lane, due_at__lte=now).order_by("due_at").values_list("due_at", flat=True)
        if since := due.first():
            found[lane] = since
    return found


def _age(since: dt.datetime, now: dt.datetime) -> float:
    return max(0.0, (now - since).total_seconds())
