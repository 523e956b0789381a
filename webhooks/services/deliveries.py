"""The verbs on deliveries: sending again, one or a stretch of the past."""

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils import timezone

from common import jobs
from common.errors import FieldError, NotFound, ValidationFailed, VersionConflict
from organizations.actor import Actor
from organizations.permissions import Scope
from organizations.services import record
from webhooks.engine.replays import matching
from webhooks.errors import EndpointNotListening
from webhooks.models import Delivery, Endpoint, Replay

MAX_RUNNING_REPLAYS = 3  # of one endpoint


@transaction.atomic
def resend(*, delivery: Delivery, by: Actor, expected_version: int | None = None) -> Delivery:
    """A new delivery of the same event to the same endpoint, now; the old one stays as it is. It says nothing of the
    endpoint's health.

    Raises NotAllowed, NotFound, VersionConflict, EndpointNotListening, ValidationFailed (the payload is past keeping).
    """
    by.require(Scope.WEBHOOKS_WRITE)
    current = Delivery.objects.visible_to(by).select_related("event", "endpoint").filter(pk=delivery.pk).first()
    if current is None:
        raise NotFound("delivery")
    _require_version(current, expected_version)
    _require_listening(current.endpoint)
    if not current.event.body:
        raise ValidationFailed(FieldError("The event's payload is past keeping.", "expired", pointer=""))
    again = Delivery.objects.create(
        organization=by.organization,
        endpoint=current.endpoint,
        event=current.event,
        lane=Delivery.Lane.REPLAY,
        replay_of=current,
    )
    record(by, "delivery.resent", current.public_id, delivery=again.public_id)
    jobs.ring_after_commit("webhooks.tasks.deliver")
    return again


def plan_replay(
    *,
    endpoint: Endpoint,
    by: Actor,
    since: dt.datetime,
    until: dt.datetime | None = None,
    expected_version: int | None = None,
    **which: Any,
) -> Replay:
    """A replay as it would run, with its `total`, not saved: the dry run. `which`: types, only_failed.

    Raises NotAllowed, VersionConflict, ValidationFailed.
    """
    by.require(Scope.WEBHOOKS_WRITE)
    _require_version(endpoint, expected_version)
    until = until or timezone.now()
    if until <= since:
        raise ValidationFailed(FieldError("It lies before since.", "range", pointer="/until"))
    replay = Replay(organization=by.organization, endpoint=endpoint, since=since, until=until, **which)
    replay.total = matching(replay).count()
    return replay


@transaction.atomic
def start_replay(*, endpoint: Endpoint, by: Actor, expected_version: int | None = None, **which: Any) -> Replay:
    """Send a stretch of the past again, in steps and at the endpoint's pace.

    `which` is what `plan_replay` takes. Raises NotAllowed, NotFound, VersionConflict, EndpointNotListening, ValidationFailed.
    """
    replay = plan_replay(endpoint=endpoint, by=by, **which)
    current = Endpoint.objects.visible_to(by).select_for_update(no_key=True).filter(pk=endpoint.pk).first()
    if current is None:
        raise NotFound("webhook endpoint")
    _require_version(current, expected_version)
    _require_listening(current)
    if Replay.objects.filter(endpoint=endpoint, state=Replay.State.RUNNING).count() >= MAX_RUNNING_REPLAYS:
        detail = f"{MAX_RUNNING_REPLAYS} replays of this endpoint are running: wait, or cancel one."
        raise ValidationFailed(FieldError(detail, "too_many", pointer="/since"))
    replay.save()
    record(by, "replay.started", replay.public_id, endpoint=endpoint.public_id, total=replay.total)
    jobs.ring_after_commit("webhooks.tasks.deliver")
    return replay


@transaction.atomic
def cancel_replay(*, replay: Replay, by: Actor, expected_version: int | None = None) -> Replay:
    """Make no more deliveries, and take back those that wait. Canceling a finished one changes nothing.

    Raises NotAllowed, NotFound, VersionConflict.
    """
    by.require(Scope.WEBHOOKS_WRITE)
    current = (
        Replay.objects.visible_to(by).select_for_update(of=("self",)).select_related("endpoint").filter(pk=replay.pk).first()
    )
    if current is None:
        raise NotFound("replay")
    _require_version(current, expected_version)
    unsent = Delivery.objects.unfinished().exclude(state=Delivery.State.LEASED).filter(replay=current)
    now = timezone.now()
    taken_back = unsent.update(state=Delivery.State.CANCELED, finished_at=now)
    if current.state != Replay.State.RUNNING and not taken_back:
        return current
    if current.state == Replay.State.RUNNING:
        current.state, current.finished_at = Replay.State.CANCELED, now
    current.version += 1
    current.save(update_fields=["state", "finished_at", "version"])
    record(by, "replay.canceled", current.public_id)
    return current


def _require_version(row: Delivery | Endpoint | Replay, expected: int | None) -> None:
    if expected is not None and row.version != expected:
        raise VersionConflict(current=row.version)


def _require_listening(endpoint: Endpoint) -> None:
    if endpoint.status != Endpoint.Status.ACTIVE:
        raise EndpointNotListening("Enable it first.", endpoint_status=endpoint.status)
