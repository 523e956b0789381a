"""What it would cost, before anything happens. The numbers are what then happens, while the quote lasts."""

import datetime as dt
from typing import Any

from django.db import transaction

from bookings import policies
from bookings.models import Booking, Quote
from bookings.services import caps
from bookings.services.cancellation import refund_amount, require_cancelable
from bookings.services.plans import Plan, plan_change, require_changeable, require_possible
from bookings.services.pricing import deposit_of, price_by, rules_of
from common import money
from common.walltime import place, spoken, utc_text, zone
from organizations.actor import Actor
from organizations.permissions import Scope
from rooms import claims
from rooms.availability import default_private
from rooms.models import Room
from rooms.policies import policies_of

LASTS = dt.timedelta(minutes=30)


@transaction.atomic
def quote_creation(*, by: Actor, room: Room, starts_at: dt.datetime, party_size: int, private: bool | None = None) -> Quote:
    """The price of a new booking, for a slot that can be booked now. Raises NotAllowed and the refusals to book."""
    room = Room.objects.visible_to(by).with_spaces().get(pk=room.pk)
    quote = preview_creation(by=by, room=room, starts_at=starts_at, party_size=party_size, private=private)
    quote.save()
    return quote


def preview_creation(*, by: Actor, room: Room, starts_at: dt.datetime, party_size: int, private: bool | None = None) -> Quote:
    """The same, only told: nothing is written, and nothing promised. `room` comes from `with_spaces()`."""
    by.require(Scope.BOOKINGS_READ)
    caps.require_room(by, room)
    now = claims.database_now()
    private = default_private(room) if private is None else private
    slot: dict[str, Any] = {"room": room, "starts_at": starts_at, "party_size": party_size, "private": private}
    claims.require_bookable(**slot, now=now)
    rules = rules_of(room)
    price = price_by(rules, **slot)
    caps.require_within(by, Booking(), total=price["total"], currency=price["currency"], now=now)
    deposit = deposit_of(rules, price)
    return _quote(
        Quote.Kind.CREATE,
        by=by,
        now=now,
        policy=policies_of(room),
        deposit=deposit,
        price=price,
        price_rules=rules,
        due=deposit or price["total"],
        **slot,
    )


@transaction.atomic
def quote_change(*, by: Actor, booking: Booking, **asked: Any) -> Quote:
    """The price, fee, amount due and refund of a change that could be made now; what the change would refuse is refused.

    Raises NotAllowed, InvalidTransition, RescheduleNotAllowed, ValidationFailed and the refusals to book.
    """
    by.require(Scope.BOOKINGS_READ)
    now = claims.database_now()
    require_changeable(booking, now=now)
    plan = plan_change(booking, now=now, **asked)
    caps.require_room(by, booking.room, plan.room)
    if plan.price["total"] > booking.total:
        caps.require_within(by, booking, total=plan.price["total"], currency=booking.currency, now=now)
    require_possible(booking, plan)
    return pin_change(booking, plan, by=by)


def pin_change(booking: Booking, plan: Plan, *, by: Actor) -> Quote:
    """The promise that the plan's change costs what it says, while the booking stays as it is now."""
    paid = booking.net_paid - plan.refund
    quote = _quote(
        Quote.Kind.CHANGE,
        by=by,
        now=claims.database_now(),
        booking=booking,
        booking_version=booking.version,
        policy=booking.policy,
        deposit=plan.deposit,
        price=plan.price,
        price_rules=plan.rules,
        fee=plan.fee,
        due=max(0, plan.price["total"] - paid),
        refund=plan.refund,
        **plan.slot(),
    )
    quote.save()
    return quote


@transaction.atomic
def quote_cancellation(*, by: Actor, booking: Booking) -> Quote:
    """What canceling now would give back. Raises NotAllowed, InvalidTransition, CancellationNotAllowed."""
    quote = preview_cancellation(by=by, booking=booking)
    quote.save()
    return quote


def preview_cancellation(*, by: Actor, booking: Booking) -> Quote:
    """The same, only told: nothing is written."""
    by.require(Scope.BOOKINGS_READ)
    now = claims.database_now()
    require_cancelable(booking, now=now)
    refund = refund_amount(booking, "policy", now=now)
    return _quote(
        Quote.Kind.CANCEL,
        by=by,
        now=now,
        booking=booking,
        policy=booking.policy,
        deposit=booking.deposit,
        price=booking.price,
        fee=booking.net_paid - refund,
        refund=refund,
        room=booking.room,
        starts_at=booking.starts_at,
        party_size=booking.party_size,
        private=booking.private,
    )


def _quote(
    kind: Quote.Kind,
    *,
    by: Actor,
    now: dt.datetime,
    policy: dict[str, Any],
    deposit: int,
    price: dict[str, Any],
    **fields: Any,
) -> Quote:
    until = policies.deadlines(policy, starts_at=fields["starts_at"], deposit=deposit)
    quote = Quote(
        organization=by.organization,
        kind=kind,
        price=price,
        currency=price["currency"],
        deadlines={name: utc_text(instant) for name, instant in until.items()},
        expires_at=now + LASTS,
        **fields,
    )
    quote.sentence = _sentence(quote, free_until=until["free_cancel_until"], now=now)
    return quote


def _sentence(quote: Quote, *, free_until: dt.datetime | None, now: dt.datetime) -> str:
    """`Sat 14 Mar 2026, 18:30 Paris time, 5 players, €150, free cancellation until Thu 12 Mar 2026, 18:30.`"""
    name = quote.room.venue.timezone
    parts = [
        f"{spoken(quote.starts_at, zone(name))} {place(name)} time",
        f"{quote.party_size} player{'' if quote.party_size == 1 else 's'}",
    ]
    if quote.kind == Quote.Kind.CANCEL:
        parts.append(f"canceling gives back {money.text(quote.refund, quote.currency)}")
    else:
        parts.append(money.text(quote.price["total"], quote.currency))
        if quote.fee:
            parts.append(f"including a fee of {money.text(quote.fee, quote.currency)}")
        if quote.refund:
            parts.append(f"{money.text(quote.refund, quote.currency)} back")
        if free_until is not None and free_until > now:
            parts.append(f"free cancellation until {spoken(free_until, zone(name))}")
    return ", ".join(parts) + "."
