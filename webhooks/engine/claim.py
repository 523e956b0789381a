"""Whose turn it is. Fair, not first-in-first-out: due endpoints take turns, each with a few deliveries at a time, so that
one with a hundred thousand waiting, or one that hangs, delays nobody else.
"""

import datetime as dt
import uuid
from collections import Counter
from dataclasses import dataclass

import orjson
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q

from common.signing import decrypt
from webhooks.models import Delivery, Endpoint, EndpointSecret

ENDPOINTS_AT_ONCE = 50
IN_FLIGHT_PER_ENDPOINT = 8
IN_FLIGHT_PER_ORGANIZATION = 32

_FRESH, _RETRY, _REPLAY = Delivery.Lane.FRESH, Delivery.Lane.RETRY, Delivery.Lane.REPLAY
# Which lane is served first, by an endpoint's turns: of eight, retries lead two and replays one.
_LANES = (
    (_FRESH, _RETRY, _REPLAY),
    (_FRESH, _RETRY, _REPLAY),
    (_RETRY, _FRESH, _REPLAY),
    (_FRESH, _RETRY, _REPLAY),
    (_REPLAY, _FRESH, _RETRY),
    (_FRESH, _RETRY, _REPLAY),
    (_RETRY, _FRESH, _REPLAY),
    (_FRESH, _RETRY, _REPLAY),
)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is ours to send until its lease runs out, with all that sending needs."""

    pk: int
    token: uuid.UUID
    attempt: int
    is_probe: bool
    delivery_id: str
    event_id: str
    event_type: str
    is_redelivery: bool
    url: str
    body: bytes
    headers: dict[str, str]
    secrets: list[str]


@transaction.atomic
def claim(limit: int) -> list[Claimed]:
    """Up to `limit` due deliveries, leased. Several workers may claim at once: endpoints that one looks at, the others skip."""
    endpoints = _due_endpoints(database_now())
    if not endpoints:
        return []
    # Read behind the endpoints' locks: what another claimer has just taken is counted.
    now, leased, per_organization = database_now(), _leased_by("endpoint"), _leased_by("organization")
    found: list[Claimed] = []
    for endpoint in endpoints:
        is_probe = endpoint.breaker_opens > 0
        free = 1 - leased[endpoint.pk] if is_probe else IN_FLIGHT_PER_ENDPOINT - leased[endpoint.pk]
        free = min(free, IN_FLIGHT_PER_ORGANIZATION - per_organization[endpoint.organization_id], limit - len(found))
        free = min(free, int(_tokens(endpoint, now)))
        if free <= 0:
            continue
        taken = _take(endpoint, free, now=now, is_probe=is_probe)
        found += taken
        per_organization[endpoint.organization_id] += len(taken)
        endpoint.tokens, endpoint.tokens_at = _tokens(endpoint, now) - len(taken), now
        endpoint.claimed_at, endpoint.turns = now, (endpoint.turns + 1) % len(_LANES)
        endpoint.save(update_fields=["tokens", "tokens_at", "claimed_at", "turns"])
    return found


def _leased_by(field: str) -> Counter[int]:
    return Counter(Delivery.objects.filter(state=Delivery.State.LEASED).values_list(field, flat=True))


def _due_endpoints(now: dt.datetime) -> list[Endpoint]:
    """Those longest without a turn first, locked."""
    due = Delivery.objects.waiting().filter(endpoint=OuterRef("pk"), due_at__lte=now)
    ready = Endpoint.objects.filter(Q(resting_until=None) | Q(resting_until__lte=now), Exists(due), status=Endpoint.Status.ACTIVE)
    turns = ready.order_by("claimed_at").select_for_update(skip_locked=True, no_key=True)
    # PostgreSQL sorts nulls last; an endpoint that never had a turn is the most urgent.
    return sorted(turns[:ENDPOINTS_AT_ONCE], key=lambda endpoint: (endpoint.claimed_at is not None, endpoint.claimed_at or now))


def _tokens(endpoint: Endpoint, now: dt.datetime) -> float:
    """What the bucket holds: it fills by the rate, up to the burst."""
    if endpoint.tokens_at is None:
        return settings.WEBHOOK_BURST
    filled = endpoint.tokens + max(0.0, (now - endpoint.tokens_at).total_seconds()) * settings.WEBHOOK_RATE_PER_SECOND
    return min(float(settings.WEBHOOK_BURST), filled)


def _take(endpoint: Endpoint, limit: int, *, now: dt.datetime, is_probe: bool) -> list[Claimed]:
    """Lease deliveries lane by lane. The endpoint's lock keeps other claimers away from them."""
    chosen: list[Delivery] = []
    for lane in _LANES[endpoint.turns % len(_LANES)]:
        due = Delivery.objects.waiting().filter(endpoint=endpoint, lane=lane, due_at__lte=now).order_by("due_at", "pk")
        chosen += due.select_related("event").select_for_update(of=("self",), skip_locked=True)[: limit - len(chosen)]
        if len(chosen) >= limit:
            break
    if not chosen:
        return []
    token = uuid.uuid4()
    Delivery.objects.filter(pk__in=[delivery.pk for delivery in chosen]).update(
        state=Delivery.State.LEASED,
        lease_token=token,
        lease_expires_at=now + dt.timedelta(seconds=settings.WEBHOOK_LEASE_SECONDS),
    )
    secrets = [decrypt(secret.encrypted) for secret in EndpointSecret.objects.filter(endpoint=endpoint).live(now)]
    headers = orjson.loads(decrypt(endpoint.headers)) if endpoint.headers else {}
    return [
        Claimed(
            pk=delivery.pk,
            token=token,
            attempt=delivery.attempts + 1,
            is_probe=is_probe,
            delivery_id=delivery.public_id,
            event_id=delivery.event.public_id,
            event_type=delivery.event.type,
            is_redelivery=delivery.lane == Delivery.Lane.REPLAY,
            url=endpoint.url,
            body=delivery.event.body.encode(),
            headers=headers,
            secrets=secrets,
        )
        for delivery in chosen
    ]


def database_now() -> dt.datetime:
    """The clock that all workers share."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: dt.datetime = cursor.fetchone()[0]
    return now
