"""Who reads the log of requests, by which filters, and what is forgotten of it."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bookings.models import Booking
from bookings.services import cancel_booking, erase_customer
from common.ids import made_at, new_id
from customers.models import Customer
from developers import request_log
from developers.models import ApiKey, LogErasure, RequestLogEntry
from developers.services import create_key
from developers.tasks import drain_request_log, forget_request_log
from developers.tests import waiting
from developers.tests.waiting import entry_of, listed, said
from organizations.permissions import Scope
from rooms.models import Room
from rooms.services import sandbox_for
from tests.cast import Api, Player
from tests.security.routes import log_entry
from tests.stage import booking_body, slot_at

queue = waiting.queue


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["POST /customers 422", "GET /bookings/bkg_x 404", "GET /rooms 200", "POST /customers 201"]),
        ("?status=4xx", ["POST /customers 422", "GET /bookings/bkg_x 404"]),
        ("?status=404,2xx", ["GET /bookings/bkg_x 404", "GET /rooms 200", "POST /customers 201"]),
        ("?status=5xx", []),
        ("?method=POST", ["POST /customers 422", "POST /customers 201"]),
        ("?path=/customers", ["POST /customers 422", "POST /customers 201"]),
        ("?path=/api/v1/public/bookings", ["GET /bookings/bkg_x 404"]),
        ("?path=/v1/rooms", ["GET /rooms 200"]),
        ("?path=%25", []),
        ("?error_code=not_found,validation_failed", ["POST /customers 422", "GET /bookings/bkg_x 404"]),
        ("?key=key_x", []),
        ("?method=GET&status=200", ["GET /rooms 200"]),
        ("?created_until=2026-01-01T00:00:00Z", []),
        ("?created_since=2026-01-01T00:00:00Z&method=DELETE", []),
        ("?sort=created_at&limit=1", ["POST /customers 201"]),
    ],
)
def test_filters(queue: Any, alice: Player, query: str, expected: list[str]) -> None:
    alice.api.post("/customers", {"name": "Ada"})
    alice.api.get("/rooms")
    alice.api.get("/bookings/bkg_x")
    last = alice.api.post("/customers", {})
    drain_request_log()

    assert listed(alice.api, query) == expected
    assert listed(alice.api, f"?request_id={last['Request-Id']}&key={alice.key.public_id}") == ["POST /customers 422"]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("?status=6xx", "status"),
        ("?method=get", "method"),
        ("?error_code=nope", "error_code"),
        ("?created_since=yesterday", "created_since"),
        ("?include=total_count", "include"),
        ("?sort=status", "sort"),
        ("?path=" + "x" * 300, "path"),
        ("?bodies=true", "bodies"),
    ],
)
def test_what_is_no_filter_is_refused_by_name(alice: Player, query: str, parameter: str) -> None:
    answer = alice.api.get(f"/logs{query}")

    assert (answer.status_code, {error["parameter"] for error in answer.json()["errors"]}) == (422, {parameter})


def test_pages_lead_through_all_of_it_with_few_queries_and_no_count(alice: Player) -> None:
    ids = [log_entry(alice, path=f"/{number}").public_id for number in range(30)]

    found, cursor = [], ""
    while cursor is not None:
        with CaptureQueriesContext(connection) as captured:
            page = alice.api.get(f"/logs?limit=10{cursor and f'&cursor={cursor}'}").json()
        asked = [query["sql"] for query in captured if "requestlogentry" in query["sql"]]
        assert len(asked) == 1
        assert [word for word in ("COUNT", '"content"') if word in asked[0]] == []
        found += [one["id"] for one in page["data"]]
        cursor = page["next_cursor"]

    assert found == ids[::-1]


def test_nobody_reads_anothers_log(queue: Any, alice: Player, bob: Player, charlie: Player) -> None:
    made = alice.api.post("/customers", {"name": "Ada"})
    theirs = entry_of(made)

    for id in (theirs.public_id, theirs.request_id):
        assert charlie.api.get(f"/logs/{id}").status_code == 404
        assert bob.api.get(f"/logs/{id}").json()["required_scopes"] == ["logs:read"]
    assert listed(charlie.api, f"?request_id={theirs.request_id}") == []
    assert charlie.api.get(f"/logs?key={alice.key.public_id}").json()["data"] == []


def test_test_calls_are_in_the_log_of_the_sandbox(queue: Any, alice: Player, group_room: Room) -> None:
    sandbox_for(alice.organization)
    _, secret = create_key(by=alice.actor, name="test", preset=ApiKey.Preset.READ_WRITE, mode=ApiKey.Mode.TEST)
    test = Api(secret)

    found = entry_of(test.get("/rooms"))

    assert (found.mode, found.organization) == ("test", alice.organization.sandbox)
    assert listed(test, "?path=/rooms") == ["GET /rooms 200"]
    assert listed(alice.api, "?path=/rooms") == []


def test_the_scope_is_granted_alone_and_in_read_write_only(queue: Any, alice: Player, bob: Player) -> None:
    reader = Api(create_key(by=alice.actor, name="watcher", scopes=[Scope.LOGS_READ])[1])

    assert (reader.get("/logs").status_code, reader.get("/rooms").status_code) == (200, 403)
    assert bob.api.get("/logs").status_code == 403
    assert alice.api.get("/logs").status_code == 200


def test_bodies_go_after_a_week_and_entries_after_a_month(queue: Any, alice: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_log, "CHUNK", 2)
    answer = alice.api.get("/customers?q=ada")
    content = entry_of(answer).content
    RequestLogEntry.objects.all().delete()
    now = timezone.now()
    for days in (1, 6, 8, 9, 10, 29, 31, 32, 33):
        log_entry(alice, path=f"/{days}", query="q=ada", content=content, created_at=now - dt.timedelta(days=days))
    LogErasure.objects.create(organization=alice.organization, mentions=["cus_x"], created_at=now - dt.timedelta(days=8))

    forget_request_log()

    left = {entry.path: (bool(entry.content), entry.query) for entry in RequestLogEntry.objects.all()}
    assert left == {
        path: (True, "q=ada") if path in ("/1", "/6") else (False, "") for path in ("/1", "/6", "/8", "/9", "/10", "/29")
    }
    assert not LogErasure.objects.exists()
    assert {alice.api.get(f"/logs/{entry.public_id}").status_code for entry in RequestLogEntry.objects.all()} == {200}


def test_an_erasure_empties_what_mentions_the_person_also_what_is_still_on_its_way(
    queue: Any, alice: Player, group_room: Room
) -> None:
    booked = alice.api.post(
        "/bookings", booking_body(group_room, slot_at(10), customer={"name": "Ada Secret", "email": "ada@secret.example"})
    )
    customer = Customer.objects.get()
    cancel_booking(booking=Booking.objects.get(), by=alice.actor)
    other = alice.api.post("/customers", {"name": "Bea"})
    drain_request_log()
    waiting = [
        alice.api.get("/customers?q=ada@secret.example"),
        alice.api.put(f"/bookings/{booked.json()['id']}", {"customer": {"name": "Ada Secret"}}, if_match='"99"'),
        alice.api.get(f"/customers/{customer.public_id}"),
    ]

    erase_customer(customer=customer, by=alice.actor)

    for answer in (booked, *waiting):
        found = entry_of(answer)
        assert found.is_erased
        assert (found.content, found.query, found.mentions) == ("", "", [])
        shown = alice.api.get(f"/logs/{found.public_id}").json()
        assert (shown["erased"], shown["request_body"], shown["answer_body"]) == (True, None, None)
    assert "Bea" in said(other)[1]
    LogErasure.objects.update(created_at=timezone.now() - 2 * request_log.SETTLES)
    later = alice.api.get(f"/customers/{customer.public_id}")
    assert "not_found" in said(later)[1]


def test_an_erasure_finds_what_mentions_a_person_by_an_index(alice: Player) -> None:
    row = RequestLogEntry.objects.values().get(pk=log_entry(alice, content="x").pk)
    RequestLogEntry.objects.bulk_create(
        RequestLogEntry(
            **{**row, "id": None, "public_id": new_id("log"), "request_id": f"req_{number}", "mentions": [f"cus_{number}"]}
        )
        for number in range(2_000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE developers_requestlogentry")
        kept = RequestLogEntry.objects.filter(organization=alice.organization, mentions__overlap=["cus_7"]).exclude(content="")

        assert "log_entry_by_mention" in kept.explain()


def test_ids_tell_when_they_were_made() -> None:
    made = made_at(new_id("req"))

    assert made is not None
    assert abs((timezone.now() - made).total_seconds()) < 60
    assert [made_at(text) for text in ("req_x", "", "req_" + "z" * 26, "req_" + "u" * 26)] == [None] * 4
