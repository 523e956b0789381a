"""What every answer has: problems, request ids, conditional reads, strict JSON."""

import pytest

from developers.models import ApiKey
from rooms.models import Room
from tests.cast import BASE, Api, Player
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
