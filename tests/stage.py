"""The stage: Alice's Paris venue, a room of each kind, and slots to book."""

import datetime as dt
from typing import Any

import pytest

from bookings.models import Booking
from bookings.services import create_booking
from common.walltime import utc_text
from organizations.actor import Actor
from rooms.models import Room, Venue
from rooms.services import create_room, create_venue
from tests.cast import Player

HOURLY: dict[str, Any] = {
    "rules": [{"weekdays": [1, 2, 3, 4, 5, 6, 7], "first_start": "08:00", "last_start": "22:00", "interval_minutes": 60}],
    "overrides": [],
}
PER_GROUP: dict[str, Any] = {"model": "per_group", "currency": "EUR", "amount": 10_000}
PER_PERSON: dict[str, Any] = {"model": "per_person", "currency": "EUR", "amount": 2_500}


def slot_at(days: int, hour: int = 12, minute: int = 0) -> dt.datetime:
    """An instant so many days ahead at a UTC hour; 12:00 UTC is within HOURLY in Paris on any day of the year."""
    day = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=days)
    return dt.datetime.combine(day, dt.time(hour, minute), tzinfo=dt.UTC)


def make_venue(by: Actor, **fields: Any) -> Venue:
    defaults = {
        "name": "Paris",
        "timezone": "Europe/Paris",
        "currency": "EUR",
        "tax": {"rate": "20", "inclusive": True, "label": "TVA"},
    }
    return create_venue(by=by, **{**defaults, **fields})


def make_room(by: Actor, venue: Venue, **fields: Any) -> Room:
    defaults = {
        "name": "Vault",
        "duration_minutes": 50,
        "min_party": 2,
        "max_party": 6,
        "capacity": 6,
        "schedule": HOURLY,
        "pricing": PER_GROUP,
    }
    room = create_room(by=by, venue=venue, **{**defaults, **fields})
    return Room.objects.with_spaces().get(pk=room.pk)


def book(by: Actor, room: Room, starts_at: dt.datetime, *, party_size: int = 4, **more: Any) -> Booking:
    more.setdefault("customer", {"name": "Ada", "email": "ada@example.com"})
    return create_booking(by=by, room=room, starts_at=starts_at, party_size=party_size, **more)


def booking_body(room: Room, starts_at: dt.datetime, **more: Any) -> dict[str, Any]:
    """What `POST /bookings` takes."""
    return {
        "room": room.public_id,
        "starts_at": utc_text(starts_at),
        "party_size": 4,
        "customer": {"name": "Ada", "email": "ada@example.com"},
        **more,
    }


@pytest.fixture
def paris(alice: Player) -> Venue:
    return make_venue(alice.actor)


@pytest.fixture
def group_room(alice: Player, paris: Venue) -> Room:
    """Private, €100 a group, 2 to 6 players, on the hour from 8 to 22."""
    return make_room(alice.actor, paris)


@pytest.fixture
def shared_room(alice: Player, paris: Venue) -> Room:
    """Shared, €25 a person, ten seats."""
    return make_room(
        alice.actor, paris, name="Cove", booking_mode="shared", min_party=1, max_party=8, capacity=10, pricing=PER_PERSON
    )


@pytest.fixture
def upgrade_room(alice: Player, paris: Venue) -> Room:
    """Shared, €25 a person, ten seats, private for €50 more."""
    pricing = {**PER_PERSON, "private_upgrade": {"amount": 5_000}}
    return make_room(
        alice.actor,
        paris,
        name="Dome",
        booking_mode="shared_with_private_upgrade",
        min_party=1,
        max_party=8,
        capacity=10,
        pricing=pricing,
    )
