"""When to try again, when to rest, when to give an endpoint up: pure rules over a row, on a clock that the tests turn."""

import datetime as dt
from typing import Any

import pytest

from common.http import Failure, Outcome
from common.ids import new_id
from tests.cast import Player
from webhooks import schedule
from webhooks.engine import drain
from webhooks.engine.claim import claim
from webhooks.models import Delivery, Endpoint
from webhooks.services import enable_endpoint, resend
from webhooks.tests.conftest import Receiver, emit_some, make_due

NOW = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
FAILED = Outcome(0.1, status=500, failure=Failure.HTTP)


def fail(
    endpoint: Endpoint, count: int = 1, *, at: dt.datetime = NOW, probe: bool = False, outcome: Outcome = FAILED
) -> list[int]:
    """So many failures of so many events; the warnings that fall due."""
    return [schedule.note_failure(endpoint, new_id("evt"), FAILED, is_probe=probe, now=at) for _ in range(count)]


def test_the_ladder_makes_fourteen_attempts_in_three_days() -> None:
    waits = []
    for attempt in range(1, 15):
        due = schedule.next_attempt_at("dlv_1", attempt, FAILED, now=NOW)
        waits.append(None if due is None else (due - NOW).total_seconds())

    assert waits[-1] is None
    expected = [5, 30, 120, 300, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200, 72_000, 86_400]
    assert sum(expected) == 71 * 3600 + 52 * 60 + 35
    for wait, rung in zip(waits, expected, strict=False):
        assert wait is not None
        assert 0.9 * rung <= wait <= 1.1 * rung


def test_the_jitter_can_be_foretold_and_differs() -> None:
    def wait(name: str, attempt: int = 5) -> Any:
        return schedule.next_attempt_at(name, attempt, FAILED, now=NOW)

    assert wait("dlv_1") == wait("dlv_1")
    assert wait("dlv_1") != wait("dlv_2")


@pytest.mark.parametrize(
    ("outcome", "seconds"),
    [
        (Outcome(1, status=503, failure=Failure.HTTP, retry_after="600"), 600),
        (Outcome(1, status=429, failure=Failure.HTTP, retry_after="Mon, 01 Jun 2026 12:20:00 GMT"), 1_200),
        (Outcome(1, status=503, failure=Failure.HTTP, retry_after="99999999"), 6 * 3_600),
        (Outcome(1, status=502, failure=Failure.HTTP), 60),
        (Outcome(1, status=504, failure=Failure.HTTP), 60),
        (Outcome(15, failure=Failure.TIMEOUT), 60),
    ],
)
def test_some_answers_ask_for_more_patience(outcome: Outcome, seconds: int) -> None:
    assert schedule.next_attempt_at("dlv_1", 1, outcome, now=NOW) == NOW + dt.timedelta(seconds=seconds)


@pytest.mark.parametrize("retry_after", ["soon", "-5", None, "600"])
def test_junk_and_other_statuses_ask_for_nothing(retry_after: str | None) -> None:
    status = 500 if retry_after == "600" else 503
    due = schedule.next_attempt_at("d", 1, Outcome(1, status=status, failure=Failure.HTTP, retry_after=retry_after), now=NOW)

    assert due is not None
    assert (due - NOW).total_seconds() < 6


def test_the_breaker_opens_at_ten_attempts_of_which_seven_in_ten_failed() -> None:
    endpoint = Endpoint()
    for _ in range(3):
        schedule.note_success(endpoint, now=NOW)
    fail(endpoint, 6)
    assert endpoint.breaker_opens == 0
    fail(endpoint)

    assert (endpoint.breaker_opens, endpoint.resting_until) == (1, NOW + dt.timedelta(seconds=30))


def test_failures_of_more_than_five_minutes_ago_do_not_count() -> None:
    endpoint = Endpoint()
    fail(endpoint, 9)
    fail(endpoint, at=NOW + dt.timedelta(minutes=6))

    assert endpoint.breaker_opens == 0


def test_a_failed_probe_doubles_the_rest_up_to_a_quarter_of_an_hour_and_a_good_one_ends_it() -> None:
    endpoint = Endpoint()
    fail(endpoint, 10)
    rests = []
    at = NOW
    for _ in range(7):
        assert endpoint.resting_until is not None
        at = endpoint.resting_until
        fail(endpoint, at=at, probe=True)
        rests.append((endpoint.resting_until - at).total_seconds())

    assert rests == [60, 120, 240, 480, 900, 900, 900]
    schedule.note_success(endpoint, now=at)
    assert (endpoint.breaker_opens, endpoint.resting_until, endpoint.failing_since) == (0, None, None)


def test_what_was_under_way_when_the_breaker_opened_is_no_probe() -> None:
    endpoint = Endpoint()
    fail(endpoint, 18)

    assert endpoint.breaker_opens == 1


def test_owners_are_warned_once_at_1_24_72_and_108_hours() -> None:
    endpoint = Endpoint()
    warnings = [
        (hours, due)
        for hours in (0, 0.5, 1, 1.5, 23, 25, 30, 72, 100, 108, 119)
        for due in fail(endpoint, at=NOW + dt.timedelta(hours=hours))
        if due
    ]

    assert warnings == [(1, 1), (25, 24), (72, 72), (108, 108)]


@pytest.mark.parametrize(
    ("hours", "attempts", "events", "hopeless"),
    [(120, 10, 3, True), (119, 10, 3, False), (120, 9, 3, False), (120, 10, 2, False)],
)
def test_an_endpoint_is_given_up_after_days_of_nothing(hours: int, attempts: int, events: int, hopeless: bool) -> None:
    endpoint = Endpoint(failing_since=NOW, failed_attempts=attempts, failed_events=[f"evt_{number}" for number in range(events)])

    assert schedule.is_beyond_hope(endpoint, now=NOW + dt.timedelta(hours=hours)) is hopeless


def test_an_open_breaker_postpones_without_spending_attempts(alice: Player, endpoint: Endpoint, receiver: Receiver) -> None:
    receiver.answer = lambda request: (500, {}, b"")
    emit_some(alice.actor, 10)
    drain()
    sent = len(receiver.requests)
    emit_some(alice.actor, 5)
    Delivery.objects.waiting().update(due_at=NOW)
    drain()

    assert len(receiver.requests) == sent == 10
    assert Delivery.objects.filter(attempts=0).count() == 5


def test_half_open_is_exactly_one_probe(alice: Player, endpoint: Endpoint, receiver: Receiver) -> None:
    receiver.answer = lambda request: (500, {}, b"")
    emit_some(alice.actor, 10)
    drain()
    make_due()

    first, second = claim(50), claim(50)

    assert (len(first), first[0].is_probe, second) == (1, True, [])


def test_a_receiver_that_is_back_closes_the_breaker_and_gets_everything(
    alice: Player, endpoint: Endpoint, receiver: Receiver
) -> None:
    receiver.answer = lambda request: (500, {}, b"")
    emit_some(alice.actor, 12)
    drain()
    receiver.answer = lambda request: (200, {}, b"")
    make_due()
    while Delivery.objects.waiting().exists():
        drain()

    endpoint.refresh_from_db()
    assert (endpoint.breaker_opens, endpoint.resting_until) == (0, None)
    assert set(Delivery.objects.values_list("state", flat=True)) == {Delivery.State.SUCCEEDED}


def test_an_endpoint_that_failed_for_days_is_disabled_and_a_person_brings_it_back(
    alice: Player, endpoint: Endpoint, receiver: Receiver
) -> None:
    receiver.answer = lambda request: (500, {}, b"")
    emit_some(alice.actor, 4)
    drain()
    days_ago = dt.datetime.now(dt.UTC) - dt.timedelta(hours=121)
    Endpoint.objects.update(failing_since=days_ago, failed_attempts=20, failed_events=["evt_1", "evt_2", "evt_3"])
    make_due()
    drain()
    emit_some(alice.actor, 2)
    drain()

    endpoint.refresh_from_db()
    assert (endpoint.status, endpoint.disabled_reason) == ("disabled", "failing")
    assert set(Delivery.objects.values_list("state", flat=True)) == {Delivery.State.HELD}

    receiver.answer = lambda request: (200, {}, b"")
    receiver.requests.clear()
    _, released = enable_endpoint(endpoint=endpoint, by=alice.actor, release_held_since=days_ago)
    while Delivery.objects.waiting().exists():
        drain()
    assert released == len({request.headers["webhook-id"] for request in receiver.requests}) == 6


def test_what_is_resent_by_hand_says_nothing_of_health(alice: Player, endpoint: Endpoint, receiver: Receiver) -> None:
    emit_some(alice.actor)
    drain()
    receiver.answer = lambda request: (500, {}, b"")
    for _ in range(12):
        resend(delivery=Delivery.objects.earliest("pk"), by=alice.actor)
    drain()

    endpoint.refresh_from_db()
    assert len(receiver.requests) == 13
    assert (endpoint.breaker_opens, endpoint.failing_since, endpoint.failed_attempts) == (0, None, 0)
    assert receiver.requests[-1].headers["bookingflow-redelivery"] == "true"
