"""A stage that stands for a whole module: it is set once, and each test undoes only what it did itself. For tables of hundreds
of tests, which would spend most of their time on setting it. A module takes the fixtures by name: `alice = standing.alice`.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction

from dashboard.tests.objects import one_of_each
from dashboard.tests.pages import sign_in
from rooms.models import Room, Venue
from tests.cast import Player, cast_alice, cast_bob, cast_charlie, set_plans
from tests.stage import make_room, make_venue


@dataclass
class Stage:
    alice: Player
    bob: Player
    charlie: Player
    ids: dict[str, str]


def signed_in(player: Player) -> Player:
    """Once for all tests of the module."""
    player.session = sign_in(player).session.session_key or ""
    return player


@pytest.fixture(scope="module")
def stage(django_db_setup: None, django_db_blocker: Any) -> Iterator[Stage]:
    with django_db_blocker.unblock(), transaction.atomic():
        set_plans()
        alice = cast_alice()
        bob = cast_bob(alice)
        ids = one_of_each(alice, bob, make_room(alice.actor, make_venue(alice.actor)))
        yield Stage(signed_in(alice), signed_in(bob), signed_in(cast_charlie()), ids)
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def house(django_db_setup: None, django_db_blocker: Any) -> Iterator[tuple[Player, Room]]:
    """A smaller stage: Alice, and her room in Paris."""
    with django_db_blocker.unblock(), transaction.atomic():
        set_plans()
        owner = cast_alice()
        yield owner, make_room(owner.actor, make_venue(owner.actor))
        transaction.set_rollback(True)


@pytest.fixture
def owner(house: tuple[Player, Room], db: None) -> Player:
    return copy.deepcopy(house[0])


@pytest.fixture
def group_room(house: tuple[Player, Room], db: None) -> Room:
    return copy.deepcopy(house[1])


@pytest.fixture
def paris(group_room: Room) -> Venue:
    return group_room.venue


@pytest.fixture
def alice(stage: Stage, db: None) -> Player:
    return copy.deepcopy(stage.alice)


@pytest.fixture
def bob(stage: Stage, db: None) -> Player:
    return copy.deepcopy(stage.bob)


@pytest.fixture
def charlie(stage: Stage, db: None) -> Player:
    return copy.deepcopy(stage.charlie)


@pytest.fixture
def ids(stage: Stage, db: None) -> dict[str, str]:
    return dict(stage.ids)
