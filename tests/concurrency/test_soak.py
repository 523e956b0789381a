"""The races at full size: many rounds, for minutes. `make soak`."""

import itertools
import random
from collections import Counter
from functools import partial

import pytest
import requests

from bookings.models import Booking
from common.walltime import utc_text
from rooms.models import Claim, Occupancy, Room, Session
from tests.cast import Player
from tests.concurrency.test_races import guest, post, race, won
from tests.crowd import at_once
from tests.server import Server
from tests.stage import booking_body, make_room, slot_at

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.soak]


def test_forty_rounds_of_thirty_callers_on_one_slot(server: Server, alice: Player, group_room: Room) -> None:
    slots = [slot_at(day, hour) for day in range(10, 15) for hour in range(8, 16)]

    for slot in slots:
        answers = race(server, alice, [booking_body(group_room, slot, **guest(number)) for number in range(30)])
        assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 29}
    assert Booking.objects.count() == len(slots) == 40


def test_twenty_rounds_of_shared_seats(server: Server, alice: Player, shared_room: Room) -> None:
    dice = random.Random(7)
    for day in range(10, 30):
        sizes = [dice.randint(1, 4) for _ in range(20)] + [1] * 10
        bodies = [booking_body(shared_room, slot_at(day), party_size=size, **guest(n)) for n, size in enumerate(sizes)]

        answers = race(server, alice, bodies)

        assert sum(answer.json()["party_size"] for answer in won(answers)) == shared_room.capacity


def test_a_busy_hour_of_everything_at_once(server: Server, alice: Player, group_room: Room) -> None:
    """Books, moves, cancels and blocks at random in three rooms, two of which share a space; the books balance afterwards."""
    twin = make_room(alice.actor, group_room.venue, name="Torchlight", shares_space_with=[group_room])
    other = make_room(alice.actor, group_room.venue, name="Other")
    rooms, headers = [group_room, twin, other], {"Authorization": f"Bearer {alice.secret}"}

    def life(seed: int) -> list[int]:
        dice, seen = random.Random(seed), []
        mine: list[str] = []
        for step in range(60):
            at = slot_at(dice.randint(10, 12), dice.randint(8, 18))
            act = dice.choice(["book", "book", "move", "cancel", "block"])
            if act == "block":
                times = {"starts_at": utc_text(at), "ends_at": utc_text(at.replace(minute=30))}
                answer = post(server, alice, "/schedules/block", {"rooms": [dice.choice(rooms).public_id], **times})
                if answer.status_code == 201:
                    requests.delete(server.path(f"/schedules/block/{answer.json()['id']}"), headers=headers, timeout=60)
            elif act == "book" or not mine:
                answer = post(server, alice, "/bookings", booking_body(dice.choice(rooms), at, **guest(seed * 1000 + step)))
                mine += [answer.json()["id"]] if answer.status_code == 201 else []
            elif act == "move":
                url, target = server.path(f"/bookings/{dice.choice(mine)}"), dice.choice(rooms)
                body = {"starts_at": utc_text(at), "room": target.public_id}
                answer = requests.put(url, json=body, headers=headers, timeout=60)
            else:
                url = server.path(f"/bookings/{mine.pop(dice.randrange(len(mine)))}")
                answer = requests.delete(url, headers=headers, timeout=60)
            seen.append(answer.status_code)
        return seen

    statuses = Counter(status for seen in at_once([partial(life, seed) for seed in range(12)]) for status in seen)

    assert set(statuses) <= {200, 201, 409, 503}
    assert statuses[503] <= 2  # two moves of one booking at the same moment
    confirmed = Booking.objects.filter(status=Booking.Status.CONFIRMED)
    assert Claim.objects.filter(released_at=None).count() == confirmed.count()
    assert Session.objects.filter(ended=False).count() == confirmed.count()
    periods = Occupancy.objects.filter(active=True).order_by("space_id", "period").values_list("space_id", "period")
    for (space, period), (next_space, next_period) in itertools.pairwise(periods):
        assert space != next_space or period.upper <= next_period.lower
