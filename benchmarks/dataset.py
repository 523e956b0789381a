"""Rooms with 500 days of games, all paid, on both sides of today, written in bulk around the services."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from bookings.models import Booking
from customers.models import Customer
from organizations.actor import Actor
from organizations.services import create_organization
from payments.models import Payment
from rooms.models import Claim, Occupancy, Room, Session
from rooms.policies import default_cancellation, default_reschedule
from rooms.services import create_room, create_venue

ROOMS, DAYS, GAMES_A_DAY = 20, 1_000, 5
BOOKINGS = ROOMS * DAYS * GAMES_A_DAY
FIRST_HOUR = 9  # UTC
OPEN_HOUR = 8  # before the first game: never sold here, so that the benchmark can


@dataclass
class Data:
    """What the pages need."""

    organization: int
    booking: str
    room: str
    customer: str


def make() -> Data:
    organization = create_organization(name=f"Benchmark {dt.datetime.now(dt.UTC):%H%M%S}")
    by = Actor.system(organization)
    rooms = sell_rooms(by, ROOMS)
    customer = Customer.objects.create(organization=organization, name="Ada")
    today = dt.datetime.now(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for room in rooms:
        _fill(room, customer, today - dt.timedelta(days=DAYS // 2))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    booking = Booking.objects.visible_to(by).latest("pk").public_id
    return Data(organization.pk, booking, rooms[0].public_id, customer.public_id)


def sell_rooms(by: Actor, count: int) -> list[Room]:
    """Open every day, for three years."""
    venue = create_venue(by=by, name="Bench", timezone="UTC", currency="EUR")
    hours = [f"{hour:02}:00" for hour in range(OPEN_HOUR, FIRST_HOUR + 2 * GAMES_A_DAY)]
    schedule = {"rules": [{"weekdays": [1, 2, 3, 4, 5, 6, 7], "start_times": hours}], "overrides": []}
    pricing = {"model": "per_group", "currency": "EUR", "amount": 9_000, "adjustments": []}
    fields: dict[str, Any] = {"schedule": schedule, "pricing": pricing, "horizon_days": 1_000}
    for number in range(count):
        create_room(by=by, venue=venue, name=f"Room {number}", **fields)
    return list(Room.objects.visible_to(by).with_spaces())


def _fill(room: Room, customer: Customer, first: dt.datetime) -> None:
    starts = [first + dt.timedelta(days=day, hours=FIRST_HOUR + 2 * game) for day in range(DAYS) for game in range(GAMES_A_DAY)]
    hour = dt.timedelta(hours=1)
    sessions = Session.objects.bulk_create(
        Session(room=room, starts_at=start, ends_at=start + hour, exclusive=True, capacity=6, seats_taken=4) for start in starts
    )
    Occupancy.objects.bulk_create(
        Occupancy(space_id=room.space_ids[0], session=session, period=DateTimeTZRange(session.starts_at, session.ends_at))
        for session in sessions
    )
    price = {"currency": "EUR", "lines": [], "subtotal": 9_000, "tax": 0, "total": 9_000}
    shared: dict[str, Any] = {
        "organization": room.organization,
        "room": room,
        "customer": customer,
        "status": Booking.Status.CONFIRMED,
        "party_size": 4,
        "private": True,
        "contact": {"name": "Ada", "email": None, "phone": None, "language": None},
        "price": price,
        "price_rules": {"pricing": room.pricing, "tax": room.venue.tax},
        "policy": {"cancellation": default_cancellation(), "reschedule": default_reschedule()},
        "currency": "EUR",
        "payment_status": Booking.PaymentStatus.PAID,
        "amount_paid": 9_000,
        "source": Booking.Source.IMPORT,
        "created_by_type": "system",
        "created_by_id": "system",
    }
    bookings = [Booking(starts_at=session.starts_at, ends_at=session.ends_at, **shared) for session in sessions]
    claims = Claim.objects.bulk_create(
        Claim(session=session, holder=booking.public_id, seats=4) for session, booking in zip(sessions, bookings, strict=True)
    )
    for booking, claim in zip(bookings, claims, strict=True):
        booking.claim = claim
    Booking.objects.bulk_create(bookings)
    Payment.objects.bulk_create(
        Payment(
            organization=room.organization,
            subject=booking.public_id,
            mode=Payment.Mode.POS,
            amount=9_000,
            currency="EUR",
            created_at=booking.starts_at,
            succeeded_at=booking.starts_at,
        )
        for booking in bookings
    )
