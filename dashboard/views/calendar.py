"""The calendar: a day with its rooms side by side, a week at a glance, and moving a booking within them."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date

from common.errors import NotFound
from common.walltime import day_start, zone
from dashboard import calendar_days
from dashboard.access import PageRequest, page
from dashboard.calendar_days import DAY, Entry, Kind, RoomDay, Summary, summary
from dashboard.live import change_mark, etag, marked, not_modified
from dashboard.ruler import Ruler
from organizations.permissions import Scope
from rooms.models import Room, Venue

READS = (Scope.BOOKINGS_READ, Scope.ROOMS_READ, Scope.SCHEDULES_READ)
ROOMS_AT_ONCE = 24  # columns that pages/calendar.css knows
Row = TypeVar("Row", Room, Venue)
EARLIEST, LATEST = dt.date(2000, 1, 1), dt.date(2100, 12, 1)


@dataclass
class Asked:
    """Which rooms on which day; `now` is the moment of the answer. Rooms shown at once are on one clock."""

    venues: list[Venue]  # to choose from
    venue: Venue | None  # chosen, or the only one shown
    choices: list[Room]  # the rooms to choose from, without archived ones
    room: Room | None  # chosen
    rooms: list[Room]  # shown
    day: dt.date
    today: dt.date
    now: dt.datetime
    page: int
    is_wrong_day: bool

    @property
    def timezone(self) -> str:
        return self.rooms[0].venue.timezone if self.rooms else "UTC"

    @property
    def is_today(self) -> bool:
        return self.day == self.today

    @property
    def needs_venue(self) -> bool:
        """Venues on different clocks are shown one at a time."""
        return len({venue.timezone for venue in self.venues}) > 1

    @property
    def has_venues(self) -> bool:
        """Whether the rooms shown are of several venues."""
        return len({room.venue_id for room in self.rooms}) > 1

    @property
    def pages(self) -> int:
        return -(-len(self.rooms) // ROOMS_AT_ONCE)

    @property
    def on_page(self) -> list[Room]:
        return self.rooms[(self.page - 1) * ROOMS_AT_ONCE : self.page * ROOMS_AT_ONCE]

    def url(self, name: str, day: dt.date | None = None, **more: object) -> str:
        """The same rooms on another day or page."""
        shown = {
            "day": (day or self.day).isoformat(),
            "venue": self.venue.public_id if self.venue and len(self.venues) > 1 else None,
            "room": self.room.public_id if self.room else None,
            "page": self.page if self.page > 1 else None,
            **more,
        }
        return f"{reverse(f'dashboard:{name}')}?{urlencode({key: value for key, value in shown.items() if value})}"


def asked(request: PageRequest) -> Asked:
    """What the address asks for. Raises NotFound for a venue or room that is not there."""
    every = list(Room.objects.visible_to(request.actor).with_spaces().order_by("venue__name", "venue_id", "name", "pk"))
    venues = list({room.venue_id: room.venue for room in every}.values())
    room = _chosen(every, request.GET.get("room", ""), "room")
    venue = _chosen(venues, request.GET.get("venue", ""), "venue") or (room.venue if room else None)
    if venue is None and len({one.timezone for one in venues}) > 1:
        venue = next((one for one in venues if one.is_default), venues[0])
    if room is not None and venue is not None and room.venue_id != venue.pk:
        room = None  # another venue was chosen
    within = [one for one in every if venue is None or one.venue_id == venue.pk]
    rooms, now = [room] if room else within, timezone.now()
    today = calendar_days.current_day(rooms, now, rooms[0].venue.timezone if rooms else "UTC")
    day = asked_day(request)
    return Asked(
        venues=venues,
        venue=venue,
        choices=[one for one in within if one.status != Room.Status.ARCHIVED],
        room=room,
        rooms=rooms,
        day=day or today,
        today=today,
        now=now,
        page=_page(request.GET.get("page", ""), len(rooms)),
        is_wrong_day=bool(request.GET.get("day")) and day is None,
    )


def _chosen(rows: list[Row], public_id: str, kind: str) -> Row | None:
    if not public_id:
        return None
    found = next((row for row in rows if row.public_id == public_id), None)
    if found is None:
        raise NotFound(kind)
    return found


def asked_day(request: PageRequest) -> dt.date | None:
    """The day in the address; None without one that is."""
    try:
        day = parse_date(request.GET.get("day", ""))
    except ValueError:
        return None
    return day if day and EARLIEST <= day <= LATEST else None


def _page(text: str, rooms: int) -> int:
    page = int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 1
    return page if 1 <= page <= -(-rooms // ROOMS_AT_ONCE) else 1


@dataclass(frozen=True, slots=True)
class Placed:
    """An entry, or the line of the present, where it belongs."""

    place: str
    at: dt.datetime
    column: int = 0
    entry: Entry | None = None
    of_night_before: bool = False


# Of what begins at one time: what is, before what could be.
_RANKS = {Kind.BLOCK: 0, Kind.GAME: 1, Kind.FREE: 2, Kind.SHUT: 2, Kind.BUSY: 2}


@dataclass(frozen=True)
class Sheet:
    """A day on the page."""

    asked: Asked
    days: list[RoomDay]
    new_booking: str

    @cached_property
    def summary(self) -> Summary:
        return summary(self.days)

    @property
    def columns(self) -> int:
        return len(self.days)

    @cached_property
    def ruler(self) -> Ruler:
        entries = [entry for day in self.days for entry in [*day.night_before, *day.entries]]
        tz = zone(self.asked.timezone)
        return Ruler(
            day_start(self.asked.day, tz),
            tz,
            [(entry.starts_at, entry.ends_at) for entry in entries if entry.kind != Kind.BLOCK],
            [(entry.starts_at, entry.ends_at) for entry in entries if entry.kind == Kind.BLOCK],
        )

    @property
    def is_open(self) -> bool:
        """Whether the present lies within the hours shown."""
        return self.ruler.first <= self.asked.now < self.ruler.last

    @cached_property
    def closed(self) -> list[Room]:
        return [day.room for day in self.days if day.is_closed]

    @cached_property
    def items(self) -> list[Placed]:
        """By time: the order in which they are read aloud, and shown on a phone."""
        found = [*self._entries(), *self._now()]
        return sorted(found, key=lambda one: (one.at, _RANKS[one.entry.kind] if one.entry else -1, one.column))

    def _entries(self) -> Iterator[Placed]:
        for column, day in enumerate(self.days, 1):
            for entries, of_night_before in ((day.night_before, True), (day.entries, False)):
                for entry in entries:
                    if entry.starts_at < self.ruler.last and entry.until > self.ruler.first:
                        place = self.ruler.place(entry.starts_at, entry.until)
                        yield Placed(place, entry.starts_at, column, entry, of_night_before)

    def _now(self) -> Iterator[Placed]:
        if self.asked.is_today:
            yield Placed(self.ruler.place(self.asked.now, self.asked.now), self.asked.now)


@page(*READS)
def calendar(request: PageRequest) -> HttpResponse:
    """A day of the rooms."""
    return _answer(request, "day", "dashboard/calendar/day.html", change_mark(request.actor))


@page(*READS)
def calendar_week(request: PageRequest) -> HttpResponse:
    """Seven days of a room, or of a venue's rooms."""
    return _answer(request, "week", "dashboard/calendar/week.html", change_mark(request.actor))


@page(*READS)
def calendar_live(request: PageRequest) -> HttpResponse:
    """The part of either that changes, for those who have not seen it yet."""
    mark = change_mark(request.actor)
    view = "week" if request.GET.get("view") == "week" else "day"
    return not_modified(request, mark) or marked(_answer(request, view, f"dashboard/calendar/{view}_live.html", mark), mark)


def _answer(request: PageRequest, view: str, template: str, mark: str) -> HttpResponse:
    what = asked(request)
    shown = _sheet(request, what) if view == "day" else _week(request, what)
    context = {"asked": what, "view": view, view: shown, "etag": etag(mark), **_ways(what, view)}
    return render(request, template, context)


def _sheet(request: PageRequest, what: Asked) -> Sheet:
    days = calendar_days.load(request.actor, what.on_page, what.day, what.day, now=what.now)
    return Sheet(what, days, _new_booking(request))


def _ways(what: Asked, view: str) -> dict[str, object]:
    step, name = (DAY, "calendar") if view == "day" else (7 * DAY, "calendar_week")
    return {
        "live_url": what.url("calendar_live", view="week" if view == "week" else None),
        "previous_url": what.url(name, what.day - step),
        "next_url": what.url(name, what.day + step),
        "today_url": what.url(name, what.today),
        "tabs": [
            {"label": "Day", "url": what.url("calendar"), "active": view == "day"},
            {"label": "Week", "url": what.url("calendar_week"), "active": view == "week"},
        ],
        "pages": [
            {"label": f"Rooms {first + 1}–{min(first + ROOMS_AT_ONCE, len(what.rooms))}", "active": page == what.page,
             "url": what.url(name, page=page)}
            for page in range(1, what.pages + 1)
            for first in [(page - 1) * ROOMS_AT_ONCE]
        ] if what.pages > 1 else [],
    }  # fmt: skip


def _new_booking(request: PageRequest) -> str:
    """Where a free slot leads; nowhere for those who may not book."""
    return reverse("dashboard:new_booking") if Scope.BOOKINGS_WRITE in request.actor.scopes else ""


@dataclass(frozen=True)
class WeekDay:
    date: dt.date
    is_today: bool
    is_past: bool
    entries: list[Entry]
    summary: Summary
    url: str
    is_closed: bool


@dataclass(frozen=True)
class Week:
    days: list[WeekDay]
    new_booking: str
    summary: Summary


def monday(day: dt.date) -> dt.date:
    return day - (day.isoweekday() - 1) * DAY


def _week(request: PageRequest, what: Asked) -> Week:
    first = monday(what.day)
    days = calendar_days.load(request.actor, what.on_page, first, first + 6 * DAY, now=what.now)
    shown = {Kind.GAME, Kind.BLOCK} if what.room is None else set(Kind)
    found = []
    for date in (first + offset * DAY for offset in range(7)):
        of_day = [day for day in days if day.date == date]
        entries = [entry for day in of_day for entry in day.entries if entry.kind in shown]
        entries.sort(key=lambda entry: (entry.starts_at, entry.room.name))
        found.append(
            WeekDay(
                date,
                is_today=date == what.today,
                is_past=date < what.today,
                entries=entries,
                summary=summary(of_day),
                url=what.url("calendar", date),
                is_closed=all(day.is_closed for day in of_day),
            )
        )
    return Week(found, _new_booking(request), summary(days))
