"""`make run` as a newcomer meets it: from nothing to the first booking, again in seconds, and gone without a trace."""

import contextlib
import datetime as dt
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings
from stripe import StripeClient

from tests.server import eventually, free_port, open_folder

READY_WITHIN = 150  # seconds, demo data and all, on a busy machine


@dataclass
class Run:
    """A running product, in a data folder of its own."""

    process: "subprocess.Popen[str]"
    port: int
    var_dir: Path
    lines: list[str] = field(default_factory=list)

    @property
    def output(self) -> str:
        return "".join(self.lines)

    @property
    def demo(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in (self.var_dir / "demo.env").read_text().splitlines())

    def processes(self) -> list[int]:
        """Those whose environment names the data folder: all that this run has started."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if f"VAR_DIR={self.var_dir}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
        return found


def launch(var_dir: Path, port: int, receiver_port: int | None = None, stripe_port: int | None = None) -> Run:
    """Its receiver and its Stripe listen somewhere else at each start, unless they are told where."""
    servers = {
        "DATABASE_URL",
        "REDIS_URL",
        "SECRET_KEY",
        "SECRET_ENCRYPTION_KEYS",
        "PUBLIC_URL",
        "PASSWORD_HASHERS",
        "STRIPE_SECRET_KEY",
    }
    environment = {name: value for name, value in os.environ.items() if name not in servers}
    process = subprocess.Popen(
        [sys.executable, "-m", "bookingflow.run"],
        cwd=settings.BASE_DIR,
        env={
            **environment,
            "PORT": str(port),
            "RECEIVER_PORT": str(receiver_port or free_port()),
            "STRIPE_PORT": str(stripe_port or free_port()),
            "VAR_DIR": str(var_dir),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    run = Run(process, port, var_dir)
    threading.Thread(target=_collect, args=[run], daemon=True).start()
    return run


def _collect(run: Run) -> None:
    assert run.process.stdout is not None
    with run.process.stdout as output:
        run.lines.extend(output)


def wait_until_ready(run: Run) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while "Ctrl-C stops everything" not in run.output:
        assert run.process.poll() is None, run.output
        assert time.monotonic() < deadline, run.output
        time.sleep(0.1)


def interrupt(run: Run) -> None:
    run.process.send_signal(signal.SIGINT)
    assert run.process.wait(60) == 0


def stripe_of(run: Run) -> StripeClient:
    return StripeClient("sk_test_anything", base_addresses={"api": run.demo["STRIPE_API_BASE"]})


def pay(run: Run) -> str:
    intents = stripe_of(run).v1.payment_intents
    intent = intents.create({"amount": 4200, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True})
    assert intent.status == "succeeded"
    return intent.id


@pytest.fixture(scope="module")
def product() -> Iterator[Run]:
    with open_folder() as var_dir:
        run = launch(var_dir, free_port())
        try:
            wait_until_ready(run)
            yield run
        finally:
            run.process.terminate()
            run.process.wait(60)


def test_the_printed_curl_works_as_it_is(product: Run) -> None:
    command = next(line.strip() for line in product.lines if line.strip().startswith("curl"))

    answer = subprocess.run(["bash", "-c", command + " -sS"], capture_output=True, text=True, check=True).stdout

    assert '"object":"key_context"' in answer
    assert "Clockwork Escapes" in answer


def test_demo_env_holds_keys_that_do_what_they_say(product: Run) -> None:
    demo = product.demo

    def ask(key: str, method: str = "GET", path: str = "/me", **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {demo[key]}"}
        return requests.request(method, f"{demo['BOOKINGFLOW_URL']}/api/v1/public{path}", headers=headers, timeout=30, **more)

    assert ask("BOOKINGFLOW_READONLY_KEY", "POST", "/customers", json={"name": "Ada"}).status_code == 403
    assert ask("BOOKINGFLOW_KEY", "POST", "/customers", json={"name": "Ada"}).status_code == 201
    assert ask("BOOKINGFLOW_KEY").json()["organization"] != ask("BOOKINGFLOW_OTHER_KEY").json()["organization"]
    modes = {room["booking_mode"] for room in ask("BOOKINGFLOW_KEY", path="/rooms").json()["data"]}
    assert modes == {"private", "shared", "shared_with_private_upgrade"}


def test_every_curl_of_the_reference_works_from_top_to_bottom(product: Run) -> None:
    """In one shell, the set-up block first, as a reader pastes them."""
    reference = (settings.BASE_DIR / "docs" / "api.md").read_text()
    blocks = [block for block in re.findall(r"```bash\n(.*?)```", reference, re.S) if "curl" in block]
    set_up = next(block for block in blocks if "export DAY" in block)
    others = [block for block in blocks if block is not set_up]
    loud = 'curl() { command curl -sS -w "\\n%{http_code}\\n=====\\n" "$@"; }\n'
    script = "set -u\n" + set_up + "\n" + loud + "\n".join(others)

    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, env={**os.environ, **product.demo}, timeout=120, check=False
    )

    answers = [answer.strip().rpartition("\n") for answer in done.stdout.split("=====")[:-1]]
    refused = [f"{curl}\n{body}" for curl, (body, _, status) in zip(others, answers, strict=True) if status[0] != "2"]
    assert (refused, done.stderr) == ([], "")


def test_sign_in_and_start_page_work(product: Run) -> None:
    demo, session = product.demo, requests.Session()
    url = demo["BOOKINGFLOW_URL"]
    assert "Content-Security-Policy" in session.get(url, timeout=30).headers
    login = session.get(f"{url}/admin/", timeout=30).url
    form = {
        "login": demo["DEMO_EMAIL"],
        "password": demo["DEMO_PASSWORD"],
        "csrfmiddlewaretoken": session.cookies["csrftoken"],
    }

    answer = session.post(login, data=form, headers={"Referer": login}, timeout=30)

    assert (answer.status_code, answer.url) == (200, f"{url}/admin/")


def test_a_port_in_use_is_said_plainly(product: Run, tmp_path: Path) -> None:
    second = launch(tmp_path, product.port)

    assert second.process.wait(30) == 1
    time.sleep(0.2)
    assert f"Port {product.port} is in use" in second.output


def test_a_receivers_port_in_use_is_said_plainly(product: Run, tmp_path: Path) -> None:
    third = launch(tmp_path, free_port(), receiver_port=product.port)

    assert third.process.wait(30) == 1
    time.sleep(0.2)
    assert f"Port {product.port}, for the demo receiver, is in use" in third.output


def test_the_local_stripes_port_in_use_is_said_plainly(product: Run, tmp_path: Path) -> None:
    fourth = launch(tmp_path, free_port(), stripe_port=product.port)

    assert fourth.process.wait(30) == 1
    time.sleep(0.2)
    assert f"Port {product.port}, for the local Stripe, is in use" in fourth.output


def test_a_booking_reaches_the_demo_receiver_signed_and_none_of_the_past_does(product: Run) -> None:
    session, url = requests.Session(), f"{product.demo['BOOKINGFLOW_URL']}/api/v1/public"
    session.headers["Authorization"] = f"Bearer {product.demo['BOOKINGFLOW_KEY']}"
    day = (dt.datetime.now(dt.UTC) + dt.timedelta(days=60)).date().isoformat()
    open_slots = session.get(f"{url}/schedules?party_size=2&date_from={day}&date_to={day}", timeout=30).json()
    room, start = next(
        (day["room"], slot["starts_at"]) for day in open_slots["data"] for slot in day["slots"] if slot["status"] == "available"
    )
    body = {"room": room, "starts_at": start, "party_size": 2, "customer": {"name": "Ada"}}
    booking = session.post(f"{url}/bookings", json=body, timeout=30).json()
    told = re.compile(rf"· webhook \d\d:\d\d:\d\d booking\.created {booking['id']} verified\n")

    eventually(lambda: bool(told.search(product.output)), within=10)

    lines = [line for line in product.lines if line.startswith("· webhook")]
    assert [line for line in lines if not line.endswith(" verified\n")] == []
    assert len(lines) < 100


def test_ctrl_c_leaves_nothing_running_and_the_next_start_goes_on_with_what_was_there(product: Run) -> None:
    assert f"a local Stripe at {product.demo['STRIPE_API_BASE']} takes test cards" in product.output
    key, paid = product.demo["BOOKINGFLOW_KEY"], pay(product)

    interrupt(product)

    assert product.processes() == []
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", product.port)) != 0

    again = launch(product.var_dir, product.port)
    try:
        wait_until_ready(again)
        assert again.demo["BOOKINGFLOW_KEY"] == key
        me = requests.get(
            f"{again.demo['BOOKINGFLOW_URL']}/api/v1/public/me", headers={"Authorization": f"Bearer {key}"}, timeout=30
        )
        assert me.status_code == 200
        assert stripe_of(again).v1.payment_intents.retrieve(paid).status == "succeeded"
    finally:
        again.process.terminate()
        again.process.wait(60)
