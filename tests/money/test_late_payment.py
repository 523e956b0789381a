"""Money that comes when its hold has run out, or at that very moment."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from bookings.models import Booking, BookingHistory
from bookings.services import expire_holds, work_off_payments
from common.errors import DomainError
from rooms.claims import database_now
from rooms.models import Claim, Room
from tests.cast import Player
from tests.crowd import at_once
from tests.money.books import BROWSER, CARD, let_time_pass, require_equal_books, work_off
from tests.stage import book, booking_body, slot_at
from tests.stripe.stand_in import StandIn
from webhooks.models import Event

pytestmark = pytest.mark.django_db(transaction=True)


class Hold:
    """A booking that waits for the payer's browser."""

    def __init__(self, player: Player, room: Room, day: int = 10) -> None:
        made = player.api.post("/bookings", booking_body(room, slot_at(day), payment=BROWSER))
        assert made.status_code == 201, made.content
        self.api, self.id = player.api, made.json()["id"]
        self.path, self.intent = f"/bookings/{self.id}", made.json()["payment"]["stripe"]["payment_intent"]

    def run_out(self) -> None:
        """By the database's clock, now."""
        now = database_now()
        Booking.objects.filter(public_id=self.id).update(hold_expires_at=now)
        Claim.objects.filter(holder=self.id).update(expires_at=now)

    @property
    def now(self) -> dict[str, Any]:
        found: dict[str, Any] = self.api.get(self.path).json()
        return found

    @property
    def history(self) -> list[str]:
        return list(BookingHistory.objects.filter(booking__public_id=self.id).order_by("pk").values_list("action", flat=True))


def told() -> list[str]:
    return [type for type in Event.objects.order_by("pk").values_list("type", flat=True) if type[:4] in ("book", "paym")]


@pytest.mark.parametrize("swept", [False, True], ids=["not yet written down", "written down"])
def test_a_slot_that_is_still_free_is_given_after_all(alice: Player, group_room: Room, stripe: StandIn, *, swept: bool) -> None:
    hold = Hold(alice, group_room)
    hold.run_out()
    if swept:
        expire_holds()
    assert hold.now["status"] == "expired"

    stripe.pay(hold.intent)
    work_off()

    assert (hold.now["status"], hold.now["payment_status"], hold.now["amount_due"]) == ("confirmed", "paid", 0)
    assert hold.now["hold_expires_at"] is None
    assert told() == ["payment.succeeded", "booking.created"]
    assert Claim.objects.filter(released_at=None, holder=hold.id, expires_at=None).count() == 1
    require_equal_books(stripe)


@pytest.mark.parametrize("swept", [False, True], ids=["not yet written down", "written down"])
def test_for_a_slot_that_is_taken_the_money_goes_back_at_once(
    alice: Player, group_room: Room, stripe: StandIn, *, swept: bool
) -> None:
    hold = Hold(alice, group_room)
    hold.run_out()
    if swept:
        expire_holds()
    rival = book(alice.actor, group_room, slot_at(10))

    stripe.pay(hold.intent)
    work_off()

    assert (hold.now["status"], hold.now["amount_paid"], hold.now["amount_refunded"]) == ("expired", 10_000, 10_000)
    assert hold.now["payment_status"] == "refunded"
    assert "paid_too_late" in hold.history
    assert stripe.refunded(hold.intent) == 10_000
    assert told() == ["booking.created", "payment.succeeded", "payment.refunded"]  # the rival's; a hold is no booking yet
    assert Claim.objects.get(released_at=None).holder == rival.public_id
    require_equal_books(stripe)


def test_a_hold_that_nobody_pays_is_canceled_at_stripe(alice: Player, group_room: Room, stripe: StandIn) -> None:
    hold = Hold(alice, group_room)
    hold.run_out()
    expire_holds()
    work_off()

    assert [intent["status"] for intent in stripe.intents()] == ["canceled"]
    assert stripe.pay(hold.intent)["status"] == "canceled"  # a browser that comes now finds it so
    work_off()
    assert (hold.now["status"], hold.now["payment_status"], stripe.charged()) == ("expired", "unpaid", 0)


def rounds_of_expiry(alice: Player, room: Room, stripe: StandIn, rounds: int) -> None:
    """The hold's end is written down, its money is settled and a rival books, all at once: one of the two has the slot."""

    def rival(day: int) -> bool:
        time.sleep(day % 4 * 0.015)  # a settlement asks Stripe first: about so long
        try:
            book(alice.actor, room, slot_at(day), customer={"name": "Rival"})
        except DomainError:
            return False
        return True

    for day in range(10, 10 + rounds):
        hold = Hold(alice, room, day)
        stripe.pay(hold.intent)
        hold.run_out()
        let_time_pass()
        calls: list[Callable[[], Any]] = [expire_holds, work_off_payments, partial(rival, day)]
        rival_has_it = at_once(calls)[-1]
        work_off(2)

        after = hold.now
        assert after["status"] == ("expired" if rival_has_it else "confirmed")
        assert (after["amount_paid"], after["amount_refunded"]) == (10_000, 10_000 if rival_has_it else 0)
        assert Booking.objects.filter(starts_at=slot_at(day), status="confirmed").count() == 1
        assert Claim.objects.filter(session__starts_at=slot_at(day), released_at=None).count() == 1
    require_equal_books(stripe)


def test_expiry_payment_and_a_rival_at_the_same_moment(alice: Player, group_room: Room, stripe: StandIn) -> None:
    rounds_of_expiry(alice, group_room, stripe, 4)


@pytest.mark.soak
def test_expiry_payment_and_a_rival_at_the_same_moment_sixty_times(alice: Player, group_room: Room, stripe: StandIn) -> None:
    rounds_of_expiry(alice, group_room, stripe, 60)


def rounds_of_cancellation(alice: Player, room: Room, stripe: StandIn, rounds: int) -> None:
    """Whichever comes first, nothing is kept of a booking that was canceled in time."""
    for day in range(10, 10 + rounds):
        hold = Hold(alice, room, day)
        stripe.pay(hold.intent)
        let_time_pass()
        calls: list[Callable[[], Any]] = [partial(alice.api.delete, hold.path), work_off_payments]
        canceled = at_once(calls)[0]
        work_off(2)

        assert canceled.status_code == 200, canceled.content
        after = hold.now
        assert (after["status"], after["payment_status"]) == ("canceled", "refunded")
        assert (after["amount_paid"], after["amount_refunded"]) == (10_000, 10_000)
    assert (stripe.charged(), stripe.refunded()) == (rounds * 10_000, rounds * 10_000)
    require_equal_books(stripe)


def test_a_cancellation_and_its_payment_at_the_same_moment(alice: Player, group_room: Room, stripe: StandIn) -> None:
    rounds_of_cancellation(alice, group_room, stripe, 3)


@pytest.mark.soak
def test_a_cancellation_and_its_payment_at_the_same_moment_sixty_times(alice: Player, group_room: Room, stripe: StandIn) -> None:
    rounds_of_cancellation(alice, group_room, stripe, 60)


def test_a_payment_at_the_till_replaces_the_one_in_the_browser(alice: Player, group_room: Room, stripe: StandIn) -> None:
    """The browser's is canceled at Stripe; or, where it was quicker, given back."""
    for day, quicker in ((10, False), (11, True)):
        hold = Hold(alice, group_room, day)
        if quicker:
            stripe.pay(hold.intent)
        alice.api.post(f"{hold.path}/confirm", {"payment": {"mode": "pos", "amount": 10_000}})
        work_off()

        assert (hold.now["status"], hold.now["payment_status"]) == ("confirmed", "paid")
        assert hold.now["amount_paid"] - hold.now["amount_refunded"] == 10_000
    assert [intent["status"] for intent in stripe.intents()] == ["canceled", "succeeded"]
    assert (stripe.charged(), stripe.refunded()) == (10_000, 10_000)
    require_equal_books(stripe)


def test_after_the_hold_a_card_is_not_charged_any_more(alice: Player, group_room: Room, stripe: StandIn) -> None:
    hold = Hold(alice, group_room)
    hold.run_out()

    refused = alice.api.post(f"{hold.path}/confirm", {"payment": CARD})

    assert (refused.status_code, refused.json()["code"]) == (410, "hold_expired")
    assert stripe.charged() == 0
