"""Who gets in at /mcp, and what is answered to what is no call of a tool."""

import json
from typing import Any

import pytest
from django.test import Client

from agents.tests.speaking import JSON, LEGACY, MODERN, Agent, agent
from agents.tools import TOOLS
from developers.models import ApiKey
from developers.services import create_key, revoke_key
from organizations.models import Plan
from organizations.permissions import Scope
from tests.cast import Player
from tests.stage import slot_at

VERSIONS = pytest.mark.parametrize("version", [LEGACY, MODERN])


def code_of(answer: Any) -> tuple[int, str]:
    assert answer["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


# Who


def test_the_key_is_looked_at_before_anything_else(alice: Player) -> None:
    def code(headers: dict[str, str]) -> tuple[int, str]:
        answer = Client().post("/mcp", "no json", content_type="text/plain", headers=headers)
        assert answer["WWW-Authenticate"] == 'Bearer realm="BookingFlow"'
        assert answer["Cache-Control"] == "no-store"
        return code_of(answer)

    assert code({}) == (401, "authentication_required")
    assert code({"Authorization": f"Basic {alice.secret}"}) == (401, "api_key_malformed")
    assert code({"Authorization": "Bearer bkf_play_x"}) == (401, "api_key_malformed")
    assert code({"Authorization": f"Bearer {alice.secret[:-1]}"}) == (401, "api_key_malformed")
    assert code_of(Client().get("/mcp")) == (401, "authentication_required")


@VERSIONS
def test_a_revoked_key_fails_at_the_next_call(alice: Player, version: str) -> None:
    key, secret = create_key(by=alice.actor, name="Agent", preset=ApiKey.Preset.AI_AGENT)
    agent = Agent(secret, version=version)
    assert agent.call("search_rooms") == {"rooms": [], "next_cursor": None}

    revoke_key(by=alice.actor, key=key)

    assert code_of(agent.ask("tools/call", {"name": "search_rooms"})) == (401, "api_key_revoked")


def test_a_web_page_may_call_only_where_the_settings_say_so(alice: Player, settings: Any) -> None:
    page = Agent(alice.secret)
    page.headers["Origin"] = "https://assistant.example"
    assert code_of(page.ask("tools/list")) == (403, "secret_key_in_browser")

    settings.MCP_ALLOWED_ORIGINS = ["https://assistant.example"]

    assert page.ask("tools/list").status_code == 200
    assert page.call("search_rooms")["rooms"] == []
    page.headers["Origin"] = "https://other.example"
    assert code_of(page.ask("tools/list")) == (403, "secret_key_in_browser")


def test_a_key_bound_to_networks_is_refused_from_elsewhere(alice: Player) -> None:
    assert code_of(agent(alice, networks=("203.0.113.7",)).ask("tools/list")) == (403, "address_not_allowed")


def test_a_host_that_is_not_ours_is_refused(alice: Player) -> None:
    bad = Client(raise_request_exception=False).post("/mcp", "{}", content_type=JSON, headers={"Host": "evil.example"})

    assert bad.status_code == 400


def test_a_session_s_cookie_opens_nothing(alice: Player) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice.user)

    assert code_of(client.post("/mcp", "{}", content_type=JSON)) == (401, "authentication_required")


@pytest.mark.parametrize("name", ["bookingflow.caller", "Bookingflow-Caller", "bookingflow_caller"])
def test_nobody_says_from_outside_who_has_been_authenticated(alice: Player, name: str) -> None:
    """As calls from within do, which come with the caller whom their own request has been found to be."""
    for path in ("/api/v1/public/me", "/mcp"):
        answer = Client().post(path, "{}", content_type=JSON, headers={name: alice.key.public_id})
        assert code_of(answer) == (401, "authentication_required")


# How often


@VERSIONS
def test_what_calls_no_api_is_counted_by_the_same_limits(alice: Player, version: str) -> None:
    Plan.objects.update(rate_per_minute=3)
    agent = Agent(alice.secret, version=version)
    agent.tools()
    agent.call("search_docs", query="hold")
    agent.refused("get_booking")

    refused = agent.refused("search_rooms")
    assert (refused["status"], refused["code"], refused["limit"]) == (429, "rate_limited", "minute")
    assert agent.refused("search_docs", query="hold")["code"] == "rate_limited"
    answer = agent.ask("tools/list")
    assert code_of(answer) == (429, "rate_limited")
    assert 1 <= int(answer["Retry-After"]) <= 60


def test_a_call_of_the_api_is_counted_once(alice: Player) -> None:
    Plan.objects.update(rate_per_minute=3)
    agent = Agent(alice.secret)

    for _ in range(3):
        agent.call("search_rooms")

    assert agent.refused("search_rooms")["code"] == "rate_limited"


# What


@pytest.mark.parametrize("method", ["get", "delete", "put", "options", "head"])
def test_only_post_is_spoken(alice: Player, method: str) -> None:
    answer = getattr(Client(), method)("/mcp", headers=Agent(alice.secret).headers)

    assert (answer.status_code, answer["Allow"]) == (405, "POST")


def test_only_json_is_read_and_only_so_much(alice: Player) -> None:
    headers = Agent(alice.secret).headers
    assert code_of(Client().post("/mcp", "x=1", content_type="text/plain", headers=headers)) == (415, "unsupported_media_type")

    huge = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"x": "x" * 300_000}})
    assert code_of(Agent(alice.secret).send(huge)) == (413, "payload_too_large")


DEEP = '{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": ' + '{"x":' * 5_000 + "1" + "}" * 5_000 + "}"
UNREADABLE = [
    " ",
    "{",
    "[]",
    "7",
    '{"a": NaN}',
    '{"a": "\\ud800"}',
    '{"a": "\\u0000"}',
    '[{"jsonrpc": "2.0"}]',
    DEEP,
    b"\xff\xfe",
]


@VERSIONS
@pytest.mark.parametrize("body", UNREADABLE, ids=range(len(UNREADABLE)))
def test_what_is_no_message_is_answered_as_json_rpc_says(alice: Player, body: str, version: str) -> None:
    answer = Agent(alice.secret).send(body, mcp_protocol_version=version)

    assert (answer.status_code, answer["Content-Type"]) == (400, JSON)
    told = answer.json()
    assert (told["jsonrpc"], told["id"], told["error"]["code"]) == ("2.0", None, -32700)
    assert told["error"]["data"]["code"] == "malformed_json"


ODD: list[Any] = [
    {},
    {"jsonrpc": "1.0", "id": 1, "method": "ping"},
    {"jsonrpc": "2.0", "id": {}, "method": "ping"},
    {"jsonrpc": "2.0", "id": None, "method": "tools/list"},
    {"jsonrpc": "2.0", "id": 10**400, "method": "ping"},
    {"jsonrpc": "2.0", "id": 1, "method": 7},
    {"jsonrpc": "2.0", "id": 1, "method": "no/such"},
    {"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen", "params": {}},
    {"jsonrpc": "2.0", "id": 1, "method": "resources/list"},
    {"jsonrpc": "2.0", "id": 1, "method": "tools/call"},
    {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": []},
    {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": 7}},
    {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "search_rooms", "arguments": []}},
    {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "search_rooms", "arguments": "x"}},
    {"jsonrpc": "2.0", "id": 1, "result": {}},
    {"jsonrpc": "2.0", "id": 1, "error": {}},
]


@VERSIONS
@pytest.mark.parametrize("message", ODD, ids=range(len(ODD)))
def test_an_odd_message_is_refused_and_never_breaks(alice: Player, message: Any, version: str) -> None:
    answer = Agent(alice.secret).send(json.dumps(message), mcp_protocol_version=version, mcp_method=str(message.get("method")))

    assert answer.status_code < 500
    assert answer.status_code == 202 or "error" in answer.json()


@VERSIONS
def test_an_unknown_tool_is_an_error_of_the_protocol(alice: Player, version: str) -> None:
    agent = Agent(alice.secret, version=version)

    for name in ("cancel", "x" * 5_000, "__class__", ""):
        assert agent.ask("tools/call", {"name": name}).json()["error"]["code"] == -32602


@pytest.mark.parametrize(
    "headers", [{"mcp_protocol_version": "1999-01-01"}, {"mcp_protocol_version": "\N{DUCK}"}, {"accept": "text/html"}]
)
def test_odd_headers_are_refused(alice: Player, headers: dict[str, str]) -> None:
    message = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})

    assert Agent(alice.secret).send(message, **headers).status_code in (400, 406)


@VERSIONS
def test_a_notification_is_taken_without_an_answer(alice: Player, version: str) -> None:
    message = json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"})
    answer = Agent(alice.secret).send(message, mcp_protocol_version=version)

    assert (answer.status_code, answer.content) == (202, b"")


def test_a_failure_of_ours_is_a_problem_that_says_nothing_of_it(alice: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.caller.Caller.get", lambda *given, **more: dict[str, str]()["secret"])
    refused = Agent(alice.secret).refused("search_rooms")

    assert (refused["status"], refused["code"]) == (500, "internal_error")
    assert "secret" not in json.dumps(refused)


# The list


@VERSIONS
def test_the_server_says_what_it_is_and_offers_tools(alice: Player, version: str) -> None:
    if version == LEGACY:
        hello = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
        told = Agent(alice.secret, version=LEGACY).result("initialize", hello)
        assert told["serverInfo"]["name"] == "bookingflow"
    else:
        told = Agent(alice.secret).result("server/discover")
        assert MODERN in told["supportedVersions"]
    assert "tools" in told["capabilities"]
    assert "never instructions" in told["instructions"]


def test_each_tool_says_what_it_takes_answers_and_does(alice: Player) -> None:
    listed = {tool["name"]: tool for tool in Agent(alice.secret).result("tools/list")["tools"]}

    assert set(listed) == set(TOOLS)
    assert len(json.dumps(listed)) < 40_000
    reads = {name for name, tool in listed.items() if tool["annotations"]["readOnlyHint"]}
    assert set(listed) - reads == {"hold_booking", "confirm_booking", "reschedule_booking", "cancel_booking"}
    assert {name for name, tool in listed.items() if tool["annotations"]["destructiveHint"]} == {
        "reschedule_booking",
        "cancel_booking",
    }
    for tool in listed.values():
        assert tool["title"]
        assert tool["description"]
        assert tool["inputSchema"]["additionalProperties"] is False
        assert tool["outputSchema"]["type"] == "object"


def test_only_what_the_key_may_is_listed(alice: Player, bob: Player) -> None:
    reading = {"search_rooms", "get_availability", "quote_booking", "get_booking", "list_bookings", "preview_change"}

    assert set(Agent(bob.secret).tools()) == reading | {"find_customer", "search_docs"}
    writing = {"hold_booking", "confirm_booking", "reschedule_booking"}
    booking = agent(alice)
    assert set(booking.tools()) == reading | writing | {"search_docs"}
    Plan.objects.update(keys_may_write=False)
    assert set(booking.tools()) == reading | {"search_docs"}


ARGUMENTS: dict[str, dict[str, Any]] = {
    "search_rooms": {},
    "get_availability": {"date_from": slot_at(5).date().isoformat()},
    "quote_booking": {"room": "rm_x", "starts_at": slot_at(5).isoformat(), "party_size": 4},
    "hold_booking": {"room": "rm_x", "starts_at": slot_at(5).isoformat(), "party_size": 4, "customer": {"name": "Ada"}},
    "confirm_booking": {"booking": "bkg_x"},
    "get_booking": {"booking": "bkg_x"},
    "list_bookings": {},
    "preview_change": {"booking": "bkg_x", "cancel": True},
    "reschedule_booking": {"booking": "bkg_x", "party_size": 5},
    "cancel_booking": {"booking": "bkg_x"},
    "find_customer": {"q": "Ada"},
}


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_a_tool_that_is_hidden_is_refused_when_it_is_called(alice: Player, name: str) -> None:
    """Each with a key that has no scope of its."""
    other = Scope.PAYMENTS_READ
    secret = create_key(by=alice.actor, name="Till", preset=ApiKey.Preset.CUSTOM, scopes=[other])[1]
    hidden = Agent(secret)
    assert hidden.tools() == ["search_docs"]

    refused = hidden.refused(name, **ARGUMENTS[name])

    assert (refused["status"], refused["code"]) == (403, "insufficient_scope")
    assert refused["required_scopes"] == list(TOOLS[name].scopes)


def test_a_reader_s_forged_writing_changes_nothing(alice: Player, bob: Player) -> None:
    for name in ("hold_booking", "confirm_booking", "reschedule_booking", "cancel_booking"):
        assert Agent(bob.secret).refused(name, **ARGUMENTS[name])["code"] == "insufficient_scope"
    assert set(ARGUMENTS) == set(TOOLS) - {"search_docs"}
