"""Turns: among organizations, endpoints and lanes."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from common.ids import new_id
from tests.cast import Player
from webhooks.engine import drain
from webhooks.engine.claim import IN_FLIGHT_PER_ENDPOINT, IN_FLIGHT_PER_ORGANIZATION, claim
from webhooks.engine.relay import AT_MOST_EACH, relay
from webhooks.engine.replays import STEP, advance
from webhooks.models import Delivery, Endpoint, Event, Replay
from webhooks.services import cancel_replay, create_endpoint, start_replay
from webhooks.tests.conftest import Receiver, Request, emit_some


@pytest.mark.parametrize("count", [1_000, pytest.param(100_000, marks=pytest.mark.soak)])
def test_one_tenant_with_a_hundred_thousand_events_delays_nobody(
    alice: Player, charlie: Player, receiver: Receiver, count: int, transactional_db: None
) -> None:
    """Neither while its events wait to be numbered nor once they all wait to be sent. Each step commits: within one transaction
    PostgreSQL would wade through all index entries that have become void.
    """
    create_endpoint(by=alice.actor, url=receiver.url("/noisy"))
    create_endpoint(by=charlie.actor, url=receiver.url("/quiet"))
    emit_some(alice.actor, 1)
    template = Event.objects.get()
    for _ in range(count // 1_000):
        Event.objects.bulk_create([copied(template) for _ in range(1_000)])
    emit_some(charlie.actor)

    relay()
    first = claim(200)
    assert Event.objects.filter(sequence__isnull=False).count() == AT_MOST_EACH + 1
    assert {claimed.url.rpartition("/")[2] for claimed in first} == {"noisy", "quiet"}

    while relay():
        pass
    emit_some(charlie.actor)
    relay()
    began = time.monotonic()
    second = claim(200)
    assert "quiet" in {claimed.url.rpartition("/")[2] for claimed in second}
    assert time.monotonic() - began < 2  # however much waits


def copied(event: Event) -> Event:
    values = {field.attname: getattr(event, field.attname) for field in Event._meta.concrete_fields}
    return Event(**{**values, "id": None, "public_id": new_id("evt")})


def test_one_endpoint_has_so_many_in_flight_and_no_more(alice: Player, endpoint: Endpoint) -> None:
    emit_some(alice.actor, 30)
    relay()

    assert (len(claim(200)), claim(200)) == (IN_FLIGHT_PER_ENDPOINT, [])


def test_one_organization_has_so_many_in_flight_and_no_more(alice: Player, receiver: Receiver) -> None:
    for number in range(6):
        create_endpoint(by=alice.actor, url=receiver.url(f"/{number}"))
    emit_some(alice.actor, 20)
    relay()

    assert (len(claim(200)), claim(200)) == (IN_FLIGHT_PER_ORGANIZATION, [])


def test_two_that_claim_at_once_do_not_pass_an_organization_s_cap_together(
    alice: Player, receiver: Receiver, transactional_db: None
) -> None:
    """The second one comes upon an endpoint that the first, which has not committed, knows nothing of."""
    for number in range(6):
        create_endpoint(by=alice.actor, url=receiver.url(f"/{number}"))
    emit_some(alice.actor, 20)
    relay()

    def claim_for_a_new_endpoint() -> int:
        create_endpoint(by=alice.actor, url=receiver.url("/new"))
        emit_some(alice.actor)
        relay()
        found = len(claim(200))
        connection.close()
        return found

    with transaction.atomic(), ThreadPoolExecutor(1) as other:
        first = len(claim(200))
        second = other.submit(claim_for_a_new_endpoint).result()

    assert (first, second) == (IN_FLIGHT_PER_ORGANIZATION, 0)


def test_half_of_the_endpoints_hanging_delays_no_others(alice: Player, charlie: Player, receiver: Receiver) -> None:
    """They hang until all others have got theirs, however long that takes."""
    for player, path in ((alice, "/hang"), (charlie, "/quick")):
        for number in range(3):
            create_endpoint(by=player.actor, url=receiver.url(f"{path}/{number}"))
    order, all_served = [], threading.Event()

    def answer(request: Request) -> tuple[int, dict[str, str], bytes]:
        if request.path.startswith("/quick"):
            order.append("quick")
            if order.count("quick") == 3 * 20:
                all_served.set()
        else:
            all_served.wait(10)
            order.append("hung")
        return 200, {}, b""

    receiver.answer = answer
    emit_some(alice.actor, 10)
    emit_some(charlie.actor, 20)
    drain()

    assert order == ["quick"] * 3 * 20 + ["hung"] * 3 * 10


def test_every_lane_has_its_share(alice: Player, endpoint: Endpoint) -> None:
    """However many first attempts wait, retries and replays move on too."""
    emit_some(alice.actor, 300)
    while relay():
        pass
    keys = list(Delivery.objects.order_by("pk").values_list("pk", flat=True))
    Delivery.objects.filter(pk__in=keys[:100]).update(lane=Delivery.Lane.RETRY)
    Delivery.objects.filter(pk__in=keys[100:200]).update(lane=Delivery.Lane.REPLAY)
    served: list[str] = []
    for _ in range(8):
        Endpoint.objects.update(tokens_at=None)
        taken = [claimed.pk for claimed in claim(200)]
        served += Delivery.objects.filter(pk__in=taken).values_list("lane", flat=True)
        Delivery.objects.filter(pk__in=taken).update(state=Delivery.State.SUCCEEDED, lease_token=None)

    assert {lane: served.count(lane) // 8 for lane in set(served)} == {"fresh": 5, "retry": 2, "replay": 1}


def test_two_relays_and_two_claimers_share_without_repeating(alice: Player, endpoint: Endpoint, transactional_db: None) -> None:
    from tests.crowd import at_once

    emit_some(alice.actor, 150)
    at_once([relay] * 4)
    while relay():
        pass
    claimed = [item.pk for taken in at_once([lambda: claim(50)] * 4) for item in taken]

    assert list(Event.objects.order_by("pk").values_list("sequence", flat=True)) == list(range(1, 151))
    assert Delivery.objects.count() == 150
    assert len(claimed) == len(set(claimed)) == IN_FLIGHT_PER_ENDPOINT


def test_a_replay_goes_in_steps_and_can_be_resumed_and_canceled(alice: Player, endpoint: Endpoint, receiver: Receiver) -> None:
    emit_some(alice.actor, 250)
    while relay():
        pass
    Delivery.objects.update(state=Delivery.State.SUCCEEDED)
    replay = start_replay(endpoint=endpoint, by=alice.actor, since=Event.objects.earliest("pk").occurred_at)
    assert replay.total == 250

    assert advance() == STEP  # whoever comes next goes on from the row
    replay.refresh_from_db()
    assert (replay.queued, replay.state) == (STEP, Replay.State.RUNNING)
    assert (advance(), advance()) == (STEP, 0)  # so many wait already

    cancel_replay(replay=replay, by=alice.actor)
    assert advance() == 0
    assert not Delivery.objects.waiting().filter(replay=replay).exists()


def test_a_replay_ends_when_all_is_queued(alice: Player, endpoint: Endpoint, receiver: Receiver, settings: Any) -> None:
    settings.WEBHOOK_BURST = 1_000
    emit_some(alice.actor, 120)
    drain()
    replay = start_replay(endpoint=endpoint, by=alice.actor, since=Event.objects.earliest("pk").occurred_at)
    while Delivery.objects.waiting().exists() or Replay.objects.get(pk=replay.pk).state == Replay.State.RUNNING:
        drain()

    replay.refresh_from_db()
    assert (replay.state, replay.queued) == (Replay.State.FINISHED, 120)
    assert len(receiver.requests) == 240
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 120


@pytest.mark.parametrize("arrived", [True, False])
def test_only_failed_leaves_out_what_arrived(alice: Player, endpoint: Endpoint, receiver: Receiver, arrived: bool) -> None:
    receiver.answer = lambda request: (200 if arrived else 500, {}, b"")
    emit_some(alice.actor, 3)
    drain()

    replay = start_replay(endpoint=endpoint, by=alice.actor, since=Event.objects.earliest("pk").occurred_at, only_failed=True)

    assert replay.total == (0 if arrived else 3)
