"""Hand-written views that answer what the API's routes do, the shortest way that there is: the key by one look-up, one
statement, dicts, orjson. No validation, limits, log or ORM. Served like the product, as `benchmarks.floors:application`.
"""

import datetime as dt
import hashlib
import os
from collections import defaultdict
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.floor_settings"

COLUMNS = (
    *("public_id", "reference", "external_id", "status", "payment_status", "version", "starts_at", "ends_at", "party_size"),
    *("private", "notes_customer", "notes_internal", "currency", "amount_paid", "amount_refunded", "hold_expires_at", "source"),
    *("canceled_at", "cancel_reason", "created_at", "updated_at"),
)
JSON = ("guests", "contact", "answers", "price", "metadata")
BOOKINGS = (
    f"SELECT {', '.join(f'b.{name}' for name in (*COLUMNS, *JSON))}, b.policy, b.created_by_type, b.created_by_id,"
    " r.public_id, v.public_id, v.timezone, c.public_id"
    " FROM bookings_booking b JOIN rooms_room r ON r.id = b.room_id JOIN rooms_venue v ON v.id = r.venue_id"
    " JOIN customers_customer c ON c.id = b.customer_id WHERE b.organization_id = %s"
)
BUSY = (
    "SELECT space_id, lower(period), upper(period) FROM rooms_occupancy WHERE space_id = ANY(%s) AND active"
    " AND lower(period) >= %s AND lower(period) < %s ORDER BY space_id, lower(period)"
)
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def rows(statement: str, *values: Any) -> list[tuple]:  # type: ignore[type-arg]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def organization_of(request: HttpRequest) -> int:
    digest = hashlib.sha256(request.headers["Authorization"].removeprefix("Bearer ").encode()).hexdigest()
    found = rows(
        "SELECT k.organization_id FROM developers_apikeysecret s JOIN developers_apikey k ON k.id = s.key_id WHERE s.digest = %s"
        " AND s.revoked_at IS NULL",
        digest,
    )
    return int(found[0][0])


def answer(data: object) -> HttpResponse:
    body = orjson.dumps(data, option=orjson.OPT_UTC_Z)
    return HttpResponse(body, content_type="application/json", headers={"Content-Length": str(len(body))})


def nothing(request: HttpRequest) -> HttpResponse:
    return answer({})


def me(request: HttpRequest) -> HttpResponse:
    return answer({"organization": organization_of(request)})


def one(request: HttpRequest) -> HttpResponse:
    found = rows(f"{BOOKINGS} AND b.public_id = %s", organization_of(request), request.GET["id"])
    return answer(shape(found[0]))


def page(request: HttpRequest) -> HttpResponse:
    statement, values = BOOKINGS, [organization_of(request)]
    if "starts_at" in request.GET:
        statement += " AND (b.starts_at, b.id) < (%s, %s)"
        values += [request.GET["starts_at"], int(request.GET["id"])]  # type: ignore[list-item]
    found = rows(f"{statement} ORDER BY b.starts_at DESC, b.id DESC LIMIT 51", *values)
    return answer({"object": "list", "data": [shape(row) for row in found[:50]], "has_more": len(found) > 50})


def shape(row: tuple) -> dict[str, object]:  # type: ignore[type-arg]
    told: dict[str, object] = dict(zip(COLUMNS, row, strict=False))
    for name, text in zip(JSON, row[len(COLUMNS) :], strict=False):
        told[name] = orjson.Fragment(text)
    policy, by_type, by_id, room, venue, timezone, customer = row[len(COLUMNS) + len(JSON) :]
    clock, starts_at = ZoneInfo(timezone), row[6]
    windows = orjson.loads(policy)["cancellation"]["windows"]
    told |= {
        "room": room,
        "venue": venue,
        "customer": customer,
        "timezone": timezone,
        "starts_at_local": starts_at.astimezone(clock).isoformat(),
        "ends_at_local": row[7].astimezone(clock).isoformat(),
        "created_by": {"type": by_type, "id": by_id},
        "deadlines": {"free_cancel_until": starts_at - max((window["hours_before"] for window in windows), default=0) * HOUR},
    }
    return told


def schedules(request: HttpRequest) -> HttpResponse:
    """The busy intervals, and one merge of the starts with them; open slots as the API tells them, without prices."""
    found = rows(
        "SELECT r.id, r.public_id, r.schedule, s.space_id FROM rooms_room r JOIN rooms_room_spaces s ON s.room_id = r.id"
        " WHERE r.organization_id = %s AND r.public_id = ANY(%s)",
        organization_of(request),
        request.GET["room"].split(","),
    )
    first, last = (dt.datetime.fromisoformat(request.GET[name]).replace(tzinfo=dt.UTC) for name in ("date_from", "date_to"))
    busy = defaultdict(list)
    for space, start, end in rows(BUSY, [row[3] for row in found], first - 2 * DAY, last + DAY):
        busy[space].append((start, end))
    days = []
    for _, room, schedule, space in found:
        times = [dt.timedelta(hours=int(text[:2])) for text in orjson.loads(schedule)["rules"][0]["start_times"]]
        taken, index = busy[space], 0
        for number in range((last - first).days + 1):
            slots = []
            for time in times:
                start = first + number * DAY + time
                while index < len(taken) and taken[index][1] <= start:
                    index += 1
                if index == len(taken) or taken[index][0] >= start + HOUR:
                    slots.append({"starts_at": start, "ends_at": start + HOUR, "status": "available", "capacity": 6})
            days.append({"room": room, "date": (first + number * DAY).date(), "slots": slots})
    return answer({"object": "list", "data": days})


urlpatterns = [
    path("nothing", nothing),
    path("me", me),
    path("one", one),
    path("page", page),
    path("schedules", schedules),
]
application = get_wsgi_application()
