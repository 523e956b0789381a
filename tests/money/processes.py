"""Processes of the product that can be killed in the middle, children and all."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from tests.server import Server, free_port, test_environment, wait_until_ready
from tests.stripe.stand_in import StandIn


def kill(process: "subprocess.Popen[bytes]") -> None:
    """kill -9, the whole group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextlib.contextmanager
def running(command: list[str], environment: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
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
def web_server(stripe: StandIn) -> Iterator[tuple[Server, "subprocess.Popen[bytes]"]]:
    port = free_port()
    environment = test_environment(PUBLIC_URL=f"http://127.0.0.1:{port}", **stripe.environment)
    options = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--no-access-log"]
    with running(["granian", *options, "bookingflow.wsgi:application"], environment) as process:
        server = Server(f"http://127.0.0.1:{port}", environment)
        wait_until_ready(server)
        yield server, process


@contextlib.contextmanager
def worker(stripe: StandIn) -> Iterator["subprocess.Popen[bytes]"]:
    """With the clock in it, which ticks fast."""
    environment = test_environment(SWEEP_SECONDS="0.3", **stripe.environment)
    with tempfile.TemporaryDirectory() as folder:
        clock = ["--beat", "--schedule", f"{folder}/beat", "--pidfile", f"{folder}/pid"]
        with running(["celery", "-A", "bookingflow", "worker", "--concurrency", "1", *clock], environment) as process:
            yield process
