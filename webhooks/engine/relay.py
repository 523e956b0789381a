"""From committed events to deliveries. Numbers are given here, after the commit, without gaps per organization."""

from django.db import connection, transaction

from organizations.models import Organization
from webhooks.engine.rows import update_rows
from webhooks.envelope import envelope, to_body
from webhooks.models import Delivery, Endpoint, Event, EventCounter

EVENTS_AT_ONCE = 100  # of one organization, then it is the next one's turn

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


def relay() -> int:
    """A batch of each organization that has news. Answers how many events were relayed; safe to run in parallel."""
    with connection.cursor() as cursor:
        cursor.execute(_ORGANIZATIONS)
        waiting = [row[0] for row in cursor.fetchall()]
    return sum(_relay_some(organization_id) for organization_id in waiting)


@transaction.atomic
def _relay_some(organization_id: int) -> int:
    """1. Lock the organization's counter: relays take turns, so that a number is seen only after all smaller ones.
    2. Number the oldest events. 3. Write their deliveries. All or nothing.
    """
    counter = _locked_counter(organization_id)
    if counter is None:  # another relay is at it
        return 0
    organization = Organization.objects.get(pk=organization_id)
    events = list(Event.objects.filter(organization=organization_id, sequence=None).order_by("pk")[:EVENTS_AT_ONCE])
    for event in events:
        counter.last += 1
        event.sequence, event.organization = counter.last, organization
        event.body = to_body(envelope(event)).decode()
    update_rows(Event, events, ["sequence", "body"])
    counter.save(update_fields=["last"])
    # KEY SHARE keeps an endpoint from being deleted meanwhile, and nobody else from working on it.
    endpoints = list(
        Endpoint.objects.raw(
            "SELECT * FROM webhooks_endpoint WHERE organization_id = %s ORDER BY id FOR KEY SHARE", [organization_id]
        )
    )
    Delivery.objects.bulk_create(
        [_delivery(event, endpoint) for event in events for endpoint in endpoints if wants(endpoint, event)],
        ignore_conflicts=True,
    )
    return len(events)


def wants(endpoint: Endpoint, event: Event) -> bool:
    """Whether the endpoint is to hear of the event; of what is meant for it alone, whatever it subscribed to."""
    if event.only_to_id is not None:
        return event.only_to_id == endpoint.pk
    return not endpoint.event_types or event.type in endpoint.event_types


def _delivery(event: Event, endpoint: Endpoint) -> Delivery:
    state = Delivery.State.PENDING if endpoint.status == Endpoint.Status.ACTIVE else Delivery.State.HELD
    return Delivery(organization_id=event.organization_id, endpoint=endpoint, event=event, state=state)


def _locked_counter(organization_id: int) -> EventCounter | None:
    counters = EventCounter.objects.filter(organization=organization_id)
    if not counters.exists():
        EventCounter.objects.bulk_create([EventCounter(organization_id=organization_id)], ignore_conflicts=True)
    return counters.select_for_update(skip_locked=True).first()
