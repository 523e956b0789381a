"""From committed events to deliveries. Numbers are given here, after the commit, without gaps per organization."""

from django.db import connection, transaction

from organizations.models import Organization
from webhooks.engine.rows import insert_rows, update_rows
from webhooks.envelope import body
from webhooks.models import Delivery, Endpoint, Event, EventCounter

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
_OLDEST = """
SELECT event.* FROM unnest(%s::bigint[]) AS wanted(organization) CROSS JOIN LATERAL (
    SELECT * FROM webhooks_event WHERE organization_id = wanted.organization AND sequence IS NULL ORDER BY id LIMIT %s
) AS event ORDER BY event.id
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
    organizations = Organization.objects.in_bulk(list(counters))
    each = max(1, min(AT_MOST_EACH, EVENTS_AT_ONCE // len(waiting)))
    events = list(Event.objects.raw(_OLDEST, [list(counters), each]))
    for event in events:
        counter = counters[event.organization_id]
        counter.last += 1
        event.sequence, event.organization = counter.last, organizations[event.organization_id]
        event.body = body(event).decode()
    update_rows(Event, events, ["sequence", "body"])
    update_rows(EventCounter, list(counters.values()), ["last"])
    endpoints: dict[int, list[Endpoint]] = {organization_id: [] for organization_id in counters}
    for endpoint in Endpoint.objects.raw(_ENDPOINTS, [list(counters)]):
        endpoints[endpoint.organization_id].append(endpoint)
    insert_rows(
        Delivery,
        [
            _delivery(event, endpoint)
            for event in events
            for endpoint in endpoints[event.organization_id]
            if wants(endpoint, event)
        ],
    )
    return len(events)


def wants(endpoint: Endpoint, event: Event) -> bool:
    """Whether the endpoint is to hear of the event; of what is meant for it alone, whatever it subscribed to."""
    if event.only_to_id is not None:
        return event.only_to_id == endpoint.pk
    return not endpoint.event_types or event.type in endpoint.event_types


def _delivery(event: Event, endpoint: Endpoint) -> Delivery:
    state = Delivery.State.PENDING if endpoint.status == Endpoint.Status.ACTIVE else Delivery.State.HELD
    return Delivery(organization_id=event.organization_id, endpoint_id=endpoint.pk, event_id=event.pk, state=state)


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
