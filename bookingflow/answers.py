"""An example of what every operation answers, out of the story that the events tell (webhooks/examples.py)."""

import json
from typing import Any

from bookingflow.refusals import refusal_examples
from bookings.ledger import COLUMNS
from developers.examples import EXAMPLES
from organizations.permissions import Scope
from webhooks.examples import example_envelope, example_object
from webhooks.types import EventType

_T = EventType
_EVENT = example_envelope(_T.BOOKING_CREATED)
_BOOKING, _MOVED = example_object(_T.BOOKING_CREATED), example_object(_T.BOOKING_UPDATED)
_ROOM, _BLOCK = example_object(_T.ROOM_CREATED), example_object(_T.SCHEDULE_BLOCKED)
_CUSTOMER, _PAYMENT = example_object(_T.CUSTOMER_CREATED), example_object(_T.PAYMENT_SUCCEEDED)
_ENDPOINT = example_object(_T.WEBHOOK_PING)
_KEY, _TOTAL, _CURRENCY = _BOOKING["created_by"]["id"], _BOOKING["price"]["total"], _BOOKING["currency"]
_ADA, _GROUP = {"customer": _CUSTOMER["id"]}, {"room": _ROOM["id"], "timezone": _ROOM["timezone"], "party_size": 4}

DELIVERY, REPLAY, LOG = "dlv_01m6e98q8nf8a9kq5h6m3z7r2t", "rpl_01m7c2fh3ve6wb1x8j4s5n9d0g", "log_01m7c2gq5t0y9r3n6k8w2d4h1a"
# A free slot of that Saturday, in UTC and on the clock there, and what holds for a booking of it.
FREE, _FREE_LOCAL = "2026-11-21T19:30:00Z", "2026-11-21T20:30:00+01:00"
_FREE_DEADLINES = {"free_cancel_until": "2026-11-19T19:30:00Z", "reschedule_until": "2026-11-21T17:30:00Z"}


def _page(one: dict[str, Any]) -> dict[str, Any]:
    return {"object": "list", "data": [one], "has_more": False, "next_cursor": None, "prev_cursor": None}


def _asked(call: str) -> dict[str, Any]:
    """The body of the operation's example."""
    return EXAMPLES[call].body or {}


def _after(before: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**before, "version": before["version"] + 1, "updated_at": "2026-11-06T09:41:17.202955Z", **changes}


def _refunded(amount: int, reason: str) -> dict[str, Any]:
    named = {"object": "refund", "id": "ref_01m6e9axk0eq3s8t5v7w9y1z2b", "status": "succeeded", "amount": amount}
    told = {"payment": _PAYMENT["id"], "booking": _BOOKING["id"], "currency": _CURRENCY, "reason": reason, "failure": ""}
    times = {"created_at": "2026-11-10T18:40:02.009114Z", "succeeded_at": "2026-11-10T18:40:03.738401Z"}
    return {**named, "currency": _CURRENCY, "refunds": [{**named, **told, **times}]}


_PRICE_CHANGE = {"old": _TOTAL, "new": _TOTAL, "fee": 0, "due": 0, "refund": 0, "currency": _CURRENCY}
_CHANGED = {
    **_MOVED,
    "party_size": 5,
    "price": {**_MOVED["price"], "lines": [{**_MOVED["price"]["lines"][0], "label": "5 players"}]},
    "price_change": _PRICE_CHANGE,
}
_CANCELED = {
    **example_object(_T.BOOKING_CANCELED),
    "canceled": {"at": "2026-11-10T18:40:02.007511Z", "reason": "Illness", "by": _BOOKING["created_by"]},
    "refund": _refunded(_TOTAL, "Illness"),
}
_REFUND = _asked("refund_booking")
_PARTLY_REFUNDED = {
    **_after(_BOOKING),
    "payment_status": "partially_refunded",
    "amount_refunded": _REFUND["amount"],
    "amount_due": _REFUND["amount"],
    "refund": _refunded(_REFUND["amount"], _REFUND["reason"]),
}
_HELD = {
    **_after(_BOOKING),
    "status": "held",
    "payment_status": "unpaid",
    "amount_paid": 0,
    "amount_due": _TOTAL,
    "hold_expires_at": "2026-11-06T09:51:17.202955Z",
}
_CHECKED_IN = {**_MOVED, "status": "checked_in", "version": 3, "updated_at": "2026-11-21T17:55:10.402118Z"}
_HISTORY = {
    "object": "booking_event",
    "at": _MOVED["updated_at"],
    "actor": _BOOKING["created_by"],
    "action": "moved",
    "changes": {"starts_at": [_BOOKING["starts_at"], _MOVED["starts_at"]]},
    "request_id": _EVENT["request"]["id"],
}
_QUOTE = {
    "object": "quote",
    "id": "quo_01m6e97w2cf5v8k3n1r6t9x4zd",
    "kind": "create",
    "booking": None,
    **_GROUP,
    "starts_at": FREE,
    "starts_at_local": _FREE_LOCAL,
    "private": True,
    "price": _BOOKING["price"],
    "currency": _CURRENCY,
    "fee": 0,
    "due": _TOTAL,
    "refund": 0,
    "deadlines": _FREE_DEADLINES,
    "sentence": "Sat 21 Nov 2026, 20:30 Paris time, 4 players, €150, free cancellation until Thu 19 Nov 2026, 20:30.",
    "expires_at": "2026-11-02T14:33:07.518226Z",
}
_STATS = {
    "bookings": 1,
    "upcoming": 1,
    "visits": 0,
    "canceled": 0,
    "no_shows": 0,
    **dict.fromkeys(("first_booking_at", "last_booking_at"), _BOOKING["starts_at"]),
    "spent": {_CURRENCY: _TOTAL},
}
_DAY = {
    "object": "availability_day",
    "room": _ROOM["id"],
    "date": "2026-11-21",
    "timezone": _ROOM["timezone"],
    "status": "available",
    "slots": [
        {
            "starts_at": FREE,
            "starts_at_local": _FREE_LOCAL,
            "ends_at": "2026-11-21T20:30:00Z",
            "ends_at_local": "2026-11-21T21:30:00+01:00",
            "timezone": _ROOM["timezone"],
            "status": "available",
            "reasons": [],
            "capacity": 6,
            "seats_left": 6,
            "min_party": 2,
            "max_party": 6,
            "private_available": True,
            "price": {"amount": _TOTAL, "currency": _CURRENCY, "party_size": 4},
            "book_by": FREE,
        }
    ],
}
_VENUE = {
    "object": "venue",
    "id": _ROOM["venue"],
    "name": "Paris",
    "timezone": _ROOM["timezone"],
    "currency": _CURRENCY,
    "tax": {"rate": "20", "inclusive": True, "label": "TVA"},
    "weekly_hours": [],
    "cancellation_policy": {
        "windows": [{"hours_before": 48, "refund_percent": 100}, {"hours_before": 24, "refund_percent": 50}],
        "fee": 0,
        "deposit_refundable": True,
    },
    "reschedule_policy": {"windows": [{"hours_before": 2, "allowed": True, "fee": 0}], "max_times": None},
    "is_default": True,
    "version": 1,
    "created_at": "2026-03-02T10:08:41.305118Z",
    "updated_at": "2026-03-02T10:08:41.306240Z",
}
_FEED = {
    "object": "calendar_feed",
    "id": "cfd_01m7c2gq5t0y9r3n6k8w2d4h1b",
    **_asked("create_calendar_feed"),
    "room": None,
    "venue": _ROOM["venue"],
    "prefix": "bkc_7Qm2",
    "last_read_at": "2026-11-05T08:30:12.402718Z",
    "version": 1,
    "created_at": "2026-11-05T08:12:44.118263Z",
    "updated_at": "2026-11-05T08:12:44.118263Z",
}
_IMPORT = {
    "object": "calendar_import",
    "id": "cim_01m7c2fh3ve6wb1x8j4s5n9d0h",
    "name": _asked("create_calendar_import")["name"],
    "room": _ROOM["id"],
    "venue": None,
    "host": "calendar.example.com",
    "include_titles": False,
    "state": "ok",
    "failure": None,
    "failure_detail": None,
    "failing_since": None,
    "checked_at": "2026-11-05T09:20:03.551906Z",
    "synced_at": "2026-11-05T09:20:03.551906Z",
    "version": 1,
    "created_at": "2026-11-05T08:20:31.700412Z",
    "updated_at": "2026-11-05T08:20:31.700412Z",
}
_NOT_READ_YET = {**_IMPORT, "state": "pending", "checked_at": None, "synced_at": None}
_ICS = (
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//BookingFlow//Calendar//EN",
    "METHOD:PUBLISH",
    "BEGIN:VEVENT",
    f"UID:{_BOOKING['id']}@bookings.example.com",
    "SEQUENCE:1",
    "DTSTAMP:20261102T140531Z",
    "DTSTART;TZID=Europe/Paris:20261121T173000",
    "DTEND;TZID=Europe/Paris:20261121T183000",
    f"SUMMARY:{_ROOM['name']} · {_BOOKING['party_size']} players",
    "STATUS:CONFIRMED",
    "END:VEVENT",
    "END:VCALENDAR",
)
_SECRET = {"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}  # the one that Standard Webhooks shows
_DELIVERY = {
    "object": "delivery",
    "id": DELIVERY,
    "endpoint": _ENDPOINT["id"],
    "event": _EVENT["id"],
    "event_type": _EVENT["type"],
    "event_object": _BOOKING["id"],
    "state": "scheduled",
    "attempts": 1,
    "status_code": 503,
    "failure": "http",
    "next_attempt_at": "2026-11-02T14:05:37.402771Z",
    "replay_of": None,
    "replay": None,
    "version": 2,
    "created_at": "2026-11-02T14:05:31.214480Z",
    "finished_at": None,
}
_ATTEMPT = {
    "number": 1,
    "started_at": "2026-11-02T14:05:31.231902Z",
    "seconds": 0.166,
    "status_code": 503,
    "failure": "http",
    "answer": "Down for maintenance",
    "answer_headers": {"Content-Type": "text/plain"},
    "late": False,
}
_AGAIN = {
    **_DELIVERY,
    "id": "dlv_01m6e9r0v4e7z2c5n8q1w3t6yk",
    "state": "pending",
    "attempts": 0,
    "status_code": None,
    "failure": None,
    "next_attempt_at": "2026-11-02T14:15:02.830417Z",
    "replay_of": DELIVERY,
    "version": 1,
    "created_at": "2026-11-02T14:15:02.830419Z",
}
_STRETCH = {
    "endpoint": _ENDPOINT["id"],
    "since": "2026-11-01T00:00:00Z",
    "until": "2026-11-12T08:20:14.700912Z",
    "types": ["booking.created"],
    "only_failed": True,
    "total": 12,
}
_REPLAY = {
    "object": "replay",
    "id": REPLAY,
    **_STRETCH,
    "state": "running",
    "queued": 0,
    "succeeded": 0,
    "version": 1,
    "created_at": "2026-11-12T08:20:14.701344Z",
    "finished_at": None,
}
_TAKEN = refusal_examples()["slot_unavailable"]["value"]
_LOG = {
    "object": "log_entry",
    "id": LOG,
    "tool": None,
    "request_id": _TAKEN["request_id"],
    "mode": "live",
    "method": "POST",
    "path": "/bookings",
    "query": "",
    "status": _TAKEN["status"],
    "error_code": _TAKEN["code"],
    "duration_ms": 18.4,
    "key": _KEY,
    "key_name": "Till",
    "key_prefix": "bkf_live_WREO",
    "key_last4": "uL41",
    "client_address": "203.0.113.7",
    "user_agent": "till/3",
    "idempotency_key": "order-1041-20461",
    "replayed": False,
    "dry_run": False,
    "created_at": "2026-11-12T08:21:33.405120Z",
}
_SAID = {
    "request_headers": {"Authorization": "••••••••", "Content-Type": "application/json", "User-Agent": "till/3"},
    "request_body": json.dumps({"room": _ROOM["id"], "starts_at": _BOOKING["starts_at"], "party_size": 4, **_ADA}),
    "request_body_is_cut": False,
    "answer_headers": {"Content-Type": "application/problem+json", "Request-Id": _TAKEN["request_id"]},
    "answer_body": json.dumps(_TAKEN),
    "answer_body_is_cut": False,
    "erased": False,
}
_CONTEXT = {
    "object": "key_context",
    "organization": {"id": _EVENT["organization"], "name": "Lock & Key", "plan": "business"},
    "key": {
        "id": _KEY,
        "name": "Till",
        "prefix": "bkf_live_WREO",
        "last4": "uL41",
        "preset": "custom",
        "scopes": sorted([Scope.BOOKINGS_READ.value, Scope.BOOKINGS_WRITE.value, Scope.ROOMS_READ.value]),
        "expires_at": None,
        "networks": ["203.0.113.0/24"],
        "rooms": [],
        "caps": {"currency": "EUR", "max_amount_per_booking": None, "max_amount_per_day": 200000, "max_open_holds": 10},
    },
    "mode": "live",
    "rate_limit": {"per_minute": 1200, "burst": 200, "organization_per_minute": 2400, "organization_burst": 400},
}
_STATUS = {
    "object": "status",
    "status": "ok",
    "database": "ok",
    "redis": "ok",
    "tasks_waiting": 0,
    "webhook_lag_seconds": 0.0,
    "time": "2026-11-12T08:20:14Z",
}
_PAID_ON = "2026-11-02T14:05:40Z"
_MONEY = (
    _PAID_ON,
    "payment",
    _PAYMENT["id"],
    _PAYMENT["id"],
    _BOOKING["id"],
    _BOOKING["reference"],
    "15000",
    "150.00",
    _CURRENCY,
)
_STRIPE = (_PAYMENT["mode"], _PAYMENT["status"], "", *_PAYMENT["stripe"].values(), "")

# By the operation, with the status where that says more; else by the name of the component.
ANSWERS: dict[str, Any] = {
    "get_status 503": {**_STATUS, "status": "degraded", "database": "down", "webhook_lag_seconds": None},
    "list_bookings": _page({**_BOOKING, "customer": _CUSTOMER}),
    "get_booking": {**_BOOKING, "room": _ROOM, "customer": _CUSTOMER},
    "check_in": _CHECKED_IN,
    "mark_no_show": example_object(_T.BOOKING_NO_SHOW),
    "extend_hold": _HELD,
    "quote_change": {**_QUOTE, "kind": "change", "booking": _BOOKING["id"], "due": 0},
    "change_room": example_object(_T.ROOM_UPDATED),
    "archive_room": example_object(_T.ROOM_ARCHIVED),
    "change_block": _after({**_BLOCK, "conflicts": []}, **_asked("change_block")),
    "change_customer": _after(_CUSTOMER, **_asked("change_customer")),
    "change_venue": _after(_VENUE, **_asked("change_venue"), is_default=False),
    "delete_venue": {"object": "venue", "id": _VENUE["id"], "deleted": True},
    "change_webhook_endpoint": _after(_ENDPOINT, **_asked("change_webhook_endpoint")),
    "pause_webhook_endpoint": _after(_ENDPOINT, **_asked("pause_webhook_endpoint"), status="paused"),
    "ping_webhook_endpoint": {"object": "event", "id": example_envelope(_T.WEBHOOK_PING)["id"], "type": "webhook.ping"},
    "resend_delivery": _AGAIN,
    "cancel_replay": {**_REPLAY, "state": "canceled", "version": 2, "finished_at": "2026-11-12T08:22:50.118263Z"},
    "export_payments": "\r\n".join(map(",".join, (COLUMNS, (*_MONEY, *_STRIPE)))) + "\r\n",
    "Booking": _BOOKING,
    "PaidBooking": _BOOKING,
    "ChangedBooking": _CHANGED,
    "CanceledBooking": _CANCELED,
    "RefundedBooking": _PARTLY_REFUNDED,
    "BookingHistory": _HISTORY,
    "Quote": _QUOTE,
    "Room": _ROOM,
    "RoomWithAvailability": {**_ROOM, "availability": [_DAY]},
    "Availability": {"object": "list", "data": [_DAY], "has_more": False},
    "Venue": _VENUE,
    "Block": _BLOCK,
    "BlockWithConflicts": {**_BLOCK, "conflicts": []},
    "Customer": _CUSTOMER,
    "CustomerProfile": {
        **_CUSTOMER,
        "stats": _STATS,
        "bookings": {
            "object": "list",
            "data": [_BOOKING],
            "has_more": False,
            "url": f"/api/v1/public/bookings?customer={_CUSTOMER['id']}",
        },
    },
    "CustomerExport": {
        "object": "customer_export",
        "customer": _CUSTOMER,
        "stats": _STATS,
        "bookings": [_BOOKING],
        "payments": [_PAYMENT],
    },
    "ErasedCustomer": example_object(_T.CUSTOMER_DELETED),
    "Payment": _PAYMENT,
    "PaymentWithRefunds": {**_PAYMENT, "refunds": []},
    "Endpoint": _ENDPOINT,
    "EndpointWithSecret": {**_ENDPOINT, **_SECRET},
    "EndpointWithHeld": {**_ENDPOINT, "held": {"count": 0, "oldest_at": None}},
    "EnabledEndpoint": {**_ENDPOINT, "version": 3, "released": 4},
    "DeletedEndpoint": {"object": "webhook_endpoint", "id": _ENDPOINT["id"], "deleted": True},
    "SentEvent": {"object": "event", "id": example_envelope(_T.BOOKING_CANCELED)["id"], "type": "booking.canceled"},
    "Delivery": _DELIVERY,
    "DeliveryWithAttempts": {**_DELIVERY, "attempts_log": [_ATTEMPT]},
    "Replay": _REPLAY,
    "ReplayPreview": {"object": "replay_preview", **_STRETCH},
    "Event": _EVENT,
    "EventPage": {"object": "list", "data": [_EVENT], "has_more": False, "next_after": _EVENT["sequence"]},
    "change_calendar_feed": _after(_FEED, **_asked("change_calendar_feed")),
    "change_calendar_import": _after(_NOT_READ_YET, **_asked("change_calendar_import")),
    "create_calendar_import": _NOT_READ_YET,
    "pause_calendar_import": _after(_IMPORT, state="paused"),
    "revoke_calendar_feed": {"object": "calendar_feed", "id": _FEED["id"], "deleted": True},
    "delete_calendar_import": {"object": "calendar_import", "id": _IMPORT["id"], "deleted": True},
    "get_booking_calendar": "\r\n".join(_ICS) + "\r\n",
    "CalendarFeed": _FEED,
    "CalendarFeedWithAddress": {
        **_FEED,
        "last_read_at": None,
        "secret_url": "https://bookings.example.com/calendars/bkc_7Qm2vT8xK4dR9wZ3.ics",
    },
    "CalendarImport": _IMPORT,
    "CalendarImportWithConflicts": {**_IMPORT, "conflicts": [_BOOKING["id"]]},
    "LogEntry": _LOG,
    "LogEntryWithBodies": {**_LOG, **_SAID},
    "KeyContext": _CONTEXT,
    "Status": _STATUS,
    "Deleted": {"object": "block", "id": _BLOCK["id"], "deleted": True},
}


def answer_of(operation: str, status: str, component: str) -> Any:
    """Of the operation, else of the component, or a page of such. Raises KeyError where there is none."""
    for name in (f"{operation} {status}", operation, component):
        if name in ANSWERS:
            return ANSWERS[name]
    return _page(ANSWERS[component.removeprefix("Paginated").removesuffix("List")])
