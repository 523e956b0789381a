"""One whole example of every event: what the documents print, what a test event carries, and what tests hold against the
published schemas. Plain data, because the apps whose objects these are stand above this one.

One story: the Vault is sold in Paris; the Lovelaces book it for a Saturday, move to a later game, and then cancel, come or
stay away.
"""

import copy
import datetime as dt
from typing import Any

from organizations.models import Organization
from webhooks.envelope import envelope
from webhooks.models import Event
from webhooks.services.events import changed_attributes
from webhooks.types import EventType

_ORGANIZATION, _KEY, _PERSON = (
    "org_01kjpwd6m0emq8k9w39qsaekf4",
    "key_01kjsbc200e60tak362xesvjfr",
    "usr_01kjpwd6m0f59r7xcc7ks9t3d9",
)
_VENUE, _ROOM, _ENDPOINT = "ven_01kjpwd7k8es8r65rzyjka792g", "rm_01kjq0h1c0e4ma4jz41b93y214", "whe_01kjw96zr0e3pt0yekqqme4qcm"
_CUSTOMER, _BOOKING = "cus_01m6e98pzredqrb018tr4sjm6r", "bkg_01m6e98pzrevr88y42wdngtn4v"
_BY_KEY, _BY_PERSON = {"type": "api_key", "id": _KEY}, {"type": "user", "id": _PERSON}
_BY_ITSELF = {"type": "system", "id": "system"}
_T = EventType

_BOOKED: dict[str, Any] = {
    "object": "booking",
    "id": _BOOKING,
    "reference": "K7QXM3TR",
    "external_id": "order-1041",
    "status": "confirmed",
    "payment_status": "paid",
    "version": 1,
    "room": _ROOM,
    "venue": _VENUE,
    "customer": _CUSTOMER,
    "starts_at": "2026-11-21T16:30:00Z",
    "ends_at": "2026-11-21T17:30:00Z",
    "starts_at_local": "2026-11-21T17:30:00+01:00",
    "ends_at_local": "2026-11-21T18:30:00+01:00",
    "timezone": "Europe/Paris",
    "party_size": 4,
    "private": True,
    "guests": [{"name": "Charles"}],
    "contact": {"name": "Ada Lovelace", "email": "ada@example.com", "phone": "+33612345678", "language": "en"},
    "answers": {"occasion": "birthday"},
    "notes_customer": "We come by train and may be a few minutes late.",
    "notes_internal": "",
    "price": {
        "currency": "EUR",
        "lines": [{"kind": "base", "label": "4 players", "quantity": 1, "amount": 15000}],
        "subtotal": 12500,
        "tax": 2500,
        "total": 15000,
    },
    "currency": "EUR",
    "amount_paid": 15000,
    "amount_refunded": 0,
    "amount_due": 0,
    "deadlines": {"free_cancel_until": "2026-11-19T16:30:00Z", "reschedule_until": "2026-11-21T14:30:00Z"},
    "hold_expires_at": None,
    "source": "api",
    "created_by": _BY_KEY,
    "canceled": None,
    "metadata": {"campaign": "autumn"},
    "created_at": "2026-11-02T14:05:31.184209Z",
    "updated_at": "2026-11-02T14:05:31.190466Z",
}
_MOVED = _BOOKED | {
    "version": 2,
    "starts_at": "2026-11-21T18:00:00Z",
    "ends_at": "2026-11-21T19:00:00Z",
    "starts_at_local": "2026-11-21T19:00:00+01:00",
    "ends_at_local": "2026-11-21T20:00:00+01:00",
    "deadlines": {"free_cancel_until": "2026-11-19T18:00:00Z", "reschedule_until": "2026-11-21T16:00:00Z"},
    "updated_at": "2026-11-03T09:12:44.530817Z",
}
_CANCELED = _MOVED | {
    "status": "canceled",
    "payment_status": "refunded",
    "version": 3,
    "amount_refunded": 15000,
    "canceled": {"at": "2026-11-10T18:40:02.007511Z", "reason": "Two of us are ill.", "by": _BY_PERSON},
    "updated_at": "2026-11-10T18:40:02.011940Z",
}
_CHECKED_IN = _MOVED | {"status": "checked_in", "version": 3, "updated_at": "2026-11-21T17:55:10.402118Z"}
_COMPLETED = _CHECKED_IN | {"status": "completed", "version": 4, "updated_at": "2026-11-21T19:00:58.274630Z"}
_NO_SHOW = _MOVED | {"status": "no_show", "version": 3, "updated_at": "2026-11-21T18:30:21.650093Z"}

_ROOM_MADE: dict[str, Any] = {
    "object": "room",
    "id": _ROOM,
    "name": "The Vault",
    "slug": "the-vault",
    "status": "active",
    "venue": _VENUE,
    "external_id": None,
    "description": "An hour to open a bank from the inside.",
    "images": ["https://images.example.com/vault.jpg"],
    "category": "heist",
    "difficulty": 3,
    "min_age": 10,
    "languages": ["en", "fr"],
    "booking_mode": "private",
    "duration_minutes": 60,
    "setup_minutes": 0,
    "turnaround_minutes": 20,
    "min_party": 2,
    "max_party": 6,
    "capacity": 6,
    "timezone": "Europe/Paris",
    "schedule": {
        "rules": [
            {"weekdays": [1, 2, 3, 4, 5], "start_times": ["17:00", "18:30"]},
            {"weekdays": [6, 7], "first_start": "10:00", "last_start": "20:30", "interval_minutes": 90},
        ],
        "overrides": [],
    },
    "pricing": {
        "adjustments": [],
        "deposit": None,
        "private_upgrade": None,
        "model": "tiered",
        "currency": "EUR",
        "tiers": [{"min": 2, "max": 3, "amount": 9000}, {"min": 4, "max": 6, "amount": 15000}],
    },
    "lead_time_minutes": 0,
    "horizon_days": 90,
    "hold_minutes": 10,
    "cancellation_policy": None,
    "reschedule_policy": None,
    "custom_fields": [{"key": "occasion", "label": "What do you celebrate?", "type": "text", "required": False}],
    "metadata": {},
    "version": 1,
    "created_at": "2026-03-02T10:12:00.218340Z",
    "updated_at": "2026-03-02T10:12:00.220115Z",
}
_ROOM_UPDATED = _ROOM_MADE | {
    "description": "An hour to open a bank from the inside. Newly rebuilt.",
    "lead_time_minutes": 60,
    "version": 2,
    "updated_at": "2026-09-14T08:30:19.733201Z",
}
_ROOM_RESCHEDULED = _ROOM_UPDATED | {
    "schedule": _ROOM_MADE["schedule"] | {"overrides": [{"date": "2026-12-25", "closed": True}]},
    "version": 3,
    "updated_at": "2026-11-05T08:28:40.096254Z",
}
_ROOM_ARCHIVED = _ROOM_RESCHEDULED | {"status": "archived", "version": 4, "updated_at": "2027-01-31T17:02:06.518877Z"}

_BLOCK: dict[str, Any] = {
    "object": "block",
    "id": "blk_01m6nd8gt0efct6h2vpcbkhxys",
    "scope": "rooms",
    "rooms": [_ROOM],
    "venue": None,
    "starts_at": "2026-12-01T08:00:00Z",
    "ends_at": "2026-12-01T17:00:00Z",
    "starts_at_local": "2026-12-01T09:00:00+01:00",
    "ends_at_local": "2026-12-01T18:00:00+01:00",
    "timezone": "Europe/Paris",
    "date_from": None,
    "date_to": None,
    "recurrence": None,
    "kind": "maintenance",
    "reason": "The safe door is being repaired.",
    "version": 1,
    "created_at": "2026-11-05T08:30:00.114903Z",
    "updated_at": "2026-11-05T08:30:00.117468Z",
}

_CUSTOMER_MADE: dict[str, Any] = {
    "object": "customer",
    "id": _CUSTOMER,
    "name": "Ada Lovelace",
    "email": "ada@example.com",
    "phone": "+33612345678",
    "language": "en",
    "tags": [],
    "notes": "",
    "marketing_consent": {"value": True, "at": "2026-11-02T14:05:31.170052Z", "source": "checkout"},
    "metadata": {},
    "version": 1,
    "created_at": "2026-11-02T14:05:31.171866Z",
    "updated_at": "2026-11-02T14:05:31.172303Z",
}
_CUSTOMER_UPDATED = _CUSTOMER_MADE | {
    "tags": ["vip"],
    "notes": "Plays every season.",
    "version": 2,
    "updated_at": "2026-11-04T16:20:08.447729Z",
}

_PAID: dict[str, Any] = {
    "object": "payment",
    "id": "pay_01m6e98zs0ev5b9ts55c7j3qdp",
    "booking": _BOOKING,
    "mode": "stripe",
    "status": "succeeded",
    "amount": 15000,
    "amount_refunded": 0,
    "currency": "EUR",
    "reference": "",
    "failure": None,
    "stripe": {"payment_intent": "pi_3SP2ZlFnVpZ8XyQ81mXkTqLh", "charge": "ch_3SP2ZlFnVpZ8XyQ81vYb5uWd"},
    "version": 2,
    "created_at": "2026-11-02T14:05:31.188002Z",
    "updated_at": "2026-11-02T14:05:40.305514Z",
    "succeeded_at": "2026-11-02T14:05:40.301886Z",
}
_DECLINED = _PAID | {
    "id": "pay_01m6e98hm0fpwr7c2n5tq9xb4k",
    "status": "failed",
    "failure": {"code": "insufficient_funds", "message": "Your card has insufficient funds."},
    "stripe": {"payment_intent": "pi_3SP2ZeFnVpZ8XyQ80bCm4RsJ", "charge": None},
    "created_at": "2026-11-02T14:05:23.840170Z",
    "updated_at": "2026-11-02T14:05:25.613928Z",
    "succeeded_at": None,
}

_ENDPOINT_MADE: dict[str, Any] = {
    "object": "webhook_endpoint",
    "id": _ENDPOINT,
    "url": "https://hooks.example.com/bookingflow",
    "description": "The till",
    "event_types": ["booking.created", "booking.updated", "booking.canceled"],
    "header_names": ["X-Branch"],
    "status": "active",
    "disabled_reason": None,
    "disabled_at": None,
    "failing_since": None,
    "resting_until": None,
    "version": 1,
    "created_at": "2026-03-04T11:20:00.620971Z",
    "updated_at": "2026-03-04T11:20:00.623508Z",
}

# Each type: who did it, the object after it, and before it where there was a before.
_STORY: dict[EventType, tuple[dict[str, str], dict[str, Any], dict[str, Any]]] = {
    _T.BOOKING_CREATED: (_BY_KEY, _BOOKED, {}),
    _T.BOOKING_UPDATED: (_BY_KEY, _MOVED, _BOOKED),
    _T.BOOKING_CANCELED: (_BY_PERSON, _CANCELED, _MOVED),
    _T.BOOKING_COMPLETED: (_BY_ITSELF, _COMPLETED, _CHECKED_IN),
    _T.BOOKING_NO_SHOW: (_BY_PERSON, _NO_SHOW, _MOVED),
    _T.PAYMENT_SUCCEEDED: (_BY_ITSELF, _PAID, {}),
    _T.PAYMENT_FAILED: (_BY_ITSELF, _DECLINED, {}),
    _T.PAYMENT_REFUNDED: (
        _BY_ITSELF,
        _PAID | {"amount_refunded": 15000, "version": 4, "updated_at": "2026-11-10T18:40:03.740226Z"},
        {},
    ),
    _T.ROOM_CREATED: (_BY_PERSON, _ROOM_MADE, {}),
    _T.ROOM_UPDATED: (_BY_PERSON, _ROOM_UPDATED, _ROOM_MADE),
    _T.ROOM_ARCHIVED: (_BY_PERSON, _ROOM_ARCHIVED, _ROOM_RESCHEDULED),
    _T.SCHEDULE_BLOCKED: (_BY_PERSON, _BLOCK, {}),
    _T.SCHEDULE_UNBLOCKED: (_BY_PERSON, _BLOCK, {}),
    _T.SCHEDULE_UPDATED: (_BY_PERSON, _ROOM_RESCHEDULED, _ROOM_UPDATED),
    _T.CUSTOMER_CREATED: (_BY_KEY, _CUSTOMER_MADE, {}),
    _T.CUSTOMER_UPDATED: (_BY_PERSON, _CUSTOMER_UPDATED, _CUSTOMER_MADE),
    _T.CUSTOMER_DELETED: (_BY_PERSON, {"object": "customer", "id": _CUSTOMER, "deleted": True}, {}),
    _T.WEBHOOK_PING: (_BY_PERSON, _ENDPOINT_MADE, {}),
}
# Where the object does not tell when it happened, or of which version it was.
_HAPPENED = {
    _T.SCHEDULE_UNBLOCKED: (2, "2026-11-30T15:11:27.805360Z"),
    _T.CUSTOMER_DELETED: (3, "2027-02-12T10:00:33.961708Z"),
    _T.WEBHOOK_PING: (1, "2026-11-02T13:58:12.239045Z"),
}


def example_object(type: EventType) -> dict[str, Any]:
    """The object as an event of that type carries it, in its base shape; the caller's to change."""
    return copy.deepcopy(_STORY[type][1])


def example_envelope(type: EventType) -> dict[str, Any]:
    """The whole event, always the same: its bytes are `to_bytes` of it, as a receiver gets them."""
    by, object, before = _STORY[type]
    version, happened = _HAPPENED.get(type) or (object["version"], object["updated_at"])
    number = list(EventType).index(type)
    event = Event(
        public_id=f"evt_01m6e98q60f46bs8r42wfv2{number:03}",
        organization=Organization(public_id=_ORGANIZATION),
        type=type.value,
        sequence=4180 + number,
        occurred_at=dt.datetime.fromisoformat(happened),
        object_type=object["object"],
        object_id=object["id"],
        object_version=version,
        data={"object": object, "previous_attributes": changed_attributes(before, object)},
        actor_type=by["type"],
        actor_id=by["id"],
        request_id="" if by == _BY_ITSELF else f"req_01m6e98q2wee9ag9yxnpgq1{number:03}",
        idempotency_key="order-1041" if by == _BY_KEY and version == 1 else "",
        is_test=type == _T.WEBHOOK_PING,
    )
    return copy.deepcopy(envelope(event))
