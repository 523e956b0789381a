"""The day as it goes: who has come, who is next."""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from zoneinfo import ZoneInfo

from django.db.models import Q

from bookings.models import Booking
from common.walltime import day_bounds
from organizations.actor import Actor

AT_MOST = 300  # bookings of one day
NEXT = 12  # shown
A_DAY = dt.timedelta(days=1)  # no game lasts longer

# Of a booking; the whole of each with its room would be mostly JSON that nobody looks at.
READ = (
    *(
        "public_id",
        "reference",
        "status",
        "hold_expires_at",
        "starts_at",
        "ends_at",
        "party_size",
        "contact",
        "price",
        "currency",
    ),
    *("amount_paid", "amount_refunded", "room__name", "room__venue__timezone"),
)
_COMING = (Booking.Status.HELD, Booking.Status.CONFIRMED)
_HERE = (Booking.Status.CHECKED_IN, Booking.Status.COMPLETED)


@dataclass(frozen=True)
class Today:
    """The bookings of a local day in the order of their start, and before them what still runs from the evening before; canceled
    and expired ones left out.
    """

    date: dt.date
    now: dt.datetime
    bookings: list[Booking]

    @cached_property
    def next(self) -> list[Booking]:
        """Running or still to come, the first few."""
        return [booking for booking in self.bookings if booking.ends_at > self.now][:NEXT]

    @cached_property
    def more(self) -> int:
        return sum(booking.ends_at > self.now for booking in self.bookings) - len(self.next)

    @cached_property
    def to_come(self) -> list[Booking]:
        return [booking for booking in self.bookings if booking.status in _COMING and booking.ends_at > self.now]

    @property
    def guests(self) -> int:
        return sum(booking.party_size for booking in self.bookings)

    @property
    def guests_here(self) -> int:
        return sum(booking.party_size for booking in self.bookings if booking.status in _HERE)

    @property
    def due(self) -> dict[str, int]:
        """What the guests still to come have to pay, {currency: minor units}."""
        found: dict[str, int] = {}
        for booking in self.to_come:
            if booking.amount_due:
                found[booking.currency] = found.get(booking.currency, 0) + booking.amount_due
        return found


def today(actor: Actor, *, tz: ZoneInfo, now: dt.datetime) -> Today:
    date = now.astimezone(tz).date()
    start, end = day_bounds(date, date, tz)
    wanted = [status for status in Booking.Status if status not in (Booking.Status.CANCELED, Booking.Status.EXPIRED)]
    recent = Booking.objects.visible_to(actor).reading_as(wanted).filter(starts_at__gte=start - A_DAY, starts_at__lt=end)
    found = recent.filter(Q(starts_at__gte=start) | Q(ends_at__gt=now))
    return Today(date, now, list(found.select_related("room__venue").only(*READ).order_by("starts_at", "pk")[:AT_MOST]))
