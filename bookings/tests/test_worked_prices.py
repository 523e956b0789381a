"""Prices computed by hand and asked for at the door: every line, the tax, the total, what is due at once."""

from dataclasses import dataclass

import pytest

from bookings.models import Booking
from bookings.tests.worked import UNTAXED, Json, each, group, inside, instant_of, make_priced_room, on_top, tiered
from common.walltime import utc_text
from tests import standing
from tests.cast import Player
from tests.stage import booking_body

house, alice, group_room, paris = standing.house, standing.owner, standing.group_room, standing.paris

SIZES = ((2, 3, 9_000), (4, 6, 15_000), (7, 8, 18_001))
EVENING, NIGHT = {"from": "18:00", "to": "22:00"}, {"from": "22:00", "to": "02:00"}


@dataclass(frozen=True)
class Case:
    """Minor units. `lines` are the base, then the adjustments, then the private upgrade; `sums` subtotal, tax, total."""

    name: str
    pricing: Json
    tax: Json
    party: int
    lines: list[int]
    sums: tuple[int, int, int]
    deposit: int = 0
    start: str = "Mon 10:00"
    private: bool = False
    override: int | None = None


def peaks(*adjustments: Json) -> dict[str, list[Json]]:
    return {"adjustments": list(adjustments)}


# fmt: off
CASES = [
    # Yen have no minor unit.
    # 3 × 3,333 = 9,999; of it 10/110 = 909 exactly.
    Case("yen, the tax inside", each("JPY", 3_333), inside("10"), 3, [9_999], (9_090, 909, 9_999)),
    # 10 % of 10,005 = 1,000.5, and half a yen rounds up.
    Case("yen, half of one on top", group("JPY", 10_005), on_top("10"), 4, [10_005], (10_005, 1_001, 11_006)),
    # 15 % of 12,345 = 1,851.75 → 1,852 off; 10,493 × 8/108 = 777.26.
    Case("yen, a quiet Monday", group("JPY", 12_345, **peaks({"weekdays": [1], "percent": -15})), inside("8"), 4,
         [12_345, -1_852], (9_716, 777, 10_493)),
    # 50 % of 7,777 = 3,888.5.
    Case("yen, half of it at once", group("JPY", 7_777, deposit={"percent": 50}), UNTAXED, 2, [7_777], (7_777, 0, 7_777), 3_889),

    # Dinars have a thousand fils.
    # 4 × 7.250 = 29.000; 5 % = 1.450.
    Case("fils, the tax on top", each("KWD", 7_250), on_top("5"), 4, [29_000], (29_000, 1_450, 30_450)),
    # 3 × 3.333 = 9.999; 5 % = 499.95 fils.
    Case("fils, a part of one on top", each("KWD", 3_333), on_top("5"), 3, [9_999], (9_999, 500, 10_499)),
    # 12,345 × 5/105 = 587.86.
    Case("fils, the tax inside", group("KWD", 12_345, deposit={"amount": 5_000}), inside("5"), 2,
         [12_345], (11_757, 588, 12_345), 5_000),
    # 12.5 % of 10,125 = 1,265.625.
    Case("fils, an eighth more", group("KWD", 10_125, **peaks({"percent": 12.5})), UNTAXED, 2,
         [10_125, 1_266], (11_391, 0, 11_391)),

    # Rates that never come out even.
    # 10,000 × 19/119 = 1,596.64.
    Case("19 % inside", group("EUR", 10_000), inside("19"), 4, [10_000], (8_403, 1_597, 10_000)),
    # 19 % of 9,999 = 1,899.81.
    Case("19 % on top", group("EUR", 9_999), on_top("19"), 4, [9_999], (9_999, 1_900, 11_899)),
    # 5 × 2,500 = 12,500; 12,500 × 5.5/105.5 = 651.66.
    Case("5.5 % inside", each("EUR", 2_500), inside("5.5"), 5, [12_500], (11_848, 652, 12_500)),
    # 5.5 % of 12,900 = 709.5.
    Case("5.5 % on top", group("EUR", 12_900), on_top("5.5"), 4, [12_900], (12_900, 710, 13_610)),
    # 9,000 × 7.7/107.7 = 643.45.
    Case("7.7 % inside", group("CHF", 9_000), inside("7.7"), 2, [9_000], (8_357, 643, 9_000)),
    # 3 × 3,550 = 10,650; 7.7 % = 820.05.
    Case("7.7 % on top", each("CHF", 3_550), on_top("7.7"), 3, [10_650], (10_650, 820, 11_470)),
    # 10,000 × 8.875/108.875 = 815.15.
    Case("8.875 % inside", group("USD", 10_000), inside("8.875"), 2, [10_000], (9_185, 815, 10_000)),
    # 5 × 3,999 = 19,995; 8.875 % = 1,774.56.
    Case("8.875 % on top", each("USD", 3_999), on_top("8.875"), 5, [19_995], (19_995, 1_775, 21_770)),
    # 6 × 3,999 = 23,994; 8.875 % = 2,129.47. Player by player, 354.91 each, it would be 6 × 355 = 2,130.
    Case("the tax is of the sum, not of each player", each("USD", 3_999), on_top("8.875"), 6, [23_994], (23_994, 2_129, 26_123)),
    # 9,003 × 20/120 = 1,500.5: the half goes to the tax.
    Case("half a cent inside", group("EUR", 9_003), inside("20"), 2, [9_003], (7_502, 1_501, 9_003)),
    # 1 × 19/119 = 0.16.
    Case("a single cent", group("EUR", 1), inside("19"), 2, [1], (1, 0, 1)),
    # A fraction of nothing is nothing.
    Case("a free game", group("EUR", 0, deposit={"percent": 50}), on_top("19"), 2, [0], (0, 0, 0)),

    # By the size of the party: 9,000 × 19/119 = 1,436.97; 15,000 × 19/119 = 2,394.96; 18,001 × 19/119 = 2,874.11.
    Case("the first of the smallest tier", tiered("EUR", *SIZES), inside("19"), 2, [9_000], (7_563, 1_437, 9_000)),
    Case("the last of the smallest tier", tiered("EUR", *SIZES), inside("19"), 3, [9_000], (7_563, 1_437, 9_000)),
    Case("the first of the middle tier", tiered("EUR", *SIZES), inside("19"), 4, [15_000], (12_605, 2_395, 15_000)),
    Case("the last of the middle tier", tiered("EUR", *SIZES), inside("19"), 6, [15_000], (12_605, 2_395, 15_000)),
    Case("the first of the largest tier", tiered("EUR", *SIZES), inside("19"), 7, [18_001], (15_127, 2_874, 18_001)),
    Case("the last of the largest tier", tiered("EUR", *SIZES), inside("19"), 8, [18_001], (15_127, 2_874, 18_001)),

    # Peaks. 15 % of 9,999 = 1,499.85.
    Case("a weekend", group("EUR", 9_999, **peaks({"weekdays": [6, 7], "percent": 15})), UNTAXED, 4,
         [9_999, 1_500], (11_499, 0, 11_499), start="Sat 18:30"),
    Case("no weekend", group("EUR", 9_999, **peaks({"weekdays": [6, 7], "percent": 15})), UNTAXED, 4,
         [9_999], (9_999, 0, 9_999), start="Fri 18:30"),
    # From 18:00, to just before 22:00.
    Case("the evening begins", group("EUR", 8_000, **peaks({"times": EVENING, "fixed": 550})), UNTAXED, 4,
         [8_000, 550], (8_550, 0, 8_550), start="Tue 18:00"),
    Case("the evening is over", group("EUR", 8_000, **peaks({"times": EVENING, "fixed": 550})), UNTAXED, 4,
         [8_000], (8_000, 0, 8_000), start="Tue 22:00"),
    Case("after midnight", group("EUR", 8_000, **peaks({"times": NIGHT, "fixed": 1_000})), UNTAXED, 4,
         [8_000, 1_000], (9_000, 0, 9_000), start="Wed 00:30"),
    # Both dates are included; `set` takes the place of 10,000.
    Case("the last day of a season", group("EUR", 10_000, **peaks({"dates": (-1, 0), "set": 20_001})), UNTAXED, 4,
         [10_000, 10_001], (20_001, 0, 20_001)),
    Case("the first day of a season", group("EUR", 10_000, **peaks({"dates": (0, 1), "set": 7_000})), UNTAXED, 4,
         [10_000, -3_000], (7_000, 0, 7_000)),
    Case("the day before a season", group("EUR", 10_000, **peaks({"dates": (1, 2), "set": 7_000})), UNTAXED, 4,
         [10_000], (10_000, 0, 10_000)),
    # 5 × 2,333 = 11,665, a tenth of it 1,166.5: a half goes away from nought, here to the customer.
    Case("a large party's tenth", each("EUR", 2_333, **peaks({"party": {"min": 5, "max": 6}, "percent": -10})), UNTAXED, 5,
         [11_665, -1_167], (10_498, 0, 10_498)),
    # 9,000 → 12,345; + 1,234.5 → 13,580; − 80.
    Case("set, then percent, then fixed, by priority", tiered("EUR", *SIZES, **peaks(
            {"fixed": -80, "priority": 3}, {"percent": 10, "priority": 2}, {"set": 12_345, "priority": 1})), UNTAXED, 3,
         [9_000, 3_345, 1_235, -80], (13_500, 0, 13_500)),
    # Half of 10,101 = 5,050.5 → 15,152; half of that 7,576 → 22,728. Rounded once, 2.25 × 10,101 = 22,727.25.
    Case("rounded line by line", group("EUR", 10_101, **peaks({"percent": 50}, {"percent": 50})), UNTAXED, 4,
         [10_101, 5_051, 7_576], (22_728, 0, 22_728)),
    # 10,000 + 1,000 = 11,000; half of it off. The other way round it would be 6,000.
    Case("of one priority, in their order", group("EUR", 10_000, **peaks({"fixed": 1_000}, {"percent": -50})), UNTAXED, 4,
         [10_000, 1_000, -5_500], (5_500, 0, 5_500)),
    # 10,000 + 10 % = 11,000, + 10 % of that.
    Case("a tenth of what stands so far", group("EUR", 10_000, **peaks({"percent": 10}, {"percent": 10})), UNTAXED, 4,
         [10_000, 1_000, 1_100], (12_100, 0, 12_100)),
    # 33.33 % of 9,999 = 3,332.67.
    Case("two decimals of a percent", group("EUR", 9_999, **peaks({"percent": 33.33})), UNTAXED, 4,
         [9_999, 3_333], (13_332, 0, 13_332)),
    # Of 3,000 no more than 3,000 can be taken off.
    Case("never below nothing", group("EUR", 3_000, **peaks({"fixed": -5_000})), on_top("19"), 4, [3_000, -3_000], (0, 0, 0)),
    Case("all that is named must match", group("EUR", 9_000, **peaks(
            {"weekdays": [6], "times": EVENING, "party": {"min": 5, "max": 6}, "percent": 50},
            {"weekdays": [6], "times": EVENING, "party": {"min": 4, "max": 6}, "percent": 10})),
         UNTAXED, 4, [9_000, 900], (9_900, 0, 9_900), start="Sat 18:30"),

    # A private game. 3 × 2,500 + 5,000 = 12,500; of it 20/120 = 2,083.33.
    Case("private, for a sum", each("EUR", 2_500, private_upgrade={"amount": 5_000}), inside("20"), 3,
         [7_500, 5_000], (10_417, 2_083, 12_500), private=True),
    # 7,500 × 20/120 = 1,250.
    Case("not private", each("EUR", 2_500, private_upgrade={"amount": 5_000}), inside("20"), 3, [7_500], (6_250, 1_250, 7_500)),
    # 7,500 + 750 = 8,250; 33.33 % = 2,749.73 → 11,000; 19 % = 2,090.
    Case("private, for a part", each("EUR", 2_500, private_upgrade={"percent": 33.33}, **peaks({"percent": 10})), on_top("19"), 3,
         [7_500, 750, 2_750], (11_000, 2_090, 13_090), private=True),

    # The timetable's own price, in place of the base: 4 × 1,999 = 7,996, and 10 % of 7,777 = 777.7.
    Case("a start's own price per person", each("EUR", 2_500), UNTAXED, 4, [7_996], (7_996, 0, 7_996), override=1_999),
    Case("a start's own price, then the peak", tiered("EUR", *SIZES, **peaks({"percent": 10})), UNTAXED, 4,
         [7_777, 778], (8_555, 0, 8_555), override=7_777),

    # Deposits are parts of the total. 8.875 % of 14,400 = 1,278; 30 % of 15,678 = 4,703.4.
    Case("a deposit of the taxed total", group("USD", 14_400, deposit={"percent": 30}), on_top("8.875"), 2,
         [14_400], (14_400, 1_278, 15_678), 4_703),
    # 12.5 % of 9,996 = 1,249.5.
    Case("half a cent of deposit", group("EUR", 9_996, deposit={"percent": 12.5}), UNTAXED, 2, [9_996], (9_996, 0, 9_996), 1_250),
    # 33.33 % of 10,000 = 3,333 exactly.
    Case("a third as a deposit", group("EUR", 10_000, deposit={"percent": 33.33}), UNTAXED, 2,
         [10_000], (10_000, 0, 10_000), 3_333),
    Case("a fixed deposit", group("EUR", 10_000, deposit={"amount": 2_001}), UNTAXED, 2, [10_000], (10_000, 0, 10_000), 2_001),
    Case("a deposit above the price", group("EUR", 1_500, deposit={"amount": 2_000}), UNTAXED, 2,
         [1_500], (1_500, 0, 1_500), 1_500),
    Case("all of it as a deposit", group("EUR", 1_500, deposit={"percent": 100}), UNTAXED, 2, [1_500], (1_500, 0, 1_500), 1_500),
    Case("no percent as a deposit", group("EUR", 1_500, deposit={"percent": 0}), UNTAXED, 2, [1_500], (1_500, 0, 1_500)),

    # Everything at once.
    # 15,000; + 15 % 2,250 → 17,250; + 333 → 17,583; − 7.5 % 1,318.73 → 16,264; − 12.34 % 2,006.98 → 14,257;
    # + 33.33 % 4,751.86 → 19,009; 8.875 % on top 1,687.05 → 20,696; a quarter of it 5,174.
    Case("everything in dollars", tiered("USD", *SIZES, private_upgrade={"percent": 33.33}, deposit={"percent": 25}, **peaks(
            {"party": {"min": 4, "max": 6}, "percent": -12.34, "priority": 9},
            {"dates": (0, 0), "percent": -7.5, "priority": 3},
            {"times": {"from": "18:00", "to": "23:00"}, "fixed": 333, "priority": 2},
            {"weekdays": [6], "percent": 15, "priority": 1})), on_top("8.875"), 4,
         [15_000, 2_250, 333, -1_319, -2_007, 4_752], (19_009, 1_687, 20_696), 5_174, start="Sat 18:30", private=True),
    # 5 × 4.505 = 22.525; + 7.5 % 1,689.375 → 24,214; − 14 → 24,200; of it 5/105 = 1,152.38; 12.5 % of it 3,025.
    Case("everything in dinars", each("KWD", 4_505, deposit={"percent": 12.5}, **peaks(
            {"weekdays": [5], "percent": 7.5}, {"dates": (-1, 1), "fixed": -14})), inside("5"), 5,
         [22_525, 1_689, -14], (23_048, 1_152, 24_200), 3_025, start="Fri 20:00"),
    # 9,800; + 12.5 % 1,225 → 11,025; − 5 % 551.25 → 10,474; + 3,000 → 13,474; of it 1/11 = 1,224.91; half of it 6,737.
    Case("everything in yen", group("JPY", 9_800, private_upgrade={"amount": 3_000}, deposit={"percent": 50}, **peaks(
            {"weekdays": [7], "percent": 12.5}, {"party": {"min": 2, "max": 2}, "percent": -5})), inside("10"), 2,
         [9_800, 1_225, -551, 3_000], (12_249, 1_225, 13_474), 6_737, start="Sun 09:00", private=True),
]
# fmt: on


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_price_is_exact_when_quoted_and_when_booked(alice: Player, case: Case) -> None:
    room = make_priced_room(alice, case.pricing, case.tax, start=case.start, override=case.override)
    starts_at = instant_of(case.start, case.pricing["currency"])
    party: Json = {"party_size": case.party}
    if case.pricing.get("private_upgrade"):
        party["private"] = case.private
    due = case.deposit or case.sums[2]
    payment = {"mode": "pos", "amount": due} if due else {"mode": "none"}

    quote = alice.api.post("/bookings/quote", {"room": room.public_id, "starts_at": utc_text(starts_at), **party}).json()
    booked = alice.api.post("/bookings", booking_body(room, starts_at, payment=payment, **party)).json()

    price = quote["price"]
    assert [line["amount"] for line in price["lines"]] == case.lines
    assert (price["subtotal"], price["tax"], price["total"], quote["due"]) == (*case.sums, due)
    upgraded = case.private and bool(case.pricing.get("private_upgrade"))
    adjusted = len(case.lines) - 1 - upgraded
    assert [line["kind"] for line in price["lines"]] == ["base", *["adjustment"] * adjusted, *["private_upgrade"] * upgraded]
    assert price["lines"][0]["quantity"] == (case.party if case.pricing["model"] == "per_person" else 1)
    assert booked["price"] == price
    assert (booked["amount_paid"], booked["amount_due"]) == (due, case.sums[2] - due)
    assert Booking.objects.get().deposit == case.deposit
    assert price["currency"] == booked["currency"] == quote["currency"] == case.pricing["currency"]
