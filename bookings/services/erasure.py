"""A customer as their bookings show them, and their right to be forgotten."""

from typing import Any

from django.db import connection, transaction
from django.db.models import Count, F, Max, Min, Q, Sum

from bookings.models import Booking, BookingHistory
from bookings.serializers import BookingShape
from common.walltime import utc_text
from customers import events as customer_events
from customers.errors import CustomerHasFutureBookings
from customers.models import Customer
from customers.serializers import CustomerShape
from customers.services import locked
from developers.services import redact_answers
from organizations.actor import Actor
from organizations.permissions import Scope
from organizations.services import record
from payments.models import Payment, Refund
from payments.serializers import PaymentShape
from rooms import claims
from webhooks.models import Event
from webhooks.services import redact_events

NO_CONTACT = {"name": None, "email": None, "phone": None, "language": None}
ERASED_OF_BOOKING: dict[str, Any] = {
    "contact": NO_CONTACT,
    "guests": [],
    "answers": {},
    "notes_customer": "",
    "notes_internal": "",
    "metadata": {},
}
ERASED_OF_CUSTOMER: dict[str, Any] = {
    "name": "",
    "email": None,
    "phone": None,
    "language": "",
    "notes": "",
    "tags": [],
    "metadata": {},
}
NO_CONSENT = {"marketing_consent": False, "marketing_consent_at": None, "marketing_consent_source": ""}


def customer_stats(customer: Customer) -> dict[str, Any]:
    """Counts by outcome, first and last visit, and what was paid, by currency in minor units."""
    status = Booking.Status
    rows = list(
        Booking.objects.filter(customer=customer)
        .values("currency")
        .annotate(
            bookings=Count("pk"),
            upcoming=Count("pk", filter=Q(status=status.CONFIRMED, starts_at__gt=claims.database_now())),
            visits=Count("pk", filter=Q(status__in=[status.CHECKED_IN, status.COMPLETED])),
            canceled=Count("pk", filter=Q(status=status.CANCELED)),
            no_shows=Count("pk", filter=Q(status=status.NO_SHOW)),
            first=Min("starts_at", filter=~Q(status__in=[status.CANCELED, status.EXPIRED])),
            last=Max("starts_at", filter=~Q(status__in=[status.CANCELED, status.EXPIRED])),
            spent=Sum("amount_paid") - Sum("amount_refunded"),
        )
    )
    counts = {name: sum(row[name] for row in rows) for name in ("bookings", "upcoming", "visits", "canceled", "no_shows")}
    return {
        **counts,
        "first_booking_at": utc_text(min((row["first"] for row in rows if row["first"]), default=None)),
        "last_booking_at": utc_text(max((row["last"] for row in rows if row["last"]), default=None)),
        "spent": {row["currency"]: row["spent"] for row in rows if row["spent"]},
    }


def export_customer(*, customer: Customer, by: Actor) -> dict[str, Any]:
    """All that is kept about a person, in the API's own shapes; payments for those who may see them. Raises NotAllowed."""
    by.require(Scope.CUSTOMERS_READ, Scope.BOOKINGS_READ)
    bookings = Booking.objects.visible_to(by).filter(customer=customer).with_related().order_by("starts_at", "pk")
    payments = Payment.objects.visible_to(by).with_refunds().filter(subject__in=[booking.public_id for booking in bookings])
    return {
        "object": "customer_export",
        "customer": CustomerShape.json(customer),
        "stats": customer_stats(customer),
        "bookings": [BookingShape.json(booking) for booking in bookings],
        "payments": [PaymentShape.json(payment) for payment in payments] if Scope.PAYMENTS_READ in by.scopes else None,
    }


@transaction.atomic
def erase_customer(*, customer: Customer, by: Actor, expected_version: int | None = None) -> Customer:
    """Empty everything personal: the profile, their bookings' contact, guests, answers, notes, metadata and the reasons
    given for cancellations and refunds, what history, events and kept answers repeat of it. Bookings and money stay.

    Raises NotAllowed, NotFound, VersionConflict, CustomerHasFutureBookings.
    """
    by.require(Scope.CUSTOMERS_WRITE)
    customer = locked(customer, by=by, expected_version=expected_version)
    bookings = Booking.objects.visible_to(by).filter(customer=customer)
    upcoming = bookings.upcoming(claims.database_now()).values_list("public_id", flat=True)[:20]
    if upcoming:
        raise CustomerHasFutureBookings("Cancel them first.", bookings=list(upcoming))

    ids = list(bookings.values_list("public_id", flat=True))
    _erase_bookings(bookings)
    refunds = Refund.objects.visible_to(by).filter(subject__in=ids)
    refunds.update(reason="")
    emptied = {**ERASED_OF_CUSTOMER, **NO_CONSENT, "erased_at": claims.database_now(), "version": customer.version + 1}
    for name, value in emptied.items():
        setattr(customer, name, value)
    customer.save(update_fields=[*emptied, "updated_at"])
    _erase_events(ids, by=by)
    redact_events(
        organization=by.organization, object_ids=list(refunds.values_list("public_id", flat=True)), fields={"reason": ""}
    )
    redact_events(organization=by.organization, object_ids=[customer.public_id], fields=ERASED_OF_CUSTOMER)
    redact_answers(organization=by.organization, mentions=[customer.public_id, *ids])
    record(by, "customer.erased", customer.public_id, bookings=len(ids))
    customer_events.customer_deleted(customer, by=by)
    return customer


def _erase_bookings(bookings: Any) -> None:
    """What the bookings hold of a person and what their history repeats of it. Readers' copies are out of date then, so
    the versions rise.
    """
    with connection.cursor() as cursor:
        # The history's trigger lets values be emptied in a transaction that says it is an erasure.
        cursor.execute("SET LOCAL bookingflow.erasing = 'on'")
    for line in BookingHistory.objects.filter(booking__in=bookings):
        emptied = {name: [_emptied(name, value) for value in pair] for name, pair in line.changes.items()}
        if emptied != line.changes:
            line.changes = emptied
            line.save(update_fields=["changes"])
    bookings.update(**ERASED_OF_BOOKING, cancel_reason="", version=F("version") + 1, updated_at=claims.database_now())
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL bookingflow.erasing = 'off'")


def _erase_events(ids: list[str], *, by: Actor) -> None:
    """First the reasons, which stand inside `canceled`; `redact_events` then writes the kept bodies anew."""
    for event in Event.objects.visible_to(by).filter(object_id__in=ids):
        told = [part for part in event.data.values() if part.get("canceled")]
        for part in told:
            part["canceled"] = _emptied("canceled", part["canceled"])
        if told:
            event.save(update_fields=["data"])
    redact_events(organization=by.organization, object_ids=ids, fields=ERASED_OF_BOOKING)


def _emptied(name: str, value: Any) -> Any:
    """A value of a booking's shape without what is personal in it."""
    if name == "canceled" and value:
        return {**value, "reason": ""}
    return ERASED_OF_BOOKING.get(name, value)
