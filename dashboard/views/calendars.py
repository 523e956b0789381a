"""Calendars: addresses that others read, calendars of others that block rooms, and a booking as a file."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from bookings.models import Booking
from calendars.conflicts import conflicts_of
from calendars.feeds import booking_content
from calendars.models import CalendarFeed, CalendarImport, ImportedTime
from calendars.services import (
    create_feed,
    create_import,
    delete_import,
    pause_import,
    request_sync,
    resume_import,
    revoke_feed,
    update_feed,
    update_import,
)
from calendars.services.feeds import MAX_FEEDS
from calendars.services.imports import MAX_IMPORTS
from common.errors import DomainError, NotFound
from dashboard import once
from dashboard.access import PageRequest, page
from dashboard.forms.calendars import FeedForm, ImportForm
from dashboard.views.blocks import told_when
from dashboard.views.webhooks import posted
from organizations.permissions import Scope

COMING = 20  # blocks shown on an import's page


def find_feed(request: PageRequest, public_id: str) -> CalendarFeed:
    """Raises NotFound."""
    found: CalendarFeed = CalendarFeed.objects.visible_to(request.actor).select_related("room", "venue").find(public_id)
    return found


def find_import(request: PageRequest, public_id: str) -> CalendarImport:
    """Raises NotFound."""
    found: CalendarImport = CalendarImport.objects.visible_to(request.actor).with_place().find(public_id)
    return found


@page(Scope.CALENDARS_READ)
def calendars(request: PageRequest) -> HttpResponse:
    feeds = list(CalendarFeed.objects.visible_to(request.actor).select_related("room", "venue")[:MAX_FEEDS])
    imports = list(CalendarImport.objects.visible_to(request.actor).with_place()[:MAX_IMPORTS])
    hit = conflicts_of(imports, by=request.actor, now=timezone.now())
    context = {"feeds": feeds, "imports": [(source, len(hit.get(source.pk, ()))) for source in imports]}
    return render(request, "dashboard/developers/calendars.html", context)


@page(Scope.CALENDARS_READ)
def feed(request: PageRequest, public_id: str) -> HttpResponse:
    """With its address, which was just made, this once."""
    context = {"feed": find_feed(request, public_id), "secret": once.take(request, public_id)}
    return render(request, "dashboard/developers/feed.html", context)


@page(Scope.CALENDARS_WRITE, methods=("GET", "POST"))
def new_feed(request: PageRequest) -> HttpResponse:
    form = FeedForm(posted(request), by=request.actor)
    if form.is_valid():
        try:
            made, address = create_feed(by=request.actor, **form.values())
        except DomainError as error:
            form.refused(error)
        else:
            once.keep(request, made.public_id, address)
            return redirect("dashboard:feed", made.public_id)
    return render(request, "dashboard/developers/new_feed.html", {"form": form}, status=422 if form.errors else 200)


@page(Scope.CALENDARS_WRITE, methods=("GET", "POST"))
def feed_edit(request: PageRequest, public_id: str) -> HttpResponse:
    found = find_feed(request, public_id)
    form = FeedForm(posted(request), by=request.actor, feed=found)
    if form.is_valid():
        try:
            update_feed(feed=found, by=request.actor, expected_version=form.cleaned_data["version"], **form.values())
        except DomainError as error:
            form.refused(error)
        else:
            messages.success(request, "Saved. Calendars see it when they next read.")
            return redirect("dashboard:feed", public_id)
    context = {"form": form, "feed": found}
    return render(request, "dashboard/developers/edit_feed.html", context, status=422 if form.errors else 200)


@page(Scope.CALENDARS_WRITE, methods=("GET", "POST"))
def feed_revoke(request: PageRequest, public_id: str) -> HttpResponse:
    found = find_feed(request, public_id)
    if request.method == "POST":
        revoke_feed(feed=found, by=request.actor)
        messages.success(request, f"The feed of {found} is revoked: its address answers no more.")
        return redirect("dashboard:developers_calendars")
    return render(request, "dashboard/developers/revoke_feed.html", {"feed": found})


@page(Scope.CALENDARS_READ)
def calendar_import(request: PageRequest, public_id: str) -> HttpResponse:
    """State, bookings that it hits, and what it blocks."""
    source, now = find_import(request, public_id), timezone.now()
    times = ImportedTime.objects.filter(source=source, ends_at__gt=now, block__isnull=False).select_related("block")
    coming = list(times.order_by("starts_at", "pk")[: COMING + 1])
    context = {
        "source": source,
        "conflicts": conflicts_of([source], by=request.actor, now=now).get(source.pk, []),
        "coming": [told_when(time.block, source.place.timezone) for time in coming[:COMING] if time.block],
        "has_more": len(coming) > COMING,
    }
    return render(request, "dashboard/developers/import.html", context)


@page(Scope.CALENDARS_WRITE, Scope.SCHEDULES_WRITE, methods=("GET", "POST"))
def new_import(request: PageRequest) -> HttpResponse:
    form = ImportForm(posted(request), by=request.actor)
    if form.is_valid():
        try:
            made = create_import(by=request.actor, **form.values())
        except DomainError as error:
            form.refused(error)
        else:
            messages.success(request, f"{made.name} is being read: reload in a few seconds to see what it blocks.")
            return redirect("dashboard:calendar_import", made.public_id)
    return render(request, "dashboard/developers/new_import.html", {"form": form}, status=422 if form.errors else 200)


@page(Scope.CALENDARS_WRITE, Scope.SCHEDULES_WRITE, methods=("GET", "POST"))
def import_edit(request: PageRequest, public_id: str) -> HttpResponse:
    source = find_import(request, public_id)
    form = ImportForm(posted(request), by=request.actor, source=source)
    if form.is_valid():
        version = form.cleaned_data["version"]
        try:
            update_import(source=source, by=request.actor, expected_version=version, **form.values())
        except DomainError as error:
            form.refused(error)
        else:
            messages.success(request, "Saved. It is read again at once, and its blocks follow.")
            return redirect("dashboard:calendar_import", public_id)
    context = {"form": form, "source": source}
    return render(request, "dashboard/developers/edit_import.html", context, status=422 if form.errors else 200)


@page(Scope.CALENDARS_WRITE, Scope.SCHEDULES_WRITE, methods=("GET", "POST"))
def import_delete(request: PageRequest, public_id: str) -> HttpResponse:
    source = find_import(request, public_id)
    if request.method == "POST":
        delete_import(source=source, by=request.actor)
        messages.success(request, f"{source.name} is deleted, and what it blocked is on sale again.")
        return redirect("dashboard:developers_calendars")
    return render(request, "dashboard/developers/delete_import.html", {"source": source})


def _act(request: PageRequest, public_id: str, verb: Any, said: str) -> HttpResponse:
    verb(source=find_import(request, public_id), by=request.actor)
    messages.success(request, said)
    return redirect("dashboard:calendar_import", public_id)


@page(Scope.CALENDARS_WRITE, Scope.SCHEDULES_WRITE, methods=("POST",))
def import_sync(request: PageRequest, public_id: str) -> HttpResponse:
    return _act(request, public_id, request_sync, "It is being read: reload in a few seconds.")


@page(Scope.CALENDARS_WRITE, Scope.SCHEDULES_WRITE, methods=("POST",))
def import_pause(request: PageRequest, public_id: str) -> HttpResponse:
    return _act(request, public_id, pause_import, "Paused: what it blocked is on sale again.")


@page(Scope.CALENDARS_WRITE, Scope.SCHEDULES_WRITE, methods=("POST",))
def import_resume(request: PageRequest, public_id: str) -> HttpResponse:
    return _act(request, public_id, resume_import, "Resumed: it is being read, and its blocks come back.")


@page(Scope.BOOKINGS_READ)
def booking_calendar(request: PageRequest, public_id: str) -> HttpResponse:
    """For one's own calendar, or to hand to the guest."""
    booking = Booking.objects.with_related().select_related("organization").visible_to(request.actor).named(public_id).first()
    if booking is None:
        raise NotFound("booking")
    headers = {"Content-Disposition": f'attachment; filename="{booking.reference}.ics"'}
    return HttpResponse(booking_content(booking).text(), content_type="text/calendar; charset=utf-8", headers=headers)
