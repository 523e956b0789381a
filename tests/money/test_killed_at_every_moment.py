"""The same without choosing: killed before and after each commit and each call to Stripe, one after the other. `make soak`."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import stripe as stripe_library
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from bookings.models import Booking
from bookings.services import work_off_payments
from rooms.models import Room
from tests.cast import Player
from tests.money.books import CARD, let_time_pass, require_equal_books, work_off
from tests.money.killing import Killed, let_leases_run_out
from tests.stage import booking_body, slot_at
from tests.stripe.stand_in import StandIn

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.soak, pytest.mark.timeout(900)]
COMMIT, CALL = (BaseDatabaseWrapper, "commit"), (stripe_library.RequestsClient, "request")


class Reaper:
    """Counts the moments before and after each commit and each call; at the chosen one the process ends."""

    def __init__(self) -> None:
        self.left = 0  # moments until then; 0 for never

    def watch(self, monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> None:
        real: Callable[..., Any] = getattr(owner, name)

        def watched(*arguments: Any, **options: Any) -> Any:
            self._moment()
            answer = real(*arguments, **options)
            self._moment()
            return answer

        monkeypatch.setattr(owner, name, watched)

    def kills(self, act: Callable[[], object], *, at: int) -> bool:
        """Whether the act came so far as to be killed."""
        self.left = at
        try:
            act()
        except Killed:
            return True
        finally:
            self.left = 0
        return False

    def _moment(self) -> None:
        if self.left:
            self.left -= 1
            if not self.left:
                connection.close()  # PostgreSQL undoes what is not committed
                raise Killed


@pytest.fixture
def reaper(monkeypatch: pytest.MonkeyPatch) -> Reaper:
    found = Reaper()
    for owner, name in (COMMIT, CALL):
        found.watch(monkeypatch, owner, name)
    return found


def prepared(alice: Player, room: Room, stripe: StandIn, kind: str, moment: int, client_returns: bool) -> tuple[str, str, Any]:
    at = slot_at(3 + moment, 12 if client_returns else 14)
    if kind == "book":
        return "POST", "/bookings", booking_body(room, at, payment=CARD)
    ways: dict[str, dict[str, Any]] = {"confirm": {"hold": True}, "change": {"payment": {"mode": "pos", "amount": 10_000}}}
    made = alice.api.post("/bookings", booking_body(room, at, **ways.get(kind, {"payment": CARD})))
    path = f"/bookings/{made.json()['id']}"
    if kind == "confirm":
        return "POST", f"{path}/confirm", {"payment": CARD}
    if kind == "change":
        return "PUT", path, {"starts_at": at.replace(hour=18).isoformat(), "payment": CARD}
    return "DELETE", path, None


@pytest.mark.parametrize("client_returns", [True, False], ids=["the client repeats", "nobody comes back"])
@pytest.mark.parametrize("kind", ["book", "confirm", "change", "cancel"])
def test_money_moves_once(
    alice: Player, group_room: Room, stripe: StandIn, reaper: Reaper, kind: str, *, client_returns: bool
) -> None:
    group_room.pricing |= {"adjustments": [{"fixed": 3_000, "times": {"from": "17:00", "to": "23:00"}}]}
    group_room.save()
    for moment in itertools.count(1):
        method, path, body = prepared(alice, group_room, stripe, kind, moment, client_returns)
        key = f"key-{moment}"
        killed = reaper.kills(lambda: alice.api.call(method, path, body, idempotency_key=key), at=moment)  # noqa: B023
        if client_returns:
            let_leases_run_out()
            answer = alice.api.call(method, path, body, idempotency_key=key)
            assert answer.status_code in (200, 201), answer.content
        work_off()
        require_equal_books(stripe)
        if not killed:
            break
    assert moment > (4 if kind == "cancel" else 12)
    if client_returns:
        sums = {"book": 10_000, "confirm": 10_000, "change": 13_000, "cancel": 10_000}
        assert set(Booking.objects.values_list("amount_paid", flat=True)) == {sums[kind]}
        assert set(Booking.objects.values_list("status", flat=True)) == {"canceled" if kind == "cancel" else "confirmed"}
        assert stripe.refunded() == (10_000 * moment if kind == "cancel" else 0)
        assert stripe.charged() == moment * (3_000 if kind == "change" else 10_000)


def test_a_worker_settles_once(alice: Player, group_room: Room, stripe: StandIn, reaper: Reaper) -> None:
    """It takes in one payment and gives another back, and is killed at every moment of that."""
    for moment in itertools.count(1):
        paths = []
        for hour, payment in ((12, CARD), (14, {"mode": "stripe"})):
            made = alice.api.post("/bookings", booking_body(group_room, slot_at(3 + moment, hour), payment=payment)).json()
            paths.append(f"/bookings/{made['id']}")
        alice.api.delete(paths[0])
        stripe.pay(made["payment"]["stripe"]["payment_intent"])
        let_time_pass()
        killed = reaper.kills(work_off_payments, at=moment)
        work_off()

        canceled, confirmed = (alice.api.get(path).json() for path in paths)
        assert (canceled["status"], canceled["payment_status"]) == ("canceled", "refunded")
        assert (confirmed["status"], confirmed["payment_status"]) == ("confirmed", "paid")
        assert stripe.refunded() == moment * 10_000
        require_equal_books(stripe)
        if not killed:
            break
    assert moment > 8
