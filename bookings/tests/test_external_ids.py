"""An external id is given once, however many ask for it at the same moment."""

from functools import partial

import pytest

from bookings.models import Booking
from rooms.models import Room, Venue
from tests.cast import Player
from tests.crowd import at_once
from tests.stage import book, booking_body, make_room, slot_at

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 6


@pytest.fixture
def rooms(alice: Player, paris: Venue) -> list[Room]:
    return [make_room(alice.actor, paris, name=f"Room {number}") for number in range(4)]


def test_of_parallel_bookings_in_different_rooms_one_gets_it(alice: Player, rooms: list[Room]) -> None:
    for day in range(10, 10 + ROUNDS):
        bodies = [booking_body(room, slot_at(day), external_id=f"pos-{day}") for room in rooms]

        answers = at_once([partial(alice.api.post, "/bookings", body) for body in bodies])

        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
        refused = [answer.json() for answer in answers if answer.status_code == 409]
        holder = Booking.objects.get(external_id=f"pos-{day}").public_id
        assert {(problem["code"], problem["booking"]) for problem in refused} == {("duplicate_external_id", holder)}


def test_of_parallel_changes_one_gets_it(alice: Player, rooms: list[Room]) -> None:
    ids = [book(alice.actor, room, slot_at(10)).public_id for room in rooms]
    for number in range(ROUNDS):
        changes = [partial(alice.api.put, f"/bookings/{id}", {"external_id": f"till-{number}"}) for id in ids]

        answers = at_once(changes)

        assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
        assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"duplicate_external_id"}
