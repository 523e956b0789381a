"""What gets into the log of requests, and how: through real Redis and the task that drains it."""

import contextlib
import json
import logging
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from django.db import connection
from django.utils import timezone

from common.ids import new_id
from common.signing import decrypt
from customers.serializers import CustomerShape
from dashboard.tests.pages import sign_in
from developers import log_queue, playground, request_log
from developers.masking import KEPT_BYTES, MASK
from developers.models import ApiKey, RequestLogEntry
from developers.rules import KeyRules
from developers.services import create_key, update_key
from developers.tasks import drain_request_log
from developers.tests import waiting
from developers.tests.waiting import entry_of, said
from rooms.services.sandbox import sandbox_for
from tests.cast import BASE, Api, Player
from tests.server import Server, eventually, free_port

queue = waiting.queue


def test_a_call_is_found_in_the_log_with_all_that_was_said(queue: Any, alice: Player) -> None:
    made = alice.api.post("/customers", {"name": "Ada"}, idempotency_key="order-7", user_agent="till/3")
    drain_request_log()

    for id in (made["Request-Id"], RequestLogEntry.objects.get().public_id):
        found = alice.api.get(f"/logs/{id}").json()
        assert found["duration_ms"] > 0
        assert (found["method"], found["path"], found["status"], found["error_code"]) == ("POST", "/customers", 201, None)
        assert (found["key"], found["key_name"]) == (alice.key.public_id, "alice's key")
        assert (found["key_prefix"], found["key_last4"]) == (alice.secret[:13], alice.secret[-4:])
        assert (found["mode"], found["client_address"], found["user_agent"]) == ("live", "127.0.0.1", "till/3")
        assert (found["idempotency_key"], found["replayed"], found["dry_run"]) == ("order-7", False, False)
        assert (found["request_body"], found["answer_body"]) == ('{"name": "Ada"}', made.content.decode())
        assert (found["request_headers"]["Content-Type"], found["answer_headers"]["ETag"]) == ("application/json", made["ETag"])
        assert (found["request_body_is_cut"], found["answer_body_is_cut"], found["erased"]) == (False, False, False)
    assert "request_body" not in alice.api.get("/logs").json()["data"][0]


def test_refusals_of_known_keys_are_logged_with_their_codes(
    queue: Any, alice: Player, bob: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = alice.api.post("/customers", {"name": "Ada"}).json()["id"]
    refused = [
        bob.api.post("/customers", {"name": "Ada"}),
        alice.api.get("/customers/cus_x"),
        alice.api.post("/me"),
        alice.api.put(f"/customers/{customer}", {"notes": "n"}, if_match='"9"'),
        alice.api.post("/customers", {"nom": "Ada"}),
        alice.api.post("/customers", b"{"),
        alice.api.get("/customers", accept="text/html"),
    ]
    with monkeypatch.context() as broken:
        broken.setattr(CustomerShape, "json", classmethod(lambda cls, obj: 1 / 0))
        refused.append(alice.api.get(f"/customers/{customer}"))
    drain_request_log()

    entries = {entry.request_id: (entry.status, entry.error_code) for entry in RequestLogEntry.objects.exclude(status=201)}
    assert entries == {answer["Request-Id"]: (answer.status_code, answer.json()["code"]) for answer in refused}
    assert [status for status, _ in sorted(entries.values())] == [400, 403, 404, 405, 406, 412, 422, 500]


def test_a_key_that_may_not_be_used_like_that_is_logged_for_its_owner(queue: Any, alice: Player) -> None:
    sandbox = sandbox_for(alice.organization)
    _, made = create_key(by=alice.actor, name="Sandbox", mode=ApiKey.Mode.TEST, preset=ApiKey.Preset.READ_ONLY)
    update_key(by=alice.actor, key=alice.key, name="Till", rules=KeyRules(networks=("203.0.113.0/24",)))

    in_browser, elsewhere = Api(made).get("/rooms", origin="https://shop.example"), alice.api.get("/rooms")

    found = [(one.error_code, one.status, one.organization, one.key_name) for one in map(entry_of, (in_browser, elsewhere))]
    assert found == [
        ("secret_key_in_browser", 403, sandbox, "Sandbox"),
        ("address_not_allowed", 403, alice.organization, "Till"),
    ]
    assert "RateLimit" not in elsewhere  # it counts for nobody


def test_calls_of_nobody_are_not_logged(queue: Any, alice: Player) -> None:
    for api in (Api(), Api(alice.secret[:-3]), Api("bkf_live_" + "0" * 38)):
        assert api.get("/me").status_code == 401
    alice.api.get("/status")
    alice.api.get("/nothing/here")

    assert request_log.drain() == 0


def test_repeats_and_rehearsals_are_told_apart(queue: Any, alice: Player) -> None:
    first, again = (alice.api.post("/customers", {"name": "Ada"}, idempotency_key="a") for _ in range(2))
    rehearsed = alice.api.post("/customers?dry_run=true", {"name": "Ada"})

    flags = [(entry_of(one).is_replayed, entry_of(one).is_dry_run) for one in (first, again, rehearsed)]

    assert flags == [(False, False), (True, False), (False, True)]


def test_the_playground_is_logged_too(queue: Any, alice: Player) -> None:
    browser = sign_in(alice)
    token = playground.mint(by=alice.actor, session_key=browser.session.session_key or "")

    answer = browser.get(f"{BASE}/me", headers={"Authorization": f"Bearer {token}"})

    found = entry_of(answer)
    assert (found.key, found.key_prefix, found.organization) == ("playground", "bkf_play_", alice.organization)
    assert found.request_headers["Cookie"] == found.request_headers["Authorization"] == MASK
    assert alice.api.get("/logs?key=playground").json()["data"][0]["id"] == found.public_id


SECRET_HEADER, SIGNING = "sesame-opens-the-till", "whsec_" + "A" * 43 + "="


@pytest.mark.parametrize(
    ("path", "body", "secret"),
    [
        ("/webhook_endpoints", {"url": "https://example.com/h", "headers": {"X-Till": SECRET_HEADER}}, SECRET_HEADER),
        ("/customers", {"name": "A", "metadata": {"note": SIGNING}}, SIGNING),
        ("/customers", {"name": "A", "metadata": {"api_key": "hunter2hunter2"}}, "hunter2hunter2"),
        ("/customers", {"name": "A", "notes": "x" * 20_000, "metadata": {"password": "hunter2hunter2"}}, "hunter2hunter2"),
        ("/customers?access_token=hunter2hunter2", {"name": "A"}, "hunter2hunter2"),
        ("/customers", b'{"password": "hunter2hunter2', "hunter2hunter2"),
    ],
)
def test_secrets_never_reach_the_log(queue: Any, alice: Player, path: str, body: Any, secret: str) -> None:
    strayed = {"x_note": alice.secret, "user_agent": f"till {alice.secret}", "idempotency_key": alice.secret}
    answer = alice.api.post(path, body, x_api_key=secret, cookie=f"session={secret}", **strayed)

    waiting = json.loads(queue.lindex(log_queue.WAITING, 0))
    kept = json.dumps(waiting) + decrypt(waiting["content"])
    found = entry_of(answer)
    kept += json.dumps([found.path, found.query, found.request_headers, found.answer_headers]) + decrypt(found.content)
    kept += found.user_agent + found.idempotency_key
    assert secret not in kept
    assert alice.secret not in kept
    assert found.request_headers["X-Api-Key"] == MASK
    assert found.request_headers["X-Note"] == f"bkf_live_{MASK}"


def test_a_signing_secret_that_is_shown_once_is_not_shown_by_the_log(queue: Any, alice: Player) -> None:
    made = alice.api.post("/webhook_endpoints", {"url": "https://example.com/h"})
    assert made.json()["secret"].startswith("whsec_")

    _, answered = said(made)

    assert json.loads(answered) == {**made.json(), "secret": MASK}


def test_long_bodies_are_cut_and_marked(queue: Any, alice: Player) -> None:
    sent = alice.api.post("/customers", {"name": "Ada", "notes": "x" * 100_000})
    drain_request_log()

    found = alice.api.get(f"/logs/{sent['Request-Id']}").json()

    assert found["request_body"] == ('{"name": "Ada", "notes": "' + "x" * 100_000)[:KEPT_BYTES]
    assert (found["request_body_is_cut"], found["answer_body_is_cut"]) == (True, False)


def test_a_file_and_an_empty_answer_leave_entries_without_bodies(queue: Any, alice: Player) -> None:
    export = alice.api.get("/payments/export")
    path = f"/customers/{alice.api.post('/customers', {'name': 'Ada'}).json()['id']}"
    unchanged = alice.api.get(path, if_none_match=alice.api.get(path)["ETag"])

    assert [entry_of(one).status for one in (export, unchanged)] == [200, 304]
    assert [request_log.bodies(entry_of(one)) for one in (export, unchanged)] == [{}, {}]


def test_what_the_log_answers_is_not_logged_again(queue: Any, alice: Player) -> None:
    made = alice.api.post("/customers", {"name": "Ada Secret"})
    drain_request_log()

    one = entry_of(alice.api.get(f"/logs/{made['Request-Id']}"))
    many = said(alice.api.get("/logs?method=POST"))

    assert (request_log.bodies(one), many) == ({}, ("", ""))


def test_bodies_are_unreadable_at_rest_and_on_their_way(queue: Any, alice: Player) -> None:
    made = alice.api.post("/customers", {"name": "Ada Secret"})

    assert b"Ada Secret" not in queue.lindex(log_queue.WAITING, 0)
    found = entry_of(made)
    assert "Ada Secret" not in found.content
    assert "Ada Secret" in decrypt(found.content)
    RequestLogEntry.objects.update(content="under a key that is gone")
    assert alice.api.get(f"/logs/{found.public_id}").json()["answer_body"] is None


@pytest.mark.parametrize("path", ["/customers/%00", "/customers/%ff", "/customers/%ed%a0%80", "/" + "x" * 3000])
def test_odd_requests_fit_in(queue: Any, alice: Player, path: str) -> None:
    odd = alice.api.client.get(
        f"{BASE}/customers?q=%00", headers={**alice.api.headers, "User-Agent": "caf\xe9 " * 100, "X-Odd": "\xff"}
    )
    alice.api.get(path)

    assert entry_of(odd).status == 422


def test_without_redis_answers_are_the_same_and_one_line_a_minute_says_so(
    queue: Any, alice: Player, settings: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}"
    monkeypatch.setattr(log_queue, "REST_SECONDS", 0.0)

    with caplog.at_level(logging.WARNING, logger="developers.log_queue"):
        for _ in range(5):
            assert alice.api.post("/customers", {"name": "Ada"}).status_code == 201
    assert [record.name for record in caplog.records].count("developers.log_queue") == 1

    monkeypatch.setattr(log_queue, "COMPLAIN_SECONDS", 0.0)
    with caplog.at_level(logging.WARNING, logger="developers.log_queue"):
        alice.api.get("/me")
    assert "into the request log: 5" in caplog.records[-1].getMessage()


def test_a_redis_that_hangs_is_waited_for_once_and_then_left_alone(queue: Any, alice: Player, settings: Any) -> None:
    answer = alice.api.get("/me")
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        settings.REDIS_URL = f"redis://127.0.0.1:{hanging.getsockname()[1]}"
        for _ in range(5):
            request_log.note(answer.wsgi_request, answer, came_at=timezone.now(), seconds=0)
        hanging.setblocking(False)
        connections = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                hanging.accept()[0].close()
                connections += 1

    assert connections == 2  # the first attempt and its repetition


def test_a_log_that_fails_breaks_no_answer(queue: Any, alice: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_log, "_record", lambda *arguments: 1 / 0)

    assert alice.api.get("/me").status_code == 200


def test_the_list_in_redis_holds_the_newest(queue: Any, alice: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_queue, "MOST_WAITING", 3)
    ids = [alice.api.get("/me")["Request-Id"] for _ in range(5)]

    assert queue.llen(log_queue.WAITING) == 3
    assert request_log.drain() == 3
    assert set(RequestLogEntry.objects.values_list("request_id", flat=True)) == set(ids[2:])


def test_a_worker_killed_before_or_after_its_commit_loses_and_doubles_nothing(
    queue: Any, alice: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_queue, "BATCH", 2)
    for _ in range(6):
        alice.api.get("/me")
    before, after = next(log_queue.batches()), next(log_queue.batches())
    request_log._write(after)  # and was killed before it could tell Redis

    assert request_log.drain() == 2
    assert RequestLogEntry.objects.count() == 4
    monkeypatch.setattr(log_queue, "GIVEN_UP_SECONDS", -1.0)
    assert request_log.drain() == 4
    assert RequestLogEntry.objects.count() == 6
    assert {len(before.records), len(after.records)} == {2}

    request_log._write(before)  # it was only slow
    log_queue.done(before)
    assert RequestLogEntry.objects.count() == 6
    assert queue.keys("request_log:*") == []


@pytest.mark.django_db(transaction=True)
def test_workers_that_drain_at_once_share_the_work(queue: Any, alice: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_queue, "BATCH", 5)
    for _ in range(60):
        alice.api.get("/me")
    barrier = threading.Barrier(4)

    def work() -> int:
        barrier.wait()
        try:
            return request_log.drain()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        written = [future.result() for future in [pool.submit(work) for _ in range(4)]]

    assert sum(written) == RequestLogEntry.objects.count() == 60


def test_what_does_not_fit_keeps_nothing_else_out(queue: Any, alice: Player) -> None:
    kept = alice.api.get("/me")
    record = json.loads(queue.lindex(log_queue.WAITING, 0))
    gone = {"organization_id": 2**40}
    for change in ({"user_agent": "x" * 300}, {"client_address": "nowhere"}, {"path": "a\0b"}, {"unknown": 1}, gone):
        queue.lpush(log_queue.WAITING, json.dumps({**record, "request_id": new_id("req"), **change}))
    queue.lpush(log_queue.WAITING, b"no json", b"[]")

    drain_request_log()

    assert RequestLogEntry.objects.get().request_id == kept["Request-Id"]
    assert queue.keys("request_log:*") == []


@pytest.mark.timeout(300)
def test_through_server_worker_and_clock(
    transactional_db: None, queue: Any, server: Server, background: None, alice: Player
) -> None:
    """The entry appears by itself; while the whole product runs."""
    session = server.session(alice.secret)
    made: Any = session.post(server.path("/customers"), json={"name": "Ada"})

    def is_there() -> bool:
        return session.get(server.path(f"/logs/{made.headers['Request-Id']}")).status_code == 200

    eventually(is_there)
    found = session.get(server.path(f"/logs/{made.headers['Request-Id']}")).json()
    assert (found["status"], json.loads(found["answer_body"])["name"]) == (201, "Ada")
    assert requests.get(server.path("/logs"), timeout=10).status_code == 401
