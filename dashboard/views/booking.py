"""One booking: how it stands, what happened to it, and what can be done now."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from bookings import policies
from bookings.models import Booking, BookingHistory
from bookings.services import (
    change_booking,
    check_in,
    extend_hold,
    mark_no_show,
    possible,
)
from common.errors import DomainError, NotFound, VersionConflict
from dashboard.access import PageRequest, page
from dashboard.forms.bookings import NoteForm, VersionForm
from dashboard.history import timeline
from dashboard.templatetags.ui import clock, local, money
from dashboard.views.bookings import name_of
from organizations.permissions import Scope
from payments.models import Payment

HISTORY_LINES = 100
CHANGED = "Somebody else has changed this booking in the meantime. This is how it stands now."
LOOK_AGAIN = (
    "Somebody else has changed this booking in the meantime. What you typed is still here: look again, then send it once more."
)
Status = Booking.Status


@page(Scope.BOOKINGS_READ)
def booking(request: PageRequest, public_id: str) -> HttpResponse:
    """By id or by reference."""
    return _shown(request, find_booking(request, public_id))


@page(Scope.BOOKINGS_WRITE, methods=("POST",))
def booking_check_in(request: PageRequest, public_id: str) -> HttpResponse:
    return _act(request, public_id, check_in, "{name} is checked in.")


@page(Scope.BOOKINGS_WRITE, methods=("POST",))
def booking_no_show(request: PageRequest, public_id: str) -> HttpResponse:
    return _act(request, public_id, mark_no_show, "{name} is marked as not having come.")


@page(Scope.BOOKINGS_WRITE, methods=("POST",))
def booking_extend(request: PageRequest, public_id: str) -> HttpResponse:
    return _act(request, public_id, extend_hold, "The slot is held until {until}.")


@page(Scope.BOOKINGS_WRITE, methods=("POST",))
def booking_note(request: PageRequest, public_id: str) -> HttpResponse:
    """The internal note. What was typed is kept where somebody else was quicker."""
    found = find_booking(request, public_id)
    form = NoteForm(request.POST)
    if form.is_valid():
        try:
            text, version = form.cleaned_data["notes_internal"], form.cleaned_data["version"]
            change_booking(booking=found, by=request.actor, expected_version=version, notes_internal=text)
        except VersionConflict:
            form.add_error("notes_internal", f"{CHANGED} Save again to put your note in place of theirs.")
            form.data = {**request.POST.dict(), "version": found.version}
        else:
            messages.success(request, "Note saved.")
            return to_booking(found)
    return _shown(request, found, note=form, status=422)


def find_booking(request: PageRequest, id: str) -> Booking:
    found = Booking.objects.with_related().visible_to(request.actor).named(id).first()
    if found is None:
        raise NotFound("booking")
    return found


def to_booking(booking: Booking) -> HttpResponse:
    return redirect("dashboard:booking", booking.public_id)


def _act(request: PageRequest, public_id: str, verb: Callable[..., Booking], said: str) -> HttpResponse:
    """A verb without a form of its own: done or refused, the booking tells."""
    found = find_booking(request, public_id)
    form = VersionForm(request.POST)
    version = form.cleaned_data["version"] if form.is_valid() else None
    try:
        now = verb(booking=found, by=request.actor, expected_version=version)
        until = clock(now.hold_expires_at, found.room.venue.timezone)
        messages.success(request, said.format(name=name_of(found), until=until))
    except VersionConflict:
        messages.warning(request, CHANGED)
    except DomainError as error:
        messages.error(request, error.detail)
    return to_booking(found)


def _shown(request: PageRequest, booking: Booking, *, note: NoteForm | None = None, status: int = 200) -> HttpResponse:
    zone = booking.room.venue.timezone
    payments = list(Payment.objects.visible_to(request.actor).of(booking.public_id).with_refunds().order_by("pk"))
    lines = BookingHistory.objects.visible_to(request.actor).filter(booking=booking).order_by("-pk")[:HISTORY_LINES]
    can = possible(booking)
    labels = {question["key"]: question.get("label") or question["key"] for question in booking.room.custom_fields}
    context = {
        "booking": booking,
        "name": name_of(booking),
        "zone": zone,
        "surplus": 0 if booking.canceled_at else max(0, booking.net_paid - booking.total),
        "can": can,
        "undo": booking.reads_as in (Status.NO_SHOW, Status.CHECKED_IN) and not can.confirm,
        "check_in_hint": f"Check-in opens {local(can.check_in_opens_at, zone)}" if can.check_in and can.no_show else "",
        "payments": payments,
        "totals": _totals(booking),
        "answers": [(labels.get(key, key), _answer(value)) for key, value in booking.answers.items() if value not in (None, "")],
        "deadlines": policies.deadlines(booking.policy, starts_at=booking.starts_at, deposit=booking.deposit),
        "metadata": list(booking.metadata.items()),
        "entries": timeline(list(lines), booking, by=request.actor),
        "note": note or NoteForm(initial={"version": booking.version, "notes_internal": booking.notes_internal}),
    }
    return render(request, "dashboard/bookings/booking.html", context, status=status)


def price_pairs(price: dict[str, Any], rules: dict[str, Any]) -> list[tuple[str, str]]:
    """A price line by line, with its tax and the total."""
    currency = price["currency"]
    rows = [(line["label"], money(line["amount"], currency)) for line in price["lines"]]
    if price["tax"]:
        label = str(rules.get("tax", {}).get("label") or "Tax")
        included = price["total"] == sum(line["amount"] for line in price["lines"])
        rows.append((f"{label} included" if included else label, money(price["tax"], currency)))
    return [*rows, ("Total", money(price["total"], currency))]


def _totals(booking: Booking) -> list[tuple[str, str]]:
    """The price, what came and went, and what is due."""
    rows, currency = price_pairs(booking.price, booking.price_rules), booking.currency
    if booking.amount_paid:
        rows.append(("Paid", money(booking.amount_paid, currency)))
    if booking.amount_refunded:
        rows.append(("Given back", money(-booking.amount_refunded, currency)))
    return [*rows, ("Due", money(booking.amount_due, currency))]


def _answer(value: Any) -> str:
    return ("Yes" if value else "No") if isinstance(value, bool) else str(value)
