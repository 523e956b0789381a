"""An event as it is sent and as `GET /events` shows it."""

from typing import Any

from common.walltime import utc_text
from developers.renderers import to_bytes
from webhooks.models import Event

API_VERSION = "2026-11-01"
MAX_BYTES = 64 * 1024
_NOTHING = {"data": {"object": None, "previous_attributes": {}}, "truncated": True}
_COLLECTIONS = {
    "booking": "bookings",
    "room": "rooms",
    "block": "schedules/block",
    "customer": "customers",
    "payment": "payments",
    "webhook_endpoint": "webhook_endpoints",
}


def body(event: Event) -> bytes:
    """The bytes that are kept and sent, but for the number, which is null here until the relay puts it in. `event` comes
    with its organization.

    Above 64 kB, and once its payload is past keeping, `data.object` is null and `truncated` true: fetch the object by its url.
    """
    content = envelope(event)
    found = to_bytes(content)
    return found if len(found) <= MAX_BYTES else to_bytes(content | _NOTHING)


def envelope(event: Event) -> dict[str, Any]:
    """The whole event, however large."""
    organization = event.organization
    return {
        "id": event.public_id,
        "type": event.type,
        "api_version": API_VERSION,
        "timestamp": utc_text(event.occurred_at),
        "mode": organization.mode,
        "organization": organization.public_id,
        "sequence": event.sequence,
        "object": {
            "type": event.object_type,
            "id": event.object_id,
            "version": event.object_version,
            "url": f"/api/v1/public/{_COLLECTIONS[event.object_type]}/{event.object_id}",
        },
        "actor": {"type": event.actor_type, "id": event.actor_id},
        "request": {"id": event.request_id or None, "idempotency_key": event.idempotency_key or None},
        "data": event.data or _NOTHING["data"],
        "test": event.is_test,
        "truncated": not event.data,
    }
