"""The list of bookings: the API's filters as chips, as a file, and as a day's check-in."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, QueryDict, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from bookings.filters import BookingFilters
from bookings.models import Booking
from bookings.services import check_in, possible
from common import money, sheets
from common.errors import DomainError, ValidationFailed
from common.walltime import local_text, utc_text, zone
from dashboard.access import PageRequest, page
from dashboard.forms.bookings import BookingsFilterForm
from dashboard.paging import CURSOR, page_of
from organizations.permissions import Scope
from rooms.models import Room

MOST_AT_ONCE = 100  # check-ins
SORTS = ("starts_at", "created_at", "updated_at")
DAYS = ("date", "date_from", "date_to")
WHEN = {
    "upcoming": "Upcoming",
    "today": "Today",
    "tomorrow": "Tomorrow",
    "week": "This week",
    "past": "Past",
    "all": "All",
}
# Each in use is shown as a chip that takes it away.
FOLDED = (*DAYS, "room", "venue", "payment_status", "source", "customer", "email", "reference", "external_id", "q")
COLUMNS = (
    *(
        "reference",
        "id",
        "status",
        "payment_status",
        "venue",
        "room",
        "starts_at_local",
        "ends_at_local",
        "timezone",
        "party_size",
    ),
    *("private", "name", "email", "phone", "currency", "total", "paid", "refunded", "due", "source", "external_id"),
    *("notes_customer", "created_at"),
)


@page(Scope.BOOKINGS_READ)
def bookings(request: PageRequest) -> HttpResponse:
    rooms = list(Room.objects.visible_to(request.actor).select_related("venue"))
    asked = _asked(request, rooms)
    found, errors = _found(request, asked)
    latest_first = asked["when"] in ("past", "all")
    pager = page_of(found, request, sorts=("-starts_at" if latest_first else "starts_at", *SORTS))
    for booking in pager.rows:
        booking.can_check_in = not possible(booking).check_in
    statuses = _status_chips(request.GET, asked)
    context = {
        "pager": pager,
        "errors": errors,
        "when": _when_chips(request.GET, asked),
        "statuses": statuses,
        "applied": [chip | {"active": False, "remove": True} for chip in statuses if chip["active"]]
        + _applied(request.GET, rooms),
        "form": BookingsFilterForm(initial={**request.GET.dict(), "sort": pager.sort}, rooms=rooms),
        "hidden": [(name, value) for name in ("when", "status", "customer") for value in request.GET.getlist(name)],
        "can_check_in": any(booking.can_check_in for booking in pager.rows),
        "several_venues": len({room.venue_id for room in rooms}) > 1,
        "no_room": not rooms,
        "filtered": bool(set(request.GET) - {"sort", CURSOR}),
    }
    return render(request, "dashboard/bookings/bookings.html", context, status=422 if errors else 200)


@page(Scope.BOOKINGS_READ)
def bookings_export(request: PageRequest) -> HttpResponseBase:
    """The list as the filters have it, all of it, as CSV."""
    rooms = list(Room.objects.visible_to(request.actor).select_related("venue"))
    found, errors = _found(request, _asked(request, rooms))
    if errors:
        messages.error(request, " ".join(errors))
        return redirect(f"{reverse('dashboard:bookings')}?{request.GET.urlencode()}")
    rows = found.order_by("starts_at", "pk").iterator(sheets.CHUNK)
    response = StreamingHttpResponse(sheets.lines(COLUMNS, _cells(rows)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="bookings-{timezone.now():%Y-%m-%d}.csv"'
    return response


@page(Scope.BOOKINGS_WRITE, methods=("POST",))
def bookings_check_in(request: PageRequest) -> HttpResponse:
    """Those ticked, each by itself: what one refuses keeps no other from coming in."""
    ids = [id.replace("\0", "") for id in request.POST.getlist("booking")[:MOST_AT_ONCE]]
    done: list[str] = []
    for booking in Booking.objects.visible_to(request.actor).with_related().filter(public_id__in=ids).order_by("starts_at", "pk"):
        try:
            check_in(booking=booking, by=request.actor)
            done.append(name_of(booking))
        except DomainError as error:
            messages.warning(request, f"{name_of(booking)} ({booking.reference}) is not checked in. {error.detail}")
    if done:
        messages.success(request, f"{', '.join(done)} checked in." if len(done) < 4 else f"{len(done)} bookings checked in.")
    elif not ids:
        messages.warning(request, "Tick the bookings that have arrived first.")
    query = QueryDict(request.POST.get("back", ""))
    return redirect(f"{reverse('dashboard:bookings')}?{query.urlencode()}")


def name_of(booking: Booking) -> str:
    """Who comes, as far as it is known."""
    contact = booking.contact
    return str(contact.get("name") or contact.get("email") or contact.get("phone") or "No name")


def _asked(request: PageRequest, rooms: list[Room]) -> dict[str, Any]:
    """`when`, and the day filters that it stands for by the clock of the first venue; days in the URL go before it."""
    params, when = request.GET, request.GET.get("when", "")
    if when not in WHEN:
        when = "upcoming" if not set(params) - {"sort", CURSOR} else "all"
    if any(params.get(name) for name in DAYS):
        return {"when": "", "days": {}}
    clock = next((room.venue.timezone for room in sorted(rooms, key=lambda room: not room.venue.is_default)), "UTC")
    today, day = timezone.now().astimezone(zone(clock)).date(), dt.timedelta(days=1)
    monday = today - today.weekday() * day
    days: dict[str, dict[str, dt.date]] = {
        "upcoming": {"date_from": today},
        "today": {"date": today},
        "tomorrow": {"date": today + day},
        "week": {"date_from": monday, "date_to": monday + 6 * day},
        "past": {"date_to": today - day},
    }
    return {"when": when, "days": {name: value.isoformat() for name, value in days.get(when, {}).items()}}


def _found(request: PageRequest, asked: dict[str, Any]) -> tuple[Any, list[str]]:
    """The bookings, or none and why."""
    data = request.GET.copy()
    data.update(asked["days"])
    every = Booking.objects.with_related().visible_to(request.actor)
    filters = BookingFilters(data, queryset=every, request=SimpleNamespace(user=request.actor))
    if not filters.is_valid():  # type: ignore[no-untyped-call]
        return every.none(), [f"{name}: {error}" for name, errors in filters.errors.items() for error in errors]
    try:
        return filters.qs, []
    except ValidationFailed as error:
        return every.none(), [one.detail for one in error.errors]


def _link(params: QueryDict, **changes: list[str]) -> str:
    """The list with other filters, from its first page."""
    changed = params.copy()
    changed.pop(CURSOR, None)
    for name, values in changes.items():
        changed.setlist(name, values)
    return f"{reverse('dashboard:bookings')}?{changed.urlencode()}"


def _when_chips(params: QueryDict, asked: dict[str, Any]) -> list[dict[str, Any]]:
    none: dict[str, list[str]] = {name: [] for name in DAYS}
    return [
        {"label": label, "url": _link(params, when=[when], **none), "active": when == asked["when"]}
        for when, label in WHEN.items()
    ]


def _status_chips(params: QueryDict, asked: dict[str, Any]) -> list[dict[str, Any]]:
    """Each adds its status to those shown, or takes it away."""
    chosen = [status for value in params.getlist("status") for status in value.split(",")]
    when = {"when": [asked["when"]]} if asked["when"] else {}
    return [
        {
            "label": status.label,
            "url": _link(
                params, status=[one for one in chosen if one != status] if status in chosen else [*chosen, status], **when
            ),
            "active": status in chosen,
        }
        for status in Booking.Status
    ]


def _applied(params: QueryDict, rooms: list[Room]) -> list[dict[str, Any]]:
    names = {room.public_id: room.name for room in rooms} | {room.venue.public_id: room.venue.name for room in rooms}
    labels = {**names, **dict(Booking.PaymentStatus.choices), **dict(Booking.Source.choices)}
    words = {"date": "On ", "date_from": "From ", "date_to": "To ", "customer": "One customer", "q": "Contains "}
    return [
        {
            "label": words[name] if name == "customer" else f"{words.get(name, '')}{labels.get(params[name], params[name])}",
            "url": _link(params, **{name: []}),
            "remove": True,
        }
        for name in FOLDED
        if params.get(name)
    ]


def _cells(rows: Any) -> Iterator[tuple[Any, ...]]:
    for booking in rows:
        venue = booking.room.venue
        tz, digits = zone(venue.timezone), money.exponent(booking.currency)
        sums = (booking.total, booking.amount_paid, booking.amount_refunded, booking.amount_due)
        contact = [sheets.harmless(booking.contact.get(name) or "") for name in ("name", "email", "phone")]
        yield (
            *(booking.reference, booking.public_id, booking.reads_as.value, booking.payment_status),
            *(sheets.harmless(venue.name), sheets.harmless(booking.room.name)),
            *(local_text(booking.starts_at, tz), local_text(booking.ends_at, tz), venue.timezone),
            *(booking.party_size, str(booking.private).lower(), *contact, booking.currency),
            *(f"{Decimal(amount).scaleb(-digits):f}" for amount in sums),
            *(booking.source, sheets.harmless(booking.external_id or ""), sheets.harmless(booking.notes_customer)),
            utc_text(booking.created_at.replace(microsecond=0)),
        )
