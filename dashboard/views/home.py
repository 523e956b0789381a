"""Today at a glance: what happens next, what needs a person, how it compares."""

import datetime as dt
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from common import money
from common.walltime import zone
from dashboard import charts
from dashboard.access import PageRequest, page
from dashboard.attention import concerns
from dashboard.live import change_mark, etag, marked, not_modified
from dashboard.today import today
from dashboard.trends import Trends, trends, weeks_until
from organizations.permissions import Scope
from rooms.models import Room

WEEKS = {"4": (4, True), "12": (12, False)}  # shown: how many weeks, and whether day by day


@page(Scope.BOOKINGS_READ)
def home(request: PageRequest) -> HttpResponse:
    rooms = _rooms(request)
    if not rooms:
        return render(request, "dashboard/home/first_room.html")
    context = _glance(request, rooms)
    shown = request.GET.get("weeks", "4")
    weeks, by_day = WEEKS.get(shown, WEEKS["4"])
    context["charts"] = _charts(request, rooms, context["today"].date, weeks=weeks, by_day=by_day)
    context["tabs"] = [
        {"label": f"{count} weeks", "url": f"?weeks={count}", "active": count == (shown if shown in WEEKS else "4")}
        for count in WEEKS
    ]
    return render(request, "dashboard/home/home.html", context)


@page(Scope.BOOKINGS_READ)
def home_live(request: PageRequest) -> HttpResponse:
    """The day's part alone, for the open page to ask again and again."""
    mark = change_mark(request.actor)
    if unchanged := not_modified(request, mark):
        return unchanged
    return marked(render(request, "dashboard/home/_glance.html", _glance(request, _rooms(request), mark=mark)), mark)


def _rooms(request: PageRequest) -> list[Room]:
    """Those of the default venue first."""
    rooms = Room.objects.visible_to(request.actor).exclude(status=Room.Status.ARCHIVED).select_related("venue")
    return sorted(rooms, key=lambda room: (not room.venue.is_default, room.name))


def _glance(request: PageRequest, rooms: list[Room], *, mark: str = "") -> dict[str, Any]:
    tz, now = zone(rooms[0].venue.timezone if rooms else "UTC"), timezone.now()
    day = today(request.actor, tz=tz, now=now)
    return {
        "today": day,
        "due": ", ".join(money.text(amount, currency) for currency, amount in day.due.items()),
        "concerns": concerns(request.actor, day.bookings, now=now),
        "etag": etag(mark or change_mark(request.actor)),
        "zone": tz,
        "now": now,
        "several_zones": len({room.venue.timezone for room in rooms}) > 1,
    }


def _charts(request: PageRequest, rooms: list[Room], date: dt.date, *, weeks: int, by_day: bool) -> list[dict[str, Any]]:
    """Each chart with this week's figure beside last week's."""
    venue = rooms[0].venue
    periods = weeks_until(date, weeks, by_day=by_day)
    found = trends(request.actor, rooms, periods, tz=zone(venue.timezone), currency=venue.currency)
    names = [f"{first.day} {first:%b}" for first, _ in periods]
    unit = "Day" if by_day else "Week from"

    def amount(value: float) -> str:
        return money.text(round(value), venue.currency)

    def percent(value: float) -> str:
        return f"{value:.0f} %"

    share = [value or 0.0 for value in found.occupancy]
    drawn = [
        ("Bookings", charts.bars("Bookings by day of the game", names, charts.Series("Bookings", found.bookings), unit=unit)),
        ("Revenue", charts.bars("Revenue", names, charts.Series("Revenue", _positive(found.revenue)), unit=unit, text=amount)),
        ("Occupancy", charts.line("Occupancy", names, charts.Series("Occupancy", share), unit=unit, text=percent)),
    ]
    return [{"chart": chart, "stat": stat} for (_, chart), stat in zip(drawn, _compared(found, amount, by_day), strict=True)]


def _positive(values: list[int]) -> list[int]:
    """A day on which more went back than came is drawn as none; the week's sum tells it."""
    return [max(0, value) for value in values]


def _compared(found: Trends, amount: Any, by_day: bool) -> list[dict[str, Any]]:
    """This week's sums, and how they differ from last week's."""
    week = 7 if by_day else 1
    rows: list[tuple[str, list[int], Any]] = [
        ("Bookings this week", found.bookings, str),
        ("Revenue this week", found.revenue, amount),
    ]
    stats = []
    for label, values, text in rows:
        now, before = sum(values[-week:]), sum(values[-2 * week : -week])
        stats.append({"label": label, "value": text(now), "change": _change(now, before), "hint": f"Last week {text(before)}"})
    share = [
        [value for value in part if value is not None] for part in (found.occupancy[-week:], found.occupancy[-2 * week : -week])
    ]
    now_share, before_share = (round(sum(part) / len(part)) if part else 0 for part in share)
    stats.append({"label": "Occupancy this week", "value": f"{now_share} %", "change": "", "hint": f"Last week {before_share} %"})
    if found.elsewhere:
        others = ", ".join(money.text(sum(values[-week:]), currency) for currency, values in found.elsewhere.items())
        stats[1]["hint"] += f". Other currencies this week: {others}"
    return stats


def _change(now: int, before: int) -> str:
    return f"{(now - before) / before:+.0%}".replace("-", "−") if before > 0 else ""
