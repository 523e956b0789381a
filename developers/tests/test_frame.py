"""What every answer has: problems, request ids, conditional reads, strict JSON."""

import json
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from django.db import IntegrityError

from customers.models import Customer
from customers.serializers import CustomerShape
from developers.models import ApiKey
from rooms.models import Room
from tests.cast import BASE, Api, Player
from tests.security.routes import ROUTES
from tests.stage import book, slot_at


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing/here", 404, "not_found"),
        ("POST", "/me", 405, "method_not_allowed"),
        ("DELETE", "/bookings", 405, "method_not_allowed"),
        ("GET", "/bookings/bkg_x/confirm", 405, "method_not_allowed"),
        ("GET", "/bookings/", 404, "not_found"),
        ("GET", "/bookings/bkg_x/", 404, "not_found"),
        ("GET", "/bookings/%00", 404, "not_found"),
        ("GET", "/bookings/..%2Fme", 404, "not_found"),
    ],
)
def test_framework_refusals_are_problems_too(alice: Player, method: str, path: str, status: int, code: str) -> None:
    answer = alice.api.call(method, path)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["request_id"] == answer["Request-Id"]
    assert body["status"] == status
    assert body["type"].endswith(f"/backend/docs/api.md#error-{code}")


def test_the_same_routes_answer_under_v1(alice: Player) -> None:
    assert alice.api.get("/v1/me").json() == alice.api.get("/me").json()
    assert alice.api.get("/v1/nothing").json()["code"] == "not_found"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "malformed_json"),
        (b"[]", 400, "malformed_json"),
        (b'"text"', 400, "malformed_json"),
        (b'{"name": NaN}', 400, "malformed_json"),
        (b'{"name": "\\ud800"}', 400, "malformed_json"),
        (b'{"name": "\\u0000"}', 400, "malformed_json"),
        (b'{"name": "\xff"}', 400, "malformed_json"),
        (b'{"metadata": ' + b'{"a":' * 30 + b"1" + b"}" * 31, 400, "malformed_json"),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, 400, "malformed_json"),
        (b'{"name": "' + b"x" * 1_000_000 + b'"}', 413, "payload_too_large"),
        (b'{"name": 123456789012345678901234567890}', 422, "validation_failed"),
    ],
)
def test_odd_bodies_are_refused_by_name(alice: Player, body: bytes, status: int, code: str) -> None:
    answer = alice.api.post("/customers", body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_other_media_types_are_refused(alice: Player) -> None:
    form = alice.api.client.post(BASE + "/customers", {"name": "Ada"}, headers=alice.api.headers)
    page = alice.api.get("/me", accept="text/html")

    assert (form.status_code, form.json()["code"]) == (415, "unsupported_media_type")
    assert (page.status_code, page.json()["code"]) == (406, "not_acceptable")


def test_an_unexpected_error_tells_nothing_but_its_id(alice: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr("customers.api.views.CustomerViewSet.list", fail)
    answer = alice.api.get("/customers")

    assert (answer.status_code, answer.json()["code"], answer.json()["retryable"]) == (500, "internal_error", True)
    assert b"secret of the house" not in answer.content


def test_a_copy_that_is_current_costs_no_body(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10))
    paths = (f"/bookings/{booking.public_id}", f"/bookings/{booking.public_id}?expand=room", f"/rooms/{group_room.public_id}")
    for path in paths:
        tag = alice.api.get(path)["ETag"]
        unchanged = alice.api.get(path, if_none_match=f'"other", {tag}')
        assert (unchanged.status_code, unchanged.content, unchanged["ETag"]) == (304, b"", tag)

    old = [alice.api.get(path)["ETag"] for path in paths]
    alice.api.put(f"/rooms/{group_room.public_id}", {"name": "New"})
    alice.api.put(f"/bookings/{booking.public_id}", {"notes_internal": "x"})
    assert [alice.api.get(path, if_none_match=tag).status_code for path, tag in zip(paths, old, strict=True)] == [200, 200, 200]


def test_the_tag_of_a_composed_answer_follows_its_parts(alice: Player, group_room: Room) -> None:
    path = f"/rooms/{group_room.public_id}"
    before = alice.api.get(path)["ETag"]
    book(alice.actor, group_room, slot_at(5))

    after = alice.api.get(path, if_none_match=before)

    assert after.status_code == 200
    assert after["ETag"].startswith('"1-')
    assert alice.api.put(path, {"name": "New"}, if_match=before).status_code == 200


@pytest.mark.parametrize("header", ["1", "x", '"x"', '"1', 'W/"1"', '"1", "2"'])
def test_an_odd_if_match_is_refused(alice: Player, group_room: Room, header: str) -> None:
    answer = alice.api.put(f"/rooms/{group_room.public_id}", {"name": "x"}, if_match=header)

    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "If-Match")


@pytest.mark.django_db
def test_status_needs_no_key() -> None:
    answer = Api().get("/status")

    assert (answer.status_code, answer.json()["status"], answer.json()["database"]) == (200, "ok", "ok")


def test_last_use_names_address_and_agent_once_in_a_while(alice: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[object, ...]] = []
    monkeypatch.setattr("common.jobs.send", lambda *arguments: sent.append(arguments))

    for _ in range(3):
        alice.api.get("/me", user_agent="pos/7")

    assert [(task, secret) for task, secret, *_ in sent] == [
        ("developers.tasks.record_use", ApiKey.objects.get().secrets.get().pk)
    ]
    assert sent[0][3:] == ("127.0.0.1", "pos/7")


@pytest.mark.parametrize("path", sorted({route.path.replace("{id}", "x_1") for route in ROUTES} | {"/status"}))
def test_options_is_a_method_that_no_route_has(alice: Player, path: str) -> None:
    answer = alice.api.call("OPTIONS", path)

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert "OPTIONS" not in answer["Allow"]
    assert answer["Allow"]


@pytest.mark.parametrize(
    ("path", "status"), [("/me", 200), ("/customers", 200), ("/customers/x", 404), ("/nothing", 404), ("/status", 200)]
)
def test_every_answer_varies_by_caller_and_by_what_it_accepts(alice: Player, path: str, status: int) -> None:
    answer = alice.api.get(path)

    assert (answer.status_code, answer["Vary"]) == (status, "Authorization, Accept")
    if path != "/status":
        assert Api().get(path)["Vary"] == "Authorization, Accept"


def test_a_number_of_more_than_64_bits_can_be_told(alice: Player) -> None:
    customer = alice.api.post("/customers", {"name": "Ada"}).json()
    Customer.objects.update(metadata={"n": 10**30})
    alice.api.client.raise_request_exception = True

    for path in (f"/customers/{customer['id']}", "/customers"):
        answer = alice.api.client.get(BASE + path, headers=alice.api.headers)
        assert answer.status_code == 200
        assert json.loads(answer.content).get("data", [answer.json()])[0]["metadata"] == {"n": 10**30}
    answer = alice.api.client.put(
        BASE + f"/customers/{customer['id']}",
        {"name": "Ada L."},
        content_type="application/json",
        headers={**alice.api.headers, "Idempotency-Key": "a"},
    )
    assert (answer.status_code, answer.json()["metadata"]) == (200, {"n": 10**30})


@pytest.mark.parametrize("headers", [{}, {"idempotency_key": "a"}])
def test_what_cannot_be_told_is_not_done(alice: Player, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]) -> None:
    circle: dict[str, Any] = {}
    circle["circle"] = circle
    monkeypatch.setattr(CustomerShape, "to_representation", lambda self, customer: circle)

    answer = alice.api.post("/customers", {"name": "Ada"}, **headers)

    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert not Customer.objects.exists()


@pytest.mark.parametrize(
    ("cause", "status", "code"),
    [
        (psycopg.errors.UniqueViolation(), 503, "busy_retry"),
        (psycopg.errors.ForeignKeyViolation(), 503, "busy_retry"),
        (psycopg.errors.CheckViolation(), 503, "busy_retry"),
        (psycopg.errors.ExclusionViolation(), 409, "slot_unavailable"),
        (psycopg.errors.NotNullViolation(), 500, "internal_error"),
    ],
)
def test_a_race_that_only_a_constraint_saw_is_to_be_repeated(
    alice: Player,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    cause: psycopg.Error,
    status: int,
    code: str,
) -> None:
    def lose(**arguments: Any) -> None:
        raise IntegrityError from cause

    monkeypatch.setattr("customers.services.create_customer", lose)
    answer = alice.api.client.post(
        BASE + "/customers", {"name": "Ada"}, content_type="application/json", headers=alice.api.headers
    )

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    if status != 409:
        assert [record.levelname for record in caplog.records if record.name == "developers.problems"] == ["ERROR"]


@pytest.mark.parametrize(
    "day", ["\uff12026-01-05", "2026-1-5", "2026-01-5", "20260105", "2026-W01-1", "2026-02-30", " 2026-01-05", "2026-01-05\n"]
)
def test_a_day_is_written_in_one_way(alice: Player, day: str) -> None:
    answer = alice.api.post("/schedules/block", {"all": True, "date_from": day, "date_to": "2027-01-05"})

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/date_from")


@pytest.mark.parametrize(
    "instant",
    [
        "2026-W01-1T12:00:00Z",
        "20260105T120000Z",
        "2026-01-05T12:00Z",
        "2026-01-05T12Z",
        "2026-01-05 12:00:00Z",
        "2026-01-05T12:00:00+0100",
        "2026-01-05T12:00:00+01:00:30",
        "2026-01-05T12:00:00,5Z",
        "\uff12026-01-05T12:00:00Z",
        "2026-01-05",
    ],
)
def test_an_instant_is_written_as_rfc_3339_says(alice: Player, instant: str) -> None:
    answer = alice.api.get(f"/customers?updated_since={quote(instant)}")

    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "updated_since")


@pytest.mark.parametrize("instant", ["2026-01-05T12:00:00Z", "2026-01-05t12:00:00.123456789z", "2026-01-05T12:00:00-03:30"])
def test_every_spelling_of_rfc_3339_is_taken(alice: Player, instant: str) -> None:
    assert alice.api.get(f"/customers?updated_since={quote(instant)}").status_code == 200
