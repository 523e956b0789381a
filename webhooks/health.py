"""How endpoints are doing, for their owners: read from the newest deliveries, so that the answer costs the same however many
there are.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Count, Q
from django.utils import timezone

from organizations.actor import Actor
from webhooks.engine.record import LEASE_EXPIRED
from webhooks.models import Delivery, Endpoint

WINDOW = dt.timedelta(hours=24)
SAMPLED = 100  # deliveries of an endpoint, the newest that were tried
COUNT_AT_MOST = 1_000  # rows of an endpoint that are looked at; a person needs no exact number beyond
COUNTED = 10_000  # deliveries of an organization, the newest


@dataclass(frozen=True, slots=True)
class Health:
    """Of an endpoint's newest deliveries that were tried, at most SAMPLED within WINDOW: how many, how many of them have arrived,
    what 95 of 100 attempts stayed below, and the last failure; and what waits or is held, counted up to COUNT_AT_MOST.
    """

    tried: int = 0
    succeeded: int = 0
    p95_seconds: float | None = None
    failure: str = ""
    failure_status: int | None = None
    failed_at: dt.datetime | None = None
    next_attempt_at: dt.datetime | None = None
    waiting: int = 0
    held: int = 0
    oldest_held_at: dt.datetime | None = None

    @property
    def rate(self) -> float | None:
        """The share that has arrived, 0 to 1; None when nothing was tried."""
        return self.succeeded / self.tried if self.tried else None

    @property
    def percent(self) -> int | None:
        """Rounded down: 99.6 % is not all."""
        return None if self.rate is None else int(self.rate * 100)

    @property
    def percent_text(self) -> str:
        return "" if self.percent is None else f"{self.percent} %"

    @property
    def count_text(self) -> str:
        return f"{self.succeeded} of {self.tried}"


# Each inner question is answered from the front of an index and stops at its limit.
_HEALTH = """
SELECT wanted.id, recent.tried, recent.succeeded, speed.p95, failed.failure, failed.status_code, failed.started_at,
       next.due_at, waiting.number, held.number, oldest.occurred_at
FROM unnest(%(endpoints)s::bigint[]) AS wanted(id)
CROSS JOIN LATERAL (
    SELECT array_agg(id) AS ids, count(*) AS tried, count(*) FILTER (WHERE state = 'succeeded') AS succeeded FROM (
        SELECT id, state FROM (
            SELECT id, attempts, state, created_at FROM webhooks_delivery
            WHERE endpoint_id = wanted.id AND created_at >= %(since)s ORDER BY created_at DESC LIMIT %(most)s
        ) AS newest WHERE attempts > 0 ORDER BY created_at DESC LIMIT %(sampled)s
    ) AS sampled
) AS recent
CROSS JOIN LATERAL (
    SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds) AS p95 FROM webhooks_attempt
    WHERE delivery_id = ANY(recent.ids) AND failure <> %(lease_expired)s
) AS speed
LEFT JOIN LATERAL (
    SELECT failure, status_code, started_at FROM webhooks_attempt
    WHERE delivery_id = ANY(recent.ids) AND failure NOT IN ('', %(lease_expired)s) ORDER BY started_at DESC LIMIT 1
) AS failed ON true
LEFT JOIN LATERAL (
    SELECT min(first.due_at) AS due_at FROM unnest(ARRAY['fresh', 'retry', 'replay']) AS lane(name) CROSS JOIN LATERAL (
        SELECT due_at FROM webhooks_delivery
        WHERE endpoint_id = wanted.id AND lane = lane.name AND state IN ('pending', 'scheduled') ORDER BY due_at, id LIMIT 1
    ) AS first
) AS next ON true
CROSS JOIN LATERAL (
    SELECT count(*) AS number FROM (
        SELECT FROM webhooks_delivery WHERE endpoint_id = wanted.id AND state IN ('pending', 'scheduled') LIMIT %(most)s
    ) AS counted
) AS waiting
CROSS JOIN LATERAL (
    SELECT count(*) AS number FROM (
        SELECT FROM webhooks_delivery WHERE endpoint_id = wanted.id AND state = 'held' LIMIT %(most)s
    ) AS counted
) AS held
LEFT JOIN LATERAL (
    SELECT occurred_at FROM webhooks_delivery AS delivery JOIN webhooks_event AS event ON event.id = delivery.event_id
    WHERE delivery.endpoint_id = wanted.id AND delivery.state = 'held' ORDER BY delivery.created_at LIMIT 1
) AS oldest ON true
"""


def health_of(endpoints: Collection[Endpoint]) -> dict[int, Health]:
    """By the endpoints' keys. One query."""
    asked: dict[str, Any] = {
        "endpoints": [endpoint.pk for endpoint in endpoints],
        "since": timezone.now() - WINDOW,
        "sampled": SAMPLED,
        "most": COUNT_AT_MOST,
        "lease_expired": LEASE_EXPIRED,
    }
    with connection.cursor() as cursor:
        cursor.execute(_HEALTH, asked)
        return {
            pk: Health(tried, arrived, p95, failure or "", *rest) for pk, tried, arrived, p95, failure, *rest in cursor.fetchall()
        }


def delivered_lately(actor: Actor) -> tuple[int, int]:
    """How many of the organization's newest deliveries within WINDOW, at most COUNTED, have arrived, and how many have failed
    at least once and not arrived yet.
    """
    newest = Delivery.objects.visible_to(actor).filter(created_at__gte=timezone.now() - WINDOW)
    arrived = Q(state=Delivery.State.SUCCEEDED)
    counts = newest.order_by("-created_at", "-pk")[:COUNTED].aggregate(
        arrived=Count("pk", filter=arrived), failed=Count("pk", filter=~arrived & ~Q(failure="") & Q(attempts__gt=0))
    )
    return counts["arrived"], counts["failed"]


def has_delivered(actor: Actor) -> bool:
    """Whether one of the organization's newest deliveries, at most COUNTED, has arrived."""
    newest = Delivery.objects.visible_to(actor).order_by("-created_at", "-pk").values("pk")[:COUNTED]
    return Delivery.objects.filter(pk__in=newest, state=Delivery.State.SUCCEEDED).exists()
