"""An example call for every operation of the API: the documents print them, and a test runs each one.

Values such as `$ROOM` are shell variables that the documents' set-up block fills in.
"""

import re
from dataclasses import dataclass, field
from typing import Any

VARIABLE = re.compile(r"\$\{?([A-Z_]+)\}?")


@dataclass(frozen=True, slots=True)
class Example:
    """`id` fills the path's {id}; `query` stands behind the path as it is; `body` is sent as JSON."""

    id: str = ""
    query: str = ""
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)


_SLOT: dict[str, Any] = {"room": "$ROOM", "starts_at": "$SLOT", "party_size": 4}
_ONCE = {"Idempotency-Key": "order-1041-$RANDOM"}

EXAMPLES: dict[str, Example] = {
    "get_me": Example(),
    "get_status": Example(),
    "list_venues": Example(query="?limit=10"),
    "create_venue": Example(body={"name": "Annex", "timezone": "Europe/Paris", "currency": "EUR"}),
    "get_venue": Example(id="$VENUE"),
    "change_venue": Example(id="$SPARE_VENUE", body={"name": "Annex, second floor"}),
    "delete_venue": Example(id="$SPARE_VENUE"),
    "list_rooms": Example(query="?status=active&limit=10"),
    "create_room": Example(
        body={
            "name": "The Vault",
            "venue": "$VENUE",
            "duration_minutes": 60,
            "turnaround_minutes": 20,
            "min_party": 2,
            "max_party": 6,
            "capacity": 6,
            "booking_mode": "private",
            "schedule": {
                "rules": [
                    {"weekdays": [1, 2, 3, 4, 5], "start_times": ["17:00", "18:30"]},
                    {"weekdays": [6, 7], "first_start": "10:00", "last_start": "20:30", "interval_minutes": 90},
                ],
                "overrides": [{"date": "2026-12-25", "closed": True}],
            },
            "pricing": {
                "model": "tiered",
                "currency": "EUR",
                "tiers": [{"min": 2, "max": 3, "amount": 9000}, {"min": 4, "max": 6, "amount": 15000}],
            },
        }
    ),
    "get_room": Example(id="$ROOM", query="?availability_days=7&party_size=4"),
    "change_room": Example(id="$SPARE_ROOM", body={"description": "Newly rebuilt.", "lead_time_minutes": 60}),
    "archive_room": Example(id="$SPARE_ROOM"),
    "list_schedules": Example(query="?room=$ROOM&date_from=$DAY&date_to=$DAY&party_size=4"),
    "list_blocks": Example(query="?limit=10"),
    "create_block": Example(
        body={
            "rooms": ["$SPARE_ROOM"],
            "starts_at": "${DAY}T08:00:00Z",
            "ends_at": "${DAY}T10:00:00Z",
            "recurrence": {"freq": "weekly", "interval": 1, "count": 4},
            "kind": "maintenance",
            "reason": "New locks",
        }
    ),
    "get_block": Example(id="$BLOCK"),
    "change_block": Example(id="$BLOCK", body={"reason": "New locks and lights"}),
    "delete_block": Example(id="$BLOCK"),
    "list_customers": Example(query="?q=ada&limit=10"),
    "create_customer": Example(
        body={
            "name": "Grace Hopper",
            "email": "grace.$RANDOM@example.com",
            "phone": "+33612345678",
            "marketing_consent": {"value": True, "source": "checkout"},
        }
    ),
    "get_customer": Example(id="$CUSTOMER"),
    "change_customer": Example(id="$CUSTOMER", body={"tags": ["regular"], "notes": "Likes horror rooms."}),
    "erase_customer": Example(id="$LEAVING"),
    "export_customer": Example(id="$CUSTOMER"),
    "list_bookings": Example(query="?date=$DAY&status=confirmed&expand=customer"),
    "get_booking": Example(id="$BOOKING", query="?expand=room,customer"),
    "create_booking": Example(
        body={**_SLOT, "customer": {"name": "Ada Lovelace", "email": "ada@example.com", "language": "en"}},
        headers=_ONCE,
    ),
    "change_booking": Example(id="$BOOKING", body={"starts_at": "$LATER", "party_size": 5}),
    "cancel_booking": Example(id="$UNWANTED", query="?refund=policy&reason=Illness"),
    "quote_booking": Example(body={**_SLOT, "starts_at": "$FREE"}),
    "quote_change": Example(id="$BOOKING", body={"starts_at": "$FREE"}),
    "confirm_booking": Example(id="$HELD", body={"payment": {"mode": "pos", "amount": 5000, "reference": "till-3/8841"}}),
    "extend_hold": Example(id="$WAITING", body={}),
    "check_in": Example(id="$ARRIVING", body={}),
    "mark_no_show": Example(id="$PAST_BOOKING", body={}),
    "list_booking_events": Example(id="$BOOKING"),
    "refund_booking": Example(
        id="$PAID", body={"amount": 2500, "reason": "The lights went out."}, headers={"Idempotency-Key": "refund-7-$RANDOM"}
    ),
    "list_booking_payments": Example(id="$PAID"),
    "list_payments": Example(query="?booking=$PAID&status=succeeded"),
    "get_payment": Example(id="$PAYMENT"),
    "export_payments": Example(query="?date_from=$YESTERDAY"),
    "list_calendar_feeds": Example(query="?venue=$VENUE&limit=10"),
    "create_calendar_feed": Example(body={"venue": "$VENUE", "name": "Team calendar", "include_names": True}),
    "get_calendar_feed": Example(id="$FEED"),
    "change_calendar_feed": Example(id="$FEED", body={"name": "Reception", "include_names": False}),
    "revoke_calendar_feed": Example(id="$FEED"),
    "list_calendar_imports": Example(query="?state=stale&limit=10"),
    "create_calendar_import": Example(
        body={"room": "$SPARE_ROOM", "name": "Team calendar", "secret_url": "https://calendar.example.com/private-7f3a/basic.ics"}
    ),
    "get_calendar_import": Example(id="$IMPORT"),
    "change_calendar_import": Example(id="$IMPORT", body={"name": "Holidays", "include_titles": True}),
    "delete_calendar_import": Example(id="$SPARE_IMPORT"),
    "sync_calendar_import": Example(id="$IMPORT", body={}),
    "pause_calendar_import": Example(id="$IMPORT", body={}),
    "resume_calendar_import": Example(id="$IMPORT", body={}),
    "get_booking_calendar": Example(id="$BOOKING"),
    "list_webhook_endpoints": Example(query="?status=active&limit=10"),
    "create_webhook_endpoint": Example(
        body={
            "url": "https://example.com/till",
            "description": "The till",
            "event_types": ["booking.created", "booking.updated", "booking.canceled"],
            "headers": {"X-Till": "3"},
        }
    ),
    "get_webhook_endpoint": Example(id="$ENDPOINT"),
    "change_webhook_endpoint": Example(id="$ENDPOINT", body={"description": "The back office", "event_types": []}),
    "delete_webhook_endpoint": Example(id="$SPARE_ENDPOINT"),
    "rotate_webhook_secret": Example(id="$ENDPOINT", body={"overlap_seconds": 3600}),
    "pause_webhook_endpoint": Example(id="$ENDPOINT", body={}),
    "enable_webhook_endpoint": Example(id="$ENDPOINT", body={"release_held_since": "${YESTERDAY}T00:00:00Z"}),
    "ping_webhook_endpoint": Example(id="$ENDPOINT", body={}),
    "send_test_event": Example(id="$ENDPOINT", body={"type": "booking.canceled"}),
    "replay_events": Example(
        id="$ENDPOINT",
        body={"since": "${YESTERDAY}T00:00:00Z", "types": ["booking.created"], "only_failed": True, "dry_run": True},
    ),
    "list_replays": Example(query="?endpoint=$ENDPOINT&state=running"),
    "get_replay": Example(id="$REPLAY"),
    "cancel_replay": Example(id="$REPLAY"),
    "list_deliveries": Example(query="?endpoint=$ENDPOINT&state=pending,scheduled&limit=10"),
    "get_delivery": Example(id="$DELIVERY"),
    "resend_delivery": Example(id="$DELIVERY", body={}),
    "list_events": Example(query="?after=0&type=booking.created,booking.canceled&limit=10"),
    "get_event": Example(id="$EVENT"),
    "list_logs": Example(query="?status=4xx,5xx&path=/bookings&limit=10"),
    "get_log": Example(id="$LOG"),
}

SET_UP = """\
export BOOKINGFLOW_URL="${BOOKINGFLOW_URL:-http://127.0.0.1:8000}"   # and BOOKINGFLOW_KEY, a read-write API key
api() {  # api PATH [BODY]: a call, POST when there is a body
  curl -s "$BOOKINGFLOW_URL/api/v1/public/$1" -H "Authorization: Bearer $BOOKINGFLOW_KEY" \\
    ${2:+-H "Content-Type: application/json" -d "$2"}
}
pick() { python3 -c "import json, sys; d = json.load(sys.stdin); print($1)"; }  # pick EXPRESSION over the answer d

export DAY=$(python3 -c "import datetime as d; print(d.date.today() + d.timedelta(days=14))")
LAST=$(python3 -c "import datetime as d; print(d.date.today() + d.timedelta(days=44))")
YESTERDAY=$(python3 -c "import datetime as d; print(d.date.today() - d.timedelta(days=1))")
export ROOM=$(api "rooms?status=active&booking_mode=private&limit=1" | pick "d['data'][0]['id']")
export VENUE=$(api "rooms/$ROOM" | pick "d['venue']")
SLOTS=$(api "schedules?room=$ROOM&date_from=$DAY&date_to=$LAST&party_size=4" |
  pick "' '.join(s['starts_at'] for day in d['data'] for s in day['slots'])")
slot() { echo "$SLOTS" | cut -d " " -f "$1"; }
book() {  # book SLOT_NUMBER [MORE_MEMBERS]: the id of a new booking
  api bookings "{\\"room\\": \\"$ROOM\\", \\"starts_at\\": \\"$(slot "$1")\\", \\"party_size\\": 4,
    \\"customer\\": {\\"name\\": \\"Ada\\"}${2:-}}" |
    pick "d['id']"
}
export BOOKING=$(book 1) UNWANTED=$(book 3)
export HELD=$(book 4 ', "hold": true') WAITING=$(book 5 ', "hold": true')
export SLOT=$(slot 6) LATER=$(slot 7) FREE=$(slot 8) ONLINE=$(slot 10) AT_ONCE=$(slot 11)
export AT_THE_TILL=$(slot 12) FOR_AN_AGENT=$(slot 13)
export PAID=$(book 9 ', "payment": {"mode": "pos", "amount": 15000}')
export PAYMENT=$(api "bookings/$PAID/payments" | pick "d['data'][0]['id']")
past() { api "bookings?status=confirmed&date_to=$YESTERDAY&limit=2" | pick "d['data'][$1]['id']"; }
export PAST_BOOKING=$(past 0) ARRIVING=$(past 1)
export CUSTOMER=$(api customers '{"name": "Charles Babbage"}' | pick "d['id']")
export LEAVING=$(api customers '{"name": "Luigi Menabrea"}' | pick "d['id']")
export SPARE_VENUE=$(api venues '{"name": "Spare venue", "timezone": "Europe/Paris", "currency": "EUR"}' | pick "d['id']")
export SPARE_ROOM=$(api rooms "{\\"name\\": \\"Spare room $RANDOM\\", \\"venue\\": \\"$VENUE\\", \\"duration_minutes\\": 60,
  \\"min_party\\": 1, \\"max_party\\": 6,
  \\"pricing\\": {\\"model\\": \\"per_group\\", \\"currency\\": \\"EUR\\", \\"amount\\": 9000}}" | pick "d['id']")
export BLOCK=$(api schedules/block "{\\"rooms\\": [\\"$SPARE_ROOM\\"], \\"date_from\\": \\"$LAST\\", \\"date_to\\": \\"$LAST\\",
  \\"kind\\": \\"maintenance\\"}" | pick "d['id']")
export FEED=$(api calendar_feeds "{\\"room\\": \\"$ROOM\\"}" | pick "d['id']")
calendar() { api calendar_imports "{\\"room\\": \\"$SPARE_ROOM\\", \\"name\\": \\"Team\\",
  \\"secret_url\\": \\"https://example.com/team.ics\\"}" | pick "d['id']"; }
export IMPORT=$(calendar) SPARE_IMPORT=$(calendar)
endpoint() { api webhook_endpoints '{"url": "https://example.com/bookingflow"}' | pick "d['id']"; }
export ENDPOINT=$(endpoint) SPARE_ENDPOINT=$(endpoint)
export EVENT=$(api "webhook_endpoints/$ENDPOINT/ping" '{}' | pick "d['id']")
export REPLAY=$(api "webhook_endpoints/$ENDPOINT/replay" "{\\"since\\": \\"${YESTERDAY}T00:00:00Z\\"}" | pick "d['id']")
for second in 1 2 3 4 5 6 7 8 9 10; do  # both are made a moment after what they tell of
  export DELIVERY=$(api "deliveries?event=$EVENT" | pick "''.join(row['id'] for row in d['data'])")
  export LOG=$(api "logs?path=/customers&limit=1" | pick "''.join(row['id'] for row in d['data'])")
  [ -n "$DELIVERY" ] && [ -n "$LOG" ] && break || sleep 1
done
"""
