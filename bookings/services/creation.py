"""From nothing to a held or confirmed booking."""

import datetime as dt
from typing import Any

from django.db import transaction

from bookings import events
from bookings.errors import HoldExpired, HoldLimitReached, InvalidTransition, PriceChanged
from bookings.models import Booking, Quote
from bookings.rules import check_answers
from bookings.serializers import BookingShape
from bookings.services import caps
from bookings.services.late import claim_again
from bookings.services.locking import locked_booking, locked_room
from bookings.services.pricing import deposit_of, price_by, rules_of
from bookings.services.saving import require_free_external_id, save
from bookings.services.taking import due_at_once, is_taken, is_through_stripe, note, order
from common.errors import FieldError, ValidationFailed
from common.walltime import utc_text
from customers.models import Customer
from customers.services import customer_for_booking
from organizations.actor import Actor
from organizations.permissions import Scope
from payments.services import drop_payments
from rooms import claims
from rooms.availability import default_private
from rooms.models import Room
from rooms.policies import policies_of
from webhooks.types import EventType

# However often it is extended, a hold ends so long after it began: nobody keeps a slot without booking it.
LONGEST_HOLD = dt.timedelta(hours=1)


@transaction.atomic
def create_booking(
    *,
    by: Actor,
    room: Room,
    starts_at: dt.datetime,
    party_size: int,
    customer: Customer | dict[str, Any],
    private: bool | None = None,
    hold: bool = False,
    payment: dict[str, Any] | None = None,
    quote: Quote | None = None,
    source: str = Booking.Source.API,
    made_at: dt.datetime | None = None,
    **details: Any,
) -> Booking:
    """A booking that keeps its slot: confirmed at once, or held for the room's `hold_minutes` with `hold` and until a payment
    through Stripe has come.

    1. Lock the room's spaces. 2. Price it, by the quote if there is one: price and price rules are then those quoted.
    3. Claim the slot, under every rule that availability applies. 4. Find or make the customer. 5. Write booking,
    payment, history and event.

    `made_at` is for bookings taken over from elsewhere: the rules are applied as they stood at that moment.

    Raises NotAllowed, KeyCapExceeded, the refusals of `rooms.claims.claim_slot`, PriceChanged, PaymentModeUnavailable,
    DuplicateExternalId, ValidationFailed.
    """
    by.require(Scope.BOOKINGS_WRITE)
    caps.take_turn(by)
    room = locked_room(room, by=by)
    private = default_private(room) if private is None else private
    details["answers"] = check_answers(room.custom_fields, details.get("answers") or {})
    price, rules = _agreed_price(quote, room=room, starts_at=starts_at, party_size=party_size, private=private)

    booking = Booking(organization=by.organization, room=room, starts_at=starts_at, party_size=party_size, private=private)
    require_free_external_id(booking, details.get("external_id"))
    now = booking.created_at = made_at or claims.database_now()
    through_stripe = payment is not None and is_through_stripe(payment) and price["total"] > 0
    hold = hold or through_stripe
    caps.require_within(by, booking, total=price["total"], currency=price["currency"], opens_hold=hold, now=now)
    expires_at = now + dt.timedelta(minutes=room.hold_minutes) if hold else None
    booking.claim = claims.claim_slot(
        room=room,
        starts_at=starts_at,
        party_size=party_size,
        private=private,
        holder=booking.public_id,
        expires_at=expires_at,
        now=now,
    )
    booking.ends_at = booking.claim.session.ends_at
    booking.status = Booking.Status.HELD if hold else Booking.Status.CONFIRMED
    booking.hold_expires_at, booking.confirmed_at = expires_at, None if hold else now
    booking.price, booking.price_rules, booking.currency = price, rules, price["currency"]
    booking.deposit, booking.policy = deposit_of(rules, price), policies_of(room)
    booking.source, booking.created_by_type, booking.created_by_id = source, by.type, by.id
    booking.customer, booking.contact = _customer_and_contact(customer, by=by)
    for name, value in details.items():
        setattr(booking, name, value)
    if through_stripe and payment is not None:
        order(booking, payment, amount=due_at_once(booking), by=by, now=now)
    else:
        note(booking, payment, by=by)
    save(booking)
    events.tell(booking, by=by, action="held" if hold else "created", event=EventType.BOOKING_CREATED)
    return booking


@transaction.atomic
def confirm_booking(
    *, booking: Booking, by: Actor, payment: dict[str, Any] | None = None, expected_version: int | None = None
) -> Booking:
    """Make a hold firm; take back a no-show, and a check-in whose game has not ended. Confirming twice changes nothing,
    unless it brings a payment. With one through Stripe a hold stays one until the money has come.

    A hold that has expired is confirmed only with a payment that was really taken, and only if the slot is still free
    to be claimed again. Raises NotAllowed, KeyCapExceeded, VersionConflict, HoldExpired, InvalidTransition,
    PaymentModeUnavailable.
    """
    by.require(Scope.BOOKINGS_WRITE)
    caps.take_turn(by)
    booking = locked_booking(booking, by=by, expected_version=expected_version)
    status, now = Booking.Status, claims.database_now()
    before, was = BookingShape.json(booking), booking.reads_as_at(now)
    if was in (status.HELD, status.EXPIRED):
        caps.require_within(by, booking, total=booking.total, currency=booking.currency, now=now)
    if payment is not None and is_through_stripe(payment) and was in (status.HELD, status.CONFIRMED):
        amount = due_at_once(booking) if was == status.HELD else booking.amount_due
        if amount:
            order(booking, payment, amount=amount, by=by, now=now)
            booking.version += 1
            booking.save()
            events.tell(booking, by=by, action="payment_begun", before=before)
            return booking
    if was == status.CONFIRMED and not is_taken(payment):
        return booking
    if was == status.HELD and booking.claim is not None:
        claims.make_firm(booking.claim)
    elif was == status.EXPIRED:
        if not is_taken(payment):
            raise HoldExpired("The hold has run out: book again.")
        claim_again(booking)
    else:
        require_confirmable(booking, now=now)
    first = booking.confirmed_at is None
    booking.status, booking.hold_expires_at = status.CONFIRMED, None
    booking.confirmed_at = booking.confirmed_at or now
    drop_payments(subject=booking.public_id, now=now)
    note(booking, payment, by=by)
    booking.version += 1
    booking.save()
    event = EventType.BOOKING_CREATED if first else EventType.BOOKING_UPDATED
    events.tell(booking, by=by, action="confirmed", before=before, event=event)
    return booking


@transaction.atomic
def extend_hold(*, booking: Booking, by: Actor, expected_version: int | None = None) -> Booking:
    """Hold it for the room's `hold_minutes` from now on, at most an hour in all.

    Raises NotAllowed, VersionConflict, HoldExpired, HoldLimitReached, InvalidTransition.
    """
    by.require(Scope.BOOKINGS_WRITE)
    booking = locked_booking(booking, by=by, expected_version=expected_version)
    until = extended_until(booking, now=claims.database_now())
    before = BookingShape.json(booking)
    assert booking.claim is not None  # held bookings keep one
    claims.extend(booking.claim, until)
    booking.hold_expires_at = until
    booking.version += 1
    booking.save(update_fields=["hold_expires_at", "version", "updated_at"])
    events.tell(booking, by=by, action="extended", before=before)
    return booking


def extended_until(booking: Booking, *, now: dt.datetime) -> dt.datetime:
    """Until when it would be held if that were extended now. Raises HoldExpired, InvalidTransition, HoldLimitReached."""
    if booking.reads_as_at(now) == Booking.Status.EXPIRED:
        raise HoldExpired("The hold has run out: book again.")
    if booking.status != Booking.Status.HELD:
        raise InvalidTransition("Only a held booking can be extended.", booking_status=booking.status)
    until = min(now + dt.timedelta(minutes=booking.room.hold_minutes), booking.created_at + LONGEST_HOLD)
    if booking.hold_expires_at is not None and until <= booking.hold_expires_at:
        raise HoldLimitReached("A hold lasts an hour at most.", hold_expires_at=utc_text(booking.hold_expires_at))
    return until


def require_confirmable(booking: Booking, *, now: dt.datetime) -> None:
    """Raises InvalidTransition."""
    was, status = booking.reads_as_at(now), Booking.Status
    if was == status.CHECKED_IN and booking.ends_at <= now:
        raise InvalidTransition("The game has ended.", booking_status=was)
    if was not in (status.HELD, status.EXPIRED, status.NO_SHOW, status.CHECKED_IN, status.CONFIRMED):
        raise InvalidTransition(f"A booking that is {was} cannot be confirmed.", booking_status=was)


def _agreed_price(quote: Quote | None, *, room: Room, **asked: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The price, and the rules that it was made by: those quoted while the quote lasts; after that only if the price is
    still the same.
    """
    rules = rules_of(room)
    asked["room"] = room
    price = price_by(rules, **asked)
    if quote is None:
        return price, rules
    if quote.kind != Quote.Kind.CREATE or not quote.holds_for(**asked):
        raise ValidationFailed(FieldError("The quote was given for something else.", "mismatch", pointer="/quote"))
    if quote.expires_at > claims.database_now():
        return quote.price, quote.price_rules or rules  # a quote from before they were kept has none
    if quote.price != price:
        raise PriceChanged("The quote has run out.", price=price)
    return price, rules


def _customer_and_contact(customer: Customer | dict[str, Any], *, by: Actor) -> tuple[Customer, dict[str, Any]]:
    """The customer's row, and the contact as it was given for this booking. Raises ValidationFailed."""
    if isinstance(customer, Customer):
        # Locked, so that an erasure at this moment either is seen here or sees this booking.
        current = Customer.objects.visible_to(by).select_for_update().filter(pk=customer.pk).first()
        if current is None:
            raise ValidationFailed(FieldError("There is no customer with this id.", "unknown", pointer="/customer"))
        return current, {name: getattr(current, name) or None for name in CONTACT}
    found = customer_for_booking(by=by, **customer)
    return found, {name: customer.get(name) or None for name in CONTACT}


CONTACT = ("name", "email", "phone", "language")
