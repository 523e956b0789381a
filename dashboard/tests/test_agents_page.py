"""Settings → Developers → Agents."""

import html
import json
import re
from typing import Any

import pytest
from django.urls import reverse

from dashboard.agent_clients import CLIENTS
from dashboard.tests.pages import queries, sign_in
from developers.models import ApiKey
from organizations.permissions import Role
from rooms.services import sandbox_for
from tests.cast import Player, enter
from tests.security.routes import log_entry

AGENTS = reverse("dashboard:developers_agents")
MCP = "http://127.0.0.1:8000/mcp"


def text_of(answer: Any) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", answer.content.decode()))


@pytest.mark.parametrize("client", CLIENTS.values(), ids=lambda client: client.slug)
def test_each_client_s_configuration_stands_there_as_it_is_pasted(alice: Player, client: Any) -> None:
    page = text_of(sign_in(alice).get(f"{AGENTS}?client={client.slug}"))

    code = client.code(MCP)
    assert code in page
    assert client.where in page
    assert MCP in code
    assert "Bearer" in code
    assert alice.secret not in page
    if client.language == "json":
        servers = json.loads(code)
        assert set(servers) <= {"mcpServers", "servers", "inputs"}


def test_an_unknown_client_is_shown_the_first(alice: Player) -> None:
    assert "claude mcp add" in text_of(sign_in(alice).get(f"{AGENTS}?client=<script>"))


def test_the_way_to_a_key_is_for_those_who_may_make_one(alice: Player, bob: Player) -> None:
    way = f"{reverse('dashboard:new_key')}?preset=ai_agent"

    assert way in sign_in(alice).get(AGENTS).content.decode()
    assert way not in sign_in(bob).get(AGENTS).content.decode()
    form = sign_in(alice).get(way)
    assert form.context["form"]["preset"].value() == "ai_agent"
    assert form.context["form"]["max_open_holds"].value() == 3


def test_the_last_calls_of_tools_alone_are_listed(alice: Player, charlie: Player) -> None:
    client = sign_in(alice)
    assert "No calls yet" in text_of(client.get(AGENTS))

    log_entry(alice, path="/me")
    log_entry(charlie, tool="get_booking", path="/bookings/theirs")
    entries = [log_entry(alice, tool="search_rooms", path=f"/rooms/{number}", user_agent="assistant/1") for number in range(25)]
    refused = log_entry(alice, tool="cancel_booking", method="DELETE", status=403, error_code="insufficient_scope")

    with queries():
        page = client.get(AGENTS)
    text = text_of(page)
    assert text.count("search_rooms") == 19
    for words in ("cancel_booking", "403 Forbidden", "insufficient_scope", "assistant/1", "alice's key"):
        assert words in text
    assert "theirs" not in text
    assert reverse("dashboard:log_entry", args=[refused.public_id]) in page.content.decode()
    assert "Agent's tool" in text_of(client.get(reverse("dashboard:log_entry", args=[entries[0].public_id])))
    log = reverse("dashboard:developers_log")
    assert "search_rooms" in text_of(client.get(log))
    assert client.get(f"{log}?tool=cancel_booking").content.decode().count('<th scope="row">') == 1


def test_the_calls_are_for_those_who_may_read_the_log(alice: Player) -> None:
    log_entry(alice, tool="search_rooms", path="/rooms")
    staff = enter("stella", alice.organization, Role.STAFF, ApiKey.Preset.READ_ONLY)

    page = text_of(sign_in(staff).get(AGENTS))

    assert "search_rooms" not in page
    assert "Last calls" not in page


def test_test_mode_has_its_own_calls(alice: Player) -> None:
    sandbox_for(alice.organization)
    log_entry(alice, tool="search_rooms", path="/rooms")

    page = text_of(sign_in(alice, mode="test").get(AGENTS))

    assert "Last calls in test mode" in page
    assert "No calls yet" in page
