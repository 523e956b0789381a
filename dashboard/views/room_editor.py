"""A room's settings, a page for each section: what is typed, and beside it what would come of it."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_date

from common.errors import DomainError, NotFound, ValidationFailed
from common.walltime import zone
from dashboard import policy_words
from dashboard.access import PageRequest, page
from dashboard.coming import coming_days, quote
from dashboard.forms.policies import RoomPolicyForm
from dashboard.forms.prices import PriceForm
from dashboard.forms.rooms import BasicsForm, PartyForm, RoomForm, RulesForm
from dashboard.forms.schedule import ScheduleForm
from dashboard.forms.typed import PREVIEW
from dashboard.views.rooms import SECTIONS, find_room, frame_of
from organizations.permissions import Scope
from rooms.claims import database_now
from rooms.models import Room
from rooms.services import update_room


@dataclass(frozen=True)
class Section:
    """`aside`: what stands beside the form: slots, prices or policy."""

    form: type[RoomForm]
    aside: str = "slots"


FORMS = {
    "basics": Section(BasicsForm),
    "party": Section(PartyForm),
    "schedule": Section(ScheduleForm),
    "price": Section(PriceForm, "price"),
    "policy": Section(RoomPolicyForm, "policy"),
    "rules": Section(RulesForm),
}
INCOMPLETE = "What is typed cannot be shown yet: something in the form is missing or wrong."


@page(Scope.ROOMS_WRITE, methods=("GET", "POST"))
def room_edit(request: PageRequest, public_id: str, section: str) -> HttpResponse:
    room, kind = find_room(request, public_id), FORMS[section]
    typed = request.POST if request.method == "POST" else None
    form = kind.form(room, typed, by=request.actor)
    shown: Room | None = room
    problem = ""
    if form.is_bound:
        shown, problem = _as_typed(form)
        if shown and PREVIEW not in request.POST:
            try:
                saved = update_room(room=room, by=request.actor, expected_version=form.cleaned_data["version"], **form.values)
            except DomainError as error:
                form.refused(error)
            else:
                told = (
                    f"{saved.name}: {SECTIONS[section].lower()} saved." if saved.version > room.version else "Nothing to change."
                )
                messages.success(request, told)
                return redirect(f"dashboard:room_edit_{section}", public_id=public_id)
    context = {
        **frame_of(room, f"room_edit_{section}"),
        "form": form,
        "edited": section,
        "section_title": SECTIONS[section],
        **_aside(kind, shown, problem, request.POST if typed else QueryDict()),
    }
    return render(
        request, f"dashboard/rooms/edit_{section}.html", context, status=422 if form.is_bound and not form.is_valid() else 200
    )


@page(Scope.ROOMS_WRITE, methods=("POST",))
def room_preview(request: PageRequest, public_id: str) -> HttpResponse:
    """What stands beside a form, for what is typed in it; nothing is saved."""
    room, kind = find_room(request, public_id), FORMS.get(request.GET.get("section", "schedule"))
    if kind is None:
        raise NotFound("section")
    form = kind.form(room, request.POST, by=request.actor)
    shown, problem = _as_typed(form)
    context = {**frame_of(room, ""), **_aside(kind, shown, problem, request.POST)}
    return render(request, "dashboard/rooms/_aside.html", context)


def _as_typed(form: RoomForm) -> tuple[Room | None, str]:
    """The room as it would be, or why it cannot be told; refusals stand on their fields then."""
    if not form.is_valid():
        return None, INCOMPLETE
    try:
        return form.room_as_typed(), ""
    except DomainError as error:
        form.refused(error)
        return None, INCOMPLETE if isinstance(error, ValidationFailed) else error.detail


def _aside(kind: Section, room: Room | None, problem: str, asked: QueryDict) -> dict[str, Any]:
    if room is None:
        return {"aside": kind.aside, "problem": problem}
    tz, now = zone(room.venue.timezone), database_now()
    context: dict[str, Any] = {"aside": kind.aside, "as_typed": room}
    if kind.aside == "policy":
        return {**context, "policy": policy_words.of_room(room, tz)}
    if kind.aside == "price":
        return {**context, "quote": _quote(room, now, asked)}
    try:
        return {**context, "days": coming_days(room, now=now)}
    except DomainError as error:
        return {**context, "problem": error.detail}


def _quote(room: Room, now: dt.datetime, asked: QueryDict) -> Any:
    today = now.astimezone(zone(room.venue.timezone)).date()
    size = asked.get("quote_size", "")
    return quote(
        room,
        day=_day(asked.get("quote_day", "")) or today,
        time=asked.get("quote_time", ""),
        size=int(size) if size.isdecimal() and len(size) < 8 else room.min_party,
        private="quote_private" in asked if room.booking_mode == Room.BookingMode.SHARED_WITH_PRIVATE_UPGRADE else None,
    )


def _day(text: str) -> dt.date | None:
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return day if day and 2000 <= day.year <= 2100 else None
