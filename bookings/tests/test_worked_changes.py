"""Moves and other parties, computed by hand: fees, new tax, what is due, what goes back."""

from dataclasses import dataclass
from typing import Any

import pytest

from bookings.models import Booking
from bookings.tests.worked import UNTAXED, Json, each, group, inside, instant_of, make_priced_room, on_top, tiered
from common.walltime import utc_text
from rooms.models import Room
from tests.cast import Player
from tests.stage import booking_body

SIZES = ((2, 3, 9_000), (4, 6, 15_000))
SATURDAY: Json = {"weekdays": [6], "percent": 12.5}


@dataclass(frozen=True)
class Case:
    """One booking, paid `paid` at once, and a change of it. Minor units; `lines` end with the fee if there is one; `sums`
    are subtotal, tax and total; `told` is the answer's price_change: old, new, fee, due, refund.
    """

    name: str
    pricing: Json
    tax: Json
    paid: int
    change: Json
    lines: list[int]
    sums: tuple[int, int, int]
    told: tuple[int, int, int, int, int]
    fee: int = 0
    back: int = 100  # percent that the policy grants
    party: int = 4
    start: str = "Mon 10:00"
    private: bool = False
    deposit: int = 0


# fmt: off
CASES = [
    # 19 % of 10,000 = 1,900; the fee is free of tax.
    Case("a fee on top of a taxed price", group("EUR", 10_000), on_top("19"), 0, {"starts_at": "Tue 10:00"}, [10_000, 750],
         (10_750, 1_900, 12_650), (11_900, 12_650, 750, 12_650, 0), fee=750),
    # 10,000 × 19/119 = 1,596.64.
    Case("a fee beside a tax inside", group("EUR", 10_000), inside("19"), 10_000, {"starts_at": "Tue 10:00"}, [10_000, 750],
         (9_153, 1_597, 10_750), (10_000, 10_750, 750, 750, 0), fee=750),
    # 9,999 → + 12.5 % 1,249.875 = 11,249; of it 1/11 = 1,022.64; + 500.
    Case("yen, to a Saturday", each("JPY", 3_333, adjustments=[SATURDAY]), inside("10"), 9_999, {"starts_at": "Sat 10:00"},
         [9_999, 1_250, 500], (10_726, 1_023, 11_749), (9_999, 11_749, 500, 1_750, 0), fee=500, party=3),
    # 11,250 → 10,000 + 250: the price falls by 1,000.
    Case("from a Saturday, the fee out of the fall", group("EUR", 10_000, adjustments=[SATURDAY]), UNTAXED, 11_250,
         {"starts_at": "Mon 10:00"}, [10_000, 250], (10_250, 0, 10_250), (11_250, 10_250, 250, 0, 1_000), fee=250,
         start="Sat 10:00"),
    # The same with half of 1,000 granted.
    Case("from a Saturday, half of it back", group("EUR", 10_000, adjustments=[SATURDAY]), UNTAXED, 11_250,
         {"starts_at": "Mon 10:00"}, [10_000, 250], (10_250, 0, 10_250), (11_250, 10_250, 250, 0, 500), fee=250, back=50,
         start="Sat 10:00"),
    # 5 % of 9,000 = 450 and of 15,000 = 750.
    Case("fils, into the next tier", tiered("KWD", *SIZES), on_top("5"), 9_450, {"party_size": 4}, [15_000],
         (15_000, 750, 15_750), (9_450, 15_750, 0, 6_300, 0), fee=999, party=3),
    Case("fils, out of it", tiered("KWD", *SIZES), on_top("5"), 15_750, {"party_size": 3}, [9_000],
         (9_000, 450, 9_450), (15_750, 9_450, 0, 0, 6_300), fee=999),
    # 5 × 2,333 = 11,665, + 5.5 % 641.575 = 12,307; 4 × 2,333 = 9,332, + 513.26 = 9,845: it falls by 2,462.
    Case("a player less, a third of the fall back", each("EUR", 2_333), on_top("5.5"), 12_307, {"party_size": 4}, [9_332],
         (9_332, 513, 9_845), (12_307, 9_845, 0, 0, 812), back=33, party=5),  # 33 % of 2,462 = 812.46
    # Half of 2,333 = 1,166.5.
    Case("half a cent of a refund", each("EUR", 2_333), UNTAXED, 11_665, {"party_size": 4}, [9_332],
         (9_332, 0, 9_332), (11_665, 9_332, 0, 0, 1_167), back=50, party=5),
    # Of 11,665, 10,000 is paid: 668 more than the new price, and the policy's own half of the fall is 1,166.
    Case("what was not paid does not go back", each("EUR", 2_333), UNTAXED, 10_000, {"party_size": 4}, [9_332],
         (9_332, 0, 9_332), (11_665, 9_332, 0, 0, 0), back=50, party=5),
    # 7,500 + 33.33 % 2,499.75 = 10,000; 10,000 × 7.7/107.7 = 714.95.
    Case("private after all", each("CHF", 2_500, private_upgrade={"percent": 33.33}), inside("7.7"), 7_500, {"private": True},
         [7_500, 2_500], (9_285, 715, 10_000), (7_500, 10_000, 0, 2_500, 0), fee=999, party=3),
    # From test_worked_prices' "everything in dollars", 20,696, a quarter paid. On Monday: 15,000; + 333 → 15,333;
    # − 12.34 % 1,892.09 → 13,441; + 33.33 % 4,479.89 → 17,921; 8.875 % on top 1,590.49; + 1,250; a quarter of it 5,190.25.
    Case("everything in dollars, on Monday", tiered("USD", *SIZES, private_upgrade={"percent": 33.33}, deposit={"percent": 25},
            adjustments=[
                {"party": {"min": 4, "max": 6}, "percent": -12.34, "priority": 9},
                {"dates": (0, 0), "percent": -7.5, "priority": 3},
                {"times": {"from": "18:00", "to": "23:00"}, "fixed": 333, "priority": 2},
                {"weekdays": [6], "percent": 15, "priority": 1}]), on_top("8.875"), 5_174, {"starts_at": "Mon 18:30"},
         [15_000, 333, -1_892, 4_480, 1_250], (19_171, 1_590, 20_761), (20_696, 20_761, 1_250, 15_587, 0), fee=1_250,
         start="Sat 18:30", private=True, deposit=5_190),
]
# fmt: on


def policies(case: Case) -> Json:
    return {
        "cancellation_policy": {"windows": [{"hours_before": 0, "refund_percent": case.back}]},
        "reschedule_policy": {"windows": [{"hours_before": 0, "allowed": True, "fee": case.fee}]},
    }


def booked(alice: Player, room: Room, case: Case) -> str:
    body: Json = {"party_size": case.party, "payment": {"mode": "pos", "amount": case.paid} if case.paid else {"mode": "none"}}
    if case.pricing.get("private_upgrade"):
        body["private"] = case.private
    answer = alice.api.post("/bookings", booking_body(room, instant_of(case.start, case.pricing["currency"]), **body))
    assert answer.status_code == 201, answer.content
    return f"/bookings/{answer.json()['id']}"


def asked(case: Case) -> Json:
    change = dict(case.change)
    if "starts_at" in change:
        change["starts_at"] = utc_text(instant_of(change["starts_at"], case.pricing["currency"]))
    return change


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_change_is_exact_when_quoted_and_when_made(alice: Player, case: Case) -> None:
    room = make_priced_room(alice, case.pricing, case.tax, start=case.start, **policies(case))
    path = booked(alice, room, case)

    quote = alice.api.post(f"{path}/quote", asked(case)).json()
    answer = alice.api.put(path, asked(case)).json()

    change, price = answer["price_change"], answer["price"]
    fee, due, refund = case.told[2:]
    assert tuple(change[name] for name in ("old", "new", "fee", "due", "refund")) == case.told
    assert [line["amount"] for line in price["lines"]] == case.lines
    assert (price["subtotal"], price["tax"], price["total"]) == case.sums
    assert (quote["price"], quote["fee"], quote["due"], quote["refund"]) == (price, fee, due, refund)
    assert (answer["amount_paid"], answer["amount_refunded"], answer["amount_due"]) == (case.paid, refund, due)
    assert Booking.objects.get().deposit == case.deposit


def test_fees_of_moves_add_up_on_one_line(alice: Player) -> None:
    """10,000, 19 % of it, and 750 for each move, free of tax."""
    case = Case("", group("EUR", 10_000), on_top("19"), 0, {}, [], (0, 0, 0), (0, 0, 0, 0, 0), fee=750)
    room = make_priced_room(alice, case.pricing, case.tax, start=case.start, **policies(case))
    path, prices = booked(alice, room, case), []

    for start in ("Tue 10:00", "Mon 10:00"):
        prices.append(alice.api.put(path, {"starts_at": utc_text(instant_of(start, "EUR"))}).json()["price"])

    assert [[line["amount"] for line in price["lines"]] for price in prices] == [[10_000, 750], [10_000, 1_500]]
    assert [(price["subtotal"], price["tax"], price["total"]) for price in prices] == [
        (10_750, 1_900, 12_650),
        (11_500, 1_900, 13_400),
    ]


def test_another_room_is_taxed_and_priced_by_its_own_rules_with_the_fees_so_far(alice: Player) -> None:
    """10,000 + 1,900 + 750; then 3 × 2,333 = 6,999, of it 5.5/105.5 = 364.88, and 2 × 750."""
    case = Case("", group("EUR", 10_000), on_top("19"), 11_900, {}, [], (0, 0, 0), (0, 0, 0, 0, 0), fee=750, party=3)
    room = make_priced_room(alice, case.pricing, case.tax, start=case.start, **policies(case))
    other = make_priced_room(alice, each("EUR", 2_333), inside("5.5"), start=case.start, slug="other")
    path = booked(alice, room, case)
    alice.api.put(path, {"starts_at": utc_text(instant_of("Tue 10:00", "EUR"))})

    answer: Any = alice.api.put(path, {"room": other.public_id}).json()

    price = answer["price"]
    assert [line["amount"] for line in price["lines"]] == [6_999, 1_500]
    assert (price["subtotal"], price["tax"], price["total"]) == (6_634 + 1_500, 365, 8_499)
    # 12,650 falls to 8,499; of the 11,900 paid, 3,401 is too much.
    change = {"old": 12_650, "new": 8_499, "fee": 750, "due": 0, "refund": 3_401, "currency": "EUR"}
    assert answer["price_change"] == change
