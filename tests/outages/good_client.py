"""A client as an integrator should write one: an Idempotency-Key on every write, repeated until it is answered. It remembers what
it was told, and holds every later answer against that.
"""

import random
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests

from common.walltime import utc_text
from tests.contract import schema
from tests.stage import slot_at

DAYS, HOURS = range(12, 26), range(8, 20)
PATIENCE = 60  # seconds after which a good client gives up, and the test with it
PRICE = 10_000  # of a party in a private room
SEAT_PRICE = 2_500


@dataclass(frozen=True)
class Attempt:
    """One request and what came of it; times by the monotonic clock."""

    began: float
    ended: float
    status: int
    retry_after: str | None
    what: str


@dataclass
class GoodClient:
    """One customer's agent, at work in the rooms that it is given."""

    base: str
    secret: str
    number: int
    private_rooms: list[str]
    shared_room: str
    venue: dict[str, Any]
    bookings: dict[str, dict[str, Any]] = field(default_factory=dict)  # as last answered
    customers: dict[str, dict[str, Any]] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.number)
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {self.secret}"
        self.email = f"client-{self.number}@example.com"

    # The wire

    def call(self, method: str, path: str, body: Any = None, *, key: str = "", **query: Any) -> requests.Response:
        """Repeats what says that it may be repeated. Every single answer is what the OpenAPI document promises."""
        headers = {"Idempotency-Key": key} if key else {}
        give_up_at = time.monotonic() + PATIENCE
        while True:
            began = time.monotonic()
            answer = self.session.request(method, self.base + path, json=body, params=query, headers=headers, timeout=PATIENCE)
            wait = answer.headers.get("Retry-After")
            self.attempts.append(
                Attempt(began, time.monotonic(), answer.status_code, wait, f"{method} {path}: {answer.text[:500]}")
            )
            schema.check(method, f"{schema.BASE}{path}", answer.status_code, answer.headers, answer.content)
            if answer.ok or not answer.json()["retryable"]:
                return answer
            assert time.monotonic() < give_up_at, f"{method} {path} is not answered: {answer.text}"
            time.sleep(float(wait or 1))

    def get(self, path: str, **query: Any) -> Any:
        answer = self.call("GET", path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def all_of(self, path: str, **query: Any) -> dict[str, dict[str, Any]]:
        """Every object of a list, page by page."""
        found: dict[str, dict[str, Any]] = {}
        cursor: dict[str, str] = {}
        while True:
            page = self.get(path, **query, **cursor)
            found |= {one["id"]: one for one in page["data"]}
            if not page["has_more"]:
                return found
            cursor = {"cursor": page["next_cursor"]}

    def write(self, method: str, path: str, body: Any = None, **query: Any) -> requests.Response:
        """Sometimes the answer is lost on its way, and the client asks again: the same answer, and no second effect."""
        key = uuid.UUID(int=self.dice.getrandbits(128)).hex
        answer = self.call(method, path, body, key=key, **query)
        if self.dice.random() < 0.2:
            again = self.call(method, path, body, key=key, **query)
            assert (again.status_code, again.headers["Idempotency-Replayed"]) == (answer.status_code, "true")
            assert again.json() == answer.json()
        return answer

    # What it does

    def act(self) -> None:
        """One errand, as often as real clients run it."""
        errands: dict[Callable[[], object], int] = {
            self.look_for_a_slot: 30,
            self.list_bookings: 12,
            self.read_a_booking: 15,
            self.book: 12,
            self.hold_and_confirm: 6,
            self.move: 8,
            self.cancel: 7,
            self.keep_a_customer: 5,
            self.read_settings: 5,
        }
        self.dice.choices(list(errands), list(errands.values()))[0]()

    def look_for_a_slot(self) -> None:
        """What is shown as free is not what this client holds."""
        start, room = self.some_start(), self.dice.choice([*self.private_rooms, self.shared_room])
        day = start[:10]
        days = self.get("/schedules", room=room, date_from=day, date_to=day, party_size=2)["data"]
        assert [(one["room"], one["date"]) for one in days] == [(room, day)]
        mine = [booking for booking in self.active() if self.share_a_space(booking["room"], room)]
        for slot in days[0]["slots"]:
            taken = sum(booking["party_size"] for booking in mine if booking["starts_at"] == slot["starts_at"])
            assert slot["status"] == "available"
            assert slot["seats_left"] <= slot["capacity"] - taken
            assert room == self.shared_room or not taken

    def list_bookings(self) -> None:
        """All of this client's, in pages, and nobody else's."""
        assert self.all_of("/bookings", email=self.email, status="confirmed", limit=20) == {
            booking["id"]: booking for booking in self.active()
        }

    def read_a_booking(self) -> None:
        if self.bookings:
            booking = self.dice.choice(list(self.bookings.values()))
            assert self.get(f"/bookings/{booking['id']}") == booking

    def book(self, **more: Any) -> dict[str, Any] | None:
        """The booking, or None where somebody else has the slot."""
        room, size = self.dice.choice([*self.private_rooms, self.shared_room]), self.dice.randint(2, 4)
        start = self.some_start()
        total = SEAT_PRICE * size if room == self.shared_room else PRICE
        if not more and self.dice.random() < 0.4:
            more = {"payment": {"mode": "pos", "amount": total, "reference": f"till {self.number}"}}
        customer = {"name": f"Client {self.number}", "email": self.email}
        body = {"room": room, "starts_at": start, "party_size": size, "customer": customer, **more}
        answer = self.write("POST", "/bookings", body)
        if self.was_taken(answer):
            return None
        assert answer.status_code == 201, answer.text
        booking = self.remember(answer)
        told = {name: booking[name] for name in ("room", "starts_at", "party_size", "status", "amount_paid", "amount_due")}
        paid = total if "payment" in more else 0
        status = "held" if "hold" in more else "confirmed"
        assert told == {
            "room": room,
            "starts_at": start,
            "party_size": size,
            "status": status,
            "amount_paid": paid,
            "amount_due": total - paid,
        }
        assert (booking["price"]["total"], booking["contact"]["email"], booking["version"]) == (total, self.email, 1)
        return booking

    def hold_and_confirm(self) -> None:
        held = self.book(hold=True)
        if held:
            answer = self.write("POST", f"/bookings/{held['id']}/confirm", {})
            assert answer.status_code == 200, answer.text
            booking = self.remember(answer)
            assert (booking["status"], booking["starts_at"], booking["id"]) == ("confirmed", held["starts_at"], held["id"])

    def move(self) -> None:
        if not self.active():
            return
        before = self.dice.choice(self.active())
        start = next(start for start in iter(self.some_start, "") if start != before["starts_at"])
        answer = self.write("PUT", f"/bookings/{before['id']}", {"starts_at": start})
        if self.was_taken(answer):
            assert self.get(f"/bookings/{before['id']}") == before
            return
        assert answer.status_code == 200, answer.text
        booking = self.remember(answer)
        kept = ("id", "room", "party_size", "reference", "amount_paid", "contact", "customer")
        assert {name: booking[name] for name in kept} == {name: before[name] for name in kept}
        assert (booking["starts_at"], booking["version"]) == (start, before["version"] + 1)

    def cancel(self) -> None:
        if not self.active():
            return
        before = self.dice.choice(self.active())
        answer = self.write("DELETE", f"/bookings/{before['id']}", refund="full")
        assert answer.status_code == 200, answer.text
        refund = answer.json()["refund"]
        booking = self.remember(answer)
        assert (booking["status"], booking["amount_refunded"]) == ("canceled", before["amount_paid"])
        assert (refund["amount"] if refund else 0) == before["amount_paid"]

    def keep_a_customer(self) -> None:
        if self.customers and self.dice.random() < 0.6:
            before = self.dice.choice(list(self.customers.values()))
            answer = self.write("PUT", f"/customers/{before['id']}", {"notes": f"Note {len(self.attempts)}"})
            assert answer.status_code == 200, answer.text
            assert answer.json()["version"] == before["version"] + 1
        else:
            answer = self.write("POST", "/customers", {"name": f"Guest {self.number}-{len(self.attempts)}"})
            assert answer.status_code == 201, answer.text
        customer = answer.json()
        self.customers[customer["id"]] = customer
        profile = self.get(f"/customers/{customer['id']}")
        assert {name: profile[name] for name in customer} == customer

    def read_settings(self) -> None:
        context = self.get("/me")
        assert (context["object"], context["mode"]) == ("key_context", "live")
        assert self.get(f"/venues/{self.venue['id']}") == self.venue
        rooms = self.get("/rooms", status="active")["data"]
        assert {room["id"] for room in rooms} == {*self.private_rooms, self.shared_room}

    # What it knows

    def remember(self, answer: requests.Response) -> dict[str, Any]:
        """The booking itself: what an answer to a write shows beside it is left out."""
        beside = ("payment", "price_change", "refund")
        booking = {name: value for name, value in answer.json().items() if name not in beside}
        self.bookings[booking["id"]] = booking
        return booking

    def active(self) -> list[dict[str, Any]]:
        return [booking for booking in self.bookings.values() if booking["status"] == "confirmed"]

    def some_start(self) -> str:
        return str(utc_text(slot_at(self.dice.choice(DAYS), self.dice.choice(HOURS))))

    def share_a_space(self, one: str, other: str) -> bool:
        return one == other or {one, other} <= set(self.private_rooms[:2])

    def was_taken(self, answer: requests.Response) -> bool:
        return answer.status_code == 409 and answer.json()["code"] in ("slot_unavailable", "insufficient_seats")
