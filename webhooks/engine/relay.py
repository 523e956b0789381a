"""From committed events to deliveries. Numbers are given here, after the commit, without gaps per organization."""

from typing import NamedTuple

from django.db import connection, transaction

from webhooks.engine.rows import insert_rows
from webhooks.models import Delivery, Endpoint, EventCounter

EVENTS_AT_ONCE = 200  # shared by the organizations that have news, so that nobody waits for another's thousands
AT_MOST_EACH = 50
PLENTY = 200  # deliveries waiting for an endpoint, which lasts for seconds at the default rate: more of them hurry nobody

# A loose index scan: one probe for each organization that has news, however much it has. News is a backlog if it is more than
# one turn's, and no endpoint that would take the next of it is short of deliveries. Neither look goes further than it has to.
_NEWS = """
WITH RECURSIVE waiting AS (
    (SELECT organization_id FROM webhooks_event WHERE sequence IS NULL ORDER BY organization_id LIMIT 1)
    UNION ALL
    SELECT (SELECT event.organization_id FROM webhooks_event event
            WHERE event.sequence IS NULL AND event.organization_id > waiting.organization_id
            ORDER BY event.organization_id LIMIT 1)
    FROM waiting WHERE waiting.organization_id IS NOT NULL
)
SELECT organization_id, EXISTS (
    SELECT FROM (SELECT id FROM webhooks_event event
                 WHERE event.organization_id = waiting.organization_id AND sequence IS NULL ORDER BY id OFFSET %s LIMIT 1) AS more
) AND NOT EXISTS (
    SELECT FROM (SELECT type FROM webhooks_event event
                 WHERE event.organization_id = waiting.organization_id AND sequence IS NULL ORDER BY id LIMIT 1) AS next
    JOIN webhooks_endpoint endpoint ON endpoint.organization_id = waiting.organization_id AND endpoint.status = 'active'
                                   AND (endpoint.event_types = '{}' OR next.type = ANY(endpoint.event_types))
    WHERE NOT EXISTS (
        SELECT FROM (SELECT id FROM webhooks_delivery
                     WHERE endpoint_id = endpoint.id AND lane = 'fresh' AND state IN ('pending', 'scheduled')
                     ORDER BY due_at, id OFFSET %s LIMIT 1) AS enough
    )
) FROM waiting WHERE organization_id IS NOT NULL
"""
_COUNTERS = """
SELECT organization_id, last FROM webhooks_eventcounter WHERE organization_id = ANY(%s)
ORDER BY organization_id FOR UPDATE SKIP LOCKED
"""
# The oldest of each organization get their numbers, in the row and in the body, which was written with a null in their place.
_NUMBER = """
WITH numbered AS MATERIALIZED (
    SELECT event.id, wanted.organization,
           wanted.last + row_number() OVER (PARTITION BY wanted.organization ORDER BY event.id) AS sequence
    FROM unnest(%s::bigint[], %s::bigint[]) AS wanted(organization, last) CROSS JOIN LATERAL (
        SELECT id FROM webhooks_event WHERE organization_id = wanted.organization AND sequence IS NULL ORDER BY id LIMIT %s
    ) AS event
), counted AS (
    UPDATE webhooks_eventcounter AS counter SET last = newest.sequence
    FROM (SELECT organization, max(sequence) AS sequence FROM numbered GROUP BY 1) AS newest
    WHERE counter.organization_id = newest.organization
)
UPDATE webhooks_event AS event
SET sequence = numbered.sequence, body = regexp_replace(event.body, '"sequence":null', '"sequence":' || numbered.sequence)
FROM numbered WHERE event.id = numbered.id
RETURNING numbered.sequence, event.id, event.organization_id, event.type, event.is_test, event.only_to_id
"""
# KEY SHARE keeps an endpoint from being deleted meanwhile, and nobody else from working on it.
_ENDPOINTS = "SELECT * FROM webhooks_endpoint WHERE organization_id = ANY(%s) ORDER BY id FOR KEY SHARE"


class News(NamedTuple):
    """The organizations with events that have no number yet: those for whom a delay counts, and those with a backlog."""

    fresh: list[int]
    backlogs: list[int]


def relay() -> int:
    """A batch of each organization that has news. Answers how many events were relayed; safe to run in parallel: what
    another relay is at is left to it.
    """
    fresh, backlogs = look_for_news()
    return relay_some(fresh + backlogs)


def look_for_news() -> News:
    """Numbering a backlog ahead of what its endpoints can take only keeps the processor from others' news."""
    found = News([], [])
    with connection.cursor() as cursor:
        cursor.execute(_NEWS, [AT_MOST_EACH, PLENTY - 1])
        for organization, is_backlog in cursor.fetchall():
            (found.backlogs if is_backlog else found.fresh).append(organization)
    return found


def relay_some(waiting: list[int]) -> int:
    """A batch of each of these organizations; how many events."""
    return _relay_some(waiting) if waiting else 0


@transaction.atomic
def _relay_some(waiting: list[int]) -> int:
    """1. Lock the organizations' counters: relays take turns, so that a number is seen only after all smaller ones.
    2. Number the oldest events of each. 3. Write their deliveries. All or nothing.
    """
    counters = _locked_counters(waiting)
    if not counters:
        return 0
    each = max(1, min(AT_MOST_EACH, EVENTS_AT_ONCE // len(waiting)))
    events = _number(counters, each)
    endpoints: dict[int, list[Endpoint]] = {organization_id: [] for organization_id in counters}
    for endpoint in Endpoint.objects.raw(_ENDPOINTS, [list(counters)]):
        endpoints[endpoint.organization_id].append(endpoint)
    insert_rows(
        Delivery,
        [_delivery(event, endpoint) for event in events for endpoint in endpoints[event.organization] if wants(endpoint, event)],
    )
    return len(events)


class Numbered(NamedTuple):
    """An event that has just got its number."""

    sequence: int
    pk: int
    organization: int
    type: str
    is_test: bool
    only_to: int | None


def _number(counters: dict[int, int], each: int) -> list[Numbered]:
    """So many of each organization, by their numbers; the counters go on with them."""
    with connection.cursor() as cursor:
        cursor.execute(_NUMBER, [list(counters), list(counters.values()), each])
        return sorted(Numbered(*row) for row in cursor.fetchall())


def wants(endpoint: Endpoint, event: Numbered) -> bool:
    """Whether the endpoint is to hear of the event; of what is meant for it alone, whatever it subscribed to."""
    if event.is_test:
        return event.only_to == endpoint.pk
    return not endpoint.event_types or event.type in endpoint.event_types


def _delivery(event: Numbered, endpoint: Endpoint) -> Delivery:
    state = Delivery.State.PENDING if endpoint.status == Endpoint.Status.ACTIVE else Delivery.State.HELD
    return Delivery(organization_id=event.organization, endpoint_id=endpoint.pk, event_id=event.pk, state=state)


def _locked_counters(organizations: list[int]) -> dict[int, int]:
    """The last numbers of those organizations that no other relay is at; new ones get their counters."""
    locked = _lock(organizations)
    if len(locked) < len(organizations):
        known = EventCounter.objects.filter(organization__in=organizations).values_list("pk", flat=True)
        if missing := sorted(set(organizations) - set(known)):
            EventCounter.objects.bulk_create([EventCounter(organization_id=pk) for pk in missing], ignore_conflicts=True)
            locked |= _lock(missing)
    return locked


def _lock(organizations: list[int]) -> dict[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(_COUNTERS, [organizations])
        return dict(cursor.fetchall())
