"""What is past keeping goes: in chunks with short transactions, oldest first, so that nobody waits for it and a worker that
is killed has done what it has done.
"""

import datetime as dt
from collections.abc import Callable

from django.db import transaction
from django.db.models import Exists, OuterRef

from webhooks.engine.claim import database_now
from webhooks.models import Attempt, Delivery, Event

HELD_FOR = dt.timedelta(days=30)
PAYLOADS_KEPT_FOR = ATTEMPTS_KEPT_FOR = dt.timedelta(days=30)
EVENTS_KEPT_FOR = dt.timedelta(days=90)
CHUNK = 1_000


def forget() -> None:
    """1. Give up what was held for too long. 2. Drop old attempts, then payloads, then events with their deliveries.

    Events that are not relayed yet, or that still have a delivery to come, keep everything.
    """
    now = database_now()
    for step in (_cancel_held, _drop_attempts, _drop_payloads, _drop_events):
        _repeat(step, now)


def _repeat(step: Callable[[dt.datetime], int], now: dt.datetime) -> None:
    while step(now) == CHUNK:
        pass


@transaction.atomic
def _cancel_held(now: dt.datetime) -> int:
    held = Delivery.objects.filter(state=Delivery.State.HELD, created_at__lt=now - HELD_FOR)
    old = list(held.select_for_update(skip_locked=True, no_key=True).order_by("pk").values_list("pk", flat=True)[:CHUNK])
    Delivery.objects.filter(pk__in=old).update(state=Delivery.State.CANCELED, finished_at=now)
    return len(old)


def _drop_attempts(now: dt.datetime) -> int:
    attempts = Attempt.objects.filter(started_at__lt=now - ATTEMPTS_KEPT_FOR).order_by("started_at")
    old = list(attempts.values_list("pk", flat=True)[:CHUNK])
    Attempt.objects.filter(pk__in=old).delete()
    return len(old)


@transaction.atomic
def _drop_payloads(now: dt.datetime) -> int:
    """Those that have a body are those that were relayed and not yet emptied: an index knows them."""
    old = _settled(now - PAYLOADS_KEPT_FOR, body_is_empty=False)
    Event.objects.filter(pk__in=old).update(data={}, body="")
    return len(old)


@transaction.atomic
def _drop_events(now: dt.datetime) -> int:
    old = _settled(now - EVENTS_KEPT_FOR, body_is_empty=True)
    Event.objects.filter(pk__in=old).delete()
    return len(old)


def _settled(before: dt.datetime, *, body_is_empty: bool) -> list[int]:
    """Keys of relayed events without a delivery to come. The lock keeps new deliveries, whose foreign key it blocks, away."""
    to_come = Delivery.objects.unfinished().filter(event=OuterRef("pk"))
    events = Event.objects.filter(~Exists(to_come), occurred_at__lt=before, sequence__isnull=False)
    events = events.filter(body="") if body_is_empty else events.exclude(body="")
    return list(events.select_for_update(skip_locked=True).order_by("occurred_at").values_list("pk", flat=True)[:CHUNK])
