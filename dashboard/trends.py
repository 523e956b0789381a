"""How bookings, revenue and occupancy develop, by the venue's days or weeks. Two queries, whatever the number of rows.

SQL never turns an instant into a local day: the boundaries are worked out here, and it only says between which two one lies.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.postgres.fields import ArrayField
from django.db.models import Count, DateTimeField, F, Func, IntegerField, QuerySet, Sum, Value

from bookings.models import Booking
from common.walltime import day_start, zone
from organizations.actor import Actor
from payments.models import Payment, Refund
from rooms.models import Room
from rooms.schedule import Timetable

TOOK_PLACE = [Booking.Status.CONFIRMED, Booking.Status.CHECKED_IN, Booking.Status.COMPLETED, Booking.Status.NO_SHOW]
MAX_ROOMS = 100  # whose timetables are laid out; of more, occupancy is not worked out


@dataclass(frozen=True)
class Trends:
    """Figures a period. `revenue` is what came minus what went back, in minor units of `currency`; `occupancy` the share of
    the timetable's games that are booked, in percent, None where there is none.
    """

    periods: list[tuple[dt.date, dt.date]]
    bookings: list[int]
    guests: list[int]
    currency: str
    revenue: list[int]
    elsewhere: dict[str, list[int]]  # revenue in other currencies
    occupancy: list[float | None]


def weeks_until(today: dt.date, count: int, *, by_day: bool) -> list[tuple[dt.date, dt.date]]:
    """The days, or the weeks, of so many weeks from a Monday to the Sunday that ends the week of `today`."""
    monday = today - dt.timedelta(days=today.weekday(), weeks=count - 1)
    step = 1 if by_day else 7
    starts = [monday + dt.timedelta(days=offset) for offset in range(0, count * 7, step)]
    return [(start, start + dt.timedelta(days=step - 1)) for start in starts]


def trends(actor: Actor, rooms: list[Room], periods: list[tuple[dt.date, dt.date]], *, tz: ZoneInfo, currency: str) -> Trends:
    """`rooms`, with their venues, are those of the organization; `tz` is the clock by which days begin."""
    bounds = [day_start(first, tz) for first, _ in periods] + [day_start(periods[-1][1] + dt.timedelta(days=1), tz)]
    booked = Booking.objects.visible_to(actor).filter(status__in=TOOK_PLACE)
    rows = list(
        _within(booked, "starts_at", bounds)
        .values("period")
        .annotate(bookings=Count("pk"), guests=Sum("party_size"), games=Count(_game(), distinct=True))
        .values_list("period", "bookings", "guests", "games")
    )
    by_currency = _revenue(actor, bounds)
    games, offered = {row[0]: row[3] for row in rows}, _offered(rooms, periods)
    own = by_currency.pop(currency, Counter())
    return Trends(
        periods=periods,
        bookings=_in_order({row[0]: row[1] for row in rows}, len(periods)),
        guests=_in_order({row[0]: row[2] for row in rows}, len(periods)),
        currency=currency,
        revenue=_in_order(own, len(periods)),
        elsewhere={name: _in_order(amounts, len(periods)) for name, amounts in sorted(by_currency.items())},
        occupancy=[
            round(min(1.0, games.get(number, 0) / count) * 100, 1) if count else None for number, count in enumerate(offered, 1)
        ],
    )


def _within(rows: "QuerySet[Any]", field: str, bounds: list[dt.datetime]) -> "QuerySet[Any]":
    """Those inside the bounds, each with the number, from 1, of the `period` in which it lies."""
    edges = Value(bounds, output_field=ArrayField(DateTimeField()))
    period = Func(F(field), edges, function="width_bucket", output_field=IntegerField())
    return rows.order_by().filter(**{f"{field}__gte": bounds[0], f"{field}__lt": bounds[-1]}).annotate(period=period)


def _game() -> Func:
    """Parties of a shared game are in the same room at the same time."""
    return Func(F("room"), F("starts_at"), function="ROW", output_field=IntegerField())


def _revenue(actor: Actor, bounds: list[dt.datetime]) -> dict[str, Counter[int]]:
    """{currency: {period: minor units}}."""
    came = _within(Payment.objects.visible_to(actor).succeeded(), "succeeded_at", bounds)
    went = _within(Refund.objects.visible_to(actor).filter(status=Refund.Status.SUCCEEDED), "succeeded_at", bounds)
    sums = [rows.values_list("period", "currency").annotate(total=sign * Sum("amount")) for rows, sign in ((came, 1), (went, -1))]
    found: dict[str, Counter[int]] = {}
    for period, currency, total in sums[0].union(sums[1], all=True):
        found.setdefault(currency, Counter())[period] += total
    return found


def _offered(rooms: list[Room], periods: list[tuple[dt.date, dt.date]]) -> list[int]:
    """How many games today's timetables have in each period."""
    active = [room for room in rooms if room.status == Room.Status.ACTIVE]
    if len(active) > MAX_ROOMS:
        return [0] * len(periods)
    tables = [Timetable(room.schedule, zone(room.venue.timezone)) for room in active]
    return [sum(table.games_on(day) for table in tables for day in _days(*period)) for period in periods]


def _days(first: dt.date, last: dt.date) -> Iterable[dt.date]:
    return (first + dt.timedelta(days=offset) for offset in range((last - first).days + 1))


def _in_order(by_period: "dict[int, int] | Counter[int]", count: int) -> list[int]:
    return [by_period.get(number, 0) for number in range(1, count + 1)]
