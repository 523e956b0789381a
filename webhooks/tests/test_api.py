"""Endpoints, deliveries and replays through the API."""

import base64
import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from standardwebhooks import Webhook

from common.walltime import utc_text
from tests.cast import Player
from webhooks.engine import drain
from webhooks.models import Delivery, Endpoint, EndpointSecret, Event
from webhooks.services import create_endpoint
from webhooks.tests.conftest import Receiver, emit_some
from webhooks.types import EventType

HOOK = "https://hooks.example.com/bookings"


def path(endpoint: Endpoint, action: str = "") -> str:
    return f"/webhook_endpoints/{endpoint.public_id}{action}"


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["data"]]


def refused(answer: Any) -> tuple[int, list[str], list[str]]:
    errors = answer.json()["errors"]
    return answer.status_code, [error["pointer"] for error in errors], [error["code"] for error in errors]


def send(alice: Player, count: int = 1) -> list[Delivery]:
    """So many events, delivered; their deliveries, oldest first."""
    emit_some(alice.actor, count)
    drain()
    return list(Delivery.objects.select_related("event").order_by("pk"))


def test_an_endpoint_is_made_read_changed_and_deleted(alice: Player) -> None:
    made = alice.api.post("/webhook_endpoints", {"url": HOOK, "event_types": ["room.created", "room.created"]})
    url = f"/webhook_endpoints/{made.json()['id']}"

    assert (made.status_code, made.json()["status"], made.json()["event_types"]) == (201, "active", ["room.created"])
    read = alice.api.get(url)
    assert read.json() == {**_without_secret(made), "held": {"count": 0, "oldest_at": None}}
    assert alice.api.get(url, if_none_match=read["ETag"]).status_code == 304
    changed = alice.api.put(url, {"description": "Till", "event_types": []}, if_match=read["ETag"])
    assert (changed.json()["description"], changed.json()["event_types"], changed.json()["version"]) == ("Till", [], 2)
    assert alice.api.put(url, {"url": HOOK}, if_match=read["ETag"]).status_code == 412
    assert alice.api.delete(url).json() == {"object": "webhook_endpoint", "id": made.json()["id"], "deleted": True}
    assert alice.api.get(url).status_code == 404


def _without_secret(answer: Any) -> dict[str, Any]:
    return {name: value for name, value in answer.json().items() if name != "secret"}


def test_the_list_filters_by_status_and_text(alice: Player) -> None:
    till, _ = create_endpoint(by=alice.actor, url=HOOK, description="Till")
    other, _ = create_endpoint(by=alice.actor, url="https://other.example.com")
    alice.api.post(path(other, "/pause"))

    assert ids(alice.api.get("/webhook_endpoints")) == [other.public_id, till.public_id]
    assert ids(alice.api.get("/webhook_endpoints?status=paused")) == [other.public_id]
    assert ids(alice.api.get("/webhook_endpoints?q=till")) == [till.public_id]
    assert ids(alice.api.get("/webhook_endpoints?q=OTHER.example")) == [other.public_id]
    assert alice.api.get("/webhook_endpoints?status=gone").status_code == 422


def test_the_secret_is_shown_once_and_by_the_kept_answer(alice: Player) -> None:
    made = alice.api.post("/webhook_endpoints", {"url": HOOK}, idempotency_key="hook-1")
    secret = made.json()["secret"]
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", secret)
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32

    again = alice.api.post("/webhook_endpoints", {"url": HOOK}, idempotency_key="hook-1")
    assert (again.content, again["Idempotency-Replayed"]) == (made.content, "true")
    url = f"/webhook_endpoints/{made.json()['id']}"
    for answer in (
        alice.api.get(url),
        alice.api.get("/webhook_endpoints"),
        alice.api.put(url, {"description": "d"}),
        alice.api.post(f"{url}/pause"),
        alice.api.post(f"{url}/enable"),
    ):
        assert answer.status_code == 200
        assert "whsec_" not in answer.content.decode()
    assert secret not in EndpointSecret.objects.get().encrypted


def test_values_of_headers_are_never_shown(alice: Player) -> None:
    made = alice.api.post("/webhook_endpoints", {"url": HOOK, "headers": {"X-Till": "hush", "Authorization": "Basic hush"}})
    url = f"/webhook_endpoints/{made.json()['id']}"

    assert made.json()["header_names"] == ["Authorization", "X-Till"]
    for answer in (made, alice.api.get(url), alice.api.get("/webhook_endpoints")):
        assert "hush" not in answer.content.decode()
    assert "hush" not in Endpoint.objects.get().headers
    assert alice.api.put(url, {"headers": {}}).json()["header_names"] == []


@pytest.mark.parametrize(
    ("headers", "pointer", "code"),
    [
        ({"Host": "x"}, "/headers/Host", "reserved"),
        ({"content-type": "x"}, "/headers/content-type", "reserved"),
        ({"Webhook-Id": "x"}, "/headers/Webhook-Id", "reserved"),
        ({"BookingFlow-Attempt": "x"}, "/headers/BookingFlow-Attempt", "reserved"),
        ({"Transfer-Encoding": "x"}, "/headers/Transfer-Encoding", "reserved"),
        ({"X-Till": "a\r\nHost: b"}, "/headers/X-Till", "invalid"),
        ({"X-Till": "trailing\n"}, "/headers/X-Till", "invalid"),
        ({"X-Till": "é"}, "/headers/X-Till", "invalid"),
        ({"X-Till": "x" * 1001}, "/headers/X-Till", "max_length"),
        ({"X-Till": 3}, "/headers/X-Till", "invalid"),
        ({"X Till": "x"}, "/headers/X Till", "invalid"),
        ({"X/Till\n": "x"}, "/headers/X~1Till\n", "invalid"),
        ({"X-Till": "1", "x-till": "2"}, "/headers", "duplicate"),
        ({f"X-{number}": "x" for number in range(11)}, "/headers", "too_many"),
    ],
)
def test_headers_of_ours_or_with_line_breaks_are_refused_by_pointer(
    alice: Player, headers: dict[str, Any], pointer: str, code: str
) -> None:
    assert refused(alice.api.post("/webhook_endpoints", {"url": HOOK, "headers": headers})) == (422, [pointer], [code])
    assert alice.api.post("/webhook_endpoints", {"url": HOOK, "headers": {"X-Till": "1"}}).status_code == 201


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://127.0.0.1/hook", "private or reserved"),
        ("https://localhost/hook", "localhost"),
        ("https://10.0.0.1/hook", "private or reserved"),
        ("https://169.254.169.254/latest/meta-data", "private or reserved"),
        ("https://[::1]/hook", "private or reserved"),
        ("https://[::ffff:10.0.0.1]/hook", "private or reserved"),
        ("http://hooks.example.com/hook", "https://"),
        ("https://user:word@hooks.example.com/", "user name"),
        ("https://2130706433/hook", "unusual number"),
        ("https://0x7f.1/hook", "unusual number"),
        ("https://0177.0.0.1/hook", "unusual number"),
        ("https://hooks/hook", "full host name"),
        ("https://testserver/hook", "name"),
        ("ftp://hooks.example.com", "https://"),
        ("hooks.example.com", "https://"),
    ],
)
def test_an_address_inside_or_odd_is_refused_with_its_reason(alice: Player, settings: Any, url: str, reason: str) -> None:
    settings.WEBHOOK_ALLOW_LOOPBACK = False
    endpoint, _ = create_endpoint(by=alice.actor, url=HOOK)

    for answer in (alice.api.post("/webhook_endpoints", {"url": url}), alice.api.put(path(endpoint), {"url": url})):
        assert refused(answer) == (422, ["/url"], ["refused_address"])
        assert reason in answer.json()["errors"][0]["detail"]
    endpoint.refresh_from_db()
    assert endpoint.url == HOOK


def test_our_own_hosts_are_no_receivers(alice: Player, settings: Any) -> None:
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = "https://app.bookings.example", ["testserver", ".bookings.example"]

    for url in ("https://app.bookings.example/hook", "https://other.bookings.example/hook"):
        answer = alice.api.post("/webhook_endpoints", {"url": url})
        assert refused(answer) == (422, ["/url"], ["refused_address"])
        assert "our own" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/url"),
        ({"url": 3}, "/url"),
        ({"url": HOOK, "secret": "mine"}, "/secret"),
        ({"url": HOOK, "status": "paused"}, "/status"),
        ({"url": HOOK, "event_types": ["booking.eaten"]}, "/event_types/0"),
        ({"url": HOOK, "event_types": "booking.created"}, "/event_types"),
        ({"url": HOOK, "headers": ["X-Till"]}, "/headers"),
        ({"url": HOOK, "description": "x" * 201}, "/description"),
    ],
)
def test_other_bad_input_is_refused_by_pointer(alice: Player, body: dict[str, Any], pointer: str) -> None:
    assert refused(alice.api.post("/webhook_endpoints", body))[:2] == (422, [pointer])


def test_a_plan_includes_so_many_endpoints(alice: Player, charlie: Player) -> None:
    plan = alice.organization.plan
    plan.max_webhook_endpoints = 1
    plan.save()
    assert alice.api.post("/webhook_endpoints", {"url": HOOK}).status_code == 201

    answer = alice.api.post("/webhook_endpoints", {"url": HOOK})

    assert (answer.status_code, answer.json()["code"]) == (403, "plan_limit")
    assert charlie.api.post("/webhook_endpoints", {"url": HOOK}).status_code == 201


def test_a_pause_holds_events_and_enabling_can_release_them(alice: Player, endpoint: Endpoint, receiver: Receiver) -> None:
    assert alice.api.post(path(endpoint, "/pause")).json()["status"] == "paused"
    assert alice.api.post(path(endpoint, "/pause")).json()["version"] == 2
    send(alice, 3)
    first, second, third = Event.objects.order_by("pk")
    assert receiver.requests == []
    assert alice.api.get(path(endpoint)).json()["held"] == {"count": 3, "oldest_at": utc_text(first.occurred_at)}

    enabled = alice.api.post(path(endpoint, "/enable"), {"release_held_since": utc_text(second.occurred_at)})
    drain()

    assert (enabled.status_code, enabled.json()["status"], enabled.json()["released"]) == (200, "active", 2)
    assert {request.event["id"] for request in receiver.requests} == {second.public_id, third.public_id}
    assert alice.api.get(path(endpoint)).json()["held"]["count"] == 1
    assert alice.api.post(path(endpoint, "/enable")).json()["released"] == 0


def test_after_a_rotation_both_secrets_verify_and_three_at_most(alice: Player, endpoint: Any, receiver: Receiver) -> None:
    rotate = path(endpoint, "/rotate-secret")
    second = alice.api.post(rotate).json()["secret"]
    send(alice)
    for secret in (endpoint.secret_text, second):
        Webhook(secret).verify(receiver.requests[0].body, receiver.requests[0].headers)

    third = alice.api.post(rotate, {"overlap_seconds": 604_800})
    assert third.status_code == 200
    assert refused(alice.api.post(rotate)) == (422, ["/overlap_seconds"], ["too_many"])
    assert refused(alice.api.post(rotate, {"overlap_seconds": 604_801}))[:2] == (422, ["/overlap_seconds"])
    last = alice.api.post(rotate, {"overlap_seconds": 0})
    assert last.status_code == 200
    send(alice)
    signatures = receiver.requests[1].headers["webhook-signature"].split()
    Webhook(last.json()["secret"]).verify(receiver.requests[1].body, receiver.requests[1].headers)
    assert len(signatures) == 1


def test_a_ping_and_a_test_event_reach_an_endpoint_that_subscribes_to_neither(alice: Player, receiver: Receiver) -> None:
    deaf, _ = create_endpoint(by=alice.actor, url=receiver.url("/deaf"), event_types=["room.archived"])
    create_endpoint(by=alice.actor, url=receiver.url("/all"))

    ping = alice.api.post(path(deaf, "/ping"))
    test = alice.api.post(path(deaf, "/test"), {"type": "booking.canceled"})
    drain()

    assert (ping.status_code, ping.json()["object"], ping.json()["type"]) == (202, "event", "webhook.ping")
    assert (test.status_code, test.json()["type"]) == (202, "booking.canceled")
    assert {request.path for request in receiver.requests} == {"/deaf"}
    assert [request.event["test"] for request in receiver.requests] == [True, True]
    arrived = {request.event["id"]: request.event["data"]["object"] for request in receiver.requests}
    pinged, tested = arrived[ping.json()["id"]], arrived[test.json()["id"]]
    assert pinged["id"] == deaf.public_id
    assert (tested["object"], tested["status"]) == ("booking", "canceled")
    assert alice.api.post(path(deaf, "/ping"), {}, if_match='"7"').status_code == 412
    assert refused(alice.api.post(path(deaf, "/test"), {"type": "booking.eaten"}))[:2] == (422, ["/type"])
    assert refused(alice.api.post(path(deaf, "/ping"), {"type": "x"})) == (422, ["/type"], ["unknown_field"])


@pytest.mark.parametrize("type", EventType.values)
def test_every_type_can_be_tried(alice: Player, endpoint: Endpoint, receiver: Receiver, type: str) -> None:
    assert alice.api.post(path(endpoint, "/test"), {"type": type}).status_code == 202

    drain()

    assert receiver.types == [type]
    assert alice.api.get(f"/events/{receiver.requests[0].event['id']}").json() == receiver.requests[0].event


def test_a_delivery_tells_its_attempts(alice: Player, endpoint: Endpoint, receiver: Receiver) -> None:
    receiver.answer = lambda request: (500, {"x-request-id": "r1"}, b"broken")
    (delivery,) = send(alice)

    shown = alice.api.get(f"/deliveries/{delivery.public_id}")

    body = shown.json()
    assert (body["event"], body["endpoint"]) == (delivery.event.public_id, endpoint.public_id)
    assert (body["state"], body["failure"], body["status_code"], body["attempts"]) == ("scheduled", "http", 500, 1)
    (attempt,) = body["attempts_log"]
    assert (attempt["number"], attempt["status_code"], attempt["failure"], attempt["answer"]) == (1, 500, "http", "broken")
    assert attempt["answer_headers"]["x-request-id"] == "r1"
    assert alice.api.get(f"/deliveries/{delivery.public_id}", if_none_match=shown["ETag"]).status_code == 304


def test_deliveries_are_filtered_by_what_people_ask_for(alice: Player, charlie: Player, receiver: Receiver) -> None:
    good, _ = create_endpoint(by=alice.actor, url=receiver.url())
    bad, _ = create_endpoint(by=alice.actor, url="http://127.0.0.1:1/")
    theirs, _ = create_endpoint(by=charlie.actor, url=HOOK)
    send(alice)
    arrived = Delivery.objects.get(endpoint=good)
    failed = Delivery.objects.get(endpoint=bad)
    event = arrived.event
    a, b = arrived.public_id, failed.public_id

    def found(query: str) -> set[str]:
        return set(ids(alice.api.get(f"/deliveries?{query}")))

    assert found("") == {a, b}
    assert found(f"endpoint={good.public_id}") == {a}
    assert found(f"endpoint={good.public_id},{bad.public_id}&state=scheduled") == {b}
    assert found("state=succeeded,exhausted") == {a}
    assert found("failure=refused") == {b}
    assert found(f"event={event.public_id}") == {a, b}
    assert found(f"object={event.object_id}") == {a, b}
    assert found("object=bkg_unknown") == set()
    assert found("type=customer.created") == {a, b}
    assert found("type=room.created") == set()
    assert found(f"created_since={utc_text(failed.created_at)}") >= {b}
    assert found("created_until=2020-01-01T00:00:00Z") == set()
    for query, parameter in (
        (f"endpoint={theirs.public_id}", "endpoint"),
        ("state=lost", "state"),
        ("failure=bad_luck", "failure"),
        ("type=booking.eaten", "type"),
        ("event=evt_unknown", "event"),
        ("created_since=yesterday", "created_since"),
        ("colour=red", "colour"),
    ):
        answer = alice.api.get(f"/deliveries?{query}")
        assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, parameter)


def test_sending_again_is_a_new_delivery_of_the_same_bytes(alice: Player, endpoint: Endpoint, receiver: Receiver) -> None:
    (delivery,) = send(alice)
    url = f"/deliveries/{delivery.public_id}"

    again = alice.api.post(f"{url}/resend")
    drain()

    assert (again.status_code, again.json()["replay_of"], again.json()["event"]) == (
        201,
        delivery.public_id,
        delivery.event.public_id,
    )
    first, second = receiver.requests
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])
    assert second.headers["bookingflow-redelivery"] == "true"
    assert second.headers["bookingflow-delivery-id"] == again.json()["id"] != delivery.public_id
    assert alice.api.get(url).json()["version"] == delivery.version
    alice.api.post(path(endpoint, "/pause"))
    refusal = alice.api.post(f"{url}/resend")
    assert (refusal.status_code, refusal.json()["code"]) == (409, "endpoint_not_listening")
    assert refusal.json()["endpoint_status"] == "paused"


def test_a_replay_is_counted_run_and_followed(alice: Player, endpoint: Endpoint, receiver: Receiver) -> None:
    send(alice, 2)
    receiver.answer = lambda request: (500, {}, b"")
    failed = send(alice)[-1].event
    receiver.answer = lambda request: (200, {}, b"")
    receiver.requests.clear()
    since = {"since": "2026-01-01T00:00:00Z"}

    preview = alice.api.post(path(endpoint, "/replay"), {**since, "dry_run": True})
    assert (preview.status_code, preview.json()["object"], preview.json()["total"]) == (200, "replay_preview", 3)
    assert alice.api.get("/replays").json()["data"] == []
    started = alice.api.post(path(endpoint, "/replay"), {**since, "only_failed": True})
    assert (started.status_code, started.json()["state"], started.json()["total"]) == (201, "running", 1)
    url = f"/replays/{started.json()['id']}"
    before = alice.api.get(url)
    drain()

    assert [request.event["id"] for request in receiver.requests] == [failed.public_id]
    after = alice.api.get(url, if_none_match=before["ETag"])
    assert (after.json()["state"], after.json()["queued"], after.json()["succeeded"]) == ("finished", 1, 1)
    assert alice.api.get(url, if_none_match=after["ETag"]).status_code == 304
    assert alice.api.get(f"/replays?endpoint={endpoint.public_id}&state=finished").json()["data"] == [after.json()]
    assert ids(alice.api.get("/replays?state=running")) == []
    assert alice.api.delete(url).json() == after.json()


def test_a_replay_leaves_out_pings_and_test_events(alice: Player, endpoint: Endpoint, receiver: Receiver) -> None:
    alice.api.post(path(endpoint, "/ping"))
    alice.api.post(path(endpoint, "/test"), {"type": "customer.created"})
    (real,) = [delivery.event for delivery in send(alice) if not delivery.event.is_test]
    receiver.requests.clear()

    replay = alice.api.post(path(endpoint, "/replay"), {"since": "2026-01-01T00:00:00Z"})
    drain()

    assert replay.json()["total"] == 1
    assert [request.event["id"] for request in receiver.requests] == [real.public_id]


def test_a_replay_can_be_canceled_while_it_runs(alice: Player, endpoint: Endpoint, receiver: Receiver, settings: Any) -> None:
    send(alice, 3)
    settings.WEBHOOK_RATE_PER_SECOND, settings.WEBHOOK_BURST = 0.001, 1
    Endpoint.objects.update(tokens_at=None)
    receiver.requests.clear()
    replay = alice.api.post(path(endpoint, "/replay"), {"since": "2026-01-01T00:00:00Z"}).json()
    drain()
    assert len(receiver.requests) == 1

    canceled = alice.api.delete(f"/replays/{replay['id']}").json()
    Endpoint.objects.update(tokens_at=None)
    drain()

    assert len(receiver.requests) == 1
    assert (canceled["queued"], canceled["succeeded"]) == (3, 1)
    states = Delivery.objects.filter(replay__public_id=replay["id"]).order_by("pk").values_list("state", flat=True)
    assert list(states) == ["succeeded", "canceled", "canceled"]


def test_what_a_canceled_replay_held_is_not_released_later(alice: Player, endpoint: Endpoint, receiver: Receiver) -> None:
    send(alice)
    receiver.answer = lambda request: (500, {}, b"")
    replay = alice.api.post(path(endpoint, "/replay"), {"since": "2026-01-01T00:00:00Z"}).json()
    drain()
    alice.api.post(path(endpoint, "/pause"))
    alice.api.delete(f"/replays/{replay['id']}")

    assert alice.api.post(path(endpoint, "/enable"), {"release_held_since": "2026-01-01T00:00:00Z"}).json()["released"] == 0


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/since"),
        ({"since": "yesterday"}, "/since"),
        ({"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, "/until"),
        ({"since": "2026-01-01T00:00:00Z", "types": ["booking.eaten"]}, "/types/0"),
        ({"since": "2026-01-01T00:00:00Z", "dry_run": "yes"}, "/dry_run"),
    ],
)
def test_a_replay_without_sense_is_refused_by_pointer(
    alice: Player, endpoint: Endpoint, body: dict[str, Any], pointer: str
) -> None:
    assert refused(alice.api.post(path(endpoint, "/replay"), body))[:2] == (422, [pointer])
    assert alice.api.post(path(endpoint, "/replay"), {"since": "2026-01-01T00:00:00Z"}).status_code == 201


def test_a_paused_endpoint_gets_no_replay_but_a_preview(alice: Player, endpoint: Endpoint) -> None:
    alice.api.post(path(endpoint, "/pause"))
    since = {"since": "2026-01-01T00:00:00Z"}

    answer = alice.api.post(path(endpoint, "/replay"), since)

    assert (answer.status_code, answer.json()["code"]) == (409, "endpoint_not_listening")
    assert alice.api.post(path(endpoint, "/replay"), {**since, "dry_run": True}).status_code == 200


def test_one_tenant_can_neither_read_nor_resend_nor_replay_anothers(
    alice: Player, charlie: Player, endpoint: Endpoint, receiver: Receiver
) -> None:
    (delivery,) = send(alice)
    since = {"since": "2026-01-01T00:00:00Z"}
    replay = alice.api.post(path(endpoint, "/replay"), since).json()["id"]
    receiver.requests.clear()

    for method, url, body in (
        ("GET", path(endpoint), None),
        ("PUT", path(endpoint), {"url": HOOK}),
        ("DELETE", path(endpoint), None),
        ("POST", path(endpoint, "/rotate-secret"), {}),
        ("POST", path(endpoint, "/pause"), {}),
        ("POST", path(endpoint, "/enable"), {}),
        ("POST", path(endpoint, "/ping"), {}),
        ("POST", path(endpoint, "/test"), {"type": "booking.created"}),
        ("POST", path(endpoint, "/replay"), since),
        ("POST", path(endpoint, "/replay"), {**since, "dry_run": True}),
        ("GET", f"/deliveries/{delivery.public_id}", None),
        ("POST", f"/deliveries/{delivery.public_id}/resend", {}),
        ("GET", f"/replays/{replay}", None),
        ("DELETE", f"/replays/{replay}", None),
        ("GET", f"/events/{delivery.event.public_id}", None),
    ):
        assert charlie.api.call(method, url, body).status_code == 404, (method, url)
    for url in ("/webhook_endpoints", "/deliveries", "/replays", "/events"):
        assert ids(charlie.api.get(url)) == []
    drain()
    assert len(receiver.requests) == 1  # Alice's replay goes on, and nothing else went out


def test_lists_take_the_same_queries_however_long(alice: Player, receiver: Receiver) -> None:
    plan = alice.organization.plan
    plan.max_webhook_endpoints = 100
    plan.save()
    endpoints = [create_endpoint(by=alice.actor, url=receiver.url())[0] for _ in range(6)]
    send(alice, 2)
    for endpoint in endpoints:
        alice.api.post(path(endpoint, "/replay"), {"since": "2026-01-01T00:00:00Z"})
    drain()

    def queries(url: str, limit: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert len(ids(alice.api.get(f"{url}?limit={limit}"))) == limit
        return len(captured)

    for url in ("/webhook_endpoints", "/deliveries", "/replays"):
        assert queries(url, 6) == queries(url, 2) <= 5, url
