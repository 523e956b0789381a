"""What comes first when there is much to do: news before a backlog, and whoever can be served before those who cannot."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from common import jobs
from tests.cast import Player
from webhooks.engine import claim as claims
from webhooks.engine import drain
from webhooks.engine.claim import IN_FLIGHT_PER_ENDPOINT, claim
from webhooks.engine.drain import BELL
from webhooks.engine.relay import AT_MOST_EACH, PLENTY, look_for_news, relay, relay_some
from webhooks.engine.send import Sender
from webhooks.models import Endpoint, Event
from webhooks.services import create_endpoint
from webhooks.tests.conftest import Receiver, Request, emit_some


@pytest.fixture
def sender() -> Iterator[Sender]:
    found = Sender()
    yield found
    found.close()


def test_a_backlog_is_what_nobody_is_short_of(alice: Player, charlie: Player, endpoint: Endpoint) -> None:
    emit_some(alice.actor, PLENTY + AT_MOST_EACH)
    emit_some(charlie.actor)
    assert look_for_news() == ([alice.organization.pk, charlie.organization.pk], [])

    while Event.objects.filter(sequence=PLENTY - 1).count() == 0:
        relay_some([alice.organization.pk])
    emit_some(alice.actor)
    assert look_for_news() == ([charlie.organization.pk], [alice.organization.pk])

    claim(1)
    assert look_for_news() == ([alice.organization.pk, charlie.organization.pk], [])


@pytest.mark.parametrize("trouble", ["none", "paused", "deaf"])
def test_a_backlog_hurries_nobody_where_no_endpoint_wants_it(alice: Player, endpoint: Endpoint, trouble: str) -> None:
    if trouble == "none":
        endpoint.delete()
    elif trouble == "paused":
        Endpoint.objects.update(status=Endpoint.Status.PAUSED)
    else:
        Endpoint.objects.update(event_types=["booking.created"])
    emit_some(alice.actor, AT_MOST_EACH + 1)

    assert look_for_news() == ([], [alice.organization.pk])
    relay()
    assert look_for_news() == ([alice.organization.pk], [])  # less than one turn's: no backlog any more


def test_news_leave_before_a_backlog_is_moved_on(
    alice: Player, charlie: Player, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the backlog is numbered to its end, though nothing of it is to be sent."""
    create_endpoint(by=charlie.actor, url=receiver.url())
    emit_some(alice.actor, 3 * AT_MOST_EACH + 1)
    emit_some(charlie.actor)
    order: list[Any] = []

    class Noting(Sender):
        def submit(self, claimed: list[claims.Claimed]) -> None:
            order.append(len(claimed))
            super().submit(claimed)

    def noting(some: list[int]) -> int:
        order.append(some)
        return relay_some(some)

    monkeypatch.setitem(drain.__globals__, "Sender", Noting)
    monkeypatch.setitem(drain.__globals__, "relay_some", noting)
    drain()

    assert order[:3] == [[charlie.organization.pk], 1, [alice.organization.pk]]
    numbers = Event.objects.filter(organization=alice.organization).order_by("pk").values_list("sequence", flat=True)
    assert list(numbers) == list(range(1, 3 * AT_MOST_EACH + 2))
    assert len(receiver.requests) == 1


def test_endpoints_that_can_take_nothing_leave_their_places_to_others(
    alice: Player, charlie: Player, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many they are: one that has as many requests under way as it may have is not even looked at."""
    monkeypatch.setattr(claims, "ENDPOINTS_AT_ONCE", 1)
    for player in (alice, charlie):
        create_endpoint(by=player.actor, url=receiver.url(f"/{player.organization.pk}"))
    emit_some(alice.actor, 2 * IN_FLIGHT_PER_ENDPOINT)
    relay()
    assert len(claim(200)) == IN_FLIGHT_PER_ENDPOINT
    emit_some(charlie.actor)
    relay()
    Endpoint.objects.filter(organization=charlie.organization).update(claimed_at="2100-01-01T00:00Z")  # the last one in turn

    assert [claimed.url for claimed in claim(200)] == [receiver.url(f"/{charlie.organization.pk}")]


def test_an_endpoint_at_its_rate_is_served_a_few_at_a_time(alice: Player, endpoint: Endpoint) -> None:
    emit_some(alice.actor, 20)
    relay()

    def claimed_with(tokens: float) -> int:  # of a time to come: the bucket does not fill meanwhile
        Endpoint.objects.update(tokens=tokens, tokens_at="2100-01-01T00:00Z")
        return len(claim(200))

    assert (claimed_with(1), claimed_with(4), claimed_with(5)) == (0, 0, 5)


def test_a_call_ends_the_waiting(sender: Sender) -> None:
    sender.wake()
    sender.wake()

    assert sender.collect(1, 60) == ([], True)
    assert sender.collect(1, 0) == ([], False)


def test_whoever_listens_is_called_at_each_ring_and_for_one_before(transactional_db: None) -> None:
    calls = threading.Semaphore(0)
    jobs.listen("tests.bell", calls.release)
    assert calls.acquire(timeout=10)  # it may have rung before

    for _ in range(2):
        jobs.ring_after_commit("tests.bell")
        jobs.ring_after_commit("tests.bell")  # nobody has heard the first
        assert calls.acquire(timeout=10)
        assert jobs.hear("tests.bell")
    assert not calls.acquire(timeout=0.1)


def test_a_worker_that_lingers_sends_what_is_new(
    alice: Player, endpoint: Endpoint, sender: Sender, transactional_db: None
) -> None:
    jobs.listen(BELL, sender.wake)
    jobs.hear(BELL)  # a bell that was rung before and that nobody heard would not be rung again

    def emit_late() -> None:
        emit_some(alice.actor)
        connection.close()

    timer = threading.Timer(0.5, emit_late)
    timer.start()
    sent = drain(sender=sender, lingers=2.0)
    timer.join()

    assert sent == 1


def test_a_worker_that_takes_nothing_new_leaves_the_bell_to_others(
    alice: Player, endpoint: Endpoint, receiver: Receiver, sender: Sender, transactional_db: None
) -> None:
    answers = threading.Event()

    def answer(request: Request) -> tuple[int, dict[str, str], bytes]:
        answers.wait(10)
        return 200, {}, b""

    receiver.answer = answer
    emit_some(alice.actor)
    relay()
    sender.submit(claim(1))
    jobs.hear(BELL)
    emit_some(alice.actor)
    sender.wake()
    threading.Timer(0.3, answers.set).start()

    assert drain(sender=sender, seconds=0.0) == 1
    assert jobs.hear(BELL)
