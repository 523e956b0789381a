"""The examples of the reference with ids of one organization in them, as far as it has such things."""

import datetime as dt
import functools
import json
import secrets
from typing import Any
from urllib.parse import parse_qs, urlencode

from django.db.models.functions import Now
from django.utils import timezone

from bookings.models import Booking
from calendars.models import CalendarFeed, CalendarImport
from common.walltime import utc_text, zone
from customers.models import Customer
from developers.examples import EXAMPLES, VARIABLE, Example
from developers.models import RequestLogEntry
from developers.operations import Operation, operation_of
from developers.request_log import bodies
from organizations.actor import Actor
from payments.models import Payment
from rooms import availability
from rooms.models import Block, Room, Venue
from webhooks.models import Delivery, Endpoint, Event, Replay

PARTY = 4  # players, in all examples
LOOK_AHEAD = 14  # days
# In the order in which each kind is listed: mostly the newest.
_FIRST: dict[str, tuple[Any, dict[str, Any]]] = {
    "VENUE": (Venue, {}),
    "SPARE_VENUE": (Venue, {}),
    "SPARE_ROOM": (Room, {}),
    "BLOCK": (Block, {}),
    "CUSTOMER": (Customer, {}),
    "LEAVING": (Customer, {}),
    "BOOKING": (Booking, {"status": Booking.Status.CONFIRMED}),
    "UNWANTED": (Booking, {"status": Booking.Status.CONFIRMED, "starts_at__gt": Now()}),
    "ARRIVING": (Booking, {"status": Booking.Status.CONFIRMED, "starts_at__lte": Now()}),
    "PAST_BOOKING": (Booking, {"status": Booking.Status.CONFIRMED, "ends_at__lte": Now()}),
    "HELD": (Booking, {"status": Booking.Status.HELD}),
    "WAITING": (Booking, {"status": Booking.Status.HELD}),
    "PAYMENT": (Payment, {}),
    "FEED": (CalendarFeed, {}),
    "IMPORT": (CalendarImport, {}),
    "SPARE_IMPORT": (CalendarImport, {}),
    "ENDPOINT": (Endpoint, {}),
    "SPARE_ENDPOINT": (Endpoint, {}),
    "REPLAY": (Replay, {}),
    "DELIVERY": (Delivery, {}),
    "EVENT": (Event, {}),
    "LOG": (RequestLogEntry, {}),
}


def example_of(entry: RequestLogEntry) -> Example:
    """A call as it was made, as far as it is kept: without a body that was cut."""
    query: dict[str, list[str]] = parse_qs(entry.query)
    try:
        body = json.loads(bodies(entry).get("request", {}).get("text") or "null")
    except ValueError:
        body = None
    return Example(
        id=operation_of(entry.method, entry.path)[1],
        query="?" + urlencode({name: ",".join(values) for name, values in query.items()}),
        body=body if isinstance(body, dict) else None,
    )


class Samples:
    """Looks up what an example needs, and nothing else."""

    def __init__(self, by: Actor) -> None:
        self.by = by
        self._known: dict[str, str | None] = {}

    def example(self, operation: Operation) -> Example:
        """The operation's example; what the organization has none of is left out. Nothing to delete is named in live mode."""
        found = EXAMPLES[operation.id]
        careful = operation.method == "DELETE" and self.by.organization.mode == "live"
        query = "&".join(filled for part in found.query.lstrip("?").split("&") if (filled := self._filled(part)))
        body = None if found.body is None else {name: self._filled(value) for name, value in found.body.items()}
        return Example(
            id="" if careful else self._filled(found.id) or "",
            query=query,
            body=body and {name: value for name, value in body.items() if value is not None},
            headers={name: self._filled(value) or "" for name, value in found.headers.items()},
        )

    def _filled(self, value: Any) -> Any:
        """None where a variable in it has no value."""
        if isinstance(value, dict):
            filled = {name: self._filled(item) for name, item in value.items()}
            return None if None in filled.values() else filled
        if isinstance(value, list):
            items = [self._filled(item) for item in value]
            return None if None in items else items
        if not isinstance(value, str):
            return value
        values = {name: self._value(name) for name in VARIABLE.findall(value)}
        return None if None in values.values() else VARIABLE.sub(lambda match: str(values[match[1]]), value)

    def _value(self, name: str) -> str | None:
        if name not in self._known:
            self._known[name] = self._looked_up(name)
        return self._known[name]

    def _looked_up(self, name: str) -> str | None:
        today = timezone.now().date()
        match name:
            case "RANDOM":
                return secrets.token_hex(3)
            case "ROOM":
                return self._room.public_id if self._room else None
            case "YESTERDAY":
                return (today - dt.timedelta(days=1)).isoformat()
            case "DAY":
                return self._days[0].date.isoformat() if self._days else (today + dt.timedelta(days=LOOK_AHEAD)).isoformat()
            case "SLOT" | "LATER" | "FREE":
                slots = [slot for day in self._days for slot in day.slots]
                index = ("SLOT", "LATER", "FREE").index(name)
                return utc_text(slots[index].starts_at) if index < len(slots) else None
            case "PAID":
                return Payment.objects.visible_to(self.by).values_list("subject", flat=True).first()
        model, wanted = _FIRST[name]
        return model.objects.visible_to(self.by).filter(**wanted).values_list("public_id", flat=True).first()

    @functools.cached_property
    def _room(self) -> Room | None:
        """One that takes the examples' party, private if there is one."""
        rooms = Room.objects.visible_to(self.by).bookable().filter(min_party__lte=PARTY, max_party__gte=PARTY)
        return rooms.with_spaces().order_by("booking_mode", "pk").first()

    @functools.cached_property
    def _days(self) -> list[availability.Day]:
        """Those of the room with open slots, from tomorrow on."""
        if self._room is None:
            return []
        now = timezone.now()
        first = now.astimezone(zone(self._room.venue.timezone)).date() + dt.timedelta(days=1)
        found = availability.days(
            [self._room], first, first + dt.timedelta(days=LOOK_AHEAD), now=now, party=availability.Party(size=PARTY)
        )
        return [day for day in found if day.slots]
