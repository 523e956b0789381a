"""One priced, atomic change: another time, room, party, or merely another note."""

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction

from bookings import events
from bookings.errors import InvalidTransition
from bookings.models import Booking, Quote
from bookings.rules import check_answers
from bookings.serializers import BookingShape
from bookings.services.locking import locked_booking
from bookings.services.payment import is_taken, pay
from bookings.services.plans import Plan, differs, plan_change
from bookings.services.saving import require_free_external_id, save
from organizations.actor import Actor
from organizations.permissions import Scope
from payments.models import Refund
from payments.services import request_refund
from rooms import claims
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
    booking is priced again on its snapshot, or as the quote says; of a lower price the cancellation policy's part goes
    back, which needs the scope of cancellations too; a higher one leaves `amount_due`. In another room the price rules
    become that room's, the policies stay those of the purchase. Changing nothing raises no version and tells nobody.

    Raises NotAllowed, VersionConflict, InvalidTransition, RescheduleNotAllowed, PriceChanged, DuplicateExternalId,
    ValidationFailed, and the refusals of `rooms.claims.claim_slot`.
    """
    by.require(Scope.BOOKINGS_WRITE)
    booking = locked_booking(booking, by=by, expected_version=expected_version, also=changes.get("room"))
    before, old_total, now = BookingShape.json(booking), booking.total, claims.database_now()
    plan = plan_change(booking, now=now, quote=quote, **{name: changes[name] for name in PRICED if name in changes})
    if plan.refund:
        by.require(Scope.BOOKINGS_CANCEL)
    if is_taken(payment):
        _require_payable(booking, now=now)
    if "answers" in changes:
        check_answers(plan.room.custom_fields, changes["answers"])
    require_free_external_id(booking, changes.get("external_id"))
    if differs(booking, plan.slot()):
        _apply(booking, plan)
    for name, value in changes.items():
        if name not in PRICED:
            setattr(booking, name, {**booking.contact, **value} if name == "contact" else value)
    _give_back(booking, plan.refund)
    pay(booking, payment, by=by)
    change = PriceChange(old_total, booking.total, plan.fee, booking.amount_due, plan.refund, booking.currency)
    if BookingShape.json(booking) == before:
        return booking, change
    booking.version += 1
    save(booking)
    action = "moved" if plan.is_move else "changed"
    events.tell(booking, by=by, action=action, before=before, event=EventType.BOOKING_UPDATED)
    return booking, change


def _require_payable(booking: Booking, *, now: dt.datetime) -> None:
    """Money is taken for bookings that stand: a hold that runs out, or has, would keep it for nothing."""
    status = booking.reads_as_at(now)
    if status in (Booking.Status.HELD, Booking.Status.EXPIRED):
        raise InvalidTransition("Send the payment to /confirm, which makes the booking firm.", booking_status=status)
    if status == Booking.Status.CANCELED:
        raise InvalidTransition("A canceled booking takes no payment.", booking_status=status)


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
    booking.times_moved += plan.is_move and booking.status == Booking.Status.CONFIRMED
    booking.reschedule_fees += plan.fee
    booking.room, booking.starts_at = plan.room, plan.starts_at
    booking.party_size, booking.private = plan.party_size, plan.private
    booking.price, booking.price_rules, booking.currency = plan.price, plan.rules, plan.price["currency"]
    booking.deposit = plan.deposit


def _give_back(booking: Booking, amount: int) -> None:
    if amount:
        request_refund(subject=booking.public_id, amount=amount, purpose=Refund.Purpose.CHANGE, reason="The price fell.")
        booking.amount_refunded += amount
