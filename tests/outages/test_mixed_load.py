"""Eight clients at work as real ones are, each sure of what it was answered: no answer is wrong, nothing is lost or there twice,
and while PostgreSQL restarts there is 503 with Retry-After and nothing else.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests

from organizations.models import Plan
from tests.cast import Player
from tests.crowd import at_once
from tests.outages.good_client import PRICE, SEAT_PRICE, GoodClient
from tests.outages.world import World, begin
from tests.server import Server
from tests.stage import HOURLY

pytestmark = [pytest.mark.timeout(900), pytest.mark.usefixtures("django_db_setup")]
CLIENTS, ERRANDS = 8, 15
LOAD_SECONDS = 120
LIMITS = ("rate_per_minute", "rate_burst", "organization_rate_per_minute", "organization_rate_burst")
HIGH_LIMITS = "UPDATE organizations_plan SET " + ", ".join(f"{name} = 1000000" for name in LIMITS)


@dataclass
class Troubles:
    """When the database was away, by the monotonic clock."""

    spans: list[tuple[float, float]] = field(default_factory=list)

    def during(self, act: Callable[[], None]) -> None:
        began = time.monotonic()
        act()
        self.spans.append((began, time.monotonic()))

    def excuse(self, began: float, ended: float) -> bool:
        return any(began <= back and ended >= away for away, back in self.spans)


def furnish(base: str, secret: str) -> list[GoodClient]:
    """Two rooms that share a space, one that is sold by the seat, and the clients."""
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {secret}"

    def post(path: str, body: dict[str, Any]) -> Any:
        answer = session.post(base + path, json=body, timeout=60)
        assert answer.status_code == 201, answer.text
        return answer.json()

    venue = post("/venues", {"name": "Paris", "timezone": "Europe/Paris", "currency": "EUR"})
    common = {"venue": venue["id"], "duration_minutes": 50, "schedule": HOURLY}
    private = {**common, "min_party": 2, "max_party": 6, "capacity": 6}
    private["pricing"] = {"model": "per_group", "currency": "EUR", "amount": PRICE}
    vault = post("/rooms", {**private, "name": "Vault"})["id"]
    torch = post("/rooms", {**private, "name": "Vault by torchlight", "shares_space_with": [vault]})["id"]
    pricing = {"model": "per_person", "currency": "EUR", "amount": SEAT_PRICE}
    seats = {"booking_mode": "shared", "min_party": 1, "max_party": 8, "capacity": 10, "pricing": pricing}
    cove = post("/rooms", {**common, **seats, "name": "Cove"})["id"]
    return [GoodClient(base, secret, number, [vault, torch], cove, venue) for number in range(CLIENTS)]


def work(client: GoodClient, *, is_over: Callable[[], bool]) -> None:
    while not is_over():
        client.act()


def check(clients: list[GoodClient], database: str, troubles: Troubles) -> None:
    """What every client knows is there, once, and adds up; whatever was not answered has an excuse."""
    bad = [attempt for client in clients for attempt in client.attempts if attempt.status >= 500]
    assert {attempt.status for attempt in bad} <= {503}, bad[0].what
    assert all(attempt.retry_after for attempt in bad)
    assert [attempt.what for attempt in bad if not troubles.excuse(attempt.began, attempt.ended)] == []

    known = {name: booking for client in clients for name, booking in client.bookings.items()}
    customers = {name: customer for client in clients for name, customer in client.customers.items()}
    assert known
    assert clients[0].all_of("/bookings", limit=100) == known
    found = clients[0].all_of("/customers", limit=100)
    assert {name: found.get(name) for name in customers} == customers
    assert len(found) == len(customers) + sum(bool(client.bookings) for client in clients)  # who books becomes one
    confirmed = [booking for booking in known.values() if booking["status"] == "confirmed"]
    paid = sum(booking["amount_paid"] for booking in known.values())
    refunded = sum(booking["amount_refunded"] for booking in known.values())

    with psycopg.connect(database, autocommit=True) as connection:

        def ask(sql: str) -> Any:
            row = connection.execute(sql.encode()).fetchone()
            return row and row[0]

        assert ask("SELECT count(*) FROM rooms_claim WHERE released_at IS NULL") == len(confirmed)
        assert ask("SELECT sum(seats_taken) FROM rooms_session WHERE NOT ended") == sum(b["party_size"] for b in confirmed)
        assert ask(TWO_GAMES_IN_ONE_SPACE) == 0
        assert ask("SELECT coalesce(sum(amount), 0) FROM payments_payment WHERE status = 'succeeded'") == paid
        assert ask("SELECT coalesce(sum(amount), 0) FROM payments_refund WHERE status = 'succeeded'") == refunded
        events: dict[str, int] = dict(connection.execute("SELECT type, count(*) FROM webhooks_event GROUP BY type").fetchall())
    canceled = len(known) - len(confirmed)
    assert (events["booking.created"], events.get("booking.canceled", 0)) == (len(known), canceled)
    told = Counter(attempt.status for client in clients for attempt in client.attempts)
    print(f"{sum(told.values())} requests {dict(told)}, {len(known)} bookings, {canceled} canceled")


TWO_GAMES_IN_ONE_SPACE = """
    SELECT count(*) FROM rooms_occupancy one JOIN rooms_occupancy other
        ON one.space_id = other.space_id AND one.id < other.id AND one.period && other.period
    WHERE one.active AND other.active
"""


@pytest.mark.django_db(transaction=True)
def test_eight_clients_at_once_get_no_wrong_answer(server: Server, alice: Player) -> None:
    Plan.objects.update(**dict.fromkeys(LIMITS, 1_000_000))
    clients = furnish(server.path(""), alice.secret)

    at_once([partial(work, client, is_over=iter([False] * ERRANDS + [True]).__next__) for client in clients])

    check(clients, server.environment["DATABASE_URL"], Troubles())


@pytest.mark.soak
def test_two_minutes_of_load_through_a_restart_of_postgresql_and_of_redis(folder: Path) -> None:
    """A Redis that is away fails nothing at all."""
    with begin(folder) as world:
        with psycopg.connect(world.environment["DATABASE_URL"]) as connection:
            connection.execute(HIGH_LIMITS.encode())
        world.start_beat()
        for number in (1, 2):
            world.start_worker(number)
        clients, troubles = furnish(world.base, world.secret), Troubles()
        ends_at = time.monotonic() + LOAD_SECONDS
        lives = [partial(work, client, is_over=lambda: time.monotonic() > ends_at) for client in clients]

        at_once([*lives, partial(disturb, world, troubles)])

        check(clients, world.environment["DATABASE_URL"], troubles)


def disturb(world: World, troubles: Troubles) -> None:
    def without_database() -> None:
        world.stop_database()
        time.sleep(3)
        world.start_database()

    time.sleep(LOAD_SECONDS / 4)
    troubles.during(without_database)
    time.sleep(LOAD_SECONDS / 4)
    world.redis.close()
    time.sleep(5)
    world.restart_redis()
