"""One trouble each, at the worst moment: a worker killed before, during and after its call, a database that restarts between an
answer and its record, a Redis that loses everything, and a deployment with old and new workers side by side.
"""

import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import psycopg
import pytest

from tests.outages.world import Receiver, World, begin
from tests.server import open_folder
from webhooks.engine.replays import WAITING_AT_MOST

pytestmark = pytest.mark.timeout(300)
# A worker without Celery, Redis and beat: they are not what is tried here, and it starts at once.
_WORKER = """
import time
from webhooks.engine import drain
while True:
    drain()
    time.sleep(0.1)
"""
_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@dataclass
class Case:
    """An endpoint of its own in the shared world, and its receiver, which waits in each request while it is told to."""

    world: World
    receiver: Receiver
    endpoint: str
    arrived: threading.Event
    go_on: threading.Event

    def emit(self, count: int = 1) -> None:
        for _ in range(count):
            assert self.world.call("POST", "/customers", {"name": "Ada"}).status_code == 201

    def start_worker(self, name: str, **more: str) -> None:
        command = ("django", "shell", "--no-imports", "-c", _WORKER)
        self.world.start(name, *command, DJANGO_SETTINGS_MODULE="bookingflow.settings", **more)

    def point_to(self, url: str) -> None:
        assert self.world.call("PUT", f"/webhook_endpoints/{self.endpoint}", {"url": url}).status_code == 200

    def ask(self, what: str) -> object:
        """Of this endpoint's deliveries or attempts."""
        table, _, column = what.rpartition(".")
        order = "created_at" if table == "delivery" else "started_at"
        endpoint = f"(SELECT id FROM webhooks_endpoint WHERE public_id = '{self.endpoint}')"
        return self.world.ask(
            f"SELECT coalesce(array_agg({column} ORDER BY {order}, id), '{{}}')::text[] FROM webhooks_{table}"
            f" WHERE endpoint_id = {endpoint}"
        )

    def wait_for(self, what: str, *values: str, within: float = 60) -> None:
        eventually(lambda: self.ask(what) == list(values), within=within, why=lambda: f"{self.ask(what)}\n{self.world.logs()}")


def eventually(holds: Callable[[], bool], *, within: float = 60, why: Callable[[], str] = str) -> None:
    give_up_at = time.monotonic() + within
    while not holds():
        assert time.monotonic() < give_up_at, why()
        time.sleep(0.05)


@pytest.fixture(scope="module")
def world(django_db_setup: None) -> Iterator[World]:
    with open_folder() as folder, begin(folder) as found:
        yield found


@pytest.fixture
def case(world: World) -> Iterator[Case]:
    receiver, arrived, go_on = Receiver(), threading.Event(), threading.Event()

    def wait() -> None:
        arrived.set()
        go_on.wait(30)

    receiver.on_request = wait
    endpoint = world.call("POST", "/webhook_endpoints", {"url": receiver.url("/hook")}).json()["id"]
    try:
        yield Case(world, receiver, endpoint, arrived, go_on)
    finally:
        go_on.set()
        for name in set(world.processes) - {"web"}:
            world.kill(name)
        world.call("DELETE", f"/webhook_endpoints/{endpoint}")
        receiver.stop()


def test_kill_9_before_the_call_sends_it_once_from_another_worker(case: Case) -> None:
    """The worker has claimed it and waits for a connection, which a full house never takes."""
    case.go_on.set()
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.create_connection(full.getsockname()):
        case.point_to(f"http://127.0.0.1:{full.getsockname()[1]}/full")
        case.emit()
        case.start_worker("first", WEBHOOK_CONNECT_SECONDS="30", WEBHOOK_TOTAL_SECONDS="30", WEBHOOK_LEASE_SECONDS="2")
        case.wait_for("delivery.state", "leased")
        case.world.kill("first")
    case.point_to(case.receiver.url("/hook"))
    case.start_worker("second")

    case.wait_for("delivery.state", "succeeded")
    assert case.ask("attempt.failure") == ["lease_expired", ""]
    assert list(case.receiver.accepted.values()) == [1]


def test_kill_9_during_the_call_sends_it_again_under_the_same_id(case: Case) -> None:
    case.emit()
    case.start_worker("first", WEBHOOK_TOTAL_SECONDS="30", WEBHOOK_LEASE_SECONDS="2")
    assert case.arrived.wait(60)
    case.world.kill("first")
    case.go_on.set()
    case.start_worker("second")

    case.wait_for("delivery.state", "succeeded")
    assert case.ask("attempt.failure") == ["lease_expired", ""]
    eventually(lambda: list(case.receiver.accepted.values()) == [2])  # one event, twice: its id tells


def test_kill_9_after_the_call_and_before_its_record_sends_it_again_under_the_same_id(case: Case) -> None:
    """The answer has come, and its record waits for a lock when the worker dies."""
    case.emit()
    case.start_worker("first", WEBHOOK_TOTAL_SECONDS="30", WEBHOOK_LEASE_SECONDS="3")
    assert case.arrived.wait(60)
    with psycopg.connect(case.world.environment["DATABASE_URL"]) as locking:
        locking.execute("SELECT 1 FROM webhooks_delivery WHERE state = 'leased' FOR UPDATE")
        case.go_on.set()
        eventually(lambda: case.world.ask(_WAITING) > 0)
        case.world.kill("first")
    assert list(case.receiver.accepted.values()) == [1]
    assert case.ask("attempt.failure") == []
    case.start_worker("second")

    case.wait_for("delivery.state", "succeeded")
    assert case.ask("attempt.failure") == ["lease_expired", ""]
    assert list(case.receiver.accepted.values()) == [2]


def test_a_database_that_restarts_after_a_2xx_gets_its_record_and_nothing_is_sent_again(case: Case) -> None:
    case.emit()
    case.start_worker("only", WEBHOOK_TOTAL_SECONDS="30", WEBHOOK_LEASE_SECONDS="60")
    assert case.arrived.wait(60)
    case.world.restart_database()
    case.go_on.set()

    case.wait_for("delivery.state", "succeeded")
    assert case.ask("attempt.failure") == [""]
    assert list(case.receiver.accepted.values()) == [1]


@pytest.mark.soak
def test_a_replay_goes_on_where_the_worker_that_was_killed_left_it(case: Case) -> None:
    """A replay that lived in a worker's memory would end with it. This one is too long to be queued at once."""
    case.go_on.set()
    case.emit(count := WAITING_AT_MOST + 20)
    case.start_worker("first", WEBHOOK_TOTAL_SECONDS="30", WEBHOOK_LEASE_SECONDS="2")
    case.wait_for("delivery.state", *["succeeded"] * count)
    case.go_on.clear()
    case.arrived.clear()
    begun = case.world.call("POST", f"/webhook_endpoints/{case.endpoint}/replay", {"since": "2026-01-01T00:00:00Z"}).json()
    assert case.arrived.wait(30)
    case.world.kill("first")
    replay = f"/replays/{begun['id']}"
    assert case.world.call("GET", replay).json()["state"] == "running"
    case.go_on.set()
    case.start_worker("second")

    eventually(lambda: case.world.call("GET", replay).json()["succeeded"] == begun["total"], why=case.world.logs)
    assert case.world.call("GET", replay).json()["state"] == "finished"
    assert min(case.receiver.accepted.values()) >= 2  # at first, and by the replay


@pytest.mark.soak
def test_the_retry_queue_outlives_a_redis_that_loses_everything(case: Case) -> None:
    """Through Celery and beat: every event waits for a retry when Redis comes back empty."""
    case.go_on.set()
    case.receiver.failing_share = 1.0
    case.emit(10)
    case.world.start_worker(1, WEBHOOK_RETRY_SECONDS=",".join(["2"] * 60), WEBHOOK_BREAKER_SECONDS="1")
    case.world.start_beat()
    case.wait_for("delivery.state", *["scheduled"] * 10)
    case.world.empty_redis()
    case.world.restart_redis()
    case.receiver.failing_share = 0.0

    case.wait_for("delivery.state", *["succeeded"] * 10)
    assert list(case.receiver.accepted.values()) == [1] * 10


def test_a_commit_whose_bell_was_lost_is_found_by_the_sweep(case: Case) -> None:
    """Redis is away when the change commits: the API answers, and the event arrives once there is a Redis again."""
    case.go_on.set()
    case.world.redis.close()
    case.emit()
    case.world.restart_redis()
    case.world.start_worker(1)
    case.world.start_beat()

    eventually(lambda: list(case.receiver.accepted.values()) == [1], why=case.world.logs)


@pytest.mark.soak
def test_a_deployment_with_old_and_new_workers_together_sends_everything_once(case: Case) -> None:
    """The old worker is told to end while its request is under way; the new one, with other settings, starts beside it."""
    long = {"WEBHOOK_TOTAL_SECONDS": "20", "WEBHOOK_LEASE_SECONDS": "60"}
    case.world.start_worker(1, **long)
    case.world.start_beat()
    case.emit(5)
    assert case.arrived.wait(60)
    old = case.world.processes["worker1"]
    old.send_signal(signal.SIGTERM)
    case.world.start_worker(2, WEBHOOK_RETRY_SECONDS="9", WEBHOOK_TOTAL_SECONDS="20", WEBHOOK_LEASE_SECONDS="40")
    eventually(lambda: "worker2" in case.world.workers_at_work(), why=case.world.logs)
    case.emit(5)
    case.go_on.set()

    case.wait_for("delivery.state", *["succeeded"] * 10)
    assert list(case.receiver.accepted.values()) == [1] * 10
    eventually(lambda: old.poll() == 0, why=case.world.logs)
