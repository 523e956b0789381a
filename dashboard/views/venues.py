"""Settings → Venues and Policies."""

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render

from common.errors import DomainError
from common.walltime import zone
from dashboard import policy_words
from dashboard.access import PageRequest, page
from dashboard.forms.policies import VenuePolicyForm
from dashboard.forms.venues import COMMON_CURRENCIES, VenueForm
from dashboard.views.rooms import version_of
from organizations.permissions import Scope
from rooms.models import Room, Session, Venue
from rooms.services import create_venue, delete_venue, update_room, update_venue


@page(Scope.ROOMS_READ)
def settings_venues(request: PageRequest) -> HttpResponse:
    venues = list(Venue.objects.visible_to(request.actor))
    rooms = Room.objects.visible_to(request.actor).order_by().values("venue").annotate(count=Count("pk"))
    counts = {row["venue"]: row["count"] for row in rooms}
    listed = [{"venue": venue, "rooms": counts.get(venue.pk, 0)} for venue in venues]
    return render(request, "dashboard/settings/venues.html", {"venues": listed})


@page(Scope.ROOMS_WRITE, methods=("GET", "POST"))
def new_venue(request: PageRequest) -> HttpResponse:
    return _edit(request, None)


@page(Scope.ROOMS_WRITE, methods=("GET", "POST"))
def settings_venue(request: PageRequest, public_id: str) -> HttpResponse:
    return _edit(request, _find(request, public_id))


def _edit(request: PageRequest, venue: Venue | None) -> HttpResponse:
    typed = request.POST if request.method == "POST" else None
    fixed = bool(venue and Session.objects.filter(room__venue=venue).exists())
    form = VenueForm(venue, typed, by=request.actor, fixed=fixed)
    if form.is_bound and form.is_valid():
        try:
            if venue:
                version = form.cleaned_data["version"]
                saved = update_venue(venue=venue, by=request.actor, expected_version=version, **form.values)
            else:
                saved = create_venue(by=request.actor, **form.values)
        except DomainError as error:
            form.refused(error)
        else:
            messages.success(request, f"{saved.name} is saved.")
            return redirect("dashboard:settings_venues")
    context = {"form": form, "venue": venue, "currencies": COMMON_CURRENCIES}
    return render(request, "dashboard/settings/venue.html", context, status=422 if form.is_bound and not form.is_valid() else 200)


@page(Scope.ROOMS_WRITE, methods=("GET", "POST"))
def settings_venue_delete(request: PageRequest, public_id: str) -> HttpResponse:
    venue = _find(request, public_id)
    rooms = list(Room.objects.visible_to(request.actor).filter(venue=venue)[:20])
    error = ""
    if request.method == "POST":
        try:
            delete_venue(venue=venue, by=request.actor, expected_version=version_of(request))
        except DomainError as refusal:
            error = refusal.detail
        else:
            messages.success(request, f"{venue.name} is deleted.")
            return redirect("dashboard:settings_venues")
    context = {"venue": venue, "rooms": rooms, "error": error}
    return render(request, "dashboard/settings/venue_delete.html", context, status=409 if error else 200)


@page(Scope.ROOMS_READ, methods=("GET", "POST"))
def settings_policies(request: PageRequest) -> HttpResponse:
    """What holds in each venue, and which rooms go their own way; one form for as many venues as one likes."""
    venues = list(Venue.objects.visible_to(request.actor))
    rooms = list(_own_way(request))
    asked = request.POST.get("shown") or request.GET.get("venue")
    shown = next((venue for venue in venues if venue.public_id == asked), None)
    shown = shown or next((venue for venue in venues if venue.is_default), venues[0] if venues else None)
    form = None
    if shown is not None:
        form = VenuePolicyForm(venues, shown, request.POST if request.method == "POST" else None, by=request.actor)
    if form is not None and form.is_bound:
        request.actor.require(Scope.ROOMS_WRITE)
        if form.is_valid():
            try:
                _apply(request, form, rooms)
            except DomainError as error:
                form.refused(error)
            else:
                names = ", ".join(venue.name for venue in form.chosen)
                messages.success(request, f"New rules for {names}. Bookings already made keep theirs.")
                return redirect("dashboard:settings_policies")
    told = [
        {
            "venue": venue,
            "policy": policy_words.of(
                {"cancellation": venue.cancellation_policy, "reschedule": venue.reschedule_policy},
                zone(venue.timezone),
                venue.currency,
            ),
            "rooms": [room for room in rooms if room.venue_id == venue.pk],
        }
        for venue in venues
    ]
    refused = form is not None and form.is_bound and not form.is_valid()
    context = {"told": told, "form": form, "shown": shown, "has_own": bool(rooms)}
    return render(request, "dashboard/settings/policies.html", context, status=422 if refused else 200)


@transaction.atomic
def _apply(request: PageRequest, form: VenuePolicyForm, rooms: list[Room]) -> None:
    for venue in form.chosen:
        version = form.cleaned_data["version"] if venue.pk == form.shown.pk else None
        update_venue(venue=venue, by=request.actor, expected_version=version, **form.values)
        if form.cleaned_data["rooms_too"]:
            for room in rooms:
                if room.venue_id == venue.pk:
                    update_room(room=room, by=request.actor, cancellation_policy=None, reschedule_policy=None)


def _own_way(request: PageRequest) -> list[Room]:
    rooms = Room.objects.visible_to(request.actor).exclude(status=Room.Status.ARCHIVED)
    return list(rooms.filter(Q(cancellation_policy__isnull=False) | Q(reschedule_policy__isnull=False)))


def _find(request: PageRequest, public_id: str) -> Venue:
    found: Venue = Venue.objects.visible_to(request.actor).find(public_id)
    return found
