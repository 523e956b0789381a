"""`make run`: the whole product on one machine, from nothing to a curl that works. Ctrl-C stops all of it."""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from cryptography.fernet import Fernet

from bookingflow.embedded import die_with_parent, servers
from bookingflow.receiver import HOST as RECEIVER_HOST

HOST = os.environ.get("HOST", "127.0.0.1")
PORT = int(os.environ.get("PORT", "8000"))
VAR_DIR = Path(os.environ.get("VAR_DIR", "var")).resolve()
URL = f"http://{HOST}:{PORT}"
RECEIVER_PORT = int(os.environ.get("RECEIVER_PORT", PORT + 1))
RECEIVER_URL = f"http://{RECEIVER_HOST}:{RECEIVER_PORT}/"
STRIPE_IS_LOCAL = not os.environ.get("STRIPE_SECRET_KEY")  # a key of your own: your own account at Stripe
STRIPE_PORT = int(os.environ.get("STRIPE_PORT", PORT + 2))
STRIPE_HOST = "127.0.0.1"  # it takes any key: for this machine only
STRIPE_URL = f"http://{STRIPE_HOST}:{STRIPE_PORT}"
READY_WITHIN = 60  # seconds
STOPPED_WITHIN = 10  # seconds, then by force
LOG_TAIL = 15  # lines of a dead process's log that are shown

CELERY = (sys.executable, "-m", "celery", "-A", "bookingflow")
PROCESSES = {  # stopped in the reverse order
    "stripe": [sys.executable, "-m", "bookingflow.local_stripe", str(STRIPE_PORT), str(VAR_DIR / "stripe.state")],
    "receiver": [sys.executable, "-m", "bookingflow.receiver", str(RECEIVER_PORT), str(VAR_DIR / "demo.env")],
    "web": [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", HOST, "--port", str(PORT)),
        *("--workers", "2", "--blocking-threads", "4", "--respawn-failed-workers", "--no-access-log"),
        "bookingflow.wsgi:application",
    ],
    "worker": [*CELERY, "worker", "--queues", "celery", "--hostname", "worker@%h", "--concurrency", "2", "--loglevel", "INFO"],
    "webhook-worker": [
        *(*CELERY, "worker", "--queues", "webhooks", "--hostname", "webhooks@%h", "--concurrency", "2", "--loglevel", "INFO"),
    ],
    "beat": [*CELERY, "beat", "--loglevel", "INFO", "--schedule", str(VAR_DIR / "beat-schedule"), "--pidfile", ""],
}
if not STRIPE_IS_LOCAL:
    del PROCESSES["stripe"]


def main() -> int:
    for stop in (signal.SIGINT, signal.SIGTERM):  # SIGINT too: a shell starts background jobs with it ignored
        signal.signal(stop, _interrupt)
    if _answers(HOST, PORT):
        print(f"Port {PORT} is in use. Stop what listens there, or choose another: make run PORT=8010", file=sys.stderr)
        return 1
    if _answers(RECEIVER_HOST, RECEIVER_PORT):
        print(
            f"Port {RECEIVER_PORT}, for the demo receiver, is in use. Choose another: RECEIVER_PORT=9001 make run",
            file=sys.stderr,
        )
        return 1
    if STRIPE_IS_LOCAL and _answers(STRIPE_HOST, STRIPE_PORT):
        print(f"Port {STRIPE_PORT}, for the local Stripe, is in use. Choose another: STRIPE_PORT=9002 make run", file=sys.stderr)
        return 1
    VAR_DIR.mkdir(parents=True, exist_ok=True)
    try:
        say("Starting PostgreSQL and Redis")
        with servers(VAR_DIR) as urls:
            environment = _environment(urls)
            prepare = [sys.executable, "manage.py", "demo", "--receiver", RECEIVER_URL]
            subprocess.run(prepare, env=environment, check=True)
            return _serve(environment)
    except KeyboardInterrupt:
        return 0
    except subprocess.CalledProcessError as error:
        print(f"This step failed (exit code {error.returncode}); its output is above.", file=sys.stderr)
        return 1


def say(text: str) -> None:
    print(f"· {text}", flush=True)


def _environment(urls: dict[str, str]) -> dict[str, str]:
    """What the product needs to know; variables that are set already stay."""
    defaults = {
        "DEVELOPMENT": "1",
        "SECRET_KEY": _kept("secret_key", lambda: secrets.token_urlsafe(50)),
        "SECRET_ENCRYPTION_KEYS": _kept("encryption_key", lambda: Fernet.generate_key().decode()),
        "PUBLIC_URL": URL,
        "ALLOWED_HOSTS": f"127.0.0.1,localhost,{HOST}",
        "WEBHOOK_ALLOW_LOOPBACK": "1",  # receivers on this machine; never other private addresses
        "DJANGO_SETTINGS_MODULE": "bookingflow.settings",
    }
    return {**defaults, **os.environ, **urls, **(_local_stripe() if STRIPE_IS_LOCAL else {}), "VAR_DIR": str(VAR_DIR)}


def _local_stripe() -> dict[str, str]:
    """Its keys are whatever looks like a test key; only the webhook's secret guards something."""
    return {
        "STRIPE_API_BASE": STRIPE_URL,
        "STRIPE_SECRET_KEY": "sk_test_local",
        "STRIPE_PUBLISHABLE_KEY": "pk_test_local",
        "STRIPE_WEBHOOK_SECRET": _kept("stripe_webhook_secret", lambda: f"whsec_{secrets.token_hex(16)}"),
    }


def _kept(name: str, make: Callable[[], str]) -> str:
    """A secret of this data folder, made at the first start."""
    path = VAR_DIR / name
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(make())
    return path.read_text()


def _serve(environment: dict[str, str]) -> int:
    """Run all of PROCESSES until Ctrl-C, or until one of them ends by itself, which is a failure."""
    logs = VAR_DIR / "log"
    logs.mkdir(exist_ok=True)
    say(f"Starting web, workers, beat, a receiver of webhooks{' and a local Stripe' if STRIPE_IS_LOCAL else ''}")
    with contextlib.ExitStack() as stack:
        running = {
            name: stack.enter_context(_child(command, logs / f"{name}.log", environment)) for name, command in PROCESSES.items()
        }
        received = stack.enter_context((logs / "receiver.log").open())
        deadline = time.monotonic() + READY_WITHIN
        ready = False
        while True:
            for name, process in running.items():
                if process.poll() is not None:
                    return _report_death(name, logs / f"{name}.log")
            if not ready and _is_ready():
                ready = True
                print(_welcome(), flush=True)
            if not ready and time.monotonic() > deadline:
                return _report_death("web", logs / "web.log")
            for line in received:
                say(f"webhook {line.rstrip()}")
            time.sleep(0.2)


@contextlib.contextmanager
def _child(command: list[str], log: Path, environment: dict[str, str]):  # type: ignore[no-untyped-def]
    """A process in a group of its own, so that Ctrl-C reaches it through us alone and in order."""
    with log.open("w") as output:
        process = subprocess.Popen(
            command, env=environment, stdout=output, stderr=output, start_new_session=True, preexec_fn=die_with_parent
        )
    try:
        yield process
    finally:
        _stop(process)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        process.wait(STOPPED_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # whatever of its group is left


def _report_death(name: str, log: Path) -> int:
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-LOG_TAIL:])
    print(f"{name} has stopped. The end of {log}:\n{tail}", file=sys.stderr)
    return 1


def _is_ready() -> bool:
    try:
        with urllib.request.urlopen(f"{URL}/api/v1/public/status", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _answers(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def _welcome() -> str:
    demo = dict(line.split("=", 1) for line in (VAR_DIR / "demo.env").read_text().splitlines() if "=" in line)
    host = os.environ.get("EMAIL_HOST")
    mail = f"through {host}" if host else f"{URL}/mail shows the letters that would be sent"
    return f"""
BookingFlow is ready at {URL}

  Dashboard  {URL}/dashboard   {demo["DEMO_EMAIL"]}   {demo["DEMO_PASSWORD"]}
  Admin      {URL}/admin/   the same
  Mail       {mail}
  Docs       {URL}/backend/docs/
  Keys       {VAR_DIR / "demo.env"}
  Webhooks   {RECEIVER_URL} hears of all that happens at Clockwork Escapes; a line below for each
  Payments   {f"a local Stripe at {STRIPE_URL} takes test cards" if STRIPE_IS_LOCAL else "through your Stripe account"}

  curl {URL}/api/v1/public/me -H "Authorization: Bearer {demo["BOOKINGFLOW_KEY"]}"

Ctrl-C stops everything."""


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
