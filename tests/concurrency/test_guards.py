"""The race is real: with both guards off it happens, and each guard alone stops it."""

import contextlib
from collections.abc import Iterator
from functools import partial

import pytest
from django.contrib.postgres.constraints import ExclusionConstraint
from django.db import connection, models

from common.errors import DomainError
from rooms import claims
from rooms.models import Occupancy, Room, Session
from tests.cast import Player
from tests.crowd import at_once
from tests.stage import book, slot_at

pytestmark = pytest.mark.django_db(transaction=True)
CALLERS = 12
ROUNDS = pytest.mark.parametrize("rounds", [2, pytest.param(5, marks=pytest.mark.soak)])


def winners(alice: Player, room: Room, rounds: int) -> list[int]:
    """For each of some slots, how many of many simultaneous bookings of it were let through."""

    def attempt(day: int) -> bool:
        try:
            book(alice.actor, room, slot_at(day))
        except DomainError:
            return False
        return True

    return [sum(at_once([partial(attempt, day)] * CALLERS)) for day in range(10, 10 + rounds)]


@pytest.fixture
def no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "lock_spaces", lambda space_ids: None)


@contextlib.contextmanager
def without(model: type[models.Model], *names: str) -> Iterator[None]:
    constraints = [constraint for constraint in model._meta.constraints if constraint.name in names]
    assert len(constraints) == len(names)
    with connection.schema_editor() as editor:
        for constraint in constraints:
            editor.remove_constraint(model, constraint)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE rooms_session CASCADE")  # two games in one room would not let the constraint back
        with connection.schema_editor() as editor:
            for constraint in constraints:
                editor.add_constraint(model, constraint)


@pytest.fixture
def no_net() -> Iterator[None]:
    """Without the exclusion constraint, and without the rule that a room has one game at a start."""
    assert any(isinstance(constraint, ExclusionConstraint) for constraint in Occupancy._meta.constraints)
    with without(Occupancy, "occupancy_one_game_a_space"), without(Session, "session_unique"):
        yield


@ROUNDS
@pytest.mark.usefixtures("no_locks", "no_net")
def test_without_guards_one_slot_is_sold_many_times(alice: Player, group_room: Room, rounds: int) -> None:
    assert max(winners(alice, group_room, rounds)) > 1


@ROUNDS
@pytest.mark.usefixtures("no_net")
def test_the_lock_alone_sells_it_once(alice: Player, group_room: Room, rounds: int) -> None:
    assert winners(alice, group_room, rounds) == [1] * rounds


@ROUNDS
@pytest.mark.usefixtures("no_locks")
def test_the_constraint_alone_sells_it_once(alice: Player, group_room: Room, rounds: int) -> None:
    assert winners(alice, group_room, rounds) == [1] * rounds


@ROUNDS
def test_both_together_sell_it_once(alice: Player, group_room: Room, rounds: int) -> None:
    assert winners(alice, group_room, rounds) == [1] * rounds
