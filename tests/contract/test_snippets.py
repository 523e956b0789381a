"""What the guide prints runs: the first calls, and receivers that take what we sign and refuse everything else."""

import datetime as dt
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings

from bookings.models import Booking
from common.signing import new_secret, sign
from developers.renderers import to_bytes
from rooms.models import Room
from tests.cast import Player
from tests.server import Server, eventually, free_port, stop
from webhooks.examples import example_envelope
from webhooks.types import EventType

FOLDER = settings.BASE_DIR / "docs" / "snippets"
COMMANDS = {".sh": "bash", ".py": sys.executable, ".mjs": "node"}
SNIPPETS = sorted(path for path in FOLDER.iterdir() if path.is_file())
HERE = [path for path in SNIPPETS if shutil.which(COMMANDS[path.suffix])]


def named(name: str) -> Any:
    return pytest.mark.parametrize("snippet", [path for path in HERE if path.stem == name], ids=lambda path: path.name)


BODY = to_bytes(example_envelope(EventType.BOOKING_CREATED))
ID = example_envelope(EventType.BOOKING_CREATED)["id"]


@dataclass
class Receiver:
    url: str
    secret: str

    def post(self, *, secrets: list[str], body: bytes = BODY, sent: bytes = BODY, age: float = 0, **headers: str) -> int:
        """The answer's status. `body` is what is signed, `sent` what is sent."""
        now = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=age)
        signed = {
            "content-type": "application/json",
            "webhook-id": ID,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": sign(secrets, message_id=ID, timestamp=now, body=body),
        }
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.post(self.url, data=sent, headers=signed | named, timeout=10).status_code


@pytest.fixture(scope="module", params=[path for path in HERE if path.stem == "receive"], ids=lambda path: path.name)
def receiver(request: pytest.FixtureRequest) -> Iterator[Receiver]:
    port, secret = free_port(), new_secret()
    process = subprocess.Popen(
        [COMMANDS[request.param.suffix], str(request.param)],
        env={**os.environ, "PORT": str(port), "WHSEC": secret},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        eventually(lambda: is_open(port))
        yield Receiver(f"http://127.0.0.1:{port}/", secret)
    finally:
        stop(process)


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_every_snippet_is_run_and_printed() -> None:
    printed = (settings.BASE_DIR / "docs" / "api.md").read_text()

    assert {path.stem for path in SNIPPETS} == {"quickstart", "receive"}
    for path in SNIPPETS:
        assert path.read_text() in printed


@named("quickstart")
def test_the_first_calls_end_in_a_booking(
    transactional_db: None, server: Server, alice: Player, group_room: Room, snippet: Path
) -> None:
    environment = {**os.environ, "BOOKINGFLOW_URL": server.url, "BOOKINGFLOW_KEY": alice.secret}

    done = subprocess.run(
        [COMMANDS[snippet.suffix], str(snippet)], env=environment, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.stderr == ""
    booking = Booking.objects.visible_to(alice.actor).get()
    rooms, booked = done.stdout.splitlines()
    assert rooms == f"Rooms: {group_room.name}"
    assert booked.startswith(f"Booked: {booking.reference} ")
    assert booked.endswith(" 10000 EUR")


@named("quickstart")
def test_the_first_calls_say_what_is_wrong(transactional_db: None, server: Server, snippet: Path) -> None:
    environment = {**os.environ, "BOOKINGFLOW_URL": server.url, "BOOKINGFLOW_KEY": "bkf_live_wrong"}

    done = subprocess.run(
        [COMMANDS[snippet.suffix], str(snippet)], env=environment, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode != 0
    assert "401" in done.stderr + done.stdout or "api_key_malformed" in done.stderr + done.stdout


def test_what_we_sign_is_taken_also_when_it_comes_twice(receiver: Receiver) -> None:
    assert [receiver.post(secrets=[receiver.secret]) for _ in range(2)] == [204, 204]


def test_either_secret_verifies_during_a_rotation(receiver: Receiver) -> None:
    assert receiver.post(secrets=[new_secret(), receiver.secret]) == 204
    assert receiver.post(secrets=[receiver.secret, new_secret()]) == 204


@pytest.mark.parametrize(
    "send",
    [
        lambda receiver: receiver.post(secrets=[new_secret()]),
        lambda receiver: receiver.post(secrets=[receiver.secret], sent=BODY.replace(b"confirmed", b"canceled")),
        lambda receiver: receiver.post(secrets=[receiver.secret], sent=b""),
        lambda receiver: receiver.post(secrets=[receiver.secret], webhook_id="evt_another"),
        lambda receiver: receiver.post(secrets=[receiver.secret], webhook_timestamp=str(int(time.time()) + 1)),
        lambda receiver: receiver.post(secrets=[receiver.secret], webhook_timestamp="soon"),
        lambda receiver: receiver.post(secrets=[receiver.secret], webhook_signature=""),
        lambda receiver: receiver.post(secrets=[receiver.secret], webhook_signature="v1"),
        lambda receiver: receiver.post(secrets=[receiver.secret], webhook_signature="v1,ä".encode().decode("latin-1")),
        lambda receiver: receiver.post(secrets=[receiver.secret], age=6 * 60),
        lambda receiver: receiver.post(secrets=[receiver.secret], age=-6 * 60),
        lambda receiver: receiver.post(secrets=[receiver.secret], body=b"no json", sent=b"no json"),
    ],
    ids=[
        "stranger",
        "altered",
        "empty",
        "other id",
        "other time",
        "no time",
        "unsigned",
        "half",
        "odd",
        "old",
        "early",
        "no JSON",
    ],
)
def test_everything_else_is_refused(receiver: Receiver, send: Callable[[Receiver], int]) -> None:
    assert send(receiver) == 400
    assert receiver.post(secrets=[receiver.secret]) == 204
