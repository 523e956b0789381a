"""An agent's whole errand through the protocol's official clients, against the real server."""

import contextlib
import datetime as dt
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from agents.tests.speaking import secret_of
from bookings.models import Booking
from common.walltime import zone
from dashboard.agent_clients import CLIENTS
from organizations.permissions import Scope
from rooms.models import Room
from tests.cast import Player
from tests.server import Server
from tests.stage import make_room, make_venue

if TYPE_CHECKING:
    from mcp import Client

SATURDAY = 5
TYPESCRIPT = Path(__file__).with_name("errand.mjs")
TYPESCRIPT_SDK = "@modelcontextprotocol/sdk@1.32.2"
CAPS: dict[str, Any] = {"currency": "EUR", "max_amount_per_booking": 20_000, "max_open_holds": 2}


@contextlib.asynccontextmanager
async def client_of(server: Server, secret: str, mode: Any) -> AsyncIterator["Client"]:
    from mcp import Client  # late: it takes a second, and every process imports every test
    from mcp.client.streamable_http import streamable_http_client
    from mcp.shared._httpx_utils import create_mcp_http_client

    async with (
        create_mcp_http_client({"Authorization": f"Bearer {secret}"}) as http,
        Client(streamable_http_client(f"{server.url}/mcp", http_client=http), mode=mode) as client,
    ):
        yield client


async def call(client: "Client", tool: str, **arguments: Any) -> Any:
    """The client itself holds the answer against the tool's schema."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.structured_content
    return result.structured_content


def next_saturday() -> dt.date:
    today = dt.datetime.now(zone("Europe/Paris")).date()
    return today + dt.timedelta(days=(SATURDAY - today.weekday()) % 7 or 7)


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_a_room_for_five_on_saturday_evening(
    transactional_db: None, server: Server, alice: Player, group_room: Room, mode: str
) -> None:
    secret = secret_of(alice, Scope.BOOKINGS_CANCEL, **CAPS)

    async def errand() -> None:
        async with client_of(server, secret, mode) as client:
            assert client.protocol_version == ("2025-11-25" if mode == "legacy" else "2026-07-28")
            tools = {tool.name for tool in (await client.list_tools()).tools}
            assert {"search_rooms", "hold_booking", "cancel_booking"} < tools
            assert "find_customer" not in tools

            (room,) = (await call(client, "search_rooms", party_size=5))["rooms"]
            day = next_saturday().isoformat()
            evening = {"date_from": day, "date_to": day, "from_time": "17:00", "party_size": 5}
            slots = (await call(client, "get_availability", rooms=[room["room"]], **evening))["slots"]
            assert {slot["starts"]["weekday"] for slot in slots} == {"Saturday"}

            what = {"room": room["room"], "starts_at": slots[0]["starts"]["utc"], "party_size": 5}
            quote = await call(client, "quote_booking", **what)
            person = {"name": "Ada", "email": "ada@example.com"}
            held = await call(client, "hold_booking", **what, quote=quote["quote"], customer=person, idempotency_key="saturday")
            assert (held["status"], held["total"]) == ("held", quote["due"])

            id = held["booking"]
            paid = await call(client, "confirm_booking", booking=id, payment={"payment_method": "pm_card_visa"})
            assert (paid["status"], paid["payment_status"], paid["payment"]["status"]) == ("confirmed", "paid", "succeeded")

            later = {"booking": id, "starts_at": slots[2]["starts"]["utc"]}
            preview = await call(client, "preview_change", **later)
            moved = await call(client, "reschedule_booking", **later, quote=preview["quote"])
            assert moved["starts"] == slots[2]["starts"]

            preview = await call(client, "preview_change", booking=id, cancel=True)
            canceled = await call(client, "cancel_booking", booking=id, reason="Rain")
            assert (canceled["status"], canceled["refund"]["amount"]) == ("canceled", preview["refund"])

            refused = await client.call_tool("find_customer", {"q": "Ada"})
            assert refused.is_error
            assert refused.structured_content["code"] == "insufficient_scope"

    anyio.run(errand)

    booking = Booking.objects.get()
    assert (booking.source, booking.status, booking.customer.name) == ("agent", "canceled", "Ada")


def test_the_page_s_call_with_curl_lists_the_key_s_tools(transactional_db: None, server: Server, bob: Player) -> None:
    command = CLIENTS["curl"].code(f"{server.url}/mcp")
    environment = {**os.environ, "BOOKINGFLOW_KEY": bob.secret}
    done = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True, timeout=60, check=True)

    names = {tool["name"] for tool in json.loads(done.stdout)["result"]["tools"]}
    assert "search_rooms" in names
    assert "hold_booking" not in names


def crowd(server: Server, alice: Player, charlie: Player, *, calls: int) -> None:
    """16 clients with two keys, each told nothing but its own organization's."""
    for player, name in ((alice, "Alpha's room"), (charlie, "Beta's room")):
        make_room(player.actor, make_venue(player.actor), name=name)
    secrets = {"Alpha's room": alice.secret, "Beta's room": charlie.secret}
    seen: list[tuple[str, list[str]]] = []

    async def one(name: str, mode: str) -> None:
        async with client_of(server, secrets[name], mode) as client:
            for _ in range(calls):
                rooms = (await call(client, "search_rooms"))["rooms"]
                seen.append((name, [room["name"] for room in rooms]))

    async def all_at_once() -> None:
        async with anyio.create_task_group() as group:
            for number in range(16):
                group.start_soon(one, list(secrets)[number % 2], ("legacy", "2026-07-28")[number // 2 % 2])

    anyio.run(all_at_once)

    assert len(seen) == 16 * calls
    assert all(names == [name] for name, names in seen)


def test_clients_at_once_are_not_mixed_up(transactional_db: None, server: Server, alice: Player, charlie: Player) -> None:
    crowd(server, alice, charlie, calls=3)


@pytest.mark.soak
def test_sixteen_hundred_calls_at_once_are_not_mixed_up(
    transactional_db: None, server: Server, alice: Player, charlie: Player
) -> None:
    crowd(server, alice, charlie, calls=100)


@pytest.fixture(scope="module")
def typescript(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The script beside the SDK that it imports."""
    folder = tmp_path_factory.mktemp("typescript")
    install = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(folder), TYPESCRIPT_SDK]
    subprocess.run(install, check=True, capture_output=True, timeout=300)
    return Path(shutil.copy(TYPESCRIPT, folder))


@pytest.mark.soak
def test_the_typescript_client_finds_holds_and_confirms(
    transactional_db: None, server: Server, alice: Player, group_room: Room, typescript: Path
) -> None:
    environment = {
        **os.environ,
        "MCP_URL": f"{server.url}/mcp",
        "BOOKINGFLOW_KEY": secret_of(alice),
        "DAY": next_saturday().isoformat(),
    }
    done = subprocess.run(["node", str(typescript)], env=environment, capture_output=True, text=True, timeout=120, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    booking = Booking.objects.get()
    assert done.stdout == f"Booked {booking.reference}\n"
    assert (booking.status, booking.source) == ("confirmed", "agent")
