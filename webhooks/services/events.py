"""Telling subscribers. Called by the services of the domain, inside their transaction."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from common import jobs
from organizations.actor import Actor
from organizations.models import Organization
from webhooks.envelope import body
from webhooks.models import Endpoint, Event
from webhooks.types import EventType

BATCH = 500  # events in a statement: half a megabyte


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
    _announce()
    event = _event(type, by, Change(object, version, previous or {}), only_to)
    event.save(force_insert=True)
    return event


@dataclass(frozen=True, slots=True)
class Change:
    """What `emit` takes, of one of many objects."""

    object: Mapping[str, Any]
    version: int
    previous: Mapping[str, Any] = field(default_factory=dict)


def emit_many(type: EventType, changes: Iterable[Change], *, by: Actor) -> None:
    """An event of each, in their order, in a statement for BATCH of them. Raises as `emit`."""
    made = [_event(type, by, change) for change in changes]
    if made:
        _announce()
        Event.objects.bulk_create(made, batch_size=BATCH)


def _announce() -> None:
    if not connection.in_atomic_block:
        raise RuntimeError("emit() belongs inside the transaction of the change it tells of")
    jobs.ring_after_commit("webhooks.tasks.deliver")


def _event(type: EventType, by: Actor, change: Change, only_to: Endpoint | None = None) -> Event:
    event = Event(
        organization=by.organization,
        type=type,
        object_type=change.object["object"],
        object_id=change.object["id"],
        object_version=change.version,
        data={"object": dict(change.object), "previous_attributes": dict(change.previous)},
        actor_type=by.type,
        actor_id=by.id,
        request_id=by.request_id,
        idempotency_key=by.idempotency_key,
        is_test=only_to is not None,
        only_to=only_to,
    )
    event.body = body(event).decode()
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
