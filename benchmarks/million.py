"""A database of a million bookings, or of a tenth: one organization with nearly all among 20, written by PostgreSQL itself.

One booking is made through the services; all others are copies of its rows with other keys, people and times. Constraints are on
while they are written, but for the dearest, which the database checks at the end.
"""

import datetime as dt
from typing import Any

from django.db import connection, transaction
from django.db.models import Index, Model

from bookings.models import REFERENCE_ALPHABET, REFERENCE_LETTERS, Booking, BookingHistory
from bookings.services import create_booking
from customers.models import Customer
from organizations.actor import Actor
from organizations.models import Organization, Plan
from organizations.services import create_organization
from payments.models import Payment, Refund
from rooms.models import Claim, Occupancy, Room, Session, Space
from rooms.services import create_room, create_venue

GAMES_A_ROOM = 1_000
PAST_DAYS, COMING_DAYS = 190, 60  # 250 days, four of each day's six games sold
STARTS, SOLD = ("10:00", "12:00", "14:00", "16:00", "18:00", "20:00"), (12, 14, 18, 20)  # UTC
OTHERS = 19  # organizations
CUSTOMERS_A_ROOM = 200
NAMES = ("Ada", "Bea", "Cem", "Dana", "Eva", "Finn", "Gül", "Hans", "Inès", "Jo", "Kim", "Léa", "Max", "Nils", "Olga", "Pia")
BIG = "Big"
WRITTEN = (Session, Occupancy, Claim, Customer, Booking, BookingHistory, Payment, Refund)


def build(rooms: int) -> None:
    """That many rooms of 1,000 bookings each for the big organization, some for the others."""
    for setting in ("statement_timeout = 0", "synchronous_commit = off", "maintenance_work_mem = '512MB'"):
        _run(f"SET {setting}")
    _plan()
    with transaction.atomic():
        _run("SET CONSTRAINTS ALL IMMEDIATE")  # else every row waits in memory to have its keys checked
        with connection.schema_editor() as editor:
            for model, index in _indexes():
                editor.remove_index(model, index)
            editor.remove_constraint(Occupancy, Occupancy._meta.constraints[0])
        like = _first(BIG, rooms)
        for number in range(OTHERS):
            _first(f"Other {number + 1}", max(1, rooms // 200))
        _games()
        _write(like)
        for model in WRITTEN:
            _count_on(model)
    with connection.schema_editor() as editor:
        editor.add_constraint(Occupancy, Occupancy._meta.constraints[0])
        for model, index in _indexes():
            editor.add_index(model, index)
    _run("VACUUM ANALYZE")


def _indexes() -> list[tuple[type[Model], Index]]:
    """Cheaper made at once than row by row, as is the constraint that no two games are in one space."""
    return [(model, index) for model in WRITTEN for index in model._meta.indexes]


def _plan() -> None:
    """Without limits worth the name, whatever a plan limits by now."""
    plan = Plan.objects.get(slug="business")
    for field in Plan._meta.concrete_fields:
        if field.get_internal_type() == "PositiveIntegerField":
            setattr(plan, field.attname, 10_000_000)
    plan.save()


def _first(name: str, count: int) -> Organization:
    """An organization with one room as owners make them, and copies of it."""
    organization = create_organization(name=name)
    by = Actor.system(organization)
    venue = create_venue(by=by, name="Bench", timezone="UTC", currency="EUR")
    schedule = {"rules": [{"weekdays": [1, 2, 3, 4, 5, 6, 7], "start_times": list(STARTS)}], "overrides": []}
    tiers = [{"min": 2, "max": 3, "amount": 9_000}, {"min": 4, "max": 6, "amount": 15_000}]
    pricing = {"model": "tiered", "currency": "EUR", "tiers": tiers, "adjustments": []}
    room = create_room(
        by=by, venue=venue, name="Room 1", schedule=schedule, pricing=pricing, min_party=2, turnaround_minutes=20, horizon_days=90
    )
    if count > 1:
        numbers = f"generate_series(2, {count}) n"
        space = Space.objects.get(pk=room.spaces.get().pk)
        copies = {"name": "'Room ' || n", "id": f"{space.pk} + n - 1"}
        fill(space, numbers, **copies)
        fill(
            room,
            numbers,
            **copies | {"id": f"{room.pk} + n - 1", "public_id": _id("rm", f"{room.pk} + n"), "slug": "'room-' || n"},
        )
        _run(f"INSERT INTO rooms_room_spaces (room_id, space_id) SELECT {room.pk} + n - 1, {space.pk} + n - 1 FROM {numbers}")
        for model in (Space, Room):
            _count_on(model)
    return organization


def _games() -> None:
    """Into `game`, in the order of time, as they are booked. Every twentieth booking is canceled."""
    today = dt.datetime.now(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    _run(
        "CREATE TEMP TABLE game ON COMMIT DROP AS SELECT n, room_id, organization_id, space_id, starts_at,"
        " starts_at < now() AS past, mod(n, 20) = 0 AS canceled, least(starts_at, now()) - interval '9 days' AS booked_at,"
        f" (room_id - min(room_id) OVER ()) * {CUSTOMERS_A_ROOM} + mod(n * 7, {CUSTOMERS_A_ROOM}) + 1 AS customer"
        " FROM (SELECT row_number() OVER (ORDER BY day, hour, r.id) AS n, r.id AS room_id, r.organization_id, s.space_id,"
        " %s + day * interval '1 day' + hour * interval '1 hour' AS starts_at"
        " FROM rooms_room r JOIN rooms_room_spaces s ON s.room_id = r.id,"
        f" generate_series(%s, %s) day, unnest(%s::int[]) hour) numbered",
        [today, -PAST_DAYS, COMING_DAYS - 1, list(SOLD)],
    )


def _write(organization: Organization) -> None:
    """All rows of all games, each like those that the services wrote for one."""
    by = Actor.system(organization)
    room = Room.objects.with_spaces().visible_to(by).earliest("pk")
    start = dt.datetime.now(dt.UTC).replace(hour=10, minute=0, second=0, microsecond=0) + dt.timedelta(days=COMING_DAYS + 1)
    person = {"name": "Ada", "email": "ada@example.com", "phone": "+33600000000"}
    paid = {"mode": "pos", "amount": 15_000, "reference": "till"}
    like = create_booking(by=by, room=room, starts_at=start, party_size=5, customer=person, payment=paid)
    claim = Claim.objects.get(holder=like.public_id)
    first = {model: model._default_manager.latest("pk").pk for model in (Customer, Session, Claim, Booking, Payment)}
    session, claim_id, booking, payment, customer = (
        f"{first[model]} + n" for model in (Session, Claim, Booking, Payment, Customer)
    )
    subject, ends_at = _id("bkg", "n"), "starts_at + interval '1 hour'"

    person = {
        "id": customer,
        "public_id": _id("cus", "n"),
        "name": f"{_one_of(NAMES, 'n')} || ' ' || {_one_of(NAMES, 'n / 16')} || 'sen'",
        "email": "'guest' || n || '@example.com'",
        "phone": "'+336' || lpad(n::text, 8, '0')",
    }
    owners = "(SELECT DISTINCT customer AS n, organization_id FROM game) guest"
    fill(like.customer, owners, organization_id="organization_id", **person)
    times = {"starts_at": "starts_at", "ends_at": ends_at}
    fill(claim.session, "game", id=session, room_id="room_id", ended="canceled", **times)
    period = f"tstzrange(starts_at, {ends_at} + interval '20 minutes')"
    fill(
        Occupancy.objects.get(session=claim.session),
        "game",
        id=f"{Occupancy.objects.latest('pk').pk} + n",
        space_id="space_id",
        session_id=session,
        period=period,
        active="NOT canceled",
    )
    released = "CASE WHEN canceled THEN booked_at + interval '1 day' END"
    fill(claim, "game", id=claim_id, session_id=session, holder=subject, released_at=released)

    mixed = "mod(n * 387420489, 1099511627776)"  # an odd factor and 2 ** 40: every n another eight letters
    letters = [f"substr('{REFERENCE_ALPHABET}', (({mixed} >> {5 * k}) & 31)::int + 1, 1)" for k in range(REFERENCE_LETTERS)]
    contact = "jsonb_build_object('name', c.name, 'email', c.email, 'phone', c.phone, 'language', NULL)"
    refunded = "CASE WHEN canceled THEN 15000 ELSE 0 END"
    fill(
        like,
        f"(SELECT g.*, {contact} AS contact FROM game g JOIN customers_customer c ON c.id = {first[Customer]} + g.customer) told",
        id=booking,
        public_id=subject,
        organization_id="organization_id",
        reference=" || ".join(letters),
        room_id="room_id",
        customer_id=f"{first[Customer]} + customer",
        claim_id=claim_id,
        contact="contact",
        status="CASE WHEN canceled THEN 'canceled' WHEN past AND mod(n, 3) > 0 THEN 'completed' ELSE 'confirmed' END",
        payment_status="CASE WHEN canceled THEN 'refunded' ELSE 'paid' END",
        amount_refunded=refunded,
        canceled_at=released,
        confirmed_at="booked_at",
        created_at="booked_at",
        updated_at=f"coalesce({released}, booked_at)",
        **times,
    )
    for line in BookingHistory.objects.filter(booking=like).order_by("pk"):
        latest = BookingHistory.objects.latest("pk").pk
        fill(line, "game", id=f"{latest} + n", booking_id=booking, organization_id="organization_id", at="booked_at")
    money = {"organization_id": "organization_id", "subject": subject, "updated_at": "booked_at", "succeeded_at": "booked_at"}
    received = Payment.objects.get(subject=like.public_id)
    fill(received, "game", id=payment, public_id=_id("pay", "n"), created_at="booked_at", **money)
    fill(
        Refund(payment=received, organization=organization, amount=15_000, currency="EUR"),
        "game WHERE canceled",
        id="n",
        public_id=_id("ref", "n"),
        payment_id=payment,
        created_at="booked_at",
        **money,
    )


def fill(like: Model, source: str, **columns: str) -> None:
    """A copy of the row for each row of the source, but for the columns that have an expression of their own."""
    fields = like._meta.concrete_fields
    chosen = [columns.get(str(field.column), f"%s::{field.db_type(connection)}") for field in fields]
    values = [field.get_db_prep_save(getattr(like, field.attname), connection) for field in fields if field.column not in columns]
    names = ", ".join(f'"{field.column}"' for field in fields)
    _run(f"INSERT INTO {_table(type(like))} ({names}) SELECT {', '.join(chosen)} FROM {source}", values)


def _count_on(model: type[Model]) -> None:
    """The next key is behind those that were given here."""
    _run(f"SELECT setval(pg_get_serial_sequence('{_table(model)}', 'id'), (SELECT max(id) FROM {_table(model)}))")


def _run(statement: str, values: list[Any] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def _table(model: type[Model]) -> str:
    return f'"{model._meta.db_table}"'


def _id(prefix: str, number: str) -> str:
    """Of the form of public ids, and older than all that are made by the clock."""
    return f"'{prefix}_00' || lpad(({number})::text, 24, '0')"


def _one_of(texts: tuple[str, ...], number: str) -> str:
    quoted = ", ".join(f"'{text}'" for text in texts)
    return f"(ARRAY[{quoted}])[mod({number}, {len(texts)}) + 1]"
