"""Every route of the API, once: what each needs, and how another tenant's id and an absent one are put into it."""

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from bookings.models import Booking
from calendars.services import create_feed, create_import
from common.ids import new_id
from common.walltime import utc_text
from customers.services import create_customer
from developers.models import RequestLogEntry
from payments.models import Payment
from rooms.models import Room
from rooms.services import create_block, create_venue
from tests.cast import Player
from tests.stage import book, slot_at
from webhooks.engine.relay import relay
from webhooks.models import Delivery
from webhooks.services import create_endpoint, start_replay

ABSENT = "0" * 26


@dataclass(frozen=True)
class Route:
    """`id`: whose id stands in the path; `ok`: the status for a key that may; `writes`: refused to a read-only key."""

    method: str
    path: str
    ok: int = 200
    id: str = ""
    body: Any = None
    writes: bool = field(default=False)

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


def write(method: str, path: str, *, ok: int = 200, id: str = "", body: Any = None) -> Route:
    return Route(method, path, ok=ok, id=id, body={} if body is None and method != "DELETE" else body, writes=True)


LATER = {"starts_at": utc_text(slot_at(12))}
ROUTES = [
    Route("GET", "/me"),
    Route("GET", "/venues"),
    write("POST", "/venues", ok=201, body={"name": "V", "timezone": "UTC", "currency": "EUR"}),
    Route("GET", "/venues/{id}", id="venue"),
    write("PUT", "/venues/{id}", id="venue", body={"name": "W"}),
    write("PATCH", "/venues/{id}", id="venue", body={"name": "W"}),
    write("DELETE", "/venues/{id}", id="spare_venue"),
    Route("GET", "/rooms"),
    write("POST", "/rooms", ok=201, body={"name": "R"}),
    Route("GET", "/rooms/{id}", id="room"),
    write("PUT", "/rooms/{id}", id="room", body={"description": "d"}),
    write("PATCH", "/rooms/{id}", id="room", body={"description": "d"}),
    write("DELETE", "/rooms/{id}", id="spare_room"),
    Route("GET", "/schedules"),
    Route("GET", "/schedules/block"),
    write("POST", "/schedules/block", ok=201, body={"all": True, "date_from": "2027-08-01", "date_to": "2027-08-01"}),
    Route("GET", "/schedules/block/{id}", id="block"),
    write("PUT", "/schedules/block/{id}", id="block", body={"reason": "r"}),
    write("PATCH", "/schedules/block/{id}", id="block", body={"reason": "r"}),
    write("DELETE", "/schedules/block/{id}", id="block"),
    Route("GET", "/customers"),
    write("POST", "/customers", ok=201, body={"name": "C"}),
    Route("GET", "/customers/{id}", id="customer"),
    write("PUT", "/customers/{id}", id="customer", body={"notes": "n"}),
    write("PATCH", "/customers/{id}", id="customer", body={"notes": "n"}),
    write("DELETE", "/customers/{id}", id="spare_customer"),
    Route("GET", "/customers/{id}/export", id="customer"),
    Route("GET", "/bookings"),
    write("POST", "/bookings", ok=201, body={"room": "$room", **LATER, "party_size": 2, "customer": {"name": "B"}}),
    # A quote writes nothing that anybody sees: reading is enough.
    Route("POST", "/bookings/quote", ok=201, body={"room": "$room", **LATER, "party_size": 2}),
    Route("GET", "/bookings/{id}", id="booking"),
    write("PUT", "/bookings/{id}", id="booking", body=LATER),
    write("PATCH", "/bookings/{id}", id="booking", body=LATER),
    write("DELETE", "/bookings/{id}", id="booking"),
    Route("POST", "/bookings/{id}/quote", ok=201, id="booking", body=LATER),
    write("POST", "/bookings/{id}/confirm", id="held"),
    write("POST", "/bookings/{id}/extend", id="held"),
    write("POST", "/bookings/{id}/check-in", id="begun"),
    write("POST", "/bookings/{id}/no-show", id="begun"),
    write("POST", "/bookings/{id}/refunds", ok=201, id="paid", body={"amount": 1_000}),
    Route("GET", "/bookings/{id}/events", id="booking"),
    Route("GET", "/bookings/{id}/payments", id="paid"),
    Route("GET", "/payments"),
    Route("GET", "/payments/export"),
    Route("GET", "/payments/{id}", id="payment"),
    Route("GET", "/bookings/{id}/calendar", id="booking"),
    Route("GET", "/calendar_feeds"),
    write("POST", "/calendar_feeds", ok=201, body={"room": "$room"}),
    Route("GET", "/calendar_feeds/{id}", id="feed"),
    write("PUT", "/calendar_feeds/{id}", id="feed", body={"name": "n"}),
    write("PATCH", "/calendar_feeds/{id}", id="feed", body={"name": "n"}),
    write("DELETE", "/calendar_feeds/{id}", id="feed"),
    Route("GET", "/calendar_imports"),
    write("POST", "/calendar_imports", ok=201, body={"room": "$room", "name": "i", "secret_url": "https://example.com/i.ics"}),
    Route("GET", "/calendar_imports/{id}", id="import"),
    write("PUT", "/calendar_imports/{id}", id="import", body={"name": "n"}),
    write("PATCH", "/calendar_imports/{id}", id="import", body={"name": "n"}),
    write("DELETE", "/calendar_imports/{id}", id="import"),
    write("POST", "/calendar_imports/{id}/sync", ok=202, id="import"),
    write("POST", "/calendar_imports/{id}/pause", id="import"),
    write("POST", "/calendar_imports/{id}/resume", id="import"),
    Route("GET", "/webhook_endpoints"),
    write("POST", "/webhook_endpoints", ok=201, body={"url": "https://example.com/other"}),
    Route("GET", "/webhook_endpoints/{id}", id="endpoint"),
    write("PUT", "/webhook_endpoints/{id}", id="endpoint", body={"description": "d"}),
    write("PATCH", "/webhook_endpoints/{id}", id="endpoint", body={"description": "d"}),
    write("DELETE", "/webhook_endpoints/{id}", id="endpoint"),
    write("POST", "/webhook_endpoints/{id}/rotate-secret", id="endpoint"),
    write("POST", "/webhook_endpoints/{id}/pause", id="endpoint"),
    write("POST", "/webhook_endpoints/{id}/enable", id="endpoint"),
    write("POST", "/webhook_endpoints/{id}/ping", ok=202, id="endpoint"),
    write("POST", "/webhook_endpoints/{id}/test", ok=202, id="endpoint", body={"type": "booking.created"}),
    write("POST", "/webhook_endpoints/{id}/replay", ok=201, id="endpoint", body={"since": "2026-01-01T00:00:00Z"}),
    Route("GET", "/replays"),
    Route("GET", "/replays/{id}", id="replay"),
    write("DELETE", "/replays/{id}", id="replay"),
    Route("GET", "/deliveries"),
    Route("GET", "/deliveries/{id}", id="delivery"),
    write("POST", "/deliveries/{id}/resend", ok=201, id="delivery"),
    Route("GET", "/events"),
    Route("GET", "/events/{id}", id="event"),
    # Not for who may look at everything else.
    Route("GET", "/logs", writes=True),
    Route("GET", "/logs/{id}", id="log", writes=True),
]
WRITES = [route for route in ROUTES if route.method != "GET"]
PUBLIC = {"GET /status", "GET /openapi.json"}


def furnish(player: Player, room: Room, spare: Room) -> dict[str, str]:
    """One object of each kind, by the names that the routes use."""
    endpoint, _ = create_endpoint(by=player.actor, url="https://example.com/hook")
    booking = book(player.actor, room, slot_at(10))
    paid = book(player.actor, room, slot_at(14), payment={"mode": "pos", "amount": 10_000})
    held = book(player.actor, room, slot_at(11), hold=True)
    begun = book(player.actor, room, slot_at(13), customer={"name": "Late"})
    started = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=10)
    Booking.objects.filter(pk=begun.pk).update(starts_at=started, ends_at=started + dt.timedelta(hours=1))
    objects: dict[str, Any] = {
        "key": player.key,
        "venue": room.venue,
        "spare_venue": create_venue(by=player.actor, name="Spare", timezone="UTC", currency="EUR"),
        "room": room,
        "spare_room": spare,
        "block": create_block(by=player.actor, rooms=[room], starts_at=slot_at(30), ends_at=slot_at(31)),
        "customer": booking.customer,
        "spare_customer": create_customer(by=player.actor, name="Spare"),
        "booking": booking,
        "paid": paid,
        "payment": Payment.objects.of(paid.public_id).get(),
        "held": held,
        "begun": begun,
        "feed": create_feed(by=player.actor, room=room)[0],
        "import": create_import(by=player.actor, room=room, name="Team", secret_url="https://example.com/team.ics"),
        "endpoint": endpoint,
        "log": log_entry(player),
        "replay": start_replay(by=player.actor, endpoint=endpoint, since=started),
    }
    relay()  # numbers the events and makes their deliveries; nothing is sent
    objects["delivery"] = Delivery.objects.visible_to(player.actor).select_related("event").first()
    objects["event"] = objects["delivery"].event
    return {name: row.public_id for name, row in objects.items()}


def log_entry(player: Player, **given: Any) -> RequestLogEntry:
    """As a worker writes it down."""
    secret = player.key.secrets.get()
    known = {
        "organization": player.organization,
        "mode": player.key.mode,
        "key": player.key.public_id,
        "key_name": player.key.name,
        "key_prefix": secret.prefix,
        "key_last4": secret.last4,
        "request_id": new_id("req"),
        "method": "GET",
        "path": "/me",
        "status": 200,
        "duration_ms": 1.5,
        "created_at": dt.datetime.now(dt.UTC),
    }
    return RequestLogEntry.objects.create(**{**known, **given})


def fill(value: Any, ids: dict[str, str]) -> Any:
    """`$room` in a body becomes the room's id."""
    if isinstance(value, dict):
        return {name: fill(item, ids) for name, item in value.items()}
    return ids[value[1:]] if isinstance(value, str) and value.startswith("$") else value


def api_views() -> list[tuple[str, Any, str]]:
    """`METHOD /path`, view and action of all that the URL map routes below the API."""
    found = []
    for prefix, pattern in _walk(get_resolver().url_patterns, ""):
        if not prefix.startswith("api/v1/public/") or ".*" in prefix:
            continue
        path = re.sub(r"<[^>]+>", "{id}", prefix.removeprefix("api/v1/public"))
        view, actions = getattr(pattern.callback, "cls", None), getattr(pattern.callback, "actions", {"get": ""})
        found += [(f"{method.upper()} {path}", view, action) for method, action in actions.items() if method != "head"]
    return found


def _walk(patterns: list[URLPattern | URLResolver], prefix: str) -> list[tuple[str, URLPattern]]:
    found = []
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        found += _walk(pattern.url_patterns, path) if isinstance(pattern, URLResolver) else [(path, pattern)]
    return found
