"""Blocks, rooms and venues that are made and unmade at the same moment: they take turns at the organization's row."""

import threading
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from common.errors import DomainError
from rooms import events, services
from rooms.models import Block, Room, Venue
from rooms.services import blocks, rooms
from tests.cast import Player
from tests.crowd import at_once
from tests.stage import PER_GROUP, book, make_room, make_venue, slot_at

pytestmark = pytest.mark.django_db(transaction=True)
PATIENCE = 0.6  # seconds that one side waits in the middle of its work for the other to slip past


def outcome(call: Callable[[], Any]) -> str:
    """`done`, or the refusal's code, with the field it names."""
    try:
        call()
    except DomainError as error:
        pointers = [problem["pointer"] for problem in error.extra.get("errors", ())]
        return " ".join([error.code.code, *pointers])
    return "done"


def meet(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str, first: Callable[[], Any], second: Callable[[], Any]
) -> list[str]:
    """`first` stops behind `module.name` until `second` is done, or, when that has to wait for it, for a while."""
    reached, done = threading.Event(), threading.Event()
    real = getattr(module, name)

    def pause(*args: Any, **kwargs: Any) -> Any:
        result = real(*args, **kwargs)
        if not reached.is_set():
            reached.set()
            done.wait(PATIENCE)
        return result

    def follow() -> str:
        assert reached.wait(30)
        try:
            return outcome(second)
        finally:
            done.set()

    monkeypatch.setattr(module, name, pause)
    return at_once([partial(outcome, first), follow])


def block_everything(alice: Player) -> Block:
    day = slot_at(10).date()
    return services.create_block(by=alice.actor, all=True, date_from=day, date_to=day)


def test_a_room_made_while_everything_is_blocked_is_blocked_too(
    alice: Player, group_room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make_and_book() -> None:
        book(alice.actor, make_room(alice.actor, group_room.venue, name="New"), slot_at(10))

    found = meet(monkeypatch, blocks, "block_conflicts", partial(block_everything, alice), make_and_book)

    assert found == ["done", "slot_unavailable"]


def test_a_booking_made_while_many_blocks_are_laid_meets_them(
    alice: Player, group_room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = slot_at(10).date()
    lay = partial(services.create_blocks, by=alice.actor, rooms=[group_room], times=[{"date_from": day, "date_to": day}])

    found = meet(monkeypatch, events, "many_blocked", lay, partial(book, alice.actor, group_room, slot_at(10)))

    assert found == ["done", "slot_unavailable"]


def test_a_room_reopened_while_everything_is_blocked_is_blocked_too(
    alice: Player, group_room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = make_room(alice.actor, group_room.venue, name="Closed", status="archived")

    def reopen_and_book() -> None:
        services.update_room(room=closed, by=alice.actor, status="active")
        book(alice.actor, closed, slot_at(10))

    found = meet(monkeypatch, blocks, "block_conflicts", partial(block_everything, alice), reopen_and_book)

    assert found == ["done", "slot_unavailable"]


def test_a_venue_is_not_deleted_under_a_room_that_is_being_made(
    alice: Player, paris: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = partial(services.create_room, by=alice.actor, venue=Venue.objects.get(pk=paris.pk), name="New")
    delete = partial(services.delete_venue, venue=paris, by=alice.actor)

    assert meet(monkeypatch, rooms, "_check", make, delete) == ["done", "venue_has_rooms"]


def test_a_room_is_not_made_in_a_venue_that_is_being_deleted(
    alice: Player, paris: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = partial(services.create_room, by=alice.actor, venue=Venue.objects.get(pk=paris.pk), name="New")
    delete = partial(services.delete_venue, venue=paris, by=alice.actor)

    assert meet(monkeypatch, services.venues, "_locked", delete, make) == ["done", "validation_failed /venue"]


def test_a_booking_made_while_the_clock_changes_is_by_one_of_the_two(
    alice: Player, group_room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = partial(services.update_venue, venue=group_room.venue, by=alice.actor, timezone="Asia/Kolkata")

    found = meet(
        monkeypatch, services.venues, "_rooms_without_bookings", change, partial(book, alice.actor, group_room, slot_at(10))
    )

    assert found == ["done", "outside_schedule"]  # in Kolkata noon in UTC is half past


@pytest.mark.parametrize(
    ("given", "others"),
    [({}, "done"), ({"slug": "same"}, "validation_failed /slug"), ({"external_id": "same"}, "duplicate_external_id")],
)
def test_rooms_made_at_once_stay_apart(alice: Player, paris: Venue, given: dict[str, str], others: str) -> None:
    make = partial(make_room, alice.actor, paris, name="Same", pricing=PER_GROUP, **given)

    found = at_once([partial(outcome, make)] * 6)

    assert Counter(found) == Counter(["done", *[others] * 5])
    assert len(set(Room.objects.values_list("slug", flat=True))) == Room.objects.count() == found.count("done")


@pytest.mark.parametrize(
    ("given", "others"),
    [({"slug": "same"}, "validation_failed /slug"), ({"external_id": "same"}, "duplicate_external_id")],
)
def test_rooms_changed_at_once_stay_apart(alice: Player, paris: Venue, given: dict[str, Any], others: str) -> None:
    made = [make_room(alice.actor, paris, name=f"Room {number}") for number in range(6)]

    found = at_once([partial(outcome, partial(services.update_room, room=room, by=alice.actor, **given)) for room in made])

    assert Counter(found) == Counter({"done": 1, others: 5})


def test_of_two_first_venues_one_is_the_default(alice: Player) -> None:
    at_once([partial(make_venue, alice.actor)] * 4)

    assert Venue.objects.filter(is_default=True).count() == 1
