"""Replays run in small steps, so that a large one neither floods its endpoint's queue nor is lost with the worker."""

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from webhooks.models import Delivery, Event, Replay

STEP = 100  # deliveries made at once
WAITING_AT_MOST = 200  # of one endpoint's replay lane


def matching(replay: Replay) -> QuerySet[Event]:
    """The events that the replay covers, oldest first. Not among them: pings and test events, which tell of nothing that
    happened, and those whose payload is past keeping.
    """
    events = Event.objects.filter(
        organization=replay.organization,
        occurred_at__gte=replay.since,
        occurred_at__lt=replay.until,
        sequence__isnull=False,
        is_test=False,
    ).exclude(body="")
    types = replay.types or replay.endpoint.event_types
    if types:
        events = events.filter(type__in=types)
    if replay.only_failed:
        arrived = Delivery.objects.filter(event=OuterRef("pk"), endpoint=replay.endpoint, state=Delivery.State.SUCCEEDED)
        events = events.exclude(Exists(arrived))
    return events.order_by("pk")


def advance() -> int:
    """One step of each running replay whose endpoint has room. Answers how many deliveries were made."""
    running = Replay.objects.filter(state=Replay.State.RUNNING, endpoint__status="active").values_list("pk", flat=True)
    return sum(_step(pk) for pk in running)


@transaction.atomic
def _step(pk: int) -> int:
    replay = Replay.objects.select_for_update(of=("self",), skip_locked=True).select_related("endpoint").filter(pk=pk).first()
    if replay is None or replay.state != Replay.State.RUNNING:
        return 0
    waiting = Delivery.objects.waiting().filter(endpoint=replay.endpoint, lane=Delivery.Lane.REPLAY).count()
    room = min(STEP, WAITING_AT_MOST - waiting)
    if room <= 0:
        return 0
    events = list(matching(replay).filter(pk__gt=replay.position)[:room])
    made = Delivery.objects.bulk_create(
        [
            Delivery(
                organization_id=replay.organization_id,
                endpoint=replay.endpoint,
                event=event,
                lane=Delivery.Lane.REPLAY,
                replay=replay,
            )
            for event in events
        ],
        ignore_conflicts=True,
    )
    replay.queued += len(made)
    if events:
        replay.position = events[-1].pk
    if len(events) < room:
        replay.state, replay.finished_at = Replay.State.FINISHED, timezone.now()
    replay.version += 1
    replay.save(update_fields=["queued", "position", "state", "finished_at", "version"])
    return len(made)
