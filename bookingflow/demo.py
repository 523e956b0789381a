"""Demo data: a Paris owner with two venues and rooms of every mode, and another tenant in New York."""

import datetime as dt
import random
import secrets
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.utils.text import slugify

from bookings.models import Booking
from bookings.services import cancel_booking, create_booking
from common.errors import DomainError
from developers.models import ApiKey
from developers.services import create_key
from organizations.actor import Actor
from organizations.models import Organization, Plan, User
from organizations.permissions import Role
from organizations.services import add_member, create_organization
from payments.models import Payment
from rooms import availability
from rooms.claims import database_now
from rooms.models import Block, Room, Venue
from rooms.services import create_block, create_room, create_venue, sandbox_for
from webhooks.engine.relay import relay
from webhooks.models import Endpoint
from webhooks.services import create_endpoint, rotate_secret, update_endpoint

EMAIL = "owner@demo.bookingflow.example"
OTHER_EMAIL = "owner@other.bookingflow.example"
SLUG = "clockwork-escapes"
RECEIVER = "The demo receiver of make run"
SEED = 20_260_314  # the same data every time
DAYS, OTHER_DAYS = 45, 7  # of bookings, behind and ahead; the other organization is there to be kept apart
# Share of the open slots that are taken, by how far away the day is.
BUSY_PAST, BUSY_SOON, BUSY_LATER = 0.2, 0.3, 0.05
SOON_DAYS = 14
PAID, CANCELED = 0.6, 0.06
SOURCES = [Booking.Source.WIDGET, Booking.Source.WIDGET, Booking.Source.DASHBOARD, Booking.Source.POS]

EVERY_DAY = [1, 2, 3, 4, 5, 6, 7]
EVENINGS: dict[str, Any] = {
    "rules": [
        {"weekdays": [1, 2, 3, 4, 5], "start_times": ["15:30", "17:00", "18:30", "20:00"]},
        {"weekdays": [6, 7], "first_start": "10:00", "last_start": "20:30", "interval_minutes": 90},
    ],
}
LATE_NIGHTS: dict[str, Any] = {
    "rules": [
        {"weekdays": [4], "first_start": "18:00", "last_start": "22:00", "interval_minutes": 120},
        {"weekdays": [5, 6], "first_start": "16:00", "last_start": "00:30", "interval_minutes": 90, "price_override": 13_900},
    ],
}
HOURLY: dict[str, Any] = {
    "rules": [{"weekdays": EVERY_DAY, "first_start": "10:00", "last_start": "19:00", "interval_minutes": 60}],
}
WEEKEND_PEAK = {"label": "Weekend", "weekdays": [6, 7], "percent": 15, "priority": 1}
LAUNCH_MONDAY = {"label": "Quiet Monday", "weekdays": [1], "percent": -20, "priority": 2}


def tiers(currency: str, small: int, large: int) -> dict[str, Any]:
    return {
        "model": "tiered",
        "currency": currency,
        "tiers": [{"min": 2, "max": 3, "amount": small}, {"min": 4, "max": 6, "amount": large}],
        "adjustments": [WEEKEND_PEAK, LAUNCH_MONDAY],
        "deposit": {"percent": 30},
    }


def per_person(currency: str, amount: int, **more: Any) -> dict[str, Any]:
    return {"model": "per_person", "currency": currency, "amount": amount, "adjustments": [WEEKEND_PEAK], **more}


PARIS_ROOMS: list[dict[str, Any]] = [
    {"name": "The Vault", "category": "heist", "difficulty": 3, "schedule": EVENINGS, "pricing": tiers("EUR", 9_000, 15_000)},
    {"name": "Catacombs", "category": "horror", "difficulty": 5, "min_age": 16, "schedule": LATE_NIGHTS,
     "pricing": {"model": "per_group", "currency": "EUR", "amount": 12_900}},
    {"name": "Time Machine", "category": "adventure", "difficulty": 2, "schedule": EVENINGS,
     "pricing": tiers("EUR", 8_000, 13_000)},
    {"name": "Pirate Cove", "category": "family", "difficulty": 1, "schedule": HOURLY, "booking_mode": "shared",
     "min_party": 1, "max_party": 8, "capacity": 12, "pricing": per_person("EUR", 1_900)},
    {"name": "Planetarium", "category": "show", "schedule": HOURLY, "booking_mode": "shared_with_private_upgrade", "min_party": 1,
     "max_party": 10, "capacity": 16, "pricing": per_person("EUR", 1_500, private_upgrade={"amount": 9_000})},
]  # fmt: skip
NEW_YORK_ROOMS: list[dict[str, Any]] = [
    {"name": "Speakeasy", "category": "mystery", "difficulty": 4, "schedule": EVENINGS, "pricing": tiers("USD", 11_000, 18_000)},
    {"name": "Subway Ghost", "category": "horror", "difficulty": 4, "schedule": LATE_NIGHTS,
     "pricing": {"model": "per_group", "currency": "USD", "amount": 16_900}},
    {"name": "Ghost Train", "category": "ride", "schedule": HOURLY, "booking_mode": "shared", "min_party": 1, "max_party": 6,
     "capacity": 10, "pricing": per_person("USD", 2_400)},
]  # fmt: skip
PEOPLE = (
    "Amélie Laurent", "Bilal Haddad", "Chen Wei", "Daniela Rossi", "Emeka Obi", "Freya Lindqvist", "Gustavo Prado", "Hana Sato",
    "Ivan Petrov", "Jasmine Patel", "Kofi Mensah", "Lena Fischer", "Mateo García", "Nour El-Sayed", "Olivia Brown", "Pavel Novák",
    "Quentin Dubois", "Rosa Alves", "Sofia Kowalska", "Tomás O'Brien",
    "Uma Krishnan", "Victor Moreau", "Wanjiru Kamau", "Yuki Tanaka",
)  # fmt: skip


def is_there() -> bool:
    return Organization.objects.filter(slug=SLUG).exists()


@transaction.atomic
def create() -> dict[str, str]:
    """Make it all; answers the lines of demo.env."""
    password = secrets.token_urlsafe(12)
    paris, reader_key, key = _organization("Clockwork Escapes", EMAIL, password, _paris_venues, days=DAYS)
    _, _, other_key = _organization("Gotham Games", OTHER_EMAIL, password, _new_york_venues, days=OTHER_DAYS)
    User.objects.filter(email=EMAIL).update(is_staff=True, is_superuser=True)
    sandbox_for(paris)
    return {
        "BOOKINGFLOW_URL": settings.PUBLIC_URL,
        "BOOKINGFLOW_KEY": key,
        "BOOKINGFLOW_READONLY_KEY": reader_key,
        "BOOKINGFLOW_OTHER_KEY": other_key,
        "DEMO_EMAIL": EMAIL,
        "DEMO_PASSWORD": password,
        "STRIPE_API_BASE": settings.STRIPE_API_BASE,
    }


@transaction.atomic
def connect_receiver(url: str, *, secret_is_known: bool) -> str | None:
    """Point the demo organization's endpoint at this run's receiver; answers its secret when it is a new one.

    The past is relayed first: months of events are not for a receiver that has just come.
    """
    by = Actor.system(Organization.objects.get(slug=SLUG))
    endpoint = Endpoint.objects.visible_to(by).filter(description=RECEIVER).first()
    if endpoint is None:
        while relay():
            pass
        return create_endpoint(by=by, url=url, description=RECEIVER)[1]
    if endpoint.url != url:
        update_endpoint(endpoint=endpoint, by=by, url=url)
    return None if secret_is_known else rotate_secret(endpoint=endpoint, by=by, overlap=dt.timedelta())[1]


def _organization(name: str, email: str, password: str, furnish: Any, *, days: int) -> tuple[Organization, str, str]:
    owner = _person(email, password, f"Owner of {name}")
    organization = create_organization(name=name, owner=owner)
    organization.plan = _plan()
    organization.save(update_fields=["plan"])
    by = Actor.system(organization)
    staff = _person(email.replace("owner", "staff"), password, "On the desk")
    add_member(organization=organization, user=staff, role=Role.STAFF, by=by)
    furnish(by)
    _fill(by, days=days)
    read_only = create_key(by=by, name="Demo, read-only", preset=ApiKey.Preset.READ_ONLY)[1]
    return organization, read_only, create_key(by=by, name="Demo, read-write", preset=ApiKey.Preset.READ_WRITE)[1]


def _plan() -> Plan:
    """One of its own, with limits that nobody who tries things out, or puts load on them, meets by accident."""
    entitlements = {"max_api_keys": 100, "keys_may_write": True, "max_webhook_endpoints": 50}
    rates = {
        "rate_per_minute": 60_000,
        "rate_burst": 2_000,
        "organization_rate_per_minute": 120_000,
        "organization_rate_burst": 4_000,
    }
    return Plan.objects.get_or_create(slug="demo", defaults={"name": "Demo", **entitlements, **rates})[0]


def _person(email: str, password: str, name: str) -> User:
    """Who can sign in without waiting for a letter."""
    user = User.objects.create_user(email, password, name=name)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def _paris_venues(by: Actor) -> None:
    tax = {"rate": "20", "inclusive": True, "label": "TVA"}
    marais = create_venue(by=by, name="Clockwork Marais", timezone="Europe/Paris", currency="EUR", tax=tax)
    canal = create_venue(by=by, name="Clockwork Canal", timezone="Europe/Paris", currency="EUR", tax=dict(tax))
    rooms = _rooms(by, marais, PARIS_ROOMS[:3]) + _rooms(by, canal, PARIS_ROOMS[3:])
    # One space sold as two products: the vault by torchlight, at night only.
    _rooms(by, marais, [{**PARIS_ROOMS[0], "name": "The Vault by Torchlight", "schedule": LATE_NIGHTS}], shares_with=rooms[0])
    today = database_now().date()
    create_block(by=by, on_conflict="keep", rooms=[rooms[2]], date_from=today + dt.timedelta(days=20),
                 date_to=today + dt.timedelta(days=22), kind=Block.Kind.MAINTENANCE, reason="New time circuits")  # fmt: skip
    year = today.year
    create_block(by=by, on_conflict="keep", all=True, date_from=dt.date(year, 12, 25), date_to=dt.date(year, 12, 25),
                 kind=Block.Kind.HOLIDAY, reason="Christmas")  # fmt: skip
    tuesday = today + dt.timedelta(days=(1 - today.weekday()) % 7)
    morning = dt.datetime.combine(tuesday, dt.time(8), tzinfo=dt.UTC)
    create_block(by=by, on_conflict="keep", venue=canal, starts_at=morning, ends_at=morning + dt.timedelta(hours=3),
                 recurrence={"freq": "weekly", "interval": 1}, kind=Block.Kind.MAINTENANCE, reason="Cleaning")  # fmt: skip


def _new_york_venues(by: Actor) -> None:
    tax = {"rate": "8.875", "inclusive": False, "label": "Sales tax"}
    soho = create_venue(by=by, name="Gotham SoHo", timezone="America/New_York", currency="USD", tax=tax)
    _rooms(by, soho, NEW_YORK_ROOMS)


def _rooms(by: Actor, venue: Venue, described: list[dict[str, Any]], *, shares_with: Room | None = None) -> list[Room]:
    shared = [shares_with] if shares_with else []
    defaults = {"duration_minutes": 60, "turnaround_minutes": 20, "min_party": 2, "max_party": 6, "capacity": 6,
                "lead_time_minutes": 120, "horizon_days": 120}  # fmt: skip
    hourly = {"duration_minutes": 45, "turnaround_minutes": 10}
    rooms = []
    for room in described:
        extra = hourly if room["schedule"] is HOURLY else {}
        rooms.append(create_room(by=by, venue=venue, shares_space_with=shared, **{**defaults, **extra, **room}))
    return rooms


def _fill(by: Actor, *, days: int) -> None:
    """Bookings from so many days ago to so many ahead, through the same door as everybody's."""
    dice = random.Random(SEED)
    now = database_now()
    rooms = list(Room.objects.visible_to(by).with_spaces())
    start, today, end = (now + dt.timedelta(days=number) for number in (-days, 0, days))
    # Seen from a day before they began, the past's games were all still to come.
    past = availability.days(rooms, start.date(), today.date(), now=start - dt.timedelta(days=1))
    coming = availability.days(rooms, today.date(), end.date(), now=now)
    slots = [slot for day in past for slot in day.slots if slot.starts_at < now]
    slots += [slot for day in coming for slot in day.slots]
    for slot in slots:
        if dice.random() < _busy(slot.starts_at - now):
            made_at = slot.starts_at - dt.timedelta(days=3) if slot.starts_at < now else None
            _book(by, slot, dice, made_at=made_at)
    _close_past(by, now)


def _busy(ahead: dt.timedelta) -> float:
    if ahead.days < 0:
        return BUSY_PAST
    return BUSY_SOON if ahead.days <= SOON_DAYS else BUSY_LATER


def _book(by: Actor, slot: availability.Slot, dice: random.Random, *, made_at: dt.datetime | None) -> None:
    room = slot.room
    size = dice.randint(room.min_party, room.max_party)
    name = dice.choice(PEOPLE)
    email = f"{slugify(name)}@example.com"
    paid = {"mode": "pos", "amount": slot.price["amount"], "reference": f"till-{dice.randint(1000, 9999)}"}
    try:
        booking = create_booking(
            by=by,
            room=room,
            starts_at=slot.starts_at,
            party_size=size,
            customer={"name": name, "email": email},
            payment=paid if dice.random() < PAID else None,
            source=dice.choice(SOURCES),
            made_at=made_at,
        )
    except DomainError:  # a room with which it shares its space was quicker
        return
    if made_at is not None:
        Payment.objects.of(booking.public_id).update(created_at=made_at, succeeded_at=made_at)
    if made_at is None and dice.random() < CANCELED:
        cancel_booking(booking=booking, by=by, reason="Plans changed")


def _close_past(by: Actor, now: dt.datetime) -> None:
    """What was to happen has happened: most came, a few did not."""
    over = Booking.objects.visible_to(by).filter(ends_at__lte=now, status=Booking.Status.CONFIRMED)
    for index, pk in enumerate(over.order_by("starts_at", "pk").values_list("pk", flat=True)):
        status = _OUTCOMES.get(index % 20, Booking.Status.COMPLETED)
        Booking.objects.filter(pk=pk).update(status=status)


# Of every twenty: one no-show, two that nobody checked in.
_OUTCOMES = {3: Booking.Status.NO_SHOW, 7: Booking.Status.CONFIRMED, 16: Booking.Status.CONFIRMED}
