"""`dry_run=true`: every write tells what it would answer, and does nothing."""

import re
from typing import Any

import pytest

from bookings.models import Booking
from customers.models import Customer
from rooms.models import Room
from tests.cast import Player
from tests.contract.schema import BASE, document
from tests.security.routes import WRITES, Route, fill, furnish
from tests.stage import book, booking_body, make_room, slot_at
from tests.state import everything, undone
from tests.stripe.stand_in import StandIn

CARD = {"payment_method": "pm_card_visa"}
# What differs each time: ids, moments, what is drawn at random.
CHANGING = re.compile(r"[a-z]+_[0-9a-z]{26}|whsec_[^\"]+|bkc_\w+|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z|\"reference\":\"[^\"]+\"")


def call(player: Player, route: Route, ids: dict[str, str], query: str = "", **headers: str) -> Any:
    path = route.path.replace("{id}", ids.get(route.id, ""))
    return player.api.call(route.method, path + query, fill(route.body, ids), **headers)


def told(answer: Any) -> tuple[int, str]:
    return answer.status_code, CHANGING.sub("…", answer.content.decode())


@pytest.fixture
def ids(alice: Player, group_room: Room) -> dict[str, str]:
    return furnish(alice, group_room, make_room(alice.actor, group_room.venue, name="Spare"))


def test_every_write_answers_as_it_would_and_leaves_no_trace(
    alice: Player, ids: dict[str, str], django_capture_on_commit_callbacks: Any, mailoutbox: list[Any]
) -> None:
    before = everything()
    for route in WRITES:
        with django_capture_on_commit_callbacks() as callbacks:
            rehearsed = call(alice, route, ids, "?dry_run=true", idempotency_key="a")

        assert rehearsed["Dry-Run"] == "true", route.name
        assert "ETag" not in rehearsed, route.name
        assert everything() == before, route.name
        assert callbacks == mailoutbox == [], route.name
        with undone():
            done = call(alice, route, ids, "?dry_run=false", idempotency_key="a")
            again = call(alice, route, ids, "?dry_run=true", idempotency_key="a")
        assert told(rehearsed) == told(done), route.name
        assert done.status_code == route.ok, route.name
        for header in ("Dry-Run", "Idempotency-Replayed"):
            assert header not in done, route.name
        assert "Idempotency-Replayed" not in again, route.name


def test_every_write_documents_it_and_no_read_does() -> None:
    documented = {
        f"{method.upper()} {path.removeprefix(BASE)}"
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
        if "dry_run" in [parameter["name"] for parameter in operation.get("parameters", ())]
    }

    assert documented == {route.name for route in WRITES}


def test_a_read_has_no_dry_run(alice: Player) -> None:
    answer = alice.api.get("/customers?dry_run=true")

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "unknown_parameter")


@pytest.mark.parametrize("query", ["dry_run=yes", "dry_run=1", "dry_run=", "dry_run=True", "dry_run=true&dry_run=false"])
def test_an_odd_value_is_refused_and_nothing_is_done(alice: Player, query: str) -> None:
    answer = alice.api.post(f"/customers?{query}", {"name": "Ada"})

    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "dry_run")
    assert not Customer.objects.exists()


def test_it_is_refused_like_the_act_itself(alice: Player, bob: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10))
    path, taken = f"/bookings/{booking.public_id}?dry_run=true", booking_body(group_room, slot_at(10))

    slot = alice.api.post("/bookings?dry_run=true", taken)
    stale = alice.api.put(path, {"notes_internal": "x"}, if_match='"9"')
    field = alice.api.put(path, {"nonsense": 1})
    key = alice.api.post("/bookings?dry_run=true", taken, idempotency_key="x" * 256)
    reader = bob.api.post("/bookings?dry_run=true", taken)

    assert (slot.status_code, slot.json()["code"], slot["Dry-Run"]) == (409, "slot_unavailable", "true")
    assert (stale.status_code, stale["ETag"], stale["Dry-Run"]) == (412, '"1"', "true")
    assert (field.status_code, field.json()["errors"][0]["pointer"]) == (422, "/nonsense")
    assert (key.status_code, key.json()["errors"][0]["parameter"]) == (422, "Idempotency-Key")
    assert (reader.status_code, reader.json()["code"]) == (403, "insufficient_scope")


def test_a_cancellation_tells_the_refund_beforehand(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10), payment={"mode": "pos", "amount": 10_000})

    answer = alice.api.delete(f"/bookings/{booking.public_id}?dry_run=true&refund=full&reason=Illness")

    assert (answer.status_code, answer.json()["status"], answer.json()["refund"]["amount"]) == (200, "canceled", 10_000)
    assert Booking.objects.get().status == "confirmed"


def test_a_payment_is_told_without_asking_stripe(alice: Player, group_room: Room, stripe: StandIn) -> None:
    held = book(alice.actor, group_room, slot_at(11), hold=True)
    paid = alice.api.post("/bookings", booking_body(group_room, slot_at(12), payment=CARD)).json()
    dearer = {"room": make_room(alice.actor, group_room.venue, name="Dear", pricing=_twice()).public_id, "payment": CARD}
    before, asked = everything(), len(stripe.requests())

    booked = alice.api.post("/bookings?dry_run=true", booking_body(group_room, slot_at(10), payment=CARD))
    confirmed = alice.api.post(f"/bookings/{held.public_id}/confirm?dry_run=true", {"payment": CARD})
    changed = alice.api.put(f"/bookings/{paid['id']}?dry_run=true", dearer)

    assert [answer.status_code for answer in (booked, confirmed, changed)] == [201, 200, 200], changed.content
    states = [("held", "pending"), ("held", "pending"), ("confirmed", "paid")]  # a change waits for its money elsewhere
    for answer, state in zip((booked, confirmed, changed), states, strict=True):
        booking, payment = answer.json(), answer.json()["payment"]
        assert (booking["status"], booking["payment_status"]) == state
        assert (payment["status"], payment["amount"], payment["client_secret"]) == ("creating", 10_000, None)
    assert (changed.json()["room"], changed.json()["price_change"]["due"]) == (group_room.public_id, 10_000)
    assert everything() == before
    assert len(stripe.requests()) == asked


def _twice() -> dict[str, Any]:
    return {"model": "per_group", "currency": "EUR", "amount": 20_000}
