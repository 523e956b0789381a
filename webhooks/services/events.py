"""Telling subscribers. Called by the services of the domain, inside their transaction."""

from collections.abc import Collection, Mapping
from typing import Any

from django.db import connection

from common import jobs
from organizations.actor import Actor
from organizations.models import Organization
from webhooks.envelope import body
from webhooks.models import Endpoint, Event
from webhooks.types import EventType


def emit(
    type: EventType,
    *,
    by: Actor,
    object: Mapping[str, Any],
    version: int,
    previous: Mapping[str, Any] | None = None,
    only_to: Endpoint | None = None,
) -> Event:
    """Write the event of a change. `object` is the base shape after it (with `object` and `id`), `previous` the
    changed attributes as they were; `only_to` the one endpoint that is to hear of it.

    Raises RuntimeError outside a transaction: an event whose change is rolled back must vanish with it.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("emit() belongs inside the transaction of the change it tells of")
    jobs.ring_after_commit("webhooks.tasks.deliver")
    event = Event(
        organization=by.organization,
        type=type,
        object_type=object["object"],
        object_id=object["id"],
        object_version=version,
        data={"object": dict(object), "previous_attributes": dict(previous or {})},
        actor_type=by.type,
        actor_id=by.id,
        request_id=by.request_id,
        idempotency_key=by.idempotency_key,
        is_test=only_to is not None,
        only_to=only_to,
    )
    event.body = body(event).decode()
    event.save(force_insert=True)
    return event


def changed_attributes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What differs between two base shapes, with its old values: an event's `previous_attributes`."""
    return {name: value for name, value in before.items() if after.get(name) != value and name not in ("version", "updated_at")}


def redact_events(*, organization: Organization, object_ids: Collection[str], fields: Mapping[str, Any]) -> None:
    """Replace personal fields in the kept events of erased objects, in what they are and in what they were."""
    for event in (
        Event.objects.filter(organization=organization, object_id__in=object_ids)
        .select_related("organization")
        .select_for_update(of=("self",), no_key=True)
    ):
        for part in event.data.values():
            part.update({name: value for name, value in fields.items() if name in part})
        if event.body:
            event.body = body(event).decode()
        event.save(update_fields=["data", "body"])
