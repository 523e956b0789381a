"""Blocks: time off sale. Before one is laid on bookings, they are named, and it is asked."""

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.contrib import messages
from django.db.models import DateTimeField, Q
from django.db.models.functions import Cast, Coalesce
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date

from bookings.models import Booking
from common.errors import DomainError, NotFound
from common.walltime import zone
from dashboard.access import PageRequest, page
from dashboard.forms.blocks import DAYS, TIMES, BlockForm
from dashboard.paging import page_of
from dashboard.views.rooms import version_of
from organizations.permissions import Scope
from rooms.errors import BlockConflictsBookings
from rooms.models import Block, Room, Venue
from rooms.services import block_conflicts, create_block, delete_block, update_block

KEEP = "keep"  # the button's word for laying a block on bookings


@page(Scope.SCHEDULES_READ)
def blocks(request: PageRequest) -> HttpResponse:
    """Those to come, the nearest first, a series by its first day; or those that are over, the latest first."""
    past = request.GET.get("when") == "past"
    rooms, venues = _places(request)
    room, venue = _chosen(request, "room", rooms), _chosen(request, "venue", venues)
    listed = _listed(request, past=past)
    if room:
        listed = listed.filter(Q(rooms=room) | Q(venue=room.venue) | Q(scope=Block.Scope.ALL))
    if venue:
        listed = listed.filter(Q(venue=venue) | Q(rooms__venue=venue) | Q(scope=Block.Scope.ALL))
    # Ids first: what is joined for the filters must not narrow the names of a block's rooms.
    shown = Block.objects.filter(pk__in=listed.values("pk")).with_spaces().annotate(begins=_BEGINS)
    pager = page_of(shown, request, sorts=("-begins",) if past else ("begins",))
    names = {one.public_id: one.name for one in Room.objects.visible_to(request.actor)}
    default = _default_zone(venues)
    context = {
        "pager": pager,
        "blocks": [_told(block, names, default) for block in pager.rows],
        "past": past,
        "rooms": rooms,
        "venues": venues if len(venues) > 1 else [],
        "room": room,
        "venue": venue,
    }
    return render(request, "dashboard/blocks/blocks.html", context)


def _chosen(request: PageRequest, noun: str, places: list[Any]) -> Any:
    """The room or venue that the address names; None where it names none. Raises NotFound for one that is not here."""
    wanted = request.GET.get(noun)
    found = next((one for one in places if one.public_id == wanted), None)
    if wanted and found is None:
        raise NotFound(noun)
    return found


@page(Scope.SCHEDULES_WRITE, methods=("GET", "POST"))
def new_block(request: PageRequest) -> HttpResponse:
    return _edit(request, None)


@page(Scope.SCHEDULES_WRITE, methods=("GET", "POST"))
def block(request: PageRequest, public_id: str) -> HttpResponse:
    return _edit(request, _find(request, public_id))


@page(Scope.SCHEDULES_WRITE, methods=("GET", "POST"))
def block_delete(request: PageRequest, public_id: str) -> HttpResponse:
    found = _find(request, public_id)
    if request.method == "POST":
        delete_block(block=found, by=request.actor, expected_version=version_of(request))
        messages.success(request, "The block is gone. Its time is on sale again.")
        return redirect("dashboard:blocks")
    names = {one.public_id: one.name for one in Room.objects.visible_to(request.actor)}
    venues = list(Venue.objects.visible_to(request.actor))
    return render(request, "dashboard/blocks/delete.html", {"told": _told(found, names, _default_zone(venues))})


def _edit(request: PageRequest, found: Block | None) -> HttpResponse:
    rooms, venues = _places(request, also=found.room_public_ids if found else ())
    typed = request.POST if request.method == "POST" else None
    initial = None if found else _asked(request, rooms, venues)
    form = BlockForm(found, typed, by=request.actor, rooms=rooms, venues=venues, initial=initial)
    hit: list[str] = block_conflicts(found) if found and typed is None else []
    ask = False
    if typed is not None and form.is_valid():
        on_conflict = KEEP if KEEP in typed else "reject"
        try:
            if found:
                version = form.cleaned_data["version"]
                update_block(block=found, by=request.actor, on_conflict=on_conflict, expected_version=version, **form.values)
            else:
                create_block(by=request.actor, on_conflict=on_conflict, **form.values)
        except BlockConflictsBookings as error:
            hit, ask = error.extra["conflicts"], True
        except DomainError as error:
            form.refused(error)
        else:
            messages.success(request, "The block is saved. Nothing can be booked in its time.")
            return redirect("dashboard:blocks")
    bookings = Booking.objects.visible_to(request.actor).filter(public_id__in=hit).with_related().order_by("starts_at")
    context = {"form": form, "found": found, "hit": list(bookings) if hit else [], "ask": ask}
    status = 422 if form.errors else 409 if ask else 200
    return render(request, "dashboard/blocks/block.html", context, status=status)


def _find(request: PageRequest, public_id: str) -> Block:
    found = Block.objects.visible_to(request.actor).with_spaces().filter(public_id=public_id).first()
    if found is None:
        raise NotFound("block")
    return found


def _places(request: PageRequest, *, also: Collection[str] = ()) -> tuple[list[Room], list[Venue]]:
    """What can be blocked; `also` rooms that are archived by now, where a block names them."""
    shown = ~Q(status=Room.Status.ARCHIVED) | Q(public_id__in=also)
    rooms = Room.objects.visible_to(request.actor).filter(shown).select_related("venue")
    return list(rooms), list(Venue.objects.visible_to(request.actor))


def _default_zone(venues: list[Venue]) -> str:
    return next((venue.timezone for venue in venues if venue.is_default), "UTC")


_BEGINS = Coalesce("starts_at", Cast("date_from", DateTimeField()))


def _listed(request: PageRequest, *, past: bool) -> Any:
    now = timezone.now()
    yesterday = now.date() - dt.timedelta(days=1)  # it may still be that day somewhere
    series = Q(recurrence__isnull=False) & (Q(series_ends_on=None) | Q(series_ends_on__gte=yesterday))
    once = Q(recurrence__isnull=True) & (Q(ends_at__gt=now) | Q(date_to__gte=yesterday))
    listed = Block.objects.visible_to(request.actor)
    return listed.exclude(series | once) if past else listed.filter(series | once)


def _told(block: Block, names: dict[str, str], default_zone: str) -> dict[str, Any]:
    """A block with the words for what and when."""
    where = {
        Block.Scope.ALL: "Everything",
        Block.Scope.VENUE: block.venue.name if block.venue else "",
        Block.Scope.ROOMS: ", ".join(names.get(public_id, "") for public_id in block.room_public_ids),
    }
    return {**told_when(block, block.timezone or default_zone), "where": where[Block.Scope(block.scope)]}


def told_when(block: Block, zone_name: str) -> dict[str, Any]:
    """What `blocks/_when.html` tells of a block."""
    recurrence = block.recurrence or {}
    weeks = recurrence.get("interval", 1)
    often = "" if not recurrence else "every week" if weeks == 1 else f"every {weeks} weeks"
    if recurrence.get("count"):
        often += f", {recurrence['count']} times"
    until = recurrence.get("until")
    same_day = bool(
        block.starts_at and block.ends_at
        and block.starts_at.astimezone(zone(zone_name)).date() == block.ends_at.astimezone(zone(zone_name)).date()
    )  # fmt: skip
    return {
        "block": block,
        "zone": zone_name,
        "same_day": same_day,
        "often": often,
        "until": parse_date(until) if until else None,
    }


def _asked(request: PageRequest, rooms: list[Room], venues: list[Venue]) -> dict[str, Any]:
    """What the address knows of a new block: `?room=rm_…&date=2026-12-05`, or `&from=2026-12-05T18:00&to=…` in venue time."""
    asked = request.GET
    initial: dict[str, Any] = {"rooms": [rooms[0].public_id] if len(rooms) == 1 else []}
    if any(room.public_id == asked.get("room") for room in rooms):
        initial["rooms"] = [asked["room"]]
    elif any(venue.public_id == asked.get("venue") for venue in venues):
        initial |= {"scope": Block.Scope.VENUE, "venue": asked["venue"]}
    if asked.get("from"):
        initial |= {"span": TIMES, "starts_at": asked["from"][:16], "ends_at": asked.get("to", "")[:16]}
    elif asked.get("date"):
        initial |= {"span": DAYS, "date_from": asked["date"][:10]}
    return initial
