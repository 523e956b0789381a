"""What is past keeping goes, what is still needed stays."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from tests.cast import Player
from webhooks import tasks
from webhooks.engine import drain
from webhooks.engine.relay import relay
from webhooks.models import Attempt, Delivery, Endpoint, Event
from webhooks.services import pause_endpoint, ping
from webhooks.tests.conftest import Receiver


@pytest.fixture(autouse=True)
def loopback(settings: Any) -> None:
    settings.WEBHOOK_ALLOW_LOOPBACK = True


def grow_older(days: float) -> None:
    """All that is there, by so many days."""
    before = timezone.now() - dt.timedelta(days=days)
    Event.objects.update(occurred_at=before)
    Delivery.objects.update(created_at=before)
    Attempt.objects.update(started_at=before)


def counts() -> tuple[int, int, int, int]:
    """Events, of which with a payload, deliveries, attempts."""
    payloads = Event.objects.exclude(data={}).exclude(body="").count()
    return Event.objects.count(), payloads, Delivery.objects.count(), Attempt.objects.count()


@pytest.fixture
def sent(alice: Player, endpoint: Endpoint, receiver: Receiver) -> None:
    ping(endpoint=endpoint, by=alice.actor)
    drain()
    assert counts() == (1, 1, 1, 1)


@pytest.mark.parametrize(
    ("days", "left"), [(29.9, (1, 1, 1, 1)), (30.1, (1, 0, 1, 0)), (89.9, (1, 0, 1, 0)), (90.1, (0, 0, 0, 0))]
)
def test_payloads_and_attempts_go_after_30_days_and_events_with_their_deliveries_after_90(
    sent: None, days: float, left: tuple[int, int, int, int]
) -> None:
    grow_older(days)

    tasks.forget()

    assert counts() == left


@pytest.mark.parametrize("state", ["pending", "scheduled", "leased"])
def test_an_event_that_is_still_to_be_sent_keeps_all_of_it(sent: None, state: str) -> None:
    token = "00000000-0000-4000-8000-000000000000" if state == "leased" else None
    Delivery.objects.update(state=state, lease_token=token)
    grow_older(100)

    tasks.forget()

    assert counts() == (1, 1, 1, 0)


def test_an_event_that_is_not_relayed_yet_keeps_all_of_it(alice: Player, endpoint: Endpoint) -> None:
    ping(endpoint=endpoint, by=alice.actor)
    grow_older(100)

    tasks.forget()

    assert (Event.objects.count(), Event.objects.filter(data={}).count()) == (1, 0)
    relay()
    assert "webhook_endpoint" in Event.objects.get().body


@pytest.mark.parametrize(("days", "state", "payloads"), [(29.9, "held", 1), (30.1, "canceled", 0)])
def test_what_is_held_is_given_up_after_30_days(
    alice: Player, endpoint: Endpoint, days: float, state: str, payloads: int
) -> None:
    ping(endpoint=endpoint, by=alice.actor)
    pause_endpoint(endpoint=endpoint, by=alice.actor)
    relay()
    grow_older(days)

    tasks.forget()

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.finished_at is not None) == (state, state == "canceled")
    assert counts()[1] == payloads


def test_an_event_that_was_held_lately_for_a_replay_keeps_its_payload(sent: None, endpoint: Endpoint, alice: Player) -> None:
    grow_older(35)
    event = Event.objects.get()
    again = Delivery.objects.create(
        organization=alice.organization, endpoint=endpoint, event=event, lane=Delivery.Lane.REPLAY, state=Delivery.State.HELD
    )

    tasks.forget()

    assert counts() == (1, 1, 2, 0)
    assert Delivery.objects.get(pk=again.pk).state == Delivery.State.HELD


def test_any_number_goes_in_chunks(sent: None, alice: Player, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhooks.engine.forget.CHUNK", 2)
    for _ in range(6):
        ping(endpoint=endpoint, by=alice.actor)
    drain()
    resent = Delivery.objects.first()
    Delivery.objects.filter(pk=Delivery.objects.last().pk).update(replay_of=resent)
    grow_older(91)
    ping(endpoint=endpoint, by=alice.actor)
    drain()

    tasks.forget()

    assert counts() == (1, 1, 1, 1)
