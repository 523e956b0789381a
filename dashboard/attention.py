"""What an owner should look at now, each with a link to where it is mended. Bounded, whatever the number of rows."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Q
from django.urls import reverse

from bookings.models import Booking
from common import money
from developers.models import ApiKeySecret
from organizations.actor import Actor
from organizations.permissions import ADMINISTRATORS, Scope
from payments.models import Payment, Refund
from webhooks.models import Endpoint

AT_MOST = 5  # of each kind
MONEY_WITHIN = dt.timedelta(days=14)
KEYS_WITHIN = dt.timedelta(days=14)
LATE_AFTER = dt.timedelta(minutes=15)


@dataclass(frozen=True)
class Concern:
    """`text` says what is wrong, `todo` what helps, `url` where."""

    text: str
    todo: str
    url: str


def concerns(actor: Actor, today: list[Booking], *, now: dt.datetime) -> list[Concern]:
    """The most urgent first. Without what the actor may not read."""
    found = list(_late(today, now))
    if Scope.PAYMENTS_READ in actor.scopes:
        found += [*_failed_payments(actor, now), *_failed_refunds(actor, now)]
    if Scope.WEBHOOKS_READ in actor.scopes:
        found += _failing_endpoints(actor)
    if actor.role in ADMINISTRATORS:
        found += _expiring_keys(actor, now)
    return found


def _late(today: list[Booking], now: dt.datetime) -> Iterator[Concern]:
    """Begun a while ago, and nobody said whether they came."""
    waiting = [
        booking
        for booking in today
        if booking.status == Booking.Status.CONFIRMED and booking.starts_at + LATE_AFTER < now < booking.ends_at
    ]
    for booking in waiting[:AT_MOST]:
        yield Concern(
            f"{booking.contact.get('name') or booking.reference} has not been checked in to {booking.room.name}",
            "Check in, or mark as no-show",
            reverse("dashboard:booking", args=[booking.public_id]),
        )


def _failed_payments(actor: Actor, now: dt.datetime) -> Iterator[Concern]:
    recent = Payment.objects.visible_to(actor).filter(created_at__gte=now - MONEY_WITHIN, status=Payment.Status.FAILED)
    for payment in recent.filter(unwanted=False).order_by("-created_at")[:AT_MOST]:
        yield Concern(
            f"A payment of {money.text(payment.amount, payment.currency)} failed"
            + (f": {payment.failure_message}" if payment.failure_message else ""),
            "Open the booking",
            reverse("dashboard:booking", args=[payment.subject]),
        )


def _failed_refunds(actor: Actor, now: dt.datetime) -> Iterator[Concern]:
    recent = Refund.objects.visible_to(actor).filter(created_at__gte=now - MONEY_WITHIN, status=Refund.Status.FAILED)
    for refund in recent.order_by("-pk")[:AT_MOST]:
        yield Concern(
            f"A refund of {money.text(refund.amount, refund.currency)} did not go through: the money is still here",
            "Open the booking",
            reverse("dashboard:booking", args=[refund.subject]),
        )


def _failing_endpoints(actor: Actor) -> Iterator[Concern]:
    failing = Q(status=Endpoint.Status.DISABLED) | Q(status=Endpoint.Status.ACTIVE, failing_since__isnull=False)
    for endpoint in Endpoint.objects.visible_to(actor).filter(failing)[:AT_MOST]:
        disabled = endpoint.status == Endpoint.Status.DISABLED
        yield Concern(
            f"The webhook to {endpoint.url[:80]} " + ("is disabled" if disabled else "is failing"),
            "See why, and how to recover",
            reverse("dashboard:endpoint", args=[endpoint.public_id]),
        )


def _expiring_keys(actor: Actor, now: dt.datetime) -> Iterator[Concern]:
    live = ApiKeySecret.objects.visible_to(actor).live().with_key()
    for secret in live.filter(key__expires_at__gt=now, key__expires_at__lt=now + KEYS_WITHIN)[:AT_MOST]:
        days = (secret.key.expires_at - now).days
        yield Concern(
            f"The API key “{secret.key.name}” expires " + (f"in {days} days" if days > 1 else "within two days"),
            "Make another in time",
            reverse("dashboard:developers_key", args=[secret.key.public_id]),
        )
