"""Workers that read calendars: one at a time, lost ones, and how much a sync asks of the database."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from calendars import fetching, reading
from calendars.models import CalendarImport
from calendars.reasons import Reason
from calendars.services import create_import, pause_import, resume_import, sync_due
from calendars.services import sync as syncing
from calendars.tests.host import Host
from calendars.tests.test_expansion import calendar
from calendars.tests.test_imports import GOOD, again, at, blocked, sync
from organizations.actor import Actor
from rooms.models import Room
from tests.cast import Player
from tests.stage import slot_at


def raising(error: BaseException) -> Any:
    def act(*args: Any, **kwargs: Any) -> None:
        raise error

    return act


def test_only_one_worker_at_a_time_is_at_it_and_one_that_is_lost_is_waited_for_in_vain_no_longer(
    host: Host, source: CalendarImport, group_room: Room
) -> None:
    other = create_import(by=Actor.system(source.organization), room=group_room, name="Other", secret_url=host.url)
    host.serve(GOOD)
    CalendarImport.objects.filter(pk=other.pk).update(claimed_until=timezone.now() + dt.timedelta(minutes=5))

    assert sync_due() == 0
    CalendarImport.objects.filter(pk=other.pk).update(claimed_until=timezone.now() - dt.timedelta(seconds=1))
    assert sync_due() == 2
    assert not CalendarImport.objects.exclude(claimed_until=None).exists()


def test_what_a_lost_worker_had_is_read_as_soon_as_its_claim_ends_unless_it_was_lost_twice(
    host: Host, source: CalendarImport, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """Nothing catches it, as nothing survives kill -9."""

    def lose_a_worker() -> None:
        CalendarImport.objects.update(next_sync_at=timezone.now())
        with monkeypatch.context() as patch:
            patch.setattr(reading, "busy_times", raising(Killed()))
            patch.setattr(syncing, "_release", lambda claimed: None)
            with pytest.raises(Killed):
                sync_due()

    def let_the_claim_end() -> None:
        CalendarImport.objects.exclude(claimed_until=None).update(claimed_until=timezone.now())

    host.serve(GOOD)
    lose_a_worker()
    assert sync_due() == 0
    left = again(source).claimed_until - timezone.now()  # type: ignore[operator]
    assert dt.timedelta(0) < left < dt.timedelta(seconds=90)
    let_the_claim_end()
    assert sync_due() == 1
    assert (again(source).state, len(blocked())) == ("ok", 1)

    CalendarImport.objects.update(failure=Reason.INTERNAL, read_at=None)
    lose_a_worker()
    let_the_claim_end()
    assert sync_due() == 0
    lost = again(source)
    assert (lost.claimed_until, lost.failure) == (None, Reason.INTERNAL)
    assert lost.next_sync_at > timezone.now() + dt.timedelta(minutes=9)


def test_a_claim_is_renewed_before_each_calendar_and_given_back_after_it(
    host: Host, source: CalendarImport, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("Second", "Third"):
        create_import(by=Actor.system(source.organization), room=source.room, name=name, secret_url=host.url)
    left: list[list[int]] = []
    read = reading.busy_times

    def watched(*args: Any, **kwargs: Any) -> Any:
        now = timezone.now()
        ends = CalendarImport.objects.exclude(claimed_until=None).order_by("pk").values_list("claimed_until", flat=True)
        left.append([round((end - now) / syncing.LEASE) for end in ends if end])
        CalendarImport.objects.exclude(claimed_until=None).update(claimed_until=now + dt.timedelta(seconds=1))
        return read(*args, **kwargs)

    monkeypatch.setattr(reading, "busy_times", watched)
    host.serve(GOOD)

    assert sync_due() == 3
    assert left == [[1, 1, 1], [1, 1], [1]]
    assert syncing.LEASE.total_seconds() > max(reading.WALL_SECONDS, fetching.TOTAL_SECONDS)


def test_the_same_text_is_not_worked_out_again_until_something_may_be_missing(
    host: Host, source: CalendarImport, monkeypatch: pytest.MonkeyPatch
) -> None:
    worked_out: list[int] = []
    read = reading.busy_times
    monkeypatch.setattr(reading, "busy_times", lambda *args, **kwargs: worked_out.append(0) or read(*args, **kwargs))
    host.serve(calendar(at(10, uid="a") + "\nDTSTAMP:20261128T100000Z"))
    sync(source)
    host.serve(calendar(at(10, uid="a") + "\nDTSTAMP:20261128T110000Z"))
    assert sync(source).state == "ok"
    assert len(worked_out) == 1

    host.serve(calendar(at(10, uid="a"), at(12, uid="b")))
    with monkeypatch.context() as patch:
        patch.setattr(syncing, "create_blocks", raising(RuntimeError()))
        assert sync(source).failure == Reason.INTERNAL
    host.serve(calendar(at(10, uid="a") + "\nDTSTAMP:20261128T100000Z"))  # back to what was read before
    sync(source)
    assert len(worked_out) == 3
    CalendarImport.objects.update(read_at=timezone.now() - dt.timedelta(hours=25))
    sync(source)
    assert len(worked_out) == 4
    assert blocked() == [(slot_at(10), slot_at(10, 13))]


def test_statements_are_as_many_as_batches_whatever_the_number_of_blocks(
    alice: Player, host: Host, source: CalendarImport
) -> None:
    def asked(count: int, *, minutes: int) -> int:
        host.serve(calendar(*(at(5 + number // 10, number % 10, minutes, uid=str(number)) for number in range(count))))
        with CaptureQueriesContext(connection) as captured:
            sync(source)
        return len(captured)

    def costs(count: int) -> list[int]:
        """Of making all, moving all, taking all away, and of a pause."""
        found = [asked(count, minutes=30), asked(count, minutes=45), asked(0, minutes=45), asked(count, minutes=30)]
        with CaptureQueriesContext(connection) as captured:
            pause_import(source=source, by=alice.actor)
        resume_import(source=source, by=alice.actor)
        return [*found, len(captured)]

    assert syncing.ACTS >= 60
    assert costs(60) == costs(6)
