"""`python -m benchmarks.measure_api ROOMS KEPT RESULT SHARE`: one size of `benchmarks.api`, in the database of DATABASE_URL.
Each client makes one in SHARE of its rounds.
"""

import contextlib
import dataclasses
import datetime as dt
import itertools
import json
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import django
import psycopg

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bookingflow.settings")
django.setup()

from django.core import signing  # noqa: E402 - after setup
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402

from benchmarks import million  # noqa: E402
from benchmarks.load import WARM_UP, Figures, asking, request, run  # noqa: E402
from benchmarks.measuring import floor_of, measure  # noqa: E402
from bookingflow.embedded import die_with_parent  # noqa: E402
from bookingflow.run import PORT, PROCESSES  # noqa: E402
from bookings.models import Booking  # noqa: E402
from customers.models import Customer  # noqa: E402
from developers.models import ApiKey  # noqa: E402
from developers.services import create_key  # noqa: E402
from organizations.actor import Actor  # noqa: E402
from organizations.models import Organization, Plan  # noqa: E402
from rooms.models import Room, Session  # noqa: E402

API = "/api/v1/public"
RATES = ("rate_per_minute", "rate_burst", "organization_rate_per_minute", "organization_rate_burst")
READY_WITHIN = 60  # seconds
ROUNDS, WRITE_ROUNDS = {1: 400, 8: 100}, {1: 150, 8: 40}  # of each client, by how many there are
FREE_DAYS = range(million.COMING_DAYS + 2, million.COMING_DAYS + 24)  # nothing was sold there; within the horizon even next week

HOUR, FAR = dt.timedelta(hours=1), dt.datetime(2080, 1, 1, tzinfo=dt.UTC)
PLAIN_INSERT = (
    "WITH s AS (INSERT INTO rooms_session (room_id, starts_at, ends_at, exclusive, capacity, seats_taken, ended)"
    " VALUES (%s, %s, %s, true, 6, 4, false) RETURNING id)"
    " INSERT INTO rooms_occupancy (space_id, session_id, period, active) SELECT %s, id, tstzrange(%s, %s), true FROM s"
)

Make = Callable[[int], Callable[[], None]]  # a client by its number


class Measured:
    """The organization, the servers' addresses, and the lines found so far."""

    def __init__(self, secret: str, made_on: dt.date, port: int, floor_port: int, share: int) -> None:
        self.organization = Organization.objects.get(name=million.BIG)
        self.by, self.secret, self.port, self.floor_port = Actor.system(self.organization), secret, port, floor_port
        self.made_on, self.share = made_on, share
        self.rooms = list(Room.objects.visible_to(self.by).with_spaces().order_by("pk"))
        self.random = random.Random(1)
        self.lines: list[dict[str, Any]] = []
        self.statements: dict[str, float] = {}
        self.slots = self._free_slots()
        self.stretches = itertools.count(0, 1_000)  # of two-hour steps, for the inserts of the floor

    def _free_slots(self) -> Iterator[tuple[Room, dt.datetime]]:
        """In an order of its own, without those that earlier runs took."""
        midnight = dt.datetime.combine(self.made_on, dt.time(), dt.UTC)
        taken = set(
            Session.objects.filter(starts_at__gte=midnight + dt.timedelta(days=FREE_DAYS[0])).values_list("room_id", "starts_at")
        )
        hours = [int(text[:2]) for text in million.STARTS]
        every = [
            (room, midnight + dt.timedelta(days=day, hours=hour))
            for room, day, hour in itertools.product(self.rooms, FREE_DAYS, hours)
        ]
        self.random.shuffle(every)
        return (slot for slot in every if (slot[0].pk, slot[1]) not in taken)

    def read(self, call: str, paths: list[str], floor_paths: list[str], *, most: float = 0) -> None:
        """A GET of any of these, beside its floor, by 1 and by 8 clients."""
        for clients in (1, 8):
            now = run(
                self._getting(self.port, [API + path for path in paths]), clients=clients, rounds=ROUNDS[clients] // self.share
            )
            floor = run(self._getting(self.floor_port, floor_paths), clients=clients, rounds=ROUNDS[clients] // self.share)
            self.note(call, clients, now, floor, most)
        client = Client(SERVER_NAME="127.0.0.1", headers={"Authorization": f"Bearer {self.secret}"})
        self.statements[call] = measure(floor_of(lambda: client.get(API + paths[0])), max(10, 100 // self.share))[0]

    def _getting(self, port: int, paths: list[str]) -> Make:
        requests = [request(path, secret=self.secret) for path in paths]
        return lambda number: asking(port, itertools.cycle(requests[number:] + requests[:number]), {200}, [])

    def some_bookings(self) -> list[str]:
        keys = Booking.objects.visible_to(self.by).order_by("pk")
        first, last = keys.first().pk, keys.last().pk
        wanted = [self.random.randint(first, last) for _ in range(500)]
        return list(keys.filter(pk__in=wanted).values_list("public_id", flat=True))

    def deep_inside(self) -> tuple[str, Booking]:
        """A cursor as a client gets it page by page, to a quarter of the list: page 5,000 of a million; and its last row."""
        client = Client(SERVER_NAME="127.0.0.1", headers={"Authorization": f"Bearer {self.secret}"})
        cursor = client.get(f"{API}/bookings?limit=50").json()["next_cursor"]
        place = len(self.rooms) * million.GAMES_A_ROOM // 4
        row = Booking.objects.visible_to(self.by).order_by("-starts_at", "-pk")[place]
        parts = signing.loads(cursor, salt="cursor")
        parts[2:4] = row.starts_at.isoformat(), row.pk
        return signing.dumps(parts, salt="cursor"), row

    def some_schedules(self) -> list[str]:
        first = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=7)
        days = {"date_from": first.isoformat(), "date_to": (first + dt.timedelta(days=30)).isoformat()}
        return [
            urlencode(
                {"room": ",".join(room.public_id for room in self.random.sample(self.rooms, min(10, len(self.rooms)))), **days}
            )
            for _ in range(50)
        ]

    def write(self) -> None:
        """Bookings of free slots, beside a session and its occupancy alone under the same constraint."""
        slots = self.slots
        for clients in (1, 8):
            given = [list(itertools.islice(slots, WRITE_ROUNDS[clients] // self.share + WARM_UP)) for _ in range(clients)]
            now = run(self._booking(given, {201}, []), clients=clients, rounds=WRITE_ROUNDS[clients] // self.share)
            floor = run(self._inserting(same=False), clients=clients, rounds=WRITE_ROUNDS[clients] // self.share)
            self.note("book", clients, now, floor, 4)
        same = list(itertools.islice(slots, WRITE_ROUNDS[8] // self.share + WARM_UP))
        answered: list[int] = []
        now = run(self._booking([same] * 8, {201, 409, 503}, answered), clients=8, rounds=WRITE_ROUNDS[8] // self.share)
        floor = run(self._inserting(same=True), clients=8, rounds=WRITE_ROUNDS[8] // self.share)
        self.note("book, all clients on the same slots", 8, now, floor, 0)
        assert answered.count(201) == len(same), "Each slot goes to one of them"

    def _booking(self, given: list[list[tuple[Room, dt.datetime]]], expected: set[int], answered: list[int]) -> Make:
        customer = Customer.objects.visible_to(self.by).latest("pk").public_id

        def asked(slots: list[tuple[Room, dt.datetime]]) -> Iterator[bytes]:
            for room, start in slots:
                body = {"room": room.public_id, "starts_at": start.isoformat(), "party_size": 4, "customer": customer}
                yield request(f"{API}/bookings", secret=self.secret, body=json.dumps(body).encode())

        return lambda number: asking(self.port, asked(given[number]), expected, answered)

    def _inserting(self, *, same: bool) -> Make:
        """A room for each client, or all of them the same times of one; later ones than any before."""
        first = next(self.stretches)

        def client(number: int) -> Callable[[], None]:
            connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
            room, times = self.rooms[0 if same else number % len(self.rooms)], itertools.count(first)

            def insert() -> None:
                start = FAR + dt.timedelta(hours=2 * next(times))
                with contextlib.suppress(psycopg.errors.IntegrityError, psycopg.errors.DeadlockDetected):
                    connection.execute(PLAIN_INSERT, [room.pk, start, start + HOUR, room.space_ids[0], start, start + HOUR])

            return insert

        return client

    def note(self, call: str, clients: int, now: Figures, floor: Figures, most: float) -> None:
        line = {"call": call, "clients": clients, "most": most, "floor_p50": floor.p50, "floor_rate": floor.rate}
        self.lines.append(line | dataclasses.asdict(now))
        print(f"{call}, {clients}: {now.p50:.2f} ms, floor {floor.p50:.2f} ms", file=sys.stderr, flush=True)


def measured(rooms: int, secret: str, made_on: dt.date, port: int, floor_port: int, share: int) -> dict[str, Any]:
    found = Measured(secret, made_on, port, floor_port, share)
    load = os.getloadavg()[0]
    found.read("key check alone (GET /me), beside a bare Django view", ["/me"], ["/nothing"])
    found.read("key check alone (GET /me), beside its one look-up", ["/me"], ["/me"])
    some = found.some_bookings()
    found.read("one booking", [f"/bookings/{id}" for id in some], [f"/one?id={id}" for id in some])
    found.read("50 bookings, page 1", ["/bookings?limit=50"], ["/page"], most=2.5)
    cursor, row = found.deep_inside()
    beyond = urlencode({"starts_at": row.starts_at.isoformat(), "id": row.pk})
    found.read("50 bookings, page deep inside", [f"/bookings?limit=50&cursor={cursor}"], [f"/page?{beyond}"], most=2.5)
    asked = found.some_schedules()
    found.read(
        "availability, 10 rooms × 31 days",
        [f"/schedules?{query}" for query in asked],
        [f"/schedules?{query}" for query in asked],
        most=3,
    )
    found.write()
    return {
        "bookings": Booking.objects.count(),
        "organizations": Organization.objects.count(),
        "rooms": rooms,
        "load": load,
        "lines": found.lines,
        "statements": found.statements,
    }


def main(rooms: int, kept: Path, result: Path, share: int) -> None:
    call_command("migrate", verbosity=0)
    Plan.objects.update(**dict.fromkeys(RATES, 10**9))  # they are counted, and never in the way
    if not kept.exists():
        print(f"Making {rooms * million.GAMES_A_ROOM:,} bookings", file=sys.stderr, flush=True)
        began = time.monotonic()
        million.build(rooms)
        by = Actor.system(Organization.objects.get(name=million.BIG))
        _, secret = create_key(by=by, name="benchmark", preset=ApiKey.Preset.READ_WRITE)
        kept.write_text(json.dumps({"secret": secret, "made_on": dt.datetime.now(dt.UTC).date().isoformat()}))
        print(f"It took {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    known = json.loads(kept.read_text())
    port, floor_port = _free_port(), _free_port()
    with _serving(port, "bookingflow.wsgi:application"), _serving(floor_port, "benchmarks.floors:application"):
        found = measured(rooms, known["secret"], dt.date.fromisoformat(known["made_on"]), port, floor_port, share)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM rooms_occupancy WHERE lower(period) >= %s", [FAR])
        cursor.execute("DELETE FROM rooms_session WHERE starts_at >= %s", [FAR])
    result.write_text(json.dumps(found))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def _serving(port: int, application: str) -> Iterator[None]:
    """As `make run` serves the product."""
    command = [{str(PORT): str(port), "bookingflow.wsgi:application": application}.get(part, part) for part in PROCESSES["web"]]
    with Path(os.environ["VAR_DIR"], f"{application.split('.')[0]}.log").open("w") as log:
        environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, preexec_fn=die_with_parent)
    try:
        deadline = time.monotonic() + READY_WITHIN
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            assert process.poll() is None, f"see {log.name}"
            assert time.monotonic() < deadline, f"see {log.name}"
            time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(30)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))
