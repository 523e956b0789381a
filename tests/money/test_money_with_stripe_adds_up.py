"""Whatever is booked, paid, changed and given back through Stripe, and whatever fails: both sides have the same sums."""

import random
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bookings.models import Booking
from bookings.services import expire_holds, work_off_payments
from payments.models import Payment, Refund
from rooms.models import Claim, Room, Venue
from tests.cast import Player
from tests.money.books import BROWSER, CARD, DECLINED, LONG_AGO, WITH_BANK, hear, let_time_pass, require_equal_books, work_off
from tests.stage import PER_PERSON, book, booking_body, make_room, slot_at
from tests.stripe.account import FAILED_REFUNDS
from tests.stripe.door import Fault
from tests.stripe.stand_in import StandIn

pytestmark = pytest.mark.django_db
Act = tuple[Any, ...]

TILL = {"mode": "pos", "amount": 2_500}
cards = st.sampled_from([CARD, CARD, WITH_BANK, BROWSER, DECLINED])
ways = st.none() | cards | st.just(TILL) | st.just("later")
slots = st.sampled_from([(10, 12), (10, 18), (11, 12), (11, 18), (3, 18)])  # by day or in the evening; or close to the start
acts = st.one_of(
    st.tuples(st.just("confirm"), cards),
    st.tuples(st.just("payer_acts"), st.integers(0, 9), st.sampled_from(["pm_card_visa", "pm_card_chargeDeclined"])),
    st.tuples(st.just("change"), st.fixed_dictionaries({}, optional={"slot": slots, "party_size": st.integers(2, 6)}), ways),
    st.tuples(st.just("refund"), st.sampled_from([1, 2_500, None])),
    st.tuples(st.just("cancel"), st.sampled_from(["policy", "full", "none", "2500"])),
    st.tuples(st.just("expire"), st.booleans()),
    st.tuples(st.just("refund_fails"), st.integers(0, 9)),
    st.tuples(st.just("refunds_pend")),
    st.tuples(st.just("trouble"), st.sampled_from(["lose_request", "lose_answer", "fail"]), st.integers(1, 6)),
    st.tuples(st.just("sweep")),
    st.tuples(st.just("sweep")),
)


class Story:
    """One booking, its payer, its bank and the sweep."""

    def __init__(self, player: Player, room: Room, stripe: StandIn) -> None:
        self.player, self.api, self.room, self.stripe, self.path = player, player.api, room, stripe, ""
        self.troubles: list[Fault] = []

    def book(self, payment: Any) -> None:
        answer = self.api.post("/bookings", booking_body(self.room, slot_at(10), payment=payment))
        assert answer.status_code in (201, 402), answer.content
        found = answer.json()
        self.path = f"/bookings/{found['id'] if answer.status_code == 201 else found['booking']}"

    def confirm(self, payment: Any) -> None:
        self._expect(self.api.post(f"{self.path}/confirm", {"payment": payment}))

    def payer_acts(self, which: int, card: str) -> None:
        """In the browser or in the bank's window, at an intent that is still open; we are not told."""
        open = [intent for intent in self.stripe.intents() if intent["status"] not in ("succeeded", "canceled")]
        if not open:
            return
        intent = open[which % len(open)]
        if intent["status"] == "requires_action":
            self.stripe.authenticate(intent["id"], success=card == "pm_card_visa")
        else:
            self.stripe.pay(intent["id"], card)

    def change(self, fields: dict[str, Any], way: Any) -> None:
        body = {name: value for name, value in fields.items() if name != "slot"}
        if "slot" in fields:
            body["starts_at"] = slot_at(*fields["slot"]).isoformat()
        body |= {"settlement": "later"} if way == "later" else {"payment": way} if way else {}
        self._expect(self.api.put(self.path, body))

    def refund(self, amount: int | None) -> None:
        self._expect(self.api.post(f"{self.path}/refunds", {"amount": amount} if amount else {}))

    def cancel(self, choice: str) -> None:
        self._expect(self.api.delete(f"{self.path}?refund={choice}"))

    def expire(self, rival: bool) -> None:
        """The hold runs out, if it is one; perhaps somebody else takes the slot."""
        booking = Booking.objects.get(public_id=self.path.rpartition("/")[2])
        if booking.status != Booking.Status.HELD:
            return
        Booking.objects.filter(pk=booking.pk).update(hold_expires_at=LONG_AGO)
        Claim.objects.filter(holder=booking.public_id, released_at=None).update(expires_at=LONG_AGO)
        expire_holds()
        if rival:
            book(self.player.actor, self.room, booking.starts_at)

    def refund_fails(self, which: int) -> None:
        """Days later, whatever it was before."""
        standing = [refund for refund in self.stripe.refunds() if refund["status"] not in FAILED_REFUNDS]
        if standing:
            self.stripe.fail_refund(standing[which % len(standing)]["id"])

    def refunds_pend(self) -> None:
        self.stripe.let_refunds_pend()

    def trouble(self, kind: str, times: int) -> None:
        self.troubles.append(getattr(self.stripe, kind)(times=times))

    def sweep(self) -> None:
        let_time_pass()
        work_off_payments()

    def end(self) -> None:
        """All is well again at Stripe, its news arrives twice and in any order, and the sweep has had time."""
        for trouble in self.troubles:
            trouble.times = 0
        work_off()
        news = self.stripe.events() * 2
        random.Random(len(news)).shuffle(news)
        hear(self.stripe, *news)
        work_off(4)
        require_equal_books(self.stripe)
        assert not Payment.objects.open().filter(unwanted=True).exists()

    def check(self) -> None:
        """Our own sums always agree; Stripe may know of a payment, or of a failed refund, before we do."""
        for booking in Booking.objects.all():
            payments = Payment.objects.of(booking.public_id).succeeded()
            refunds = Refund.objects.of(booking.public_id).standing()
            assert booking.amount_paid == sum(payment.amount for payment in payments)
            assert booking.amount_refunded == sum(refund.amount for refund in refunds)
            assert 0 <= booking.amount_refunded <= booking.amount_paid
            assert booking.amount_due >= 0
        through_stripe = {"payment__mode": "stripe"}
        assert sum(p.amount for p in Payment.objects.succeeded().filter(mode="stripe")) <= self.stripe.charged()
        assert self.stripe.refunded() <= sum(r.amount for r in Refund.objects.standing().filter(**through_stripe))

    @staticmethod
    def _expect(answer: Any) -> None:
        """A refusal is an answer too; a fault of ours is none."""
        assert answer.status_code in (200, 201, 402, 409, 410, 422, 503), answer.content


@pytest.fixture
def room(alice: Player, paris: Venue) -> Room:
    """€25 a person, a fifth more in the evening; half goes back, from three days before the start nothing."""
    evenings = {"percent": 20, "times": {"from": "17:00", "to": "23:00"}}
    policy = {"windows": [{"hours_before": 96, "refund_percent": 50}], "fee": 100, "deposit_refundable": True}
    pricing = {**PER_PERSON, "adjustments": [evenings], "deposit": {"percent": 40}}
    return make_room(alice.actor, paris, pricing=pricing, cancellation_policy=policy)


@pytest.mark.property
@settings(max_examples=settings().max_examples // 5, suppress_health_check=list(HealthCheck))
@given(first=st.just({"mode": "none"}) | cards, then=st.lists(acts, min_size=3, max_size=9))
def test_the_sums_are_the_same_on_both_sides(
    alice: Player, room: Room, stripe: StandIn, no_pauses: None, first: Any, then: list[Act]
) -> None:
    with transaction.atomic():
        stripe.reset()
        story = Story(alice, room, stripe)
        story.book(first)
        story.check()
        for act, *about in then:
            getattr(story, act)(*about)
            story.check()
        story.end()
        transaction.set_rollback(True)
