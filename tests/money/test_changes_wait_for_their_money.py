"""A change that costs more is made when its money is there, and not before; what is due otherwise is paid as a balance."""

from typing import Any

import pytest

from bookings.models import BookingHistory
from common.walltime import utc_text
from payments.models import Payment
from rooms.models import Room, Venue
from tests.cast import Player
from tests.money.books import BROWSER, CARD, DECLINED, WITH_BANK, require_equal_books, work_off
from tests.stage import PER_PERSON, book, booking_body, make_room, slot_at
from tests.stripe.stand_in import StandIn

pytestmark = pytest.mark.django_db
EVENING = slot_at(10, 18)


@pytest.fixture
def room(alice: Player, paris: Venue) -> Room:
    """€25 a person, a fifth more in the evening."""
    evenings = {"percent": 20, "times": {"from": "17:00", "to": "23:00"}}
    return make_room(alice.actor, paris, pricing={**PER_PERSON, "adjustments": [evenings]})


class Paid:
    """Alice's booking of €100, paid with a card."""

    def __init__(self, player: Player, room: Room, payment: Any = CARD) -> None:
        self.api = player.api
        made = self.api.post("/bookings", booking_body(room, slot_at(10), payment=payment))
        assert made.status_code == 201, made.content
        self.path, self.first = f"/bookings/{made.json()['id']}", made.json()

    def put(self, status: int, **body: Any) -> dict[str, Any]:
        answer = self.api.put(self.path, body)
        assert answer.status_code == status, answer.content
        found: dict[str, Any] = answer.json()
        return found

    def move(self, status: int, payment: Any = None, **more: Any) -> dict[str, Any]:
        return self.put(status, starts_at=EVENING.isoformat(), **({"payment": payment} if payment else {}), **more)

    @property
    def now(self) -> dict[str, Any]:
        found: dict[str, Any] = self.api.get(self.path).json()
        return found

    @property
    def slot(self) -> tuple[str, int]:
        return self.now["starts_at"], self.now["party_size"]

    @property
    def money(self) -> tuple[int, int, int]:
        """Paid, given back, due."""
        return self.now["amount_paid"], self.now["amount_refunded"], self.now["amount_due"]

    @property
    def is_where_it_was(self) -> bool:
        same = ("status", "payment_status", "starts_at", "ends_at", "party_size", "price", "notes_internal", "deadlines")
        return all(self.now[name] == self.first[name] for name in same)


@pytest.fixture
def paid(alice: Player, room: Room, stripe: StandIn) -> Paid:
    return Paid(alice, room)


def test_a_card_that_needs_the_bank_changes_nothing_until_the_bank_agrees(paid: Paid, stripe: StandIn) -> None:
    asked = paid.move(402, WITH_BANK, notes_internal="evening")

    assert (asked["code"], asked["booking"]) == ("payment_required", paid.first["id"])
    assert (asked["payment"]["status"], asked["payment"]["amount"]) == ("requires_action", 2_000)
    assert asked["payment"]["next_action"]
    assert paid.is_where_it_was
    work_off()
    assert paid.is_where_it_was

    stripe.authenticate(asked["payment"]["stripe"]["payment_intent"])
    work_off()

    assert paid.slot == (utc_text(EVENING), 4)
    assert (paid.now["notes_internal"], paid.now["price"]["total"]) == ("evening", 12_000)
    assert paid.money == (12_000, 0, 0)
    require_equal_books(stripe)


def test_a_bank_that_refuses_changes_nothing(paid: Paid, stripe: StandIn) -> None:
    asked = paid.move(402, WITH_BANK)
    stripe.authenticate(asked["payment"]["stripe"]["payment_intent"], success=False)
    work_off()

    assert paid.is_where_it_was
    assert paid.money == (10_000, 0, 0)
    require_equal_books(stripe)


def test_a_slot_that_was_taken_meanwhile_gives_the_money_back(paid: Paid, alice: Player, room: Room, stripe: StandIn) -> None:
    asked = paid.move(402, WITH_BANK)
    book(alice.actor, room, EVENING)
    stripe.authenticate(asked["payment"]["stripe"]["payment_intent"])
    work_off()

    assert paid.is_where_it_was
    assert paid.money == (12_000, 2_000, 0)
    assert stripe.refunded(asked["payment"]["stripe"]["payment_intent"]) == 2_000
    assert BookingHistory.objects.filter(booking__public_id=paid.first["id"], action="paid_too_late").exists()
    require_equal_books(stripe)


@pytest.mark.parametrize("card", [DECLINED, {"payment_method": "pm_nobody_knows"}], ids=["declined", "unknown"])
def test_a_card_that_is_refused_changes_nothing(paid: Paid, stripe: StandIn, card: Any) -> None:
    refused = paid.move(402, card)

    assert refused["code"] == "payment_failed"
    assert paid.is_where_it_was
    work_off()
    assert paid.is_where_it_was
    paid.move(200, CARD)
    work_off()
    assert paid.money == (12_000, 0, 0)
    require_equal_books(stripe)


def test_a_slot_that_is_taken_already_charges_nothing(paid: Paid, alice: Player, room: Room, stripe: StandIn) -> None:
    book(alice.actor, room, EVENING)

    assert paid.move(409, CARD)["code"] == "slot_unavailable"
    assert paid.is_where_it_was
    assert stripe.charged() == 10_000


def test_the_browser_can_pay_for_a_change(paid: Paid, stripe: StandIn) -> None:
    asked = paid.move(402, BROWSER)
    assert asked["payment"]["client_secret"]
    stripe.pay(asked["payment"]["stripe"]["payment_intent"])
    work_off()

    assert paid.slot == (utc_text(EVENING), 4)
    assert paid.money == (12_000, 0, 0)
    require_equal_books(stripe)


def test_a_second_change_replaces_the_first_that_still_waits(paid: Paid, stripe: StandIn) -> None:
    """Were both to be paid, the first one's money goes back."""
    first = paid.move(402, WITH_BANK)
    paid.put(200, party_size=5, payment=CARD)
    with_first = stripe.authenticate(first["payment"]["stripe"]["payment_intent"])
    assert with_first["status"] == "succeeded"
    work_off()

    assert paid.slot == (paid.first["starts_at"], 5)
    assert (paid.now["price"]["total"], paid.money) == (12_500, (14_500, 2_000, 0))
    require_equal_books(stripe)


def test_a_cancellation_ends_the_change_that_waits(paid: Paid, stripe: StandIn) -> None:
    asked = paid.move(402, WITH_BANK)
    paid.api.delete(paid.path)
    stripe.authenticate(asked["payment"]["stripe"]["payment_intent"])
    work_off()

    assert (paid.now["status"], paid.money) == ("canceled", (12_000, 12_000, 0))
    require_equal_books(stripe)


def test_a_change_keeps_the_price_it_was_ordered_at(paid: Paid, room: Room, stripe: StandIn) -> None:
    asked = paid.move(402, WITH_BANK)
    room.pricing = {**room.pricing, "amount": 9_900}
    room.save()
    stripe.authenticate(asked["payment"]["stripe"]["payment_intent"])
    work_off()

    assert (paid.now["price"]["total"], paid.money) == (12_000, (12_000, 0, 0))


def test_settled_later_is_changed_at_once_and_paid_as_a_balance(paid: Paid, stripe: StandIn) -> None:
    assert paid.move(402)["code"] == "payment_required"
    changed = paid.move(200, settlement="later")
    assert (changed["amount_due"], changed["price_change"]["due"], stripe.charged()) == (2_000, 2_000, 10_000)

    answer = paid.put(402, payment=DECLINED)
    assert (answer["code"], paid.money) == ("payment_failed", (10_000, 0, 2_000))
    settled = paid.put(200, payment=CARD)
    assert settled["payment"]["amount"] == 2_000
    assert (paid.money, paid.now["payment_status"]) == ((12_000, 0, 0), "paid")
    assert "payment" not in paid.put(200, payment=CARD)  # nothing is due any more
    assert stripe.charged() == 12_000
    work_off()
    require_equal_books(stripe)


@pytest.mark.parametrize("card", [CARD, WITH_BANK, BROWSER], ids=["card", "bank", "browser"])
def test_a_balance_is_paid_by_confirming_too(alice: Player, room: Room, stripe: StandIn, card: Any) -> None:
    """Of a booking that was made without a payment."""
    booking = Paid(alice, room, payment={"mode": "none"})
    answer = booking.api.post(f"{booking.path}/confirm", {"payment": card})
    assert answer.status_code == 200, answer.content
    intent = answer.json()["payment"]["stripe"]["payment_intent"]
    if card is WITH_BANK:
        stripe.authenticate(intent)
    elif card is BROWSER:
        stripe.pay(intent)
    work_off()

    assert (booking.now["status"], booking.now["payment_status"], booking.money) == ("confirmed", "paid", (10_000, 0, 0))
    require_equal_books(stripe)


def test_a_deposit_confirms_and_the_rest_follows(alice: Player, room: Room, stripe: StandIn) -> None:
    room.pricing = {**room.pricing, "deposit": {"percent": 30}}
    room.save()
    booking = Paid(alice, room)
    assert (booking.first["status"], booking.first["payment_status"]) == ("confirmed", "deposit_paid")
    assert (booking.first["payment"]["amount"], booking.money) == (3_000, (3_000, 0, 7_000))

    moved = booking.move(200, CARD)  # to €120, whose deposit is €36
    assert (moved["payment"]["amount"], booking.money) == (600, (3_600, 0, 8_400))
    rest = booking.put(200, payment=CARD)
    assert (rest["payment"]["amount"], booking.money, booking.now["payment_status"]) == (8_400, (12_000, 0, 0), "paid")

    booking.api.delete(booking.path)
    work_off()
    assert (booking.money, stripe.charged(), stripe.refunded()) == ((12_000, 12_000, 0), 12_000, 12_000)
    assert Payment.objects.count() == len(stripe.intents()) == 3
    require_equal_books(stripe)


def test_a_declined_deposit_can_be_paid_with_another_card(alice: Player, room: Room, stripe: StandIn) -> None:
    room.pricing = {**room.pricing, "deposit": {"amount": 4_000}}
    room.save()
    refused = alice.api.post("/bookings", booking_body(room, slot_at(10), payment=DECLINED))
    assert (refused.status_code, refused.json()["code"]) == (402, "payment_failed")

    paid = alice.api.post(f"/bookings/{refused.json()['booking']}/confirm", {"payment": CARD})

    assert (paid.json()["status"], paid.json()["payment_status"]) == ("confirmed", "deposit_paid")
    assert (paid.json()["amount_paid"], paid.json()["amount_due"]) == (4_000, 6_000)
    work_off()
    require_equal_books(stripe)
