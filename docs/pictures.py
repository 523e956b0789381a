"""`make pictures`: start the product from nothing, take the pictures of docs/images in a browser, and stop all of it."""

import contextlib
import datetime as dt
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
READY_WITHIN = 180  # seconds
LARGEST = 150_000  # bytes of a picture: whoever clones the repository loads them all
# A shell's own servers, keys and mail have no place in the pictures.
FOREIGN = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "SECRET_ENCRYPTION_KEYS", "PUBLIC_URL", "STRIPE_SECRET_KEY", "EMAIL_HOST")


class Product:
    """What `make run` has started, with the demo owner's key."""

    def __init__(self, demo: dict[str, str]) -> None:
        self.demo, self.url = demo, demo["BOOKINGFLOW_URL"]
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {demo['BOOKINGFLOW_KEY']}"

    def api(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = self._session.request(method, f"{self.url}/api/v1/public{path}", json=body, timeout=30)
        if not answer.ok:
            raise SystemExit(f"{method} {path}: {answer.text}")
        return answer.json()

    def free(self, room: str, day: dt.date) -> list[dict[str, Any]]:
        days = self.api("GET", f"/schedules?room={room}&party_size=4&date_from={day}&date_to={day}")["data"]
        return [slot for one in days for slot in one["slots"] if slot["status"] == "available"]


@contextlib.contextmanager
def product() -> Iterator[Product]:
    with tempfile.TemporaryDirectory(prefix="bookingflow-pictures-", dir="/tmp") as name, contextlib.ExitStack() as stack:
        Path(name).chmod(0o755)  # as root, PostgreSQL runs as another user, who must be able to enter
        ports = {variable: str(_free_port()) for variable in ("PORT", "RECEIVER_PORT", "STRIPE_PORT")}
        environment = {key: value for key, value in os.environ.items() if key not in FOREIGN}
        process = subprocess.Popen(
            [sys.executable, "-m", "bookingflow.run"],
            cwd=ROOT,
            env={**environment, **ports, "HOST": "127.0.0.1", "VAR_DIR": name},
            stdout=subprocess.DEVNULL,
        )
        stack.callback(_stop, process)
        _wait(f"http://127.0.0.1:{ports['PORT']}/api/v1/public/status", process)
        lines = (Path(name) / "demo.env").read_text().splitlines()
        yield Product(dict(line.split("=", 1) for line in lines))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _stop(process: "subprocess.Popen[bytes]") -> None:
    process.send_signal(signal.SIGINT)
    process.wait(60)


def _wait(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + READY_WITHIN
    while True:
        with contextlib.suppress(requests.RequestException):
            if requests.get(url, timeout=2).ok:
                return
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit("The product did not start.")
        time.sleep(0.2)


@dataclass(frozen=True)
class Scene:
    """An evening in one house with something of each kind: what is to be seen on the pictures."""

    day: dt.date
    venue: str
    room: str
    booking: str  # paid in part, and moved since


def set_up(running: Product) -> Scene:
    rooms = {room["name"]: room for room in running.api("GET", "/rooms")["data"]}
    vault, machine = rooms["The Vault"], rooms["Time Machine"]
    tomorrow = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1)
    working_days = (day for day in (tomorrow + dt.timedelta(days=n) for n in range(14)) if day.weekday() < 5)
    day = next(day for day in working_days if all(len(running.free(room["id"], day)) >= 2 for room in (vault, machine)))
    first, second, *_ = running.free(vault["id"], day)
    held, blocked, *_ = running.free(machine["id"], day)
    guest = {"name": "Ada Lovelace", "email": "ada@example.com", "phone": "+33612345678"}
    body = {"room": vault["id"], "starts_at": first["starts_at"], "party_size": 4, "customer": guest}
    by_card = {"payment": {"mode": "stripe", "payment_method": "pm_card_visa"}, "notes_customer": "It is Byron's birthday."}
    booking = running.api("POST", "/bookings", body | by_card)["id"]
    running.api("PUT", f"/bookings/{booking}", {"starts_at": second["starts_at"]})
    hold = {"room": machine["id"], "starts_at": held["starts_at"], "hold": True, "customer": {"name": "Grace Hopper"}}
    running.api("POST", "/bookings", body | hold)
    times = {"starts_at": blocked["starts_at"], "ends_at": blocked["ends_at"]}
    running.api("POST", "/schedules/block", {"rooms": [machine["id"]], "kind": "maintenance", "reason": "New locks", **times})
    return Scene(day, vault["venue"], vault["id"], booking)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """The system's, else Playwright's own."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def sign_in(browser: Browser, running: Product, *, phone: bool = False) -> Page:
    page = browser.new_page(
        base_url=running.url,
        viewport={"width": 390, "height": 844} if phone else {"width": 1280, "height": 800},
        color_scheme="dark" if phone else "light",
        reduced_motion="reduce",
        locale="en-GB",
    )
    page.goto("/accounts/login/")
    page.locator("input[name=login]").fill(running.demo["DEMO_EMAIL"])
    page.locator("input[name=password]").fill(running.demo["DEMO_PASSWORD"])
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url("**/dashboard")
    return page


def take(page: Page, name: str, path: str = "") -> None:
    """The picture of what is in the window, after going to the path if there is one."""
    if path:
        page.goto(path, wait_until="networkidle")
    picture = page.screenshot(path=IMAGES / f"{name}.png", animations="disabled", caret="hide")
    print(f"docs/images/{name}.png  {len(picture):,} bytes", flush=True)
    if len(picture) > LARGEST:
        raise SystemExit(f"{name}.png is larger than {LARGEST:,} bytes.")


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with product() as running, chromium() as browser:
        scene = set_up(running)
        page, calendar = sign_in(browser, running), f"/dashboard/calendar?day={scene.day}&venue={scene.venue}"
        take(page, "home", "/dashboard")
        take(page, "calendar", calendar)
        take(page, "booking", f"/dashboard/bookings/{scene.booking}")
        take(page, "room", f"/dashboard/rooms/{scene.room}/price")
        take(page, "developers", "/dashboard/settings/developers")
        page.goto("/dashboard/settings/developers/playground?operation=list_rooms")
        page.get_by_role("button", name="Run GET").click()
        page.locator("#playground-answer pre").wait_for()
        page.evaluate("scrollTo(0, 0)")
        take(page, "playground")
        take(sign_in(browser, running, phone=True), "phone", calendar)


if __name__ == "__main__":
    main()
