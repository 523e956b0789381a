"""Moving a booking: a free slot, what it costs, done."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_datetime

from bookings import policies
from bookings.models import Booking, Quote
from bookings.services import change_booking, quote_change
from bookings.services.plans import require_changeable
from common.errors import DomainError
from common.walltime import utc_text, zone
from dashboard.access import PageRequest, page
from dashboard.calendar_days import DAY
from dashboard.forms.moving import MoveForm, SlotForm
from dashboard.templatetags.ui import local, money
from dashboard.views.calendar import asked_day
from organizations.permissions import Scope
from rooms import availability
from rooms.availability import Party, Reason, Slot
from rooms.claims import database_now
from rooms.models import Room

DAYS = 7  # to choose from at once
WORDS = {
    Reason.BOOKED: "it is booked",
    Reason.HELD: "somebody holds it",
    Reason.BLOCKED: "it is blocked",
    Reason.SHARED_SPACE_BUSY: "another room needs the space",
    Reason.PRIVATE_UNAVAILABLE: "others play then",
}


@dataclass(frozen=True)
class Refusal:
    """Why it does not go, and the nearest slots that would."""

    text: str
    alternatives: list[tuple[dt.datetime, str]]  # with the address of each

    @classmethod
    def of(cls, error: DomainError, room: Room) -> "Refusal":
        # A rule's refusal says it all; a slot's does not say who is in the way.
        reasons = [WORDS[Reason(one)] for one in error.extra.get("reasons", ()) if one in WORDS and "alternatives" in error.extra]
        text = error.detail.rstrip(".") + (f": {', '.join(reasons)}." if reasons else ".")
        found = [parse_datetime(one["starts_at"]) for one in error.extra.get("alternatives", ())]
        return cls(text, [(at, _query(room, at)) for at in found if at])


@page(Scope.BOOKINGS_READ, Scope.BOOKINGS_WRITE, Scope.SCHEDULES_READ, methods=("GET", "POST"))
def move_booking(request: PageRequest, public_id: str) -> HttpResponse:
    """Without a slot in the address, those that are free; with one, what moving there costs; posted, done."""
    booking: Booking = Booking.objects.visible_to(request.actor).with_related().find(public_id)
    if request.method == "POST":
        return _move(request, booking)
    if "starts_at" not in request.GET:
        return _choose(request, booking)
    slot = SlotForm(request.GET, actor=request.actor)
    if not slot.is_valid():
        return _choose(request, booking, Refusal("That slot is not there. Choose another.", []))
    return _offer(request, booking, **slot.cleaned_data)


def _move(request: PageRequest, booking: Booking) -> HttpResponse:
    form = MoveForm(request.POST, actor=request.actor)
    if not form.is_valid():
        if {"room", "starts_at"} & set(form.errors):
            return _choose(request, booking, Refusal("That slot is not there. Choose another.", []))
        stale = {"version", "quote"} & set(form.errors)
        refusal = Refusal("The page was out of date. Look at it again.", []) if stale else None
        return _offer(request, booking, form.cleaned_data["room"], form.cleaned_data["starts_at"], refusal=refusal)
    told = form.cleaned_data
    quote: Quote | None = told["quote"]
    try:
        moved, change = change_booking(
            booking=booking,
            by=request.actor,
            expected_version=told["version"],
            quote=quote,
            room=told["room"],
            starts_at=told["starts_at"],
            **form.payment(charge(booking, quote) if quote else 0),
        )
    except DomainError as error:
        booking = Booking.objects.with_related().get(pk=booking.pk)  # it may be another by now
        return _offer(request, booking, told["room"], told["starts_at"], refusal=Refusal.of(error, told["room"]))
    money_moved = f" {money(change.refund, change.currency)} goes back." if change.refund else ""
    money_moved += f" {money(change.due, change.currency)} is due." if change.due else ""
    when = local(moved.starts_at, moved.room.venue.timezone)
    messages.success(request, f"Booking {moved.reference} moved to {when}, {moved.room.name}.{money_moved}")
    return redirect("dashboard:booking", moved.public_id)


def charge(booking: Booking, quote: Quote) -> int:
    """What of the higher price is still to be paid, minor units."""
    return max(0, min(quote.price["total"] - booking.total, quote.due))


def _offer(
    request: PageRequest,
    booking: Booking,
    room: Room,
    starts_at: dt.datetime,
    *,
    refusal: Refusal | None = None,
) -> HttpResponse:
    """What it costs, and the button; the free slots where it cannot be had."""
    try:
        quote = quote_change(by=request.actor, booking=booking, room=room, starts_at=starts_at)
    except DomainError as error:
        return _choose(request, booking, refusal or Refusal.of(error, room), day=_local_day(starts_at, room))
    pinned = {"room": room.public_id, "starts_at": utc_text(starts_at), "version": booking.version, "quote": quote.public_id}
    if request.method == "POST":  # the offer is a new one; what was typed stays
        form = MoveForm({**request.POST.dict(), **pinned}, actor=request.actor)
    else:
        form = MoveForm(initial=pinned, actor=request.actor)
    context = {
        "booking": booking,
        "quote": quote,
        "room": room,
        "form": form,
        "refusal": refusal,
        "charge": charge(booking, quote),
        "difference": quote.price["total"] - booking.total,
        "is_held": booking.reads_as == Booking.Status.HELD,
        "back_query": urlencode({"day": _local_day(starts_at, room).isoformat()}),
    }
    return render(request, "dashboard/calendar/move_offer.html", context, status=422 if refusal or form.errors else 200)


@dataclass(frozen=True)
class RoomSlots:
    room: Room
    slots: list[tuple[Slot, str]]  # with the address of each; empty where the booking is now


@dataclass(frozen=True)
class DayChoice:
    date: dt.date
    free: int
    active: bool

    @property
    def label(self) -> str:
        return f"{self.date:%a} {self.date.day} ({self.free})"

    @property
    def url(self) -> str:
        return f"?day={self.date.isoformat()}"


def _choose(
    request: PageRequest, booking: Booking, refusal: Refusal | None = None, *, day: dt.date | None = None
) -> HttpResponse:
    """A week of the slots that the party could have, in its own room and in those beside it."""
    now = database_now()
    context: dict[str, Any] = {"booking": booking, "refusal": refusal, "status": 422 if refusal else 200}
    try:
        require_changeable(booking, now=now)
        context["fee"] = _fee(booking, now)
    except DomainError as error:
        context["hindrance"] = error.detail
    else:
        tz = zone(booking.room.venue.timezone)
        today = now.astimezone(tz).date()
        day = day or asked_day(request) or max(today, booking.starts_at.astimezone(tz).date())
        first = _week_of(day, today)
        found = _slots(request, booking, first, now)
        free = {date: [slot for slot in slots if not _is_own(slot, booking)] for date, slots in found.items()}
        dates = [first + offset * DAY for offset in range(DAYS)]
        context |= {
            "day": day,
            "days": [DayChoice(date, len(free[date]), date == day) for date in dates],
            "rooms": _by_room(booking, found[day]),
            "earlier": first - DAYS * DAY if first > today else None,
            "later": first + DAYS * DAY,
        }
    return render(request, "dashboard/calendar/move.html", context, status=context["status"])


def _fee(booking: Booking, now: dt.datetime) -> int:
    """Of moving it now, minor units. Raises RescheduleNotAllowed."""
    if booking.reads_as_at(now) != Booking.Status.CONFIRMED:
        return 0
    return policies.reschedule_fee(booking.policy, starts_at=booking.starts_at, at=now, times_moved=booking.times_moved)


def _week_of(day: dt.date, today: dt.date) -> dt.date:
    """The first of the days to choose from: weeks are counted from today."""
    return today + (day - today).days // DAYS * DAYS * DAY


def _slots(request: PageRequest, booking: Booking, first: dt.date, now: dt.datetime) -> dict[dt.date, list[Slot]]:
    """By day: what is free for the party in the rooms of the venue, the booking's own claim not counted."""
    rooms = Room.objects.visible_to(request.actor).with_spaces().filter(venue=booking.room.venue_id)
    alone: dict[bool, list[Room]] = defaultdict(list)
    for room in rooms.exclude(status=Room.Status.ARCHIVED).order_by("name", "pk"):
        if room.pk == booking.room_id or room.pricing["currency"] == booking.currency:
            private_room = room.booking_mode == Room.BookingMode.PRIVATE and room.pk != booking.room_id
            alone[booking.private or private_room].append(room)
    found: dict[dt.date, list[Slot]] = defaultdict(list)
    for private, group in alone.items():
        party = Party(booking.party_size, private)
        days = availability.days(group, first, first + (DAYS - 1) * DAY, now=now, party=party, ignore_holder=booking.public_id)
        for one in days:
            found[one.date] += one.slots
    return found


def _by_room(booking: Booking, slots: list[Slot]) -> list[RoomSlots]:
    """Its own room first."""
    found: dict[int, RoomSlots] = {}
    for slot in sorted(slots, key=lambda slot: (slot.room.pk != booking.room_id, slot.room.name, slot.starts_at)):
        query = "" if _is_own(slot, booking) else _query(slot.room, slot.starts_at)
        found.setdefault(slot.room.pk, RoomSlots(slot.room, [])).slots.append((slot, query))
    return list(found.values())


def _is_own(slot: Slot, booking: Booking) -> bool:
    return (slot.room.pk, slot.starts_at) == (booking.room_id, booking.starts_at)


def _query(room: Room, starts_at: dt.datetime) -> str:
    return "?" + urlencode({"room": room.public_id, "starts_at": utc_text(starts_at)})


def _local_day(at: dt.datetime, room: Room) -> dt.date:
    return at.astimezone(zone(room.venue.timezone)).date()
