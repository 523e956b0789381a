"""Never two games in one space, over real HTTP: N callers at the same moment, and the same moment again and again."""

import datetime as dt
import time
from collections import Counter
from functools import partial
from typing import Any

import pytest
import requests

from bookings.models import Booking
from common.walltime import utc_text
from rooms.models import Block, Claim, Occupancy, Room, Session
from tests.cast import Player
from tests.crowd import at_once
from tests.server import Server
from tests.stage import book, booking_body, make_room, slot_at

pytestmark = pytest.mark.django_db(transaction=True)

QUARTERLY: dict[str, Any] = {
    "rules": [{"weekdays": [1, 2, 3, 4, 5, 6, 7], "first_start": "08:00", "last_start": "22:00", "interval_minutes": 15}]
}


def post(server: Server, player: Player, path: str, body: dict[str, Any]) -> requests.Response:
    return requests.post(
        server.path(path), json=body, headers={"Authorization": f"Bearer {player.secret}"}, timeout=60, allow_redirects=False
    )


def put(server: Server, player: Player, booking: Booking, body: dict[str, Any], **headers: str) -> requests.Response:
    named = {"Authorization": f"Bearer {player.secret}", **headers}
    return requests.put(server.path(f"/bookings/{booking.public_id}"), json=body, headers=named, timeout=60)


def race(server: Server, player: Player, bodies: list[dict[str, Any]], path: str = "/bookings") -> list[requests.Response]:
    answers = at_once([partial(post, server, player, path, body) for body in bodies])
    assert {answer.status_code for answer in answers} <= {201, 409}, Counter(answer.text for answer in answers)
    return answers


def won(answers: list[requests.Response]) -> list[requests.Response]:
    return [answer for answer in answers if answer.status_code == 201]


def guest(number: int) -> dict[str, Any]:
    return {"customer": {"name": f"Guest {number}", "email": f"guest{number}@example.com"}}


@pytest.mark.soak
def test_a_hundred_posts_on_one_slot_make_one_booking(server: Server, alice: Player, group_room: Room) -> None:
    bodies = [booking_body(group_room, slot_at(10), **guest(number)) for number in range(100)]

    answers = race(server, alice, bodies)

    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 99}
    refused = [answer.json() for answer in answers if answer.status_code == 409]
    assert {(problem["code"], *problem["reasons"]) for problem in refused} == {("slot_unavailable", "booked")}
    assert (Booking.objects.count(), Session.objects.count(), Occupancy.objects.count()) == (1, 1, 1)


def test_starts_that_overlap_make_one_booking(server: Server, alice: Player, paris: Any) -> None:
    room = make_room(alice.actor, paris, schedule=QUARTERLY, duration_minutes=60)
    quarters = [slot_at(10) + dt.timedelta(minutes=minute) for minute in (0, 15, 30, 45)]

    answers = race(server, alice, [booking_body(room, quarters[number % 4], **guest(number)) for number in range(40)])

    assert len(won(answers)) == Booking.objects.count() == 1


def test_two_rooms_on_one_space_make_one_booking(server: Server, alice: Player, group_room: Room) -> None:
    twin = make_room(alice.actor, group_room.venue, name="Torchlight", shares_space_with=[group_room])

    answers = race(
        server, alice, [booking_body((group_room, twin)[number % 2], slot_at(10), **guest(number)) for number in range(40)]
    )

    assert len(won(answers)) == Booking.objects.count() == 1


def test_shared_seats_are_sold_exactly_to_capacity(server: Server, alice: Player, shared_room: Room) -> None:
    sizes = [3] * 10 + [2] * 10 + [1] * 20
    bodies = [booking_body(shared_room, slot_at(10), party_size=size, **guest(n)) for n, size in enumerate(sizes)]

    answers = race(server, alice, bodies)

    assert sum(answer.json()["party_size"] for answer in won(answers)) == shared_room.capacity
    assert Session.objects.get().seats_taken == shared_room.capacity


def test_private_and_shared_parties_never_meet(server: Server, alice: Player, upgrade_room: Room) -> None:
    bodies = [
        booking_body(upgrade_room, slot_at(10), party_size=2, private=number % 2 == 0, **guest(number)) for number in range(30)
    ]

    winners = [answer.json() for answer in won(race(server, alice, bodies))]

    assert {winner["private"] for winner in winners} in ({True}, {False})
    assert len(winners) == 1 if winners[0]["private"] else sum(winner["party_size"] for winner in winners) == 10


def insist(server: Server, player: Player, ends: dt.datetime, path: str, body: dict[str, Any]) -> int:
    """Again and again from just before the hold's end to just after it."""
    time.sleep(0.4)
    while (status := post(server, player, path, body).status_code) == 409 and time.time() < ends.timestamp() + 0.3:
        pass
    return status


@pytest.mark.parametrize("rounds", [2, pytest.param(8, marks=pytest.mark.soak)])
def test_a_hold_that_expires_at_that_moment_is_sold_once(server: Server, alice: Player, group_room: Room, rounds: int) -> None:
    """Bookers and the holder's own confirmation meet at the very end of the hold."""
    for day in range(10, 10 + rounds):
        held = book(alice.actor, group_room, slot_at(day), hold=True)
        ends = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=0.6)
        Booking.objects.filter(pk=held.pk).update(hold_expires_at=ends)
        Claim.objects.filter(holder=held.public_id).update(expires_at=ends)

        bodies = [booking_body(group_room, slot_at(day), **guest(number)) for number in range(6)]
        bookers = [partial(insist, server, alice, ends, "/bookings", body) for body in bodies]
        statuses = at_once([*bookers, partial(insist, server, alice, ends, f"/bookings/{held.public_id}/confirm", {})])

        assert set(statuses) <= {200, 201, 409, 410}
        on_slot = Booking.objects.filter(starts_at=slot_at(day), status="confirmed")
        assert on_slot.count() == 1
        assert Claim.objects.filter(session__starts_at=slot_at(day), released_at=None).count() == 1


def test_a_block_and_a_booking_never_share_a_time(server: Server, alice: Player, group_room: Room) -> None:
    for day in range(10, 16):
        start = slot_at(day)
        block = {
            "rooms": [group_room.public_id],
            "starts_at": utc_text(start),
            "ends_at": utc_text(start + dt.timedelta(hours=1)),
        }
        calls = [partial(post, server, alice, "/bookings", booking_body(group_room, start, **guest(n))) for n in range(5)]
        calls += [partial(post, server, alice, "/schedules/block", block)] * 2
        answers = at_once(calls[::-1] if day % 2 else calls)

        assert {answer.status_code for answer in answers} <= {201, 409}
        booked = Booking.objects.filter(starts_at=start).count()
        blocked = Block.objects.filter(starts_at=start).count()
        assert (booked, bool(blocked)) in [(1, False), (0, True)]


def test_two_bookings_that_swap_slots_neither_deadlock_nor_overlap(server: Server, alice: Player, group_room: Room) -> None:
    """Each asks for the other's slot: refused while it is taken, and nobody waits in a circle."""
    other = make_room(alice.actor, group_room.venue, name="Other")
    for day in range(10, 16):
        here, there = book(alice.actor, group_room, slot_at(day)), book(alice.actor, other, slot_at(day))
        answers = at_once(
            [
                partial(put, server, alice, here, {"room": other.public_id}),
                partial(put, server, alice, there, {"room": group_room.public_id}),
            ]
        )

        assert [answer.status_code for answer in answers] == [409, 409]
        assert Claim.objects.filter(session__starts_at=slot_at(day), released_at=None).count() == 2


def test_moves_onto_one_free_slot_are_won_once(server: Server, alice: Player, group_room: Room) -> None:
    bookings = [book(alice.actor, group_room, slot_at(10, hour)) for hour in range(8, 16)]
    target = {"starts_at": utc_text(slot_at(11))}

    answers = at_once([partial(put, server, alice, booking, target) for booking in bookings])

    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 7}
    assert Occupancy.objects.filter(active=True).count() == 8


def test_of_two_writers_with_one_version_one_is_stopped(server: Server, alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10))

    answers = at_once(
        [partial(put, server, alice, booking, {"notes_internal": f"note {n}"}, **{"If-Match": '"1"'}) for n in range(2)]
    )

    assert sorted(answer.status_code for answer in answers) == [200, 412]
    stopped = next(answer for answer in answers if answer.status_code == 412)
    assert (stopped.json()["code"], stopped.headers["ETag"]) == ("version_conflict", '"2"')


def test_canceling_at_once_refunds_once(server: Server, alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10), payment={"mode": "pos", "amount": 10_000})
    url, headers = server.path(f"/bookings/{booking.public_id}"), {"Authorization": f"Bearer {alice.secret}"}

    answers = at_once([partial(requests.delete, url, headers=headers, timeout=60)] * 20)

    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["refund"]["amount"] for answer in answers} == {10_000}
    booking.refresh_from_db()
    assert booking.amount_refunded == 10_000


def test_one_new_customer_for_many_first_bookings(server: Server, alice: Player, shared_room: Room) -> None:
    bodies = [booking_body(shared_room, slot_at(10 + number), party_size=1) for number in range(12)]

    assert len(won(race(server, alice, bodies))) == 12
    assert Booking.objects.values("customer").distinct().count() == 1


def test_sold_games_stay_within_a_capacity_that_shrinks(server: Server, alice: Player, shared_room: Room) -> None:
    url = server.path(f"/rooms/{shared_room.public_id}")
    headers = {"Authorization": f"Bearer {alice.secret}"}
    shrink = {"capacity": 4, "max_party": 4}
    bodies = [booking_body(shared_room, slot_at(10), party_size=2, **guest(number)) for number in range(8)]

    answers = at_once(
        [
            *(partial(post, server, alice, "/bookings", body) for body in bodies),
            partial(requests.put, url, json=shrink, headers=headers, timeout=60),
        ]
    )

    assert {answer.status_code for answer in answers} <= {200, 201, 409}
    session, room = Session.objects.get(), Room.objects.get(pk=shared_room.pk)
    assert session.seats_taken <= session.capacity == room.capacity
