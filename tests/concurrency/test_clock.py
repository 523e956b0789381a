"""Beat and worker, as processes of their own, write down what time has done."""

import datetime as dt

import pytest
from django.utils import timezone

from bookings.models import Booking, BookingHistory
from bookings.services import expire_holds
from rooms.models import Claim, Occupancy, Room
from tests.cast import Player
from tests.crowd import at_once
from tests.server import eventually
from tests.stage import book, slot_at

pytestmark = pytest.mark.django_db(transaction=True)


def lapse(booking: Booking) -> None:
    ended = timezone.now() - dt.timedelta(seconds=1)
    Booking.objects.filter(pk=booking.pk).update(hold_expires_at=ended)
    Claim.objects.filter(holder=booking.public_id).update(expires_at=ended)


def test_a_hold_that_ran_out_and_a_game_that_ended_are_written_down_by_beat_and_worker(
    background: None, alice: Player, group_room: Room
) -> None:
    held = book(alice.actor, group_room, slot_at(10), hold=True)
    lapse(held)
    played = book(alice.actor, group_room, slot_at(11))
    ended = timezone.now() - dt.timedelta(minutes=1)
    Booking.objects.filter(pk=played.pk).update(
        status=Booking.Status.CHECKED_IN, starts_at=ended - dt.timedelta(hours=1), ends_at=ended
    )

    eventually(lambda: Booking.objects.get(pk=held.pk).status == Booking.Status.EXPIRED)
    eventually(lambda: Booking.objects.get(pk=played.pk).status == Booking.Status.COMPLETED)

    assert BookingHistory.objects.filter(booking=held).last().actor_type == "system"
    freed = Occupancy.objects.get(session__claims__holder=held.public_id)
    assert not freed.active


def test_two_sweeps_at_once_write_it_down_once(alice: Player, group_room: Room) -> None:
    holds = [book(alice.actor, group_room, slot_at(day), hold=True) for day in range(10, 16)]
    for held in holds:
        lapse(held)

    assert sum(at_once([expire_holds] * 4)) == len(holds)
    assert BookingHistory.objects.filter(action="expired").count() == len(holds)
