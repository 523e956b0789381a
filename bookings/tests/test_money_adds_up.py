"""Whatever is booked, changed, paid and canceled: the amounts are those of the rows, and quotes are what then happens."""

from itertools import pairwise
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F, Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bookings import policies
from common.walltime import utc_text
from payments.models import Payment, Refund
from rooms.models import Room
from tests.cast import Player
from tests.stage import booking_body, make_room, make_venue, slot_at

Json = dict[str, Any]

percents = st.sampled_from([7.7, 12.5, 20, 33.33, 50, 100])
amounts = st.sampled_from([2_333, 999, 5_000, 9_999, 20_000, 1, 0])
parts = st.none() | st.fixed_dictionaries({"amount": amounts}) | st.fixed_dictionaries({"percent": percents})
adjustments = st.one_of(
    st.fixed_dictionaries({"percent": percents, "weekdays": st.sampled_from([[6, 7], [1, 2, 3]])}),
    st.fixed_dictionaries({"fixed": st.integers(-9_999, 9_999)}),
    st.fixed_dictionaries({"percent": percents.map(lambda percent: -percent), "party": st.just({"min": 4, "max": 8})}),
)
more = {"adjustments": st.lists(adjustments, max_size=2), "private_upgrade": parts, "deposit": parts}
pricings = st.one_of(
    st.fixed_dictionaries({"model": st.sampled_from(["per_group", "per_person"]), "amount": amounts, **more}),
    st.builds(
        lambda small, large, **rest: {
            "model": "tiered",
            "tiers": [{"min": 1, "max": 3, "amount": small}, {"min": 4, "max": 8, "amount": large}],
            **rest,
        },
        amounts,
        amounts,
        **more,
    ),
)
# Games are 3 to 12 days ahead: on which day decides the window.
hours = st.sampled_from([0, 0, 150, 200])
fees = st.sampled_from([0, 0, 1, 499, 5_000])
worlds = st.fixed_dictionaries(
    {
        "currency": st.sampled_from(["EUR", "JPY", "KWD"]),
        "tax": st.fixed_dictionaries(
            {"rate": st.sampled_from(["0", "5.5", "8.875", "19"]), "inclusive": st.booleans(), "label": st.just("")}
        ),
        "pricings": st.tuples(pricings, pricings),
        "cancellation": st.fixed_dictionaries(
            {
                "windows": st.lists(
                    st.fixed_dictionaries({"hours_before": hours, "refund_percent": st.sampled_from([50, 33, 100])}),
                    min_size=1,
                    max_size=3,
                ),
                "fee": fees,
                "deposit_refundable": st.booleans(),
            }
        ),
        "reschedule": st.fixed_dictionaries(
            {
                "windows": st.lists(
                    st.fixed_dictionaries({"hours_before": hours, "allowed": st.sampled_from([True, True, False]), "fee": fees}),
                    min_size=1,
                    max_size=3,
                ),
                "max_times": st.sampled_from([None, None, 1]),
            }
        ),
    }
)
days, sizes, rooms = st.integers(3, 12), st.integers(1, 8), st.integers(0, 1)
payments = st.fixed_dictionaries({"mode": st.sampled_from(["pos", "external"]), "percent": st.sampled_from([100, 30, 99, 120])})
changes = st.fixed_dictionaries({}, optional={"day": days, "party_size": sizes, "private": st.booleans(), "room": rooms})
acts = st.one_of(changes, st.fixed_dictionaries({"party_size": sizes}), st.fixed_dictionaries({"payment": payments}))
endings = st.sampled_from(["policy", "policy", "full", "none", "1", "5000"])


class Story:
    """One booking through the API, and what should have been paid and given back by now."""

    def __init__(self, player: Player, world: Json) -> None:
        self.api, self.inclusive, self.canceled = player.api, world["tax"]["inclusive"], False
        venue = make_venue(player.actor, currency=world["currency"], tax=world["tax"])
        self.rooms: list[Room] = [
            make_room(
                player.actor,
                venue,
                name=f"Room {number}",
                booking_mode="shared_with_private_upgrade",
                min_party=1,
                max_party=8,
                capacity=8,
                pricing={**pricing, "currency": world["currency"]},
                cancellation_policy=world["cancellation"],
                reschedule_policy=world["reschedule"],
            )
            for number, pricing in enumerate(world["pricings"])
        ]

    def book(self, *, day: int, payment: Json, **party: Any) -> None:
        slot = {"room": self.rooms[0].public_id, "starts_at": utc_text(slot_at(day)), **party}
        quote = self.api.post("/bookings/quote", slot).json()
        taken = self.part(payment, of=quote["price"]["total"])
        self.booking = self.api.post("/bookings", booking_body(self.rooms[0], slot_at(day), **party, payment=taken)).json()
        self.path = f"/bookings/{self.booking['id']}"
        self.paid, self.back = taken.get("amount", 0), 0
        assert self.booking["price"] == quote["price"]
        assert 0 <= quote["due"] <= quote["price"]["total"]
        self.check()

    @staticmethod
    def part(payment: Json, *, of: int) -> Json:
        """The payment of so many percent."""
        amount = of * payment["percent"] // 100
        return {"mode": payment["mode"], "amount": amount} if amount else {"mode": "none"}

    def act(self, *, payment: Json | None = None, **change: Any) -> None:
        if payment:
            taken = self.part(payment, of=self.booking["amount_due"])
            self.booking = self.api.put(self.path, {"payment": taken}).json()
            self.paid += taken.get("amount", 0)
        else:
            self.change(change)
        self.check()

    def change(self, change: Json) -> int:
        """What goes back for it, which a quote has told before."""
        asked: Json = {name: change[name] for name in ("party_size", "private") if name in change}
        if "day" in change:
            asked["starts_at"] = utc_text(slot_at(change["day"]))
        if "room" in change:
            asked["room"] = self.rooms[change["room"]].public_id
        quote, made = self.api.post(f"{self.path}/quote", asked), self.api.put(self.path, asked)
        told, after = quote.json(), made.json()
        if quote.status_code != 201:
            assert (made.status_code, after["code"]) == (quote.status_code, told["code"])
            return 0
        assert made.status_code == 200, made.content
        numbers = after["price_change"]
        assert (after["price"], after["amount_due"]) == (told["price"], told["due"])
        assert [numbers[name] for name in ("fee", "due", "refund")] == [told[name] for name in ("fee", "due", "refund")]
        assert numbers["old"] == self.booking["price"]["total"]
        assert numbers["new"] == after["price"]["total"]
        fall, over = numbers["old"] - numbers["new"], self.paid - self.back - numbers["new"]
        assert 0 <= numbers["refund"] <= max(0, min(fall, over))
        self.booking, self.back = after, self.back + numbers["refund"]
        return int(numbers["refund"])

    def cancel(self, choice: str) -> None:
        quote = self.api.post(f"{self.path}/quote", {"kind": "cancel"}).json()
        answer, net = self.api.delete(f"{self.path}?refund={choice}"), self.paid - self.back
        if choice.isdecimal() and int(choice) > net:
            assert (answer.status_code, answer.json()["refundable"]) == (422, net)
            return self.check()
        after = answer.json()
        refund = (after.pop("refund") or {"amount": 0})["amount"]
        assert refund == {"policy": quote["refund"], "full": net, "none": 0}.get(
            choice, refund if choice.isalpha() else int(choice)
        )
        assert (quote["refund"] + quote["fee"], after["amount_refunded"]) == (net, self.back + refund)
        self.booking, self.back, self.canceled = after, self.back + refund, True
        assert self.api.delete(f"{self.path}?refund=full").json()["amount_refunded"] == self.back
        return self.check()

    def check(self) -> None:
        booking = self.api.get(self.path).json()
        rows = [model.objects.filter(subject=booking["id"]) for model in (Payment, Refund)]
        sums = tuple(found.aggregate(sum=Sum("amount", default=0))["sum"] for found in rows)
        assert (booking["amount_paid"], booking["amount_refunded"]) == sums == (self.paid, self.back)
        assert 0 <= self.back <= self.paid
        assert not rows[0].annotate(back=Sum("refunds__amount", default=0)).filter(back__gt=F("amount")).exists()
        price = booking["price"]
        assert booking["amount_due"] == (0 if self.canceled else max(0, price["total"] - (self.paid - self.back)))
        assert price["subtotal"] + price["tax"] == price["total"]
        assert sum(line["amount"] for line in price["lines"]) == price["total" if self.inclusive else "subtotal"]
        assert min(price["subtotal"], price["tax"], price["total"]) >= 0


def examples(share: int) -> Any:
    """A share of the profile's, since each example is dozens of requests."""
    return settings(max_examples=settings().max_examples // share, suppress_health_check=list(HealthCheck))


@pytest.mark.property
@examples(4)
@given(
    world=worlds,
    first=st.fixed_dictionaries({"day": days, "party_size": sizes, "private": st.booleans(), "payment": payments}),
    then=st.lists(acts, max_size=6),
    ending=endings,
)
def test_amounts_are_those_of_the_rows_and_quotes_come_true(
    alice: Player, world: Json, first: Json, then: list[Json], ending: str
) -> None:
    with transaction.atomic():
        story = Story(alice, world)
        story.book(**first)
        for act in then:
            story.act(**act)
        story.cancel(ending)
        transaction.set_rollback(True)


@pytest.mark.property
@examples(8)
@given(world=worlds, few=st.integers(1, 4), many=st.integers(5, 8), day=days, percent=st.sampled_from([100, 99, 30]))
def test_leaving_and_coming_back_unpaid_gives_money_back_once(
    alice: Player, world: Json, few: int, many: int, day: int, percent: int
) -> None:
    """For a booking that is not overpaid: whatever the party does between two sizes, nothing more drains."""
    with transaction.atomic():
        story = Story(alice, world)
        story.book(day=day, party_size=many, private=False, payment={"mode": "pos", "percent": percent})

        refunds = [story.change({"party_size": size}) for size in (few, many, few, many)]

        assert not any(refunds[2:])
        story.check()
        transaction.set_rollback(True)


START = slot_at(10)


@pytest.mark.property
@given(
    prices=st.lists(st.integers(0, 30_000), min_size=2, max_size=12),
    paid=st.integers(0, 40_000),
    deposit=st.integers(0, 10_000),
    percent=st.sampled_from([0, 1, 33, 50, 99, 100]),
    refundable=st.booleans(),
)
def test_no_fall_gives_back_what_is_owed_or_kept(
    prices: list[int], paid: int, deposit: int, percent: int, refundable: bool
) -> None:
    """Not more than the policy's part of the fall, than what is paid beyond the price, than what exceeds a kept deposit."""
    cancellation = {"windows": [{"hours_before": 0, "refund_percent": percent}], "fee": 0, "deposit_refundable": refundable}
    policy = {"cancellation": cancellation}

    for old, new in pairwise(prices):
        sums = {"paid": paid, "deposit": deposit, "old": old, "new": new}
        refund = policies.refund_on_lower_price(policy, starts_at=START, at=START, **sums)

        assert refund >= 0
        if refund:
            assert paid - refund >= max(new, 0 if refundable else deposit)
            assert 100 * refund <= percent * (old - new) + 50  # half a minor unit, by rounding
        paid -= refund
