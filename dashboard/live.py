"""What makes live pages cheap: a mark that changes with whatever the organization's people see, and "not modified"."""

import hashlib

from django.db.models import QuerySet, Value
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils import timezone

from bookings.models import Booking
from organizations.actor import Actor
from rooms.models import Venue
from webhooks.models import Event

# A transaction that began earlier may commit later, with an earlier time or key than what was seen meanwhile: looking at
# the newest row alone would miss it. So many would have to commit in between to be missed now.
NEWEST = 50


def change_mark(actor: Actor) -> str:
    """Another text after each change of a booking, hold, room, venue, block, customer or payment of the organization, when a
    hold's time is up, and every minute, because pages tell how long things last. One query over a few index entries.

    Holds tell no subscriber, so bookings are looked at themselves; venues too; of all else there is an event.
    """
    now = timezone.now()
    bookings, held = Booking.objects.visible_to(actor), Booking.Status.HELD
    parts: list[QuerySet[Booking] | QuerySet[Venue] | QuerySet[Event]] = [
        bookings.order_by("-updated_at", "-pk")[:NEWEST],
        bookings.filter(status=held, hold_expires_at__gt=now).order_by(),
        Venue.objects.visible_to(actor).order_by(),
        Event.objects.visible_to(actor).order_by("-sequence", "-pk")[:NEWEST],  # what has no number yet comes first
    ]
    versions = ["version", "version", "version", "object_version"]
    rows = [part.values_list(Value(index), "pk", name) for index, (part, name) in enumerate(zip(parts, versions, strict=True))]
    seen = sorted(rows[0].union(*rows[1:], all=True))
    told = f"{actor.organization.pk} {now:%Y-%m-%d %H:%M} {seen}"
    return hashlib.sha256(told.encode()).hexdigest()[:20]


def not_modified(request: HttpRequest, mark: str) -> HttpResponse | None:
    """The answer to a reader who has seen this mark already; None for one who has not."""
    if etag(mark) not in (one.strip().removeprefix("W/") for one in request.headers.get("If-None-Match", "").split(",")):
        return None
    answer = HttpResponseNotModified()
    answer["ETag"] = etag(mark)
    return answer


def etag(mark: str) -> str:
    """As the header has it; the page that a live part stands in gives it to `data-etag`."""
    return f'"{mark}"'


def marked(response: HttpResponse, mark: str) -> HttpResponse:
    """The answer with its mark, for `not_modified` to recognize."""
    response["ETag"] = etag(mark)
    return response
