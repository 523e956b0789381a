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


def test_a_hold_that_ran_out_is_expired_by_beat_and_worker(background: None, alice: Player, group_room: Room) -> None:
    held = book(alice.actor, group_room, slot_at(10), hold=True)
    lapse(held)

    eventually(lambda: Booking.objects.get(pk=held.pk).status == Booking.Status.EXPIRED)

    assert BookingHistory.objects.filter(booking=held).last().actor_type == "system"
    assert not Occupancy.objects.filter(active=True).exists()


def test_a_checked_in_game_that_ended_is_completed_by_beat_and_worker(background: None, alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10))
    ended = timezone.now() - dt.timedelta(minutes=1)
    Booking.objects.filter(pk=booking.pk).update(
        status=Booking.Status.CHECKED_IN, starts_at=ended - dt.timedelta(hours=1), ends_at=ended
    )

    eventually(lambda: Booking.objects.get(pk=booking.pk).status == Booking.Status.COMPLETED)


def test_two_sweeps_at_once_write_it_down_once(alice: Player, group_room: Room) -> None:
    holds = [book(alice.actor, group_room, slot_at(day), hold=True) for day in range(10, 16)]
    for held in holds:
        lapse(held)

    assert sum(at_once([expire_holds] * 4)) == len(holds)
    assert BookingHistory.objects.filter(action="expired").count() == len(holds)
