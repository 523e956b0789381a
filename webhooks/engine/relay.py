"""From committed events to deliveries. Numbers are given here, after the commit, without gaps per organization."""

from typing import NamedTuple

from django.db import connection, transaction

from webhooks.engine.rows import insert_rows, update_rows
from webhooks.models import Delivery, Endpoint, EventCounter

EVENTS_AT_ONCE = 200  # shared by the organizations that have news, so that nobody waits for another's thousands
AT_MOST_EACH = 50

# A loose index scan: one probe for each organization that has news, however much it has.
_ORGANIZATIONS = """
WITH RECURSIVE waiting AS (
    (SELECT organization_id FROM webhooks_event WHERE sequence IS NULL ORDER BY organization_id LIMIT 1)
    UNION ALL
    SELECT (SELECT event.organization_id FROM webhooks_event event
            WHERE event.sequence IS NULL AND event.organization_id > waiting.organization_id
            ORDER BY event.organization_id LIMIT 1)
    FROM waiting WHERE waiting.organization_id IS NOT NULL
)
SELECT organization_id FROM waiting WHERE organization_id IS NOT NULL
"""
# The oldest of each organization get their numbers, in the row and in the body, which was written with a null in their place.
_NUMBER = """
WITH numbered AS MATERIALIZED (
    SELECT event.id, wanted.last + row_number() OVER (PARTITION BY wanted.organization ORDER BY event.id) AS sequence
    FROM unnest(%s::bigint[], %s::bigint[]) AS wanted(organization, last) CROSS JOIN LATERAL (
        SELECT id FROM webhooks_event WHERE organization_id = wanted.organization AND sequence IS NULL ORDER BY id LIMIT %s
    ) AS event
)
UPDATE webhooks_event AS event
SET sequence = numbered.sequence, body = regexp_replace(event.body, '"sequence":null', '"sequence":' || numbered.sequence)
FROM numbered WHERE event.id = numbered.id
RETURNING numbered.sequence, event.id, event.organization_id, event.type, event.is_test, event.only_to_id
"""
# KEY SHARE keeps an endpoint from being deleted meanwhile, and nobody else from working on it.
_ENDPOINTS = "SELECT * FROM webhooks_endpoint WHERE organization_id = ANY(%s) ORDER BY id FOR KEY SHARE"


def relay() -> int:
    """A batch of each organization that has news. Answers how many events were relayed; safe to run in parallel: what
    another relay is at is left to it.
    """
    waiting = _organizations_with_news()
    return _relay_some(waiting) if waiting else 0


def _organizations_with_news() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_ORGANIZATIONS)
        return [row[0] for row in cursor.fetchall()]


@transaction.atomic
def _relay_some(waiting: list[int]) -> int:
    """1. Lock the organizations' counters: relays take turns, so that a number is seen only after all smaller ones.
    2. Number the oldest events of each. 3. Write their deliveries. All or nothing.
    """
    counters = {counter.organization_id: counter for counter in _locked_counters(waiting)}
    if not counters:
        return 0
    each = max(1, min(AT_MOST_EACH, EVENTS_AT_ONCE // len(waiting)))
    events = _number(counters, each)
    for event in events:
        counters[event.organization].last = event.sequence
    update_rows(EventCounter, list(counters.values()), ["last"])
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


def _number(counters: dict[int, EventCounter], each: int) -> list[Numbered]:
    """So many of each organization, by their numbers."""
    last = [counter.last for counter in counters.values()]
    with connection.cursor() as cursor:
        cursor.execute(_NUMBER, [list(counters), last, each])
        return sorted(Numbered(*row) for row in cursor.fetchall())


def wants(endpoint: Endpoint, event: Numbered) -> bool:
    """Whether the endpoint is to hear of the event; of what is meant for it alone, whatever it subscribed to."""
    if event.is_test:
        return event.only_to == endpoint.pk
    return not endpoint.event_types or event.type in endpoint.event_types


def _delivery(event: Numbered, endpoint: Endpoint) -> Delivery:
    state = Delivery.State.PENDING if endpoint.status == Endpoint.Status.ACTIVE else Delivery.State.HELD
    return Delivery(organization_id=event.organization, endpoint_id=endpoint.pk, event_id=event.pk, state=state)


def _locked_counters(organizations: list[int]) -> list[EventCounter]:
    """Those that no other relay holds; new organizations get theirs."""
    wanted = EventCounter.objects.filter(organization__in=organizations)
    locked = list(wanted.order_by("pk").select_for_update(skip_locked=True))
    if len(locked) < len(organizations):
        missing = set(organizations) - set(wanted.values_list("pk", flat=True))
        EventCounter.objects.bulk_create([EventCounter(organization_id=pk) for pk in sorted(missing)], ignore_conflicts=True)
        if missing:
            locked += wanted.filter(pk__in=missing).order_by("pk").select_for_update(skip_locked=True)
    return locked
