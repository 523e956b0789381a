"""One priced, atomic change: another time, room, party, or merely another note."""

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction

from bookings import events, policies
from bookings.errors import DuplicateExternalId, InvalidTransition, PriceChanged
from bookings.models import Booking, Quote
from bookings.rules import check_answers
from bookings.serializers import BookingShape
from bookings.services.locking import locked_booking
from bookings.services.pricing import deposit_of, requoted, rules_of
from common.errors import FieldError, ValidationFailed
from common.money import percent_of
from organizations.actor import Actor
from organizations.permissions import Scope
from payments.services import record_payment, request_refund
from rooms import claims
from rooms.models import Room
from rooms.policies import policies_of
from webhooks.types import EventType

PRICED = ("room", "starts_at", "party_size", "private")


@dataclass(frozen=True, slots=True)
class PriceChange:
    """Minor units. `fee` is part of `new`; `due` is what is still to be paid, `refund` what goes back."""

    old: int
    new: int
    fee: int
    due: int
    refund: int
    currency: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a change would make of a booking, before anything is written."""

    room: Room
    starts_at: dt.datetime
    party_size: int
    private: bool
    is_move: bool
    price: dict[str, Any]
    fee: int
    refund: int

    def slot(self) -> dict[str, Any]:
        return {"room": self.room, "starts_at": self.starts_at, "party_size": self.party_size, "private": self.private}


@transaction.atomic
def change_booking(
    *,
    booking: Booking,
    by: Actor,
    expected_version: int | None = None,
    quote: Quote | None = None,
    payment: dict[str, Any] | None = None,
    **changes: Any,
) -> tuple[Booking, PriceChange]:
    """Apply the given fields, all or none. The new slot is claimed and the old one freed in one transaction; the whole
    booking is priced again on its snapshot; a lower price gives back what the cancellation policy grants of the
    difference, a higher one leaves `amount_due`. Changing nothing raises no version and tells nobody.

    Raises NotAllowed, VersionConflict, InvalidTransition, RescheduleNotAllowed, PriceChanged, DuplicateExternalId,
    ValidationFailed, and the refusals of `rooms.claims.claim_slot`.
    """
    by.require(Scope.BOOKINGS_WRITE)
    booking = locked_booking(booking, by=by, expected_version=expected_version, also=changes.get("room"))
    before, old_total = BookingShape.json(booking), booking.total
    plan = plan_change(booking, now=claims.database_now(), **{name: changes[name] for name in PRICED if name in changes})
    if quote is not None:
        _require_quoted(quote, booking, plan)
    _check_details(booking, plan.room, changes)
    if _differs(booking, plan):
        _apply(booking, plan)
    for name, value in changes.items():
        if name not in PRICED:
            setattr(booking, name, {**booking.contact, **value} if name == "contact" else value)
    _settle(booking, plan, payment, by=by)
    change = PriceChange(old_total, booking.total, plan.fee, booking.amount_due, plan.refund, booking.currency)
    if BookingShape.json(booking) == before:
        return booking, change
    booking.version += 1
    booking.save()
    event = None if booking.status == Booking.Status.HELD else EventType.BOOKING_UPDATED
    events.tell(booking, by=by, action="moved" if plan.is_move else "changed", before=before, event=event)
    return booking, change


def plan_change(booking: Booking, *, now: dt.datetime, **asked: Any) -> Plan:
    """What the change would cost. Raises InvalidTransition, RescheduleNotAllowed."""
    room = _with_spaces(asked.get("room") or booking.room)
    starts_at, party_size = asked.get("starts_at", booking.starts_at), asked.get("party_size", booking.party_size)
    private = asked.get("private", booking.private)
    if "private" not in asked and room.pk != booking.room_id and room.booking_mode == Room.BookingMode.PRIVATE:
        private = True
    is_move = (room.pk, starts_at) != (booking.room_id, booking.starts_at)
    same = not is_move and (party_size, private) == (booking.party_size, booking.private)
    if not same and booking.reads_as not in (Booking.Status.HELD, Booking.Status.CONFIRMED):
        raise InvalidTransition(f"A booking that is {booking.reads_as} cannot be changed so.", booking_status=booking.reads_as)
    fee = 0
    if is_move and booking.status == Booking.Status.CONFIRMED:
        fee = policies.reschedule_fee(booking.policy, starts_at=booking.starts_at, at=now, times_moved=booking.times_moved)
    slot = {"room": room, "starts_at": starts_at, "party_size": party_size, "private": private}
    price = booking.price if same else requoted(booking, fee=fee, **slot)
    return Plan(**slot, is_move=is_move, price=price, fee=fee, refund=_refund(booking, price, now=now))


def _refund(booking: Booking, price: dict[str, Any], *, now: dt.datetime) -> int:
    """What goes back when the price falls below what was paid: the policy's share of the difference."""
    over = booking.net_paid - price["total"]
    if over <= 0 or price["total"] >= booking.total:
        return 0
    return percent_of(over, policies.refund_percent(booking.policy, starts_at=booking.starts_at, at=now))


def _differs(booking: Booking, plan: Plan) -> bool:
    return (booking.room_id, booking.starts_at, booking.party_size, booking.private) != (
        plan.room.pk,
        plan.starts_at,
        plan.party_size,
        plan.private,
    )


def _apply(booking: Booking, plan: Plan) -> None:
    """Move the claim, then the booking's own fields."""
    claim = booking.claim
    assert claim is not None  # held and confirmed bookings keep one
    if plan.is_move or plan.private != booking.private:
        claims.release(claim)
        booking.claim = claims.claim_slot(**plan.slot(), holder=booking.public_id, expires_at=booking.hold_expires_at)
        booking.ends_at = booking.claim.session.ends_at
    else:
        claims.resize(claim, room=plan.room, party_size=plan.party_size)
    if plan.room.pk != booking.room_id:
        booking.price_rules, booking.policy = rules_of(plan.room), policies_of(plan.room)
    counts = plan.is_move and booking.status == Booking.Status.CONFIRMED
    booking.times_moved += counts
    booking.reschedule_fees += plan.fee
    booking.room, booking.starts_at = plan.room, plan.starts_at
    booking.party_size, booking.private = plan.party_size, plan.private
    booking.price, booking.currency = plan.price, plan.price["currency"]
    booking.deposit = deposit_of(booking.price_rules, plan.price)


def _settle(booking: Booking, plan: Plan, payment: dict[str, Any] | None, *, by: Actor) -> None:
    if plan.refund:
        request_refund(subject=booking.public_id, amount=plan.refund, reason="The price fell.")
        booking.amount_refunded += plan.refund
    if payment is not None and payment["mode"] != "none":
        details = {"mode": payment["mode"], "amount": payment.get("amount", 0), "reference": payment.get("reference", "")}
        record_payment(subject=booking.public_id, currency=booking.currency, by=by, **details)
        booking.amount_paid += payment["amount"]
    booking.settle()


def _require_quoted(quote: Quote, booking: Booking, plan: Plan) -> None:
    """Take what was quoted or nothing: the price of a change follows the clock."""
    if quote.kind != Quote.Kind.CHANGE or quote.booking_id != booking.pk or not quote.holds_for(**plan.slot()):
        raise ValidationFailed(FieldError("The quote was given for something else.", "mismatch", pointer="/quote"))
    if (quote.price, quote.fee, quote.refund) != (plan.price, plan.fee, plan.refund):
        raise PriceChanged("The change costs something else by now.", price=plan.price, fee=plan.fee, refund=plan.refund)


def _check_details(booking: Booking, room: Room, changes: dict[str, Any]) -> None:
    if "answers" in changes:
        check_answers(room.custom_fields, changes["answers"])
    if room.pk != booking.room_id and room.pricing["currency"] != booking.currency:
        raise ValidationFailed(FieldError("The room is priced in another currency.", "currency", pointer="/room"))
    external_id = changes.get("external_id")
    if external_id and external_id != booking.external_id:
        others = Booking.objects.filter(organization=booking.organization, external_id=external_id)
        if other := others.first():
            raise DuplicateExternalId(booking=other.public_id)


def _with_spaces(room: Room) -> Room:
    return Room.objects.with_spaces().get(pk=room.pk)
