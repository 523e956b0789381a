"""Money for bookings: noted where it was taken elsewhere, else ordered from Stripe, and what its arrival brings about.

An order is a row, committed before Stripe is asked. `carry_out_payment` asks, outside any transaction, and `_settle` writes down
what came of it, in one: whoever is killed in between leaves a row that the sweep, Stripe's webhook or the repeated request
carries out again under the same idempotency key.
"""

import contextlib
import datetime as dt
import logging
from collections.abc import Iterator
from typing import Any

from django.db import transaction

from bookings import events
from bookings.errors import HoldExpired, InvalidTransition
from bookings.models import Booking
from bookings.serializers import BookingShape
from bookings.services.change import apply_change
from bookings.services.late import claim_again
from bookings.services.locking import locked_booking
from common.errors import DomainError
from organizations.actor import Actor
from payments import events as payment_events
from payments import services as payments
from payments.errors import PaymentRefused, ProviderUnavailable
from payments.gateway import GivenBack, Intent
from payments.models import Payment, Refund
from rooms import claims
from rooms.errors import SlotUnavailable
from rooms.models import Room
from webhooks.types import EventType

BATCH = 50  # orders a run; the next run takes the rest
ABANDONED_AFTER = dt.timedelta(hours=24)  # an open payment that keeps no slot

TOO_LATE = "What was paid for could no longer be had: the money goes back."

logger = logging.getLogger(__name__)


def carry_out_payment(payment: Payment, *, by: Actor) -> tuple[Booking, Payment, Intent]:
    """Carry out the order at Stripe and settle what came of it. Safe to repeat, and from several sides at once.

    Raises ProviderUnavailable, and PaymentRefused where Stripe takes no such payment at all.
    """
    try:
        intent = payments.advance_payment(payment)
    except PaymentRefused as refused:
        _settle_refusal(payment, refused, by=by)
        raise
    return *_settle(payment, intent, by=by), intent


def require_made(booking: Booking, payment: Payment, *, told: dict[str, Any]) -> None:
    """Whether the payment has brought about what it was for. `told` is what the refusal is to say beside its reason.

    Raises HoldExpired, InvalidTransition, SlotUnavailable: the money goes back.
    """
    late = Refund.objects.filter(payment=payment, purpose=Refund.Purpose.LATE, amount=payment.amount)
    if payment.status != Payment.Status.SUCCEEDED or not late.exists():
        return
    status = booking.reads_as
    if status == Booking.Status.EXPIRED:
        raise HoldExpired(TOO_LATE, **told)
    if status == Booking.Status.CANCELED:
        raise InvalidTransition(TOO_LATE, booking_status=status, **told)
    if payment.purpose.get("price_change"):
        raise SlotUnavailable(TOO_LATE, **told)


def carry_out_refund(refund: Refund) -> None:
    """Order the refund, or look how it is, and settle what came of it. Raises ProviderUnavailable."""
    try:
        given_back = payments.advance_refund(refund)
    except PaymentRefused as refused:
        given_back = GivenBack(refund.stripe_id, Refund.Status.FAILED, refused.detail)
    _settle_refund(refund, given_back)


def work_off_payments() -> None:
    """All orders that are due for a look, one after the other. Safe to run in parallel."""
    now = claims.database_now()
    for payment in payments.due_for_a_look(Payment.objects.all(), now=now, limit=BATCH):
        with _one_of_many(payment):
            _drop_if_abandoned(payment, now=now)
            carry_out_payment(payment, by=Actor.system(payment.organization))
    for refund in payments.due_for_a_look(Refund.objects.select_related("payment"), now=now, limit=BATCH):
        with _one_of_many(refund):
            carry_out_refund(refund)


@contextlib.contextmanager
def _one_of_many(order: Payment | Refund) -> Iterator[None]:
    """One that fails must not keep the others from their turn; it comes round again."""
    try:
        yield
    except (ProviderUnavailable, PaymentRefused) as error:
        logger.warning("%s: %s", order.public_id, error.detail)
    except Exception:
        logger.exception("%s could not be settled", order.public_id)


@transaction.atomic
def _settle(payment: Payment, intent: Intent, *, by: Actor) -> tuple[Booking, Payment]:
    """1. Lock spaces, booking, payment. 2. Note what Stripe says; a settled payment stays as it is. 3. Bring about what it was
    for, or order the money back.
    """
    booking, payment = _locked(payment, by=by)
    if payment.is_settled:
        payments.stop_looking(payment)
        return booking, payment
    now, before, failed_before = claims.database_now(), BookingShape.json(booking), payment.failed_charge
    payments.note_intent(payment, intent, now=now)
    if payment.status == Payment.Status.SUCCEEDED:
        payment_events.tell(payment, EventType.PAYMENT_SUCCEEDED, by=by)
        booking = _arrived(booking, payment, before=before, by=by, now=now)
        payments.forget_purpose(payment)
        return booking, payment
    if payment.status == Payment.Status.FAILED and payment.failed_charge != failed_before:
        payment_events.tell(payment, EventType.PAYMENT_FAILED, by=by)
    status = Booking.PaymentStatus
    latest = {"failed": status.FAILED, "canceled": status.UNPAID}.get(payment.status, status.PENDING)
    if not payment.unwanted:
        _note_status(booking, latest, before=before, by=by)
    if payment.is_settled:
        payments.forget_purpose(payment)
    return booking, payment


def _arrived(booking: Booking, payment: Payment, *, before: dict[str, Any], by: Actor, now: dt.datetime) -> Booking:
    """The money is here: confirm, change, or merely count it. What it could not bring about goes back at once."""
    was, paid_before = booking.reads_as_at(now), booking.net_paid
    booking.amount_paid += payment.amount
    event: EventType | None = EventType.BOOKING_UPDATED
    action, back = "paid", 0
    if was in (Booking.Status.HELD, Booking.Status.EXPIRED):
        try:
            _make_firm(booking, expired=was == Booking.Status.EXPIRED, now=now)
            action, event = "confirmed", EventType.BOOKING_CREATED
            payments.drop_payments(subject=booking.public_id, now=now)
        except HoldExpired:
            action, event, back = "paid_too_late", None, payment.amount
    elif was == Booking.Status.CANCELED or payment.unwanted:
        action, back = "paid_too_late", payment.amount
    elif payment.purpose.get("change"):
        changed = _carry_out_change(booking, payment)
        if changed is None:
            booking = _locked(payment, by=by)[0]
            booking.amount_paid += payment.amount
            back = payment.amount
        action = changed or "paid_too_late"
    if not back:  # of what is paid twice, the second goes back
        back = max(0, payment.amount - max(0, booking.total - paid_before))
    if back:
        payments.request_refund(
            subject=booking.public_id, payment=payment, amount=back, purpose=Refund.Purpose.LATE, reason=TOO_LATE, now=now
        )
        booking.amount_refunded += back
    booking.settle()
    booking.version += 1
    booking.save()
    events.tell(booking, by=by, action=action, before=before, event=event)
    return booking


def _make_firm(booking: Booking, *, expired: bool, now: dt.datetime) -> None:
    if expired:
        claim_again(booking)
    elif booking.claim is not None:
        claims.make_firm(booking.claim)
    booking.status, booking.hold_expires_at = Booking.Status.CONFIRMED, None
    booking.confirmed_at = booking.confirmed_at or now


def _carry_out_change(booking: Booking, payment: Payment) -> str | None:
    """Make the change that was paid for, at the price it was quoted at, and say what was done; None where it cannot be made any
    more, and the booking in hand is to be read anew.
    """
    try:
        with transaction.atomic():
            return apply_change(booking, payment.purpose["change"])
    except DomainError as error:
        logger.info("%s: the change that was paid for is refused: %s", booking.public_id, error.detail)
        return None


@transaction.atomic
def _settle_refusal(payment: Payment, refused: PaymentRefused, *, by: Actor) -> None:
    booking, payment = _locked(payment, by=by)
    if payment.is_settled:
        return
    before = BookingShape.json(booking)
    payments.note_refusal(payment, code=str(refused.extra.get("provider_code") or "refused"), message=refused.detail)
    payment_events.tell(payment, EventType.PAYMENT_FAILED, by=by)
    _note_status(booking, Booking.PaymentStatus.FAILED, before=before, by=by)


@transaction.atomic
def _settle_refund(refund: Refund, given_back: GivenBack) -> None:
    """A refund that failed leaves the money here: the booking's sums say so again, and the owners are told."""
    by = Actor.system(refund.organization)
    booking = locked_booking(Booking.objects.get(public_id=refund.subject), by=by)
    payment = Payment.objects.select_for_update().get(pk=refund.payment_id)
    refund = Refund.objects.select_for_update(of=("self",)).get(pk=refund.pk)
    was, before = refund.status, BookingShape.json(booking)
    # A failure is final, and of a success only a failure is news: anything else is an answer that was overtaken.
    if was == Refund.Status.FAILED or (was == Refund.Status.SUCCEEDED and given_back.status != Refund.Status.FAILED):
        payments.stop_looking(refund)
        return
    payments.note_refund(refund, given_back, now=claims.database_now())
    if refund.status == was:
        return
    payment.version += 1
    payment.save(update_fields=["version", "updated_at"])
    if refund.status == Refund.Status.SUCCEEDED:
        payment_events.tell(payment, EventType.PAYMENT_REFUNDED, by=by)
        return
    booking.amount_refunded -= refund.amount
    booking.settle()
    booking.version += 1
    booking.save()
    events.tell(booking, by=by, action="refund_failed", before=before, event=EventType.BOOKING_UPDATED)
    payments.warn_of_failed_refund(refund)


def _note_status(booking: Booking, latest: "Booking.PaymentStatus", *, before: dict[str, Any], by: Actor) -> None:
    was = booking.payment_status
    booking.settle(latest)
    if booking.payment_status != was:
        booking.version += 1
        booking.save(update_fields=["payment_status", "version", "updated_at"])
        events.tell(booking, by=by, action=f"payment_{booking.payment_status}", before=before, event=EventType.BOOKING_UPDATED)


def _drop_if_abandoned(payment: Payment, *, now: dt.datetime) -> None:
    if not payment.unwanted and payment.created_at < now - ABANDONED_AFTER:
        payment.unwanted = True
        payment.save(update_fields=["unwanted"])


def _locked(payment: Payment, *, by: Actor) -> tuple[Booking, Payment]:
    """Behind the locks of the spaces that its purpose may touch too."""
    booking = Booking.objects.get(public_id=payment.subject)
    system = Actor.system(booking.organization)
    room = (payment.purpose.get("change") or {}).get("room")
    also = Room.objects.visible_to(system).filter(public_id=room).first() if room else None
    locked = locked_booking(booking, by=system, also=also)
    return locked, Payment.objects.select_for_update(of=("self",)).select_related("organization").get(pk=payment.pk)
