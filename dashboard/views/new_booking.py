"""A new booking on one page: room, day, slot, party, customer, payment. Each step is a parameter of the URL.

`form` is the page's token, made on the way in and kept in the URL. What was booked with it is kept beside it
(`developers.idempotency.once`), so that a double click, a form sent again, or the way back to it books nothing twice.
"""

import datetime as dt
import secrets
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from rest_framework.exceptions import ValidationError

from bookings.errors import PriceChanged
from bookings.models import Booking, Quote
from bookings.services import create_booking, preview_creation, quote_creation
from common.errors import DomainError, NotFound
from common.walltime import utc_text, zone
from customers.models import Customer
from dashboard.access import PageRequest, page
from dashboard.forms.errors import refused
from dashboard.forms.new_booking import NewBookingForm
from dashboard.templatetags.ui import money
from dashboard.views.booking import price_pairs
from developers.idempotency import made_once, once
from developers.inputs import Day, Instant
from organizations.permissions import Scope
from rooms.availability import Party, days, default_private
from rooms.models import Room

WEEKS = 5  # of the strip of days
MOST_STARTS = 3_000  # on it; a room with one start a minute is looked at day by day
FOUND = 8  # customers, while one types
TOKEN = "form"  # noqa: S105 (a parameter's name)
LONGEST_TOKEN = 64  # letters
REASONS = {
    "booked": "Booked",
    "held": "Held",
    "blocked": "Blocked",
    "shared_space_busy": "Space in use",
    "insufficient_seats": "Full",
    "lead_time": "Too soon",
    "beyond_horizon": "Too far ahead",
    "private_unavailable": "Others are in",
    "room_inactive": "Not on sale",
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """How far the booking has come. Later parts mean something only with the earlier ones."""

    room: Room | None
    day: dt.date | None
    starts_at: dt.datetime | None
    party_size: int
    private: bool
    customer: Customer | None


@page(Scope.BOOKINGS_WRITE, methods=("GET", "POST"))
def new_booking(request: PageRequest) -> HttpResponse:
    params = request.GET
    if not 0 < len(params.get(TOKEN, "")) <= LONGEST_TOKEN or "\0" in params[TOKEN]:
        return HttpResponseRedirect(_link(params, {TOKEN: secrets.token_urlsafe(12)}))
    if request.htmx and request.htmx.target == "found":
        return render(request, "dashboard/bookings/_customers.html", _customers(request))
    made = made_once(by=request.actor, key=params[TOKEN])
    if made and request.method == "POST":
        messages.info(request, "This form has booked already. Here is the booking.")
        return redirect("dashboard:booking", made)
    chosen = _chosen(request)
    form, refusal = None, None
    if chosen.room and chosen.starts_at:
        form = NewBookingForm(
            request.POST if request.method == "POST" else None,
            room=chosen.room,
            customer=chosen.customer,
            typed=params.get("q", "").strip(),
        )
        if request.method == "POST" and form.is_valid():
            try:
                return _book(request, chosen, form)
            except DomainError as error:
                refusal = error
                refused(form, error)
    context = {"chosen": chosen, "form": form, "made": _made(request, made), "anew": _anew(params)}
    context |= _rooms_step(request, chosen) if not chosen.room else {"change_room": _link(params, {}, keep=("customer",))}
    if chosen.room and not chosen.starts_at:
        context |= _days_step(request, chosen.room, chosen.day)
    if chosen.room and chosen.starts_at and form:
        context |= _last_step(request, chosen, form, refusal)
    return render(request, "dashboard/bookings/new.html", context, status=422 if form and form.errors else 200)


def _book(request: PageRequest, chosen: Chosen, form: NewBookingForm) -> HttpResponse:
    """At the price that was shown, once for the page's token."""
    slot: dict[str, Any] = {
        "room": chosen.room,
        "starts_at": chosen.starts_at,
        "party_size": form.cleaned_data["party_size"],
        "private": form.cleaned_data["private"],
    }
    shown = form.cleaned_data["total"]

    def book() -> str:
        quote = quote_creation(by=request.actor, **slot)
        if shown is not None and quote.price["total"] != shown:
            now = money(quote.price["total"], quote.currency)
            raise PriceChanged(f"The price is {now} by now. Look at it, and book again if it is right.")
        booking = create_booking(
            by=request.actor, customer=form.who, quote=quote, source=Booking.Source.DASHBOARD, **slot, **form.details
        )
        return booking.public_id

    public_id, is_new = once(book, by=request.actor, key=request.GET[TOKEN])
    if is_new:
        done = "The slot is held" if form.cleaned_data["paid"] == "hold" else "Booked"
        messages.success(request, f"{done}.")
    else:
        messages.info(request, "This form has booked already. Here is the booking.")
    return redirect("dashboard:booking", public_id)


def _chosen(request: PageRequest) -> Chosen:
    """From the URL; what is not understood counts as not chosen yet. Raises NotFound for foreign ids."""
    params, by = request.GET, request.actor
    room = None
    if params.get("room"):
        room = Room.objects.visible_to(by).with_spaces().filter(public_id=params["room"].replace("\0", "")).first()
        if room is None:
            raise NotFound("room")
    starts_at = _read(Instant(), params.get("starts_at", ""))
    given = request.POST if request.method == "POST" else params
    customer = None
    if room and starts_at and params.get("customer"):
        customer = Customer.objects.visible_to(by).filter(public_id=params["customer"].replace("\0", "")).first()
    return Chosen(
        room=room,
        day=_read(Day(), params.get("day", "")),
        starts_at=starts_at,
        party_size=_number(given.get("party_size", "")) or (room.min_party if room else 1),
        private=bool(given.get("private")) if "party_size" in given else bool(room and default_private(room)),
        customer=customer,
    )


def _rooms_step(request: PageRequest, chosen: Chosen) -> dict[str, Any]:
    rooms = Room.objects.visible_to(request.actor).exclude(status=Room.Status.ARCHIVED).select_related("venue")
    ways = [{"room": room, "url": _link(request.GET, {"room": room.public_id})} for room in rooms]
    return {"rooms": ways, "several_venues": len({way["room"].venue_id for way in ways}) > 1}


def _days_step(request: PageRequest, room: Room, day: dt.date | None) -> dict[str, Any]:
    """The strip of days, and the chosen one's slots, out of one look at the calendar."""
    params, now, week = request.GET, timezone.now(), dt.timedelta(days=7)
    today = now.astimezone(zone(room.venue.timezone)).date()
    day = day if day and day >= today else None
    first = _read(Day(), params.get("from", "")) or day or today
    first = max(first, today)
    first -= dt.timedelta(days=first.weekday())
    last = first + WEEKS * week - dt.timedelta(days=1)
    horizon = today + dt.timedelta(days=room.horizon_days)
    if day and not first <= day <= last:
        day = None
    party = Party(_number(params.get("party_size", "")) or None)
    try:
        found = days([room], first, last, now=now, party=party, include_unavailable=True, at_most=MOST_STARTS)
    except DomainError:
        first = last = day or today
        found = days([room], first, last, now=now, party=party, include_unavailable=True)
    strip = [
        {
            "date": one.date,
            "status": "past" if one.date < today else one.status,
            "open": sum(slot.is_available for slot in one.slots),
            "url": _link(params, {"day": one.date.isoformat(), "from": first.isoformat()}),
            "current": one.date == day,
        }
        for one in found
    ]
    slots = [
        {
            "slot": slot,
            "url": _link(params, {"day": one.date.isoformat(), "starts_at": str(utc_text(slot.starts_at))}),
            "why": REASONS.get(str(slot.reasons[0]), "Not available") if slot.reasons else "",
            "shows_seats": room.booking_mode != Room.BookingMode.PRIVATE,
        }
        for one in found
        if one.date == day
        for slot in one.slots
        if slot.starts_at > now
    ]
    return {
        "day": day,
        "strip": strip,
        "slots": slots,
        "earlier": _link(params, {"from": (first - WEEKS * week).isoformat()}) if first > today else "",
        "later": _link(params, {"from": (last + dt.timedelta(days=1)).isoformat()}) if last < horizon else "",
    }


def _last_step(request: PageRequest, chosen: Chosen, form: NewBookingForm, refusal: DomainError | None) -> dict[str, Any]:
    room, starts_at, params = chosen.room, chosen.starts_at, request.GET
    assert room is not None
    assert starts_at is not None
    local_day = starts_at.astimezone(zone(room.venue.timezone)).date()
    quote: Quote | None = None
    try:
        quote = preview_creation(
            by=request.actor, room=room, starts_at=starts_at, party_size=chosen.party_size, private=chosen.private
        )
        form.suggest(quote.price["total"])
    except DomainError as error:
        refusal = refusal or error
    others = [
        {
            **other,
            "starts_at": dt.datetime.fromisoformat(other["starts_at"]),
            "url": _link(params, {"starts_at": other["starts_at"]}),
        }
        for other in (refusal.extra.get("alternatives", ()) if refusal else ())
    ]
    return {
        "quote": quote,
        "pairs": price_pairs(quote.price, quote.price_rules) if quote else [],
        "refusal": refusal,
        "others": others,
        "sizes": range(room.min_party, min(room.max_party, room.min_party + 199) + 1),
        "can_choose_private": room.booking_mode == Room.BookingMode.SHARED_WITH_PRIVATE_UPGRADE,
        "change_slot": _link(params, {"day": local_day.isoformat()}, keep=("room", "customer", "party_size", "private")),
        "kept": [(name, params[name]) for name in ("room", "day", "starts_at", "customer", TOKEN) if params.get(name)],
        "kept_for_customer": [
            (name, str(value))
            for name, value in (
                *((name, params.get(name)) for name in ("room", "day", "starts_at", TOKEN)),
                ("party_size", chosen.party_size),
                ("private", "on" if chosen.private else ""),
            )
            if value
        ],
        "other_customer": _link(params, {"customer": "", "q": ""}),
        **_customers(request),
    }


def _customers(request: PageRequest) -> dict[str, Any]:
    """Those found by what was typed so far, each with the way on."""
    typed = request.GET.get("q", "").strip()
    found = Customer.objects.found_by(typed, by=request.actor)[:FOUND] if len(typed) > 1 else []
    return {
        "typed": typed,
        "found": [(customer, _link(request.GET, {"customer": customer.public_id, "q": ""})) for customer in found],
    }


def _made(request: PageRequest, public_id: str) -> Booking | None:
    return Booking.objects.visible_to(request.actor).filter(public_id=public_id).first() if public_id else None


def _anew(params: QueryDict) -> str:
    return _link(params, {TOKEN: ""})


def _link(params: QueryDict, changes: dict[str, str], *, keep: tuple[str, ...] | None = None) -> str:
    """The page with other parameters; empty ones go. `keep`: only these stay, and the token."""
    changed = params.copy()
    for name in list(changed) if keep is not None else ():
        if name not in (*(keep or ()), TOKEN):
            del changed[name]
    for name, value in changes.items():
        changed.pop(name, None)
        if value:
            changed[name] = value
    return f"?{changed.urlencode()}"


def _read(field: Day | Instant, text: str) -> Any:
    try:
        return field.run_validation(text.replace(" ", "+")) if text else None
    except ValidationError:
        return None


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
