"""What stands in a feed: the games and blocks of a room or a venue, from 60 days ago to 400 ahead.

1. Games that were ever confirmed. A hold lasts minutes and calendars come by every few hours: it would stay there as a ghost.
2. What was canceled stays for 30 days, marked so: a calendar that merely stops being told keeps what it has.
3. Blocks, but for those that come from another calendar: told again, they would go round in circles.
4. Of a room also what is on in rooms that share its space, because nothing else can happen there then.

Whatever there is, the database is asked a fixed number of times along indexed ranges, and no feed is longer than MAX_GAMES and
MAX_BLOCKS: what is to come first, then the newest past.
"""

import datetime as dt
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Q, QuerySet
from django.urls import reverse

from bookings.models import Booking
from calendars.ical import Entry, written
from calendars.models import CalendarFeed
from common.walltime import UTC, day_start, zone
from organizations.actor import Actor
from rooms.calendar import covers
from rooms.models import Block, Room

PAST, AHEAD = dt.timedelta(days=60), dt.timedelta(days=400)
CANCELED_KEPT = dt.timedelta(days=30)
MAX_GAMES, MAX_BLOCKS = 2_000, 500  # about a second to write, and less than a megabyte
FORMAT = "1"  # raise it when the same rows are written differently
_HAPPENS = (Booking.Status.CONFIRMED, Booking.Status.CHECKED_IN, Booking.Status.COMPLETED, Booking.Status.NO_SHOW)
_READ = (
    *("public_id", "version", "status", "starts_at", "ends_at", "reference", "party_size", "contact", "created_at", "updated_at"),
    *("room__name", "room__venue__name"),
)


@dataclass(frozen=True, slots=True)
class Content:
    """A feed as it is now. `tag` changes with it; the text is written only for who does not have it yet."""

    entries: list[Entry]
    name: str
    timezone: str
    organization: str

    @property
    def tag(self) -> str:
        return hashlib.sha256(repr((FORMAT, self)).encode()).hexdigest()

    def text(self) -> bytes:
        return written(self.entries, name=self.name, timezone=self.timezone, organization=self.organization)


def content_of(feed: CalendarFeed, *, now: dt.datetime) -> Content:
    """`feed` comes with organization, room and venue. Bounds lie at the UTC day's start: the tag lasts while nothing happens."""
    by, venue = Actor.system(feed.organization), feed.place
    today = day_start(now.date(), zone("UTC"))
    rooms = Room.objects.visible_to(by)
    own = list((rooms.filter(pk=feed.room_id) if feed.room_id else rooms.filter(venue=venue)).with_spaces())
    spaces = {space for room in own for space in room.space_ids}
    shown = set(rooms.sharing(spaces).values_list("pk", flat=True))
    games = [_game(row, names=feed.include_names) for row in _games(by, shown, today)]
    blocks = [_block(block, venue.name, names=feed.include_names) for block in _blocks(by, own, today)]
    return Content([*games, *blocks], feed.room.name if feed.room else venue.name, venue.timezone, feed.organization.public_id)


def booking_content(booking: Booking) -> Content:
    """One booking, without anybody's name: it may be handed to a guest."""
    row = Booking.objects.filter(pk=booking.pk).values_list(*_READ, named=True).get()
    status = {Booking.Status.HELD: "TENTATIVE", Booking.Status.EXPIRED: "CANCELLED"}.get(booking.reads_as)
    entry = _game(row, names=False, status=status)
    return Content([entry], booking.room.name, booking.room.venue.timezone, booking.organization.public_id)


def uid(public_id: str) -> str:
    """The same for ever, and ours: a host of our own stands behind the id."""
    return f"{public_id}@{urlsplit(settings.PUBLIC_URL).hostname}"


def _games(by: Actor, rooms: set[int], today: dt.datetime) -> Iterator[Any]:
    kept = Q(status__in=_HAPPENS) | Q(
        status=Booking.Status.CANCELED, confirmed_at__isnull=False, canceled_at__gte=today - CANCELED_KEPT
    )
    found: QuerySet[Booking] = Booking.objects.visible_to(by).filter(kept, room__in=rooms)
    rows = found.values_list(*_READ, named=True)
    coming = list(rows.filter(starts_at__gte=today, starts_at__lt=today + AHEAD).order_by("starts_at", "pk")[:MAX_GAMES])
    past = rows.filter(starts_at__gte=today - PAST, starts_at__lt=today).order_by("-starts_at", "-pk")
    yield from reversed(past[: MAX_GAMES - len(coming)])
    yield from coming


def _blocks(by: Actor, rooms: list[Room], today: dt.datetime) -> Iterator[Block]:
    found = Block.objects.visible_to(by).exclude(kind=Block.Kind.EXTERNAL).touching(today - PAST, today + AHEAD)
    for block in found.with_spaces().order_by("-pk")[:MAX_BLOCKS]:
        if any(covers(block, room) for room in rooms):
            yield block


def _game(row: Any, *, names: bool, status: str | None = None) -> Entry:
    who = f"{row.contact.get('name')}, " if names and row.contact.get("name") else ""
    players = f"{row.party_size} player{'' if row.party_size == 1 else 's'}"
    return Entry(
        uid=uid(row.public_id),
        sequence=row.version,
        start=row.starts_at,
        end=row.ends_at,
        summary=f"{row.room__name}: {who}{players}",
        created_at=row.created_at,
        updated_at=row.updated_at,
        status=status or ("CANCELLED" if row.status == Booking.Status.CANCELED else "CONFIRMED"),
        location=row.room__venue__name,
        description=f"Booking {row.reference}",
        url=settings.PUBLIC_URL + reverse("dashboard:booking", kwargs={"public_id": row.public_id}),
    )


def _block(block: Block, location: str, *, names: bool) -> Entry:
    start = block.starts_at or block.date_from
    end = block.ends_at or (block.date_to and block.date_to + dt.timedelta(days=1))
    assert start
    assert end
    return Entry(
        uid=uid(block.public_id),
        sequence=block.version,
        start=start,
        end=end,
        summary=f"Blocked: {block.reason if names and block.reason else block.get_kind_display().lower()}",
        created_at=block.created_at,
        updated_at=block.updated_at,
        location=location,
        rule=_rule(block.recurrence),
    )


def _rule(recurrence: dict[str, Any] | None) -> tuple[tuple[str, str], ...]:
    if not recurrence:
        return ()
    told = (("INTERVAL", recurrence["interval"]), ("UNTIL", recurrence.get("until")), ("COUNT", recurrence.get("count")))
    return (("FREQ", "WEEKLY"), *((part, str(value)) for part, value in told if value))


def noticed(feed: CalendarFeed, content_tag: str, *, now: dt.datetime) -> dt.datetime:
    """When the feed's content became what it is, as far as anybody has asked: a whole second, later than any told before."""
    if feed.content_tag == content_tag and feed.content_changed_at:
        return feed.content_changed_at
    changed_at = now.astimezone(UTC).replace(microsecond=0)
    if feed.content_changed_at and changed_at <= feed.content_changed_at:
        changed_at = feed.content_changed_at + dt.timedelta(seconds=1)
    return changed_at
