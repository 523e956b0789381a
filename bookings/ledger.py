"""Money's movements as CSV, for bookkeeping."""

import datetime as dt
import heapq
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django.db.models import OuterRef, Subquery

from bookings.models import Booking
from common import money, sheets
from common.walltime import day_start, utc_text, zone
from organizations.actor import Actor
from payments.models import Payment, Refund

COLUMNS = (
    *("date", "type", "id", "payment", "booking", "booking_reference", "amount_minor", "amount", "currency", "mode", "status"),
    *("reference", "stripe_payment_intent", "stripe_charge", "stripe_refund"),
)


def lines(*, by: Actor, date_from: dt.date | None = None, date_to: dt.date | None = None) -> Iterator[bytes]:
    """A head, and a line for each payment and refund that succeeded in these UTC days, in the order of time; in pieces."""
    period: dict[str, Any] = {"succeeded_at__isnull": False}
    if date_from:
        period["succeeded_at__gte"] = day_start(date_from, zone("UTC"))
    if date_to:
        period["succeeded_at__lt"] = day_start(date_to + dt.timedelta(days=1), zone("UTC"))
    paid = _rows(Payment.objects.visible_to(by).succeeded().filter(**period))
    refunds = Refund.objects.visible_to(by).filter(status=Refund.Status.SUCCEEDED, **period)
    back = _rows(refunds.select_related("payment"))
    moved = heapq.merge(paid, back, key=lambda row: row.succeeded_at)
    return sheets.lines(COLUMNS, (_of_payment(row) if isinstance(row, Payment) else _of_refund(row) for row in moved))


def _rows(found: Any) -> Iterator[Any]:
    reference = Booking.objects.filter(public_id=OuterRef("subject")).values("reference")[:1]
    return found.annotate(booking_reference=Subquery(reference)).order_by("succeeded_at", "pk").iterator(sheets.CHUNK)


def _of_payment(payment: Any) -> tuple[Any, ...]:
    return *_about(payment, payment, "payment", payment.amount), ""


def _of_refund(refund: Any) -> tuple[Any, ...]:
    return *_about(refund, refund.payment, "refund", -refund.amount), refund.stripe_id


def _about(row: Any, payment: Payment, type: str, amount: int) -> tuple[Any, ...]:
    ids = (row.public_id, payment.public_id, row.subject, row.booking_reference or "")
    sums = (amount, f"{Decimal(amount).scaleb(-money.exponent(row.currency)):f}", row.currency)
    names = (payment.mode, row.status, sheets.harmless(payment.reference), payment.intent, payment.charge)
    return utc_text(row.succeeded_at.replace(microsecond=0)), type, *ids, *sums, *names
