"""Writing down what came of attempts, a batch in one transaction, behind the lease's token: a worker that comes back late is
noted, but changes nothing.
"""

import datetime as dt
from collections import defaultdict

from django.db import transaction

from common import jobs
from webhooks import schedule
from webhooks.engine.claim import database_now
from webhooks.engine.rows import insert_rows, update_rows
from webhooks.engine.send import Result
from webhooks.models import Attempt, Delivery, Endpoint

LEASE_EXPIRED = "lease_expired"
_HEALTH = (
    *("status", "disabled_reason", "disabled_at", "version", "resting_until", "recent", "breaker_opens"),
    *("failing_since", "failed_attempts", "failed_events", "warned_hours", "updated_at"),
)
_PROGRESS = (
    "state",
    "lane",
    "attempts",
    "due_at",
    "lease_token",
    "lease_expires_at",
    "status_code",
    "failure",
    "version",
    "finished_at",
)


@transaction.atomic
def record(results: list[Result]) -> None:
    """1. Lock the endpoints, then the deliveries, in the order of their keys. 2. Note every attempt. 3. Move on those
    deliveries whose lease is still the attempt's own. 4. Judge the endpoints by them.
    """
    by_key: dict[int, list[Result]] = defaultdict(list)
    for result in results:
        by_key[result.claimed.pk].append(result)
    owners = Endpoint.objects.filter(pk__in={result.claimed.endpoint_pk for result in results})
    endpoints = {endpoint.pk: endpoint for endpoint in owners.order_by("pk").select_for_update(no_key=True)}
    rows = Delivery.objects.filter(pk__in=by_key, endpoint__in=endpoints).order_by("pk").select_for_update(no_key=True)
    now = database_now()
    attempts, moved = [], []
    for delivery in rows:
        endpoint = endpoints[delivery.endpoint_id]
        for result in by_key[delivery.pk]:
            is_ours = delivery.state == Delivery.State.LEASED and delivery.lease_token == result.claimed.token
            attempts.append(_attempt(delivery, result, late=not is_ours))
            if is_ours:
                _move_on(delivery, endpoint, result, now=now)
                moved.append(delivery)
    insert_rows(Attempt, attempts)
    update_rows(Delivery, moved, _PROGRESS)
    update_rows(Endpoint, list(endpoints.values()), _HEALTH)


def reclaim() -> int:
    """Take back what vanished workers held; hold what is meant for endpoints that do not listen. Answers how many came back."""
    with transaction.atomic():
        now = database_now()
        lapsed = list(Delivery.objects.lapsed(now).select_for_update(skip_locked=True, no_key=True)[:1000])
        for delivery in lapsed:
            delivery.state, delivery.lease_token, delivery.lease_expires_at = Delivery.State.PENDING, None, None
            delivery.failure = LEASE_EXPIRED
        insert_rows(
            Attempt,
            [
                Attempt(
                    delivery_id=delivery.pk,
                    endpoint_id=delivery.endpoint_id,
                    number=delivery.attempts + 1,
                    started_at=now,
                    seconds=0,
                    failure=LEASE_EXPIRED,
                )
                for delivery in lapsed
            ],
        )
        update_rows(Delivery, lapsed, _PROGRESS)
        Delivery.objects.waiting().exclude(endpoint__status=Endpoint.Status.ACTIVE).update(state=Delivery.State.HELD)
    return len(lapsed)


def _attempt(delivery: Delivery, result: Result, *, late: bool) -> Attempt:
    outcome = result.outcome
    return Attempt(
        delivery_id=delivery.pk,
        endpoint_id=delivery.endpoint_id,
        number=result.claimed.attempt,
        started_at=result.started_at,
        seconds=outcome.seconds,
        first_byte_seconds=outcome.first_byte_seconds,
        status_code=outcome.status,
        failure=outcome.failure,
        answer=outcome.body,
        answer_headers=dict(outcome.headers),
        late=late,
    )


def _move_on(delivery: Delivery, endpoint: Endpoint, result: Result, *, now: dt.datetime) -> None:
    outcome, state = result.outcome, Delivery.State
    delivery.attempts += 1
    delivery.version += 1
    delivery.lease_token = delivery.lease_expires_at = None
    delivery.status_code, delivery.failure = outcome.status, outcome.failure
    counts = delivery.lane != Delivery.Lane.REPLAY  # what was asked for by hand says nothing of the endpoint's health
    if outcome.is_success:
        delivery.state, delivery.finished_at = state.SUCCEEDED, now
        if counts:
            schedule.note_success(endpoint, now=now)
        return
    due_at = schedule.next_attempt_at(delivery.public_id, delivery.attempts, outcome, now=now)
    if due_at is None:
        delivery.state, delivery.finished_at = state.EXHAUSTED, now
    else:
        delivery.state, delivery.due_at = state.SCHEDULED, due_at
        delivery.lane = Delivery.Lane.RETRY if counts else delivery.lane
    if counts:
        _judge(endpoint, result, now=now)
    if endpoint.status != Endpoint.Status.ACTIVE and delivery.state == state.SCHEDULED:
        delivery.state = state.HELD


def _judge(endpoint: Endpoint, result: Result, *, now: dt.datetime) -> None:
    hours = schedule.note_failure(endpoint, result.claimed.event_id, result.outcome, is_probe=result.claimed.is_probe, now=now)
    if endpoint.status != Endpoint.Status.ACTIVE:
        return
    if result.outcome.status == schedule.GONE:
        _disable(endpoint, Endpoint.DisabledReason.GONE, now=now)
    elif schedule.is_beyond_hope(endpoint, now=now):
        _disable(endpoint, Endpoint.DisabledReason.FAILING, now=now)
    elif hours:
        jobs.after_commit("webhooks.tasks.warn_owners", endpoint.pk, hours)


def _disable(endpoint: Endpoint, reason: Endpoint.DisabledReason, *, now: dt.datetime) -> None:
    """Later events are held from now on; what was waiting is held by the next `reclaim`."""
    endpoint.status, endpoint.disabled_reason, endpoint.disabled_at = Endpoint.Status.DISABLED, reason, now
    endpoint.version, endpoint.updated_at = endpoint.version + 1, now
    jobs.after_commit("webhooks.tasks.tell_owners_disabled", endpoint.pk)
