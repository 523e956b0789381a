"""What a tool's call costs beside the API's own call of the same thing, in one process and in the same run."""

import datetime as dt
import gc
import json
import statistics
import time
from collections.abc import Callable
from typing import Any

from django.test import Client

from benchmarks.measuring import WARM_UP
from common.walltime import utc_text
from developers.models import ApiKey
from developers.services import create_key
from organizations.actor import Actor
from organizations.models import Plan
from organizations.services import create_organization
from rooms.services import create_room, create_venue

ROUNDS = 200
AIM_MS = 5.0  # on top of the API's call, at the median
VERSION = "2026-07-28"
PLENTY = 1_000_000  # requests


def main() -> None:
    by = Actor.system(create_organization(name="Agents"))
    Plan.objects.update(
        rate_per_minute=PLENTY, rate_burst=PLENTY, organization_rate_per_minute=PLENTY, organization_rate_burst=PLENTY
    )
    venue = create_venue(by=by, name="Paris", timezone="Europe/Paris", currency="EUR")
    weekly = {"weekdays": [1, 2, 3, 4, 5, 6, 7], "first_start": "08:00", "last_start": "22:00", "interval_minutes": 60}
    pricing = {"model": "per_group", "currency": "EUR", "amount": 10_000}
    room = create_room(by=by, venue=venue, name="Vault", schedule={"rules": [weekly], "overrides": []}, pricing=pricing)
    secret = create_key(by=by, name="Agent", preset=ApiKey.Preset.READ_WRITE)[1]
    day = (dt.datetime.now(dt.UTC) + dt.timedelta(days=5)).replace(hour=12, minute=0, second=0, microsecond=0)
    game = {"room": room.public_id, "starts_at": utc_text(day), "party_size": 4}
    date = day.date().isoformat()
    pairs: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
        "search_rooms": (
            _tool(secret, "search_rooms", {}),
            _api(secret, "GET", "/rooms?status=active&sort=name&limit=10"),
        ),
        "get_availability": (
            _tool(secret, "get_availability", {"date_from": date, "date_to": date, "party_size": 4}),
            _api(secret, "GET", f"/schedules?date_from={date}&date_to={date}&party_size=4"),
        ),
        "quote_booking": (_tool(secret, "quote_booking", game), _api(secret, "POST", "/bookings/quote", game)),
        "list_bookings": (_tool(secret, "list_bookings", {}), _api(secret, "GET", "/bookings?sort=starts_at&limit=10")),
    }
    print(f"\nA call of a tool beside the API's own, in one process; milliseconds, {ROUNDS} rounds\n")
    print("| tool | p50 | p95 | the API's call p50 | on top | aim |\n| --- | ---: | ---: | ---: | ---: | --- |")
    for name, (tool, api) in pairs.items():
        tools, apis = _in_turn(tool, api)
        median, floor = statistics.median(tools), statistics.median(apis)
        late, more = statistics.quantiles(tools, n=20)[18], median - floor
        print(
            f"| {name} | {median:.1f} | {late:.1f} | {floor:.1f} | {more:.1f} | {'met' if more <= AIM_MS else 'missed'} |",
            flush=True,
        )


def _in_turn(*calls: Callable[[], None]) -> list[list[float]]:
    """The milliseconds of each call, taken by turns: whatever else the machine does falls on all of them. What stands is frozen
    for the collector, as a web server does it (bookingflow/wsgi.py).
    """
    times: list[list[float]] = [[] for _ in calls]
    for round_ in range(WARM_UP + ROUNDS):
        if round_ == WARM_UP:
            gc.collect()
            gc.freeze()
        for call, taken in zip(calls, times, strict=True):
            began = time.perf_counter()
            call()
            if round_ >= WARM_UP:
                taken.append((time.perf_counter() - began) * 1000)
    return times


def _tool(secret: str, name: str, arguments: dict[str, Any]) -> Callable[[], None]:
    meta = {
        "io.modelcontextprotocol/protocolVersion": VERSION,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "benchmark", "version": "1"},
    }
    params = {"name": name, "arguments": arguments, "_meta": meta}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
    headers = {"Mcp-Protocol-Version": VERSION, "Mcp-Method": "tools/call", "Mcp-Name": name}

    def call() -> None:
        answer = _send(secret, "POST", "/mcp", body, **headers)
        assert not answer.json()["result"]["isError"], answer.content

    return call


def _api(secret: str, method: str, path: str, body: dict[str, Any] | None = None) -> Callable[[], None]:
    content = json.dumps(body) if body else ""

    def call() -> None:
        answer = _send(secret, method, f"/api/v1/public{path}", content)
        assert answer.status_code < 300, answer.content

    return call


def _send(secret: str, method: str, path: str, body: str, **headers: str) -> Any:
    named = {"Authorization": f"Bearer {secret}", "Accept": "application/json", **headers}
    return Client(SERVER_NAME="127.0.0.1").generic(method, path, body, "application/json", headers=named)
