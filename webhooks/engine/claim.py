"""Whose turn it is. Fair, not first-in-first-out: due endpoints take turns, each with a few deliveries at a time, so that
one with a hundred thousand waiting, or one that hangs, delays nobody else.
"""

import datetime as dt
import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import NamedTuple

import orjson
from django.conf import settings
from django.db import connection, transaction

from common.signing import decrypt
from webhooks.engine.rows import update_rows
from webhooks.models import Delivery, Endpoint, EndpointSecret

ENDPOINTS_AT_ONCE = 50
IN_FLIGHT_PER_ENDPOINT = 8
IN_FLIGHT_PER_ORGANIZATION = 32
REFILL_SECONDS = 0.2  # of its rate at a time, once an endpoint is at it: one by one, each would be claimed and recorded alone

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
    endpoint_pk: int
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

    1. Lock the endpoints whose turn it is, and their organizations. 2. Say how many each may have. 3. Choose and lease, lane
    by lane. The number of statements does not depend on how many endpoints there are.
    """
    endpoints = _of_free_organizations(_due_endpoints())
    if not endpoints:
        return []
    now, leased, per_organization = _in_flight()  # behind the locks, so that what another claimer has just taken counts
    allowances = _allowances(endpoints, limit, leased, per_organization, now)
    if not allowances:
        return []
    token = uuid.uuid4()
    taken = _lease(allowances, token, now)
    _note_turns(endpoints, Counter(row.endpoint for row in taken), now)
    return _claimed(taken, {endpoint.pk: endpoint for endpoint in endpoints}, token, now)


def _allowances(
    endpoints: list[Endpoint], limit: int, leased: Counter[int], per_organization: Counter[int], now: dt.datetime
) -> list[tuple[Endpoint, int]]:
    """How many deliveries each endpoint may have now: by its own and its organization's share, its rate and its health."""
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


class Leased(NamedTuple):
    """A delivery just leased, and its event's part of the request."""

    due_at: dt.datetime
    pk: int
    endpoint: int
    attempts: int
    lane: str
    delivery_id: str
    event_id: str
    event_type: str
    body: str


_DUE = """
    (SELECT id, {turn} AS turn, due_at FROM webhooks_delivery
     WHERE endpoint_id = wanted.endpoint AND lane = wanted.lane{turn} AND state IN ('pending', 'scheduled') AND due_at <= %s
     ORDER BY due_at, id LIMIT wanted.free)"""
# However old the planner's statistics are, this must not wade through another tenant's thousands. The choice is made once, as an
# array; its order is an index's own; and whether a chosen one still waits is asked in words that no index answers.
_LEASE = f"""
UPDATE webhooks_delivery AS delivery SET state = 'leased', lease_token = %s, lease_expires_at = %s
FROM webhooks_event AS event
WHERE event.id = delivery.event_id
AND delivery.lease_token IS NULL AND delivery.finished_at IS NULL AND delivery.state <> 'held' AND delivery.id = ANY(ARRAY(
    SELECT first.id
    FROM unnest(%s::bigint[], %s::int[], %s::text[], %s::text[], %s::text[]) AS wanted(endpoint, free, lane1, lane2, lane3)
    CROSS JOIN LATERAL (
        SELECT id FROM ({" UNION ALL ".join(_DUE.format(turn=turn) for turn in (1, 2, 3))}) AS due
        ORDER BY turn, due_at, id LIMIT wanted.free
    ) AS first
))
RETURNING delivery.due_at, delivery.id, delivery.endpoint_id, delivery.attempts, delivery.lane, delivery.public_id,
          event.public_id, event.type, event.body
"""  # noqa: S608 - nothing but our own text


def _lease(allowances: list[tuple[Endpoint, int]], token: uuid.UUID, now: dt.datetime) -> list[Leased]:
    """The due deliveries that come first, lane by lane. The endpoints' locks keep other claimers away from them."""
    rows = [(endpoint.pk, free, *map(str, _LANES[endpoint.turns % len(_LANES)])) for endpoint, free in allowances]
    columns = [list(column) for column in zip(*rows, strict=True)]
    expires_at = now + dt.timedelta(seconds=settings.WEBHOOK_LEASE_SECONDS)
    with connection.cursor() as cursor:
        cursor.execute(_LEASE, [token, expires_at, *columns, now, now, now])
        return sorted(Leased(*row) for row in cursor.fetchall())


def _note_turns(endpoints: list[Endpoint], taken: Counter[int], now: dt.datetime) -> None:
    served = [endpoint for endpoint in endpoints if taken[endpoint.pk]]
    for endpoint in served:
        endpoint.tokens, endpoint.tokens_at = _tokens(endpoint, now) - taken[endpoint.pk], now
        endpoint.claimed_at, endpoint.turns = now, (endpoint.turns + 1) % len(_LANES)
    update_rows(Endpoint, served, ["tokens", "tokens_at", "claimed_at", "turns"])


def _claimed(taken: list[Leased], endpoints: dict[int, Endpoint], token: uuid.UUID, now: dt.datetime) -> list[Claimed]:
    """With all that sending needs; what is secret is decrypted once for each endpoint."""
    secrets: dict[int, list[str]] = defaultdict(list)
    owners = {row.endpoint for row in taken}
    for owner, encrypted in EndpointSecret.objects.filter(endpoint__in=owners).live(now).values_list("endpoint", "encrypted"):
        secrets[owner].append(decrypt(encrypted))
    headers = {pk: orjson.loads(decrypt(endpoints[pk].headers)) if endpoints[pk].headers else {} for pk in owners}
    return [
        Claimed(
            pk=row.pk,
            endpoint_pk=row.endpoint,
            token=token,
            attempt=row.attempts + 1,
            is_probe=endpoints[row.endpoint].breaker_opens > 0,
            delivery_id=row.delivery_id,
            event_id=row.event_id,
            event_type=row.event_type,
            is_redelivery=row.lane == _REPLAY,
            url=endpoints[row.endpoint].url,
            body=row.body.encode(),
            headers=headers[row.endpoint],
            secrets=secrets[row.endpoint],
        )
        for row in taken
    ]


_CLAIMING = 1_818_386_797  # the first half of this advisory lock's name; any number that nothing else here uses
_TRY_ORGANIZATIONS = """
SELECT id FROM unnest(%s::bigint[]) AS id WHERE pg_try_advisory_xact_lock(%s, (id %% 2147483647)::int)
"""
# It does not wait for the disk either: a lease that a crash of PostgreSQL undoes is taken again, and what was in flight then may
# arrive twice, as it may whenever something crashes. The wait would be longer than all else that claiming does.
_IN_FLIGHT = """
SELECT set_config('synchronous_commit', 'off', true), clock_timestamp(), leased.* FROM (VALUES (1)) AS always LEFT JOIN (
    SELECT endpoint_id, organization_id, count(*) FROM webhooks_delivery WHERE state = 'leased' GROUP BY 1, 2
) AS leased ON true
"""


def _in_flight() -> tuple[dt.datetime, Counter[int], Counter[int]]:
    """The time, and how many deliveries are under way to each endpoint and for each organization."""
    endpoints, organizations = Counter[int](), Counter[int]()
    with connection.cursor() as cursor:
        cursor.execute(_IN_FLIGHT)
        for _, now, endpoint, organization, count in cursor.fetchall():  # noqa: B007 - at least one row, the same time in all
            if endpoint is not None:
                endpoints[endpoint] += count
                organizations[organization] += count
    return now, endpoints, organizations


# Endpoints that can take nothing now are not looked at: were they locked and read first, fifty that hang would be all that is
# ever looked at. What is leased is counted again behind the locks.
_READY = """
WITH leased AS MATERIALIZED (
    SELECT endpoint_id, organization_id, count(*) AS number FROM webhooks_delivery WHERE state = 'leased' GROUP BY 1, 2
)
SELECT * FROM webhooks_endpoint AS endpoint
WHERE status = 'active' AND (resting_until IS NULL OR resting_until <= statement_timestamp())
AND (tokens_at IS NULL OR tokens + greatest(0, extract(epoch FROM statement_timestamp() - tokens_at)) * %s >= %s)
AND NOT EXISTS (SELECT FROM leased WHERE endpoint_id = endpoint.id AND number >= CASE WHEN breaker_opens > 0 THEN 1 ELSE %s END)
AND organization_id NOT IN (SELECT organization_id FROM leased GROUP BY 1 HAVING sum(number) >= %s)
AND EXISTS (
    SELECT FROM unnest(ARRAY['fresh', 'retry', 'replay']) AS wanted(lane) CROSS JOIN LATERAL (
        SELECT id FROM webhooks_delivery
        WHERE endpoint_id = endpoint.id AND lane = wanted.lane AND state IN ('pending', 'scheduled')
        AND due_at <= statement_timestamp() ORDER BY due_at, id LIMIT 1
    ) AS first
)
ORDER BY claimed_at NULLS FIRST LIMIT %s FOR NO KEY UPDATE OF endpoint SKIP LOCKED
"""


def _due_endpoints() -> list[Endpoint]:
    """Those longest without a turn first, locked. An endpoint that never had a turn is the most urgent."""
    rate, burst = settings.WEBHOOK_RATE_PER_SECOND, settings.WEBHOOK_BURST
    refilled = max(1.0, min(rate * REFILL_SECONDS, burst, IN_FLIGHT_PER_ENDPOINT))
    return list(
        Endpoint.objects.raw(_READY, [rate, refilled, IN_FLIGHT_PER_ENDPOINT, IN_FLIGHT_PER_ORGANIZATION, ENDPOINTS_AT_ONCE])
    )


def _of_free_organizations(endpoints: list[Endpoint]) -> list[Endpoint]:
    """Those for whose organization no other worker is claiming now: two that count at once would pass the organization's cap."""
    with connection.cursor() as cursor:
        cursor.execute(_TRY_ORGANIZATIONS, [list({endpoint.organization_id for endpoint in endpoints}), _CLAIMING])
        free = {row[0] for row in cursor.fetchall()}
    return [endpoint for endpoint in endpoints if endpoint.organization_id in free]


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
