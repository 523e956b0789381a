"""What a change would make of a booking and what it would cost: one answer for the change and for its quote."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from bookings import policies
from bookings.errors import InvalidTransition, PriceChanged
from bookings.models import Booking, Quote
from bookings.services.pricing import deposit_of, requoted, rules_of
from common.errors import FieldError, ValidationFailed
from rooms import claims
from rooms.models import Room


@dataclass(frozen=True, slots=True)
class Plan:
    """A change before anything is written; money in minor units."""

    room: Room
    starts_at: dt.datetime
    party_size: int
    private: bool
    is_move: bool
    rules: dict[str, Any]  # what the price is made by
    price: dict[str, Any]
    fee: int
    refund: int
    deposit: int

    def slot(self) -> dict[str, Any]:
        return {"room": self.room, "starts_at": self.starts_at, "party_size": self.party_size, "private": self.private}


def plan_change(booking: Booking, *, now: dt.datetime, quote: Quote | None = None, **asked: Any) -> Plan:
    """What the change costs: as quoted, while the quote lasts; after that only if nothing of it is different by now.

    Raises InvalidTransition, RescheduleNotAllowed, PriceChanged, ValidationFailed.
    """
    slot = _slot(booking, **asked)
    room: Room = slot["room"]
    if quote is not None and (quote.kind != Quote.Kind.CHANGE or quote.booking_id != booking.pk or not quote.holds_for(**slot)):
        raise ValidationFailed(FieldError("The quote was given for something else.", "mismatch", pointer="/quote"))
    if not differs(booking, slot):
        return _plan(booking, slot, rules=booking.price_rules, price=booking.price, fee=0, refund=0)
    require_changeable(booking, now=now)
    if room.pricing["currency"] != booking.currency and room.pk != booking.room_id:
        raise ValidationFailed(FieldError("The room is priced in another currency.", "currency", pointer="/room"))
    if quote is not None and quote.expires_at > now and quote.booking_version == booking.version:
        return _plan(booking, slot, rules=quote.price_rules, price=quote.price, fee=quote.fee, refund=quote.refund)
    plan = _plan_now(booking, slot, now=now)
    if quote is not None and (quote.price, quote.fee, quote.refund) != (plan.price, plan.fee, plan.refund):
        raise PriceChanged("The change costs something else by now.", price=plan.price, fee=plan.fee, refund=plan.refund)
    return plan


def differs(booking: Booking, slot: dict[str, Any]) -> bool:
    """Whether the slot or the party is another than the booking's own."""
    own = (booking.room_id, booking.starts_at, booking.party_size, booking.private)
    return own != (slot["room"].pk, slot["starts_at"], slot["party_size"], slot["private"])


def require_changeable(booking: Booking, *, now: dt.datetime) -> None:
    """Another slot or party is for bookings that are to take place. Raises InvalidTransition."""
    status = booking.reads_as_at(now)
    if status not in (Booking.Status.HELD, Booking.Status.CONFIRMED):
        raise InvalidTransition(f"A booking that is {status} cannot be changed so.", booking_status=status)


def require_possible(booking: Booking, plan: Plan) -> None:
    """Raises what the change would raise when it takes its seats; takes none."""
    if plan.is_move or plan.private != booking.private:
        claims.require_bookable(**plan.slot(), ignore_holder=booking.public_id)
    elif plan.party_size != booking.party_size and booking.claim is not None:
        with transaction.atomic():  # tried and taken back
            claims.resize(booking.claim, room=plan.room, party_size=plan.party_size)
            transaction.set_rollback(True)


def _slot(booking: Booking, **asked: Any) -> dict[str, Any]:
    """Where the booking is to be: what is asked for, else where it is."""
    room = Room.objects.with_spaces().get(pk=(asked.get("room") or booking.room).pk)
    slot = {"starts_at": booking.starts_at, "party_size": booking.party_size, "private": booking.private, **asked, "room": room}
    if "private" not in asked and room.pk != booking.room_id and room.booking_mode == Room.BookingMode.PRIVATE:
        slot["private"] = True
    return slot


def _plan_now(booking: Booking, slot: dict[str, Any], *, now: dt.datetime) -> Plan:
    moves, fee = _is_move(booking, slot), 0
    if moves and booking.status == Booking.Status.CONFIRMED:
        fee = policies.reschedule_fee(booking.policy, starts_at=booking.starts_at, at=now, times_moved=booking.times_moved)
    rules = booking.price_rules if slot["room"].pk == booking.room_id else rules_of(slot["room"])
    price = requoted(booking, rules, fee=fee, **slot)
    refund = policies.refund_on_lower_price(
        booking.policy,
        starts_at=booking.starts_at,
        at=now,
        paid=booking.net_paid,
        deposit=booking.deposit,
        old=booking.total,
        new=price["total"],
    )
    return _plan(booking, slot, rules=rules, price=price, fee=fee, refund=refund)


def _plan(booking: Booking, slot: dict[str, Any], **costs: Any) -> Plan:
    """A deposit that never goes back is not lowered by a change either: the cancellation after it would give it back."""
    deposit = deposit_of(costs["rules"], costs["price"]) if differs(booking, slot) else booking.deposit
    if policies.keeps_deposit(booking.policy, booking.deposit):
        deposit = max(deposit, booking.deposit)
    return Plan(**slot, **costs, is_move=_is_move(booking, slot), deposit=deposit)


def _is_move(booking: Booking, slot: dict[str, Any]) -> bool:
    return (slot["room"].pk, slot["starts_at"]) != (booking.room_id, booking.starts_at)
