"""Whose turn it is. Fair, not first-in-first-out: due endpoints take turns, each with a few deliveries at a time, so that
one with a hundred thousand waiting, or one that hangs, delays nobody else.
"""

import datetime as dt
import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass

import orjson
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q

from common.signing import decrypt
from webhooks.engine.rows import update_rows
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
    """Up to `limit` due deliveries, leased. Several workers may claim at once: endpoints that one looks at, the others skip.

    1. Lock the endpoints whose turn it is. 2. Say how many each may have. 3. Choose and lease, lane by lane. The number of
    statements does not depend on how many endpoints there are.
    """
    endpoints = _due_endpoints(database_now())
    if not endpoints:
        return []
    now = database_now()  # read behind the endpoints' locks, as is what another claimer has just taken
    chosen = _choose(_allowances(endpoints, limit, now), now)
    if not chosen:
        return []
    token = uuid.uuid4()
    Delivery.objects.filter(pk__in=chosen).update(
        state=Delivery.State.LEASED,
        lease_token=token,
        lease_expires_at=now + dt.timedelta(seconds=settings.WEBHOOK_LEASE_SECONDS),
    )
    taken = list(Delivery.objects.filter(pk__in=chosen).select_related("event").order_by("due_at", "pk"))
    _note_turns(endpoints, Counter(delivery.endpoint_id for delivery in taken), now)
    return _claimed(taken, {endpoint.pk: endpoint for endpoint in endpoints}, token, now)


def _allowances(endpoints: list[Endpoint], limit: int, now: dt.datetime) -> list[tuple[Endpoint, int]]:
    """How many deliveries each endpoint may have now: by its own and its organization's share, its rate and its health."""
    leased, per_organization = _leased_by("endpoint"), _leased_by("organization")
    found = []
    for endpoint in endpoints:
        own = 1 if endpoint.breaker_opens else IN_FLIGHT_PER_ENDPOINT  # a half-open breaker lets one probe through
        shared = IN_FLIGHT_PER_ORGANIZATION - per_organization[endpoint.organization_id]
        free = min(own - leased[endpoint.pk], shared, limit, int(_tokens(endpoint, now)))
        if free > 0:
            found.append((endpoint, free))
            limit -= free
            per_organization[endpoint.organization_id] += free
    return found


_DUE = """
    (SELECT id, {turn} AS turn, due_at FROM webhooks_delivery
     WHERE endpoint_id = wanted.endpoint AND lane = wanted.lane{turn} AND state IN ('pending', 'scheduled') AND due_at <= %s
     ORDER BY due_at, id LIMIT wanted.free)"""
_CHOOSE = f"""
SELECT chosen.id
FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::text[], %s::text[]) AS wanted(endpoint, free, lane1, lane2, lane3)
CROSS JOIN LATERAL (
    SELECT id FROM ({" UNION ALL ".join(_DUE.format(turn=turn) for turn in (1, 2, 3))}) AS due
    ORDER BY turn, due_at, id LIMIT wanted.free
) AS chosen
"""  # noqa: S608 - nothing but our own text


def _choose(allowances: list[tuple[Endpoint, int]], now: dt.datetime) -> list[int]:
    """The keys of the due deliveries that come first, lane by lane. The endpoints' locks keep other claimers away from them."""
    if not allowances:
        return []
    rows = [(endpoint.pk, free, *map(str, _LANES[endpoint.turns % len(_LANES)])) for endpoint, free in allowances]
    columns = zip(*rows, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(_CHOOSE, [*(list(column) for column in columns), now, now, now])
        return [row[0] for row in cursor.fetchall()]


def _note_turns(endpoints: list[Endpoint], taken: Counter[int], now: dt.datetime) -> None:
    served = [endpoint for endpoint in endpoints if taken[endpoint.pk]]
    for endpoint in served:
        endpoint.tokens, endpoint.tokens_at = _tokens(endpoint, now) - taken[endpoint.pk], now
        endpoint.claimed_at, endpoint.turns = now, (endpoint.turns + 1) % len(_LANES)
    update_rows(Endpoint, served, ["tokens", "tokens_at", "claimed_at", "turns"])


def _claimed(taken: list[Delivery], endpoints: dict[int, Endpoint], token: uuid.UUID, now: dt.datetime) -> list[Claimed]:
    """With all that sending needs; what is secret is decrypted once for each endpoint."""
    secrets: dict[int, list[str]] = defaultdict(list)
    owners = {delivery.endpoint_id for delivery in taken}
    for secret in EndpointSecret.objects.filter(endpoint__in=owners).live(now):
        secrets[secret.endpoint_id].append(decrypt(secret.encrypted))
    headers = {pk: orjson.loads(decrypt(endpoints[pk].headers)) if endpoints[pk].headers else {} for pk in owners}
    return [
        Claimed(
            pk=delivery.pk,
            token=token,
            attempt=delivery.attempts + 1,
            is_probe=endpoints[delivery.endpoint_id].breaker_opens > 0,
            delivery_id=delivery.public_id,
            event_id=delivery.event.public_id,
            event_type=delivery.event.type,
            is_redelivery=delivery.lane == Delivery.Lane.REPLAY,
            url=endpoints[delivery.endpoint_id].url,
            body=delivery.event.body.encode(),
            headers=headers[delivery.endpoint_id],
            secrets=secrets[delivery.endpoint_id],
        )
        for delivery in taken
    ]


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


def database_now() -> dt.datetime:
    """The clock that all workers share."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: dt.datetime = cursor.fetchone()[0]
    return now
