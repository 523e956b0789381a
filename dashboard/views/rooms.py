"""Rooms: which there are, a new one, one at a glance, and taking one off sale."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from bookings.models import Booking
from common.errors import DomainError
from common.walltime import zone
from dashboard import policy_words
from dashboard.access import PageRequest, page
from dashboard.coming import coming_days
from dashboard.forms.rooms import NewRoomForm
from dashboard.forms.typed import PREVIEW
from dashboard.paging import page_of
from organizations.permissions import Scope
from rooms.claims import database_now
from rooms.models import Room, Venue
from rooms.services import archive_room, create_room, create_venue, update_room

NEXT_GAMES = 5
IN_THE_WAY = 20  # bookings named, of those that keep a room from being archived
SECTIONS = {
    "basics": "Basics",
    "party": "Party",
    "schedule": "Schedule",
    "price": "Price",
    "policy": "Policy",
    "rules": "Booking rules",
}


@page(Scope.ROOMS_READ)
def rooms(request: PageRequest) -> HttpResponse:
    """Those on sale, or the archived ones; with the next game of each."""
    archived, now = request.GET.get("status") == Room.Status.ARCHIVED, timezone.now()
    every = Room.objects.visible_to(request.actor)
    coming = Booking.objects.visible_to(request.actor).filter(room=OuterRef("pk")).upcoming(now).order_by("starts_at")
    listed = every.filter(status=Room.Status.ARCHIVED) if archived else every.exclude(status=Room.Status.ARCHIVED)
    listed = listed.select_related("venue").annotate(next_game=Subquery(coming.values("starts_at")[:1]))
    venues = list(Venue.objects.visible_to(request.actor))
    venue = next((one for one in venues if one.public_id == request.GET.get("venue")), None)
    if venue:
        listed = listed.filter(venue=venue)
    if asked := request.GET.get("q", "").replace("\0", "").strip()[:120]:
        listed = listed.filter(name__icontains=asked)
    pager = page_of(listed, request, sorts=("name",))
    context = {
        "pager": pager,
        "rooms": pager.rows,
        "archived": archived,
        "venues": venues if len(venues) > 1 else [],
        "venue": venue,
        "q": asked,
        "has_rooms": bool(pager.rows) or every.exists(),
    }
    return render(request, "dashboard/rooms/rooms.html", context)


@page(Scope.ROOMS_WRITE, methods=("GET", "POST"))
def new_room(request: PageRequest) -> HttpResponse:
    venues = list(Venue.objects.visible_to(request.actor))
    form = NewRoomForm(venues, request.POST if request.method == "POST" else None, by=request.actor)
    days, problem = None, ""
    if request.method == "POST" and form.is_valid():
        try:
            if PREVIEW in request.POST:
                days = coming_days(form.room_as_typed(), now=database_now())
            else:
                return _create(request, form)
        except DomainError as error:
            form.refused(error)
    if request.htmx and PREVIEW in request.POST:
        problem = "" if days else "The coming slots appear here when the form is filled in."
        return render(request, "dashboard/rooms/_coming.html", {"days": days, "problem": problem})
    return render(request, "dashboard/rooms/new_room.html", {"form": form, "days": days}, status=422 if form.errors else 200)


@transaction.atomic
def _create(request: PageRequest, form: NewRoomForm) -> HttpResponse:
    values = dict(form.values)
    if form.place is None:
        values["venue"] = create_venue(by=request.actor, **form.first_venue)
    made = create_room(by=request.actor, **values)
    messages.success(request, f"{made.name} can be booked. Its coming slots are on this page.")
    return redirect("dashboard:room", public_id=made.public_id)


@page(Scope.ROOMS_READ)
def room(request: PageRequest, public_id: str) -> HttpResponse:
    found = find_room(request, public_id)
    now = database_now()
    games = Booking.objects.visible_to(request.actor).filter(room=found).upcoming(now).order_by("starts_at")
    context = {
        **frame_of(found, "room"),
        "games": games[:NEXT_GAMES],
        "days": [] if found.status == Room.Status.ARCHIVED else coming_days(found, now=now),
        "policy": policy_words.of_room(found, zone(found.venue.timezone)),
    }
    return render(request, "dashboard/rooms/room.html", context)


@page(Scope.ROOMS_WRITE, methods=("GET", "POST"))
def room_archive(request: PageRequest, public_id: str) -> HttpResponse:
    """Off sale, or back on sale; coming bookings in the way are named."""
    found = find_room(request, public_id)
    is_archived = found.status == Room.Status.ARCHIVED
    error = ""
    if request.method == "POST":
        try:
            if is_archived:
                update_room(room=found, by=request.actor, expected_version=version_of(request), status=Room.Status.ACTIVE)
            else:
                archive_room(room=found, by=request.actor, expected_version=version_of(request))
        except DomainError as refusal:
            error = refusal.detail
        else:
            messages.success(request, f"{found.name} is {'on sale again' if is_archived else 'archived'}.")
            return redirect("dashboard:room", public_id=public_id)
    in_the_way = Booking.objects.visible_to(request.actor).filter(room=found).upcoming(timezone.now()).order_by("starts_at")
    context = {"room": found, "is_archived": is_archived, "in_the_way": in_the_way[:IN_THE_WAY], "error": error}
    return render(request, "dashboard/rooms/archive.html", context, status=409 if error else 200)


def find_room(request: PageRequest, public_id: str) -> Room:
    """Raises NotFound."""
    found: Room = Room.objects.visible_to(request.actor).with_spaces().find(public_id)
    return found


def frame_of(room: Room, name: str) -> dict[str, Any]:
    """What the frame around a room's pages shows: `name` is the page's url name."""
    ways = {"room": "Overview", **{f"room_edit_{section}": title for section, title in SECTIONS.items()}}
    tabs = [
        {"label": label, "url": reverse(f"dashboard:{one}", kwargs={"public_id": room.public_id}), "active": one == name}
        for one, label in ways.items()
    ]
    return {"room": room, "tabs": tabs, "zone": room.venue.timezone}


def version_of(request: PageRequest) -> int | None:
    text = request.POST.get("version", "")
    return int(text) if text.isdecimal() and len(text) < 10 else None
