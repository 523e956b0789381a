"""One priced, atomic change: another time, room, party, or merely another note."""

import datetime as dt
from dataclasses import asdict, dataclass, replace
from typing import Any

from django.db import transaction

from bookings import events
from bookings.errors import InvalidTransition
from bookings.models import Booking, Quote
from bookings.rules import check_answers
from bookings.serializers import BookingShape
from bookings.services import caps
from bookings.services.locking import locked_booking
from bookings.services.plans import Plan, differs, plan_change, require_possible
from bookings.services.quotes import pin_change
from bookings.services.saving import require_free_external_id, save
from bookings.services.taking import STRIPE, is_taken, is_through_stripe, note, order
from organizations.actor import Actor
from organizations.permissions import Scope
from payments.errors import PaymentRequired
from payments.models import Payment, Refund
from payments.services import request_refund
from rooms import claims
from rooms.models import Room
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
    settlement: str | None = None,
    **changes: Any,
) -> tuple[Booking, PriceChange]:
    """Apply the given fields, all or none. The new slot is claimed and the old one freed in one transaction; the whole
    booking is priced again on its snapshot, or as the quote says; of a lower price the cancellation policy's part goes
    back, which needs the scope of cancellations too. In another room the price rules become that room's, the policies stay
    those of the purchase. Changing nothing raises no version and tells nobody.

    A higher price leaves `amount_due`; on a booking that was paid through Stripe it is to be paid first, unless `settlement`
    is "later". With a payment through Stripe nothing is changed yet: the change is made when the money has come.

    Raises NotAllowed, KeyCapExceeded, VersionConflict, InvalidTransition, RescheduleNotAllowed, PriceChanged, PaymentRequired,
    PaymentModeUnavailable, DuplicateExternalId, ValidationFailed, and the refusals of `rooms.claims.claim_slot`.
    """
    by.require(Scope.BOOKINGS_WRITE)
    caps.take_turn(by)
    booking = locked_booking(booking, by=by, expected_version=expected_version, also=changes.get("room"))
    before, old_total, now = BookingShape.json(booking), booking.total, claims.database_now()
    plan = plan_change(booking, now=now, quote=quote, **{name: changes[name] for name in PRICED if name in changes})
    if plan.refund:
        by.require(Scope.BOOKINGS_CANCEL)
    if plan.price["total"] > booking.total:
        caps.require_within(by, booking, total=plan.price["total"], currency=booking.currency, now=now)
    if is_taken(payment) or is_through_stripe(payment):
        require_payable(booking, now=now)
    if "answers" in changes:
        check_answers(plan.room.custom_fields, changes["answers"])
    require_free_external_id(booking, changes.get("external_id"))
    due = max(0, plan.price["total"] - booking.net_paid + plan.refund)
    change = PriceChange(old_total, plan.price["total"], plan.fee, due, plan.refund, booking.currency)
    amount = _due_first(booking, plan)
    if payment is not None and is_through_stripe(payment) and (amount or due):
        _order(booking, payment, plan, changes, change, amount=amount or due, by=by, now=now)
        return booking, change
    if amount and not is_taken(payment) and settlement != "later" and _is_paid_through_stripe(booking):
        raise PaymentRequired(
            "The higher price is to be paid first: repeat the request with a payment, or with settlement later.",
            amount=amount,
            currency=booking.currency,
            price_change=change.as_json(),
        )
    _apply(booking, plan, changes, now=now)
    note(booking, payment, by=by)
    change = replace(change, due=booking.amount_due)
    if BookingShape.json(booking) != before:
        booking.version += 1
        save(booking)
        events.tell(booking, by=by, action=_action(plan), before=before, event=EventType.BOOKING_UPDATED)
    return booking, change


def no_change(booking: Booking) -> dict[str, Any]:
    """The `price_change` of a request that only paid."""
    return PriceChange(booking.total, booking.total, 0, booking.amount_due, 0, booking.currency).as_json()


def apply_change(booking: Booking, ordered: dict[str, Any]) -> str:
    """Make the change that was to wait for its money on the locked booking, priced as it was then, and say what it was. The
    caller settles, raises the version and tells. Raises what `change_booking` raises.
    """
    system = Actor.system(booking.organization)
    room = Room.objects.visible_to(system).filter(public_id=ordered["room"]).first()
    quote = Quote.objects.visible_to(system).filter(public_id=ordered["quote"]).first()
    if room is None or quote is None:
        raise InvalidTransition("What was paid for is no longer there.", booking_status=booking.status)
    slot = {"room": room, "starts_at": quote.starts_at, "party_size": quote.party_size, "private": quote.private}
    now = claims.database_now()
    plan = plan_change(booking, now=now, quote=quote, **slot)
    require_free_external_id(booking, ordered["details"].get("external_id"))
    _apply(booking, plan, ordered["details"], now=now)
    save(booking)
    return _action(plan)


def _due_first(booking: Booking, plan: Plan) -> int:
    """What a higher price makes due before it is agreed to: with only a deposit paid, the rest of the new one."""
    if plan.price["total"] <= booking.total:
        return 0
    only_deposit = booking.deposit > 0 and booking.net_paid < booking.total
    return max(0, (plan.deposit if only_deposit else plan.price["total"]) - booking.net_paid)


def _is_paid_through_stripe(booking: Booking) -> bool:
    return Payment.objects.of(booking.public_id).succeeded().filter(mode=STRIPE).exists()


def _order(
    booking: Booking,
    payment: dict[str, Any],
    plan: Plan,
    changes: dict[str, Any],
    change: PriceChange,
    *,
    amount: int,
    by: Actor,
    now: dt.datetime,
) -> None:
    """The order to Stripe, with the change that is to follow the money; its price is pinned until then."""
    details = {name: value for name, value in changes.items() if name not in PRICED}
    purpose: dict[str, Any] = {}
    booking.version += 1
    if details or differs(booking, plan.slot()):
        require_possible(booking, plan)
        quote = pin_change(booking, plan, by=by)
        ordered = {"room": plan.room.public_id, "quote": quote.public_id, "details": details}
        purpose = {"change": ordered, "price_change": change.as_json()}
    order(booking, payment, amount=amount, by=by, now=now, purpose=purpose)
    booking.save(update_fields=["payment_status", "version", "updated_at"])
    events.tell(booking, by=by, action="payment_begun")


def _action(plan: Plan) -> str:
    return "moved" if plan.is_move else "changed"


def _apply(booking: Booking, plan: Plan, changes: dict[str, Any], *, now: dt.datetime) -> None:
    over = max(0, min(booking.total, booking.net_paid) - plan.price["total"])  # paid for what falls away now
    if differs(booking, plan.slot()):
        _move(booking, plan)
    for name, value in changes.items():
        if name not in PRICED:
            setattr(booking, name, {**booking.contact, **value} if name == "contact" else value)
    if plan.refund:
        purpose = Refund.Purpose.CHANGE
        request_refund(subject=booking.public_id, amount=plan.refund, purpose=purpose, reason="The price fell.", now=now)
        booking.amount_refunded += plan.refund
    # What the policy has kept pays for a price that rises again, and is not shared out a second time by a cancellation.
    booking.kept = min(booking.kept + max(0, over - plan.refund), max(0, booking.net_paid - booking.total))


def require_payable(booking: Booking, *, now: dt.datetime) -> None:
    """Money is taken for bookings that stand: a hold that runs out, or has, would keep it for nothing."""
    status = booking.reads_as_at(now)
    if status in (Booking.Status.HELD, Booking.Status.EXPIRED):
        raise InvalidTransition("Send the payment to /confirm, which makes the booking firm.", booking_status=status)
    if status == Booking.Status.CANCELED:
        raise InvalidTransition("A canceled booking takes no payment.", booking_status=status)


def _move(booking: Booking, plan: Plan) -> None:
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
