"""The product as processes of its own on the test's database: for what is promised over real HTTP."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from django.conf import settings
from django.db import connection

READY_WITHIN = 90  # seconds, on a busy machine


@dataclass
class Server:
    """A running web server; `environment` starts workers beside it."""

    url: str
    environment: dict[str, str]

    def session(self, secret: str) -> requests.Session:
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {secret}"
        return session

    def path(self, path: str) -> str:
        return f"{self.url}/api/v1/public{path}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_environment(**more: str) -> dict[str, str]:
    """The environment of a process that works on this test's database."""
    parameters: dict[str, Any] = connection.get_connection_params()
    keep = {name: parameters[name] for name in ("dbname", "user", "password", "host", "port") if parameters.get(name)}
    url = psycopg.conninfo.make_conninfo(**keep)
    return {
        **os.environ,
        "DATABASE_URL": url,
        "REDIS_URL": redis_url(),
        "LOG_LEVEL": "WARNING",
        "WEBHOOK_ALLOW_LOOPBACK": "1",
        **more,
    }


def redis_url() -> str:
    """A Redis database of its own for each process of a parallel test run: their workers must not take each other's work."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) + 1
    return f"{settings.REDIS_URL.partition('?')[0]}?db={number}"


test_environment.__test__ = False  # type: ignore[attr-defined]


def start(command: list[str], environment: dict[str, str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", *command], env=environment, stderr=subprocess.STDOUT, stdout=subprocess.DEVNULL
    )


def stop(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that other users can enter, as pytest's own cannot be: as root, PostgreSQL runs as another user."""
    with open_folder() as found:
        yield found


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bookingflow-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="session")
def server(django_db_setup: None, django_db_blocker: Any, stripe_stand_in: Any) -> Iterator[Server]:
    with open_folder() as var_dir:
        yield from _server(django_db_blocker, stripe_stand_in, str(var_dir))


def _server(django_db_blocker: Any, stripe_stand_in: Any, var_dir: str) -> Iterator[Server]:
    port = free_port()
    with django_db_blocker.unblock():
        environment = test_environment(PUBLIC_URL=f"http://127.0.0.1:{port}", VAR_DIR=var_dir, **stripe_stand_in.environment)
        connection.close()
    collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    subprocess.run(collect, cwd=settings.BASE_DIR, env=environment, check=True)
    process = start(
        [
            *("granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
            *("--blocking-threads", "8", "--no-access-log", "--backpressure", "200", "bookingflow.wsgi:application"),
        ],
        environment,
    )
    running = Server(f"http://127.0.0.1:{port}", environment)
    try:
        wait_until_ready(running)
        yield running
    finally:
        stop(process)


def kill(process: "subprocess.Popen[bytes]") -> None:
    """kill -9, the whole group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextlib.contextmanager
def running(command: list[str], environment: dict[str, str]) -> "Iterator[subprocess.Popen[bytes]]":
    """In a group of its own, which does not live longer than the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        kill(process)


@contextlib.contextmanager
def worker(environment: dict[str, str]) -> "Iterator[subprocess.Popen[bytes]]":
    """A Celery worker for both queues, with the clock in a process of its own, which ticks fast."""
    with tempfile.TemporaryDirectory() as folder:
        work = ["--queues", "celery,webhooks", "--concurrency", "2"]
        clock = ["--beat", "--schedule", f"{folder}/beat", "--pidfile", f"{folder}/pid"]
        fast = {"SWEEP_SECONDS": "0.3", "WEBHOOK_SWEEP_SECONDS": "1", **environment}
        with running(["celery", "-A", "bookingflow", "worker", *work, *clock], fast) as process:
            yield process


@pytest.fixture
def background(transactional_db: None, stripe_stand_in: Any) -> Iterator[None]:
    """Worker and clock on the test's database; gone before it is emptied."""
    with worker(test_environment(**stripe_stand_in.environment)):
        yield


def eventually(holds: Callable[[], bool], *, within: float = 60) -> None:
    """Wait until it holds; fail after so many seconds."""
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.05)


def wait_until_ready(running: Server) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while True:
        try:
            if requests.get(running.path("/status"), timeout=20).ok:
                return
        except requests.RequestException:
            pass
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.1)
