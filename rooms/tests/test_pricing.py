"""Prices computed by hand: exact to the minor unit."""

import datetime as dt
from typing import Any

import pytest

from common import money
from rooms.pricing import deposit_due, moment, price

SATURDAY = dt.datetime(2026, 12, 5, 18, 30)
MONDAY = dt.datetime(2026, 12, 7, 10, 0)
NO_TAX = {"rate": "0", "inclusive": True, "label": ""}
TIERS = [{"min": 2, "max": 3, "amount": 9_000}, {"min": 4, "max": 6, "amount": 15_000}]


def group(amount: int, currency: str = "EUR", **more: Any) -> dict[str, Any]:
    return {"model": "per_group", "currency": currency, "amount": amount, **more}


def each(amount: int, currency: str = "EUR", **more: Any) -> dict[str, Any]:
    return {"model": "per_person", "currency": currency, "amount": amount, **more}


def tax(rate: str, *, inclusive: bool) -> dict[str, Any]:
    return {"rate": rate, "inclusive": inclusive, "label": "VAT"}


CASES: list[tuple[str, dict[str, Any], dict[str, Any], dt.datetime, int, bool, tuple[int, int, int]]] = [
    # name, pricing, tax, local start, party, private → subtotal, tax, total
    ("a group", group(10_000), NO_TAX, MONDAY, 4, False, (10_000, 0, 10_000)),
    ("20 % inside", group(10_000), tax("20", inclusive=True), MONDAY, 4, False, (8_333, 1_667, 10_000)),
    ("20 % on top", group(10_000), tax("20", inclusive=False), MONDAY, 4, False, (10_000, 2_000, 12_000)),
    ("half a cent of tax rounds up", group(1_030), tax("5", inclusive=False), MONDAY, 1, False, (1_030, 52, 1_082)),
    ("New York's 8.875 %", group(11_000, "USD"), tax("8.875", inclusive=False), MONDAY, 2, False, (11_000, 976, 11_976)),
    ("yen have no cents", each(1_111, "JPY"), tax("10", inclusive=True), MONDAY, 3, False, (3_030, 303, 3_333)),
    ("dinars have a thousand fils", group(10_125, "KWD"), tax("5", inclusive=False), MONDAY, 2, False, (10_125, 506, 10_631)),
    ("a person", each(2_500), NO_TAX, MONDAY, 5, False, (12_500, 0, 12_500)),
    ("the lower tier", {"model": "tiered", "currency": "EUR", "tiers": TIERS}, NO_TAX, MONDAY, 3, False, (9_000, 0, 9_000)),
    ("the upper tier", {"model": "tiered", "currency": "EUR", "tiers": TIERS}, NO_TAX, MONDAY, 4, False, (15_000, 0, 15_000)),
    (
        "weekend +15 %, then 1 € off: by priority, not by place",
        group(
            9_999,
            adjustments=[{"fixed": -100, "priority": 2}, {"weekdays": [6, 7], "percent": 15, "priority": 1}],
        ),
        NO_TAX,
        SATURDAY,
        4,
        False,
        (11_399, 0, 11_399),  # 9,999 + 1,499.85 → 1,500 − 100
    ),
    (
        "only what matches",
        group(
            10_000,
            adjustments=[
                {"weekdays": [6], "percent": 50},
                {"times": {"from": "18:00", "to": "02:00"}, "percent": 50},
                {"dates": {"from": "2026-12-24", "to": "2026-12-26"}, "percent": 50},
                {"party": {"min": 5, "max": 6}, "percent": 50},
                {"times": {"from": "09:00", "to": "10:01"}, "percent": -10},
            ],
        ),
        NO_TAX,
        MONDAY,
        4,
        False,
        (9_000, 0, 9_000),
    ),
    ("an evening window past midnight", group(10_000, adjustments=[{"times": {"from": "18:00", "to": "02:00"}, "percent": 10}]),
     NO_TAX, SATURDAY, 4, False, (11_000, 0, 11_000)),
    ("set replaces what stands", group(10_000, adjustments=[{"percent": 50, "priority": 1}, {"set": 7_777, "priority": 2}]),
     NO_TAX, MONDAY, 4, False, (7_777, 0, 7_777)),
    ("never below nothing", group(1_000, adjustments=[{"fixed": -5_000}]), NO_TAX, MONDAY, 4, False, (0, 0, 0)),
    ("a private game costs more", each(1_500, private_upgrade={"amount": 9_000}), NO_TAX, MONDAY, 2, True, (12_000, 0, 12_000)),
    ("a shared one does not", each(1_500, private_upgrade={"amount": 9_000}), NO_TAX, MONDAY, 2, False, (3_000, 0, 3_000)),
    ("a private game by percent, after the weekend",
     each(1_000, adjustments=[{"weekdays": [6], "percent": 10}], private_upgrade={"percent": 50}),
     tax("20", inclusive=True), SATURDAY, 3, True, (4_125, 825, 4_950)),
    ("percentages with a half", group(5_050, adjustments=[{"percent": 2.5}]), NO_TAX, MONDAY, 1, False, (5_176, 0, 5_176)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "pricing", "vat", "start", "party", "private", "expected"), CASES, ids=[case[0] for case in CASES]
)
def test_prices(
    name: str,
    pricing: dict[str, Any],
    vat: dict[str, Any],
    start: dt.datetime,
    party: int,
    private: bool,
    expected: tuple[int, int, int],
) -> None:
    found = price(pricing, tax=vat, local_start=start, party_size=party, private=private)

    assert (found["subtotal"], found["tax"], found["total"]) == expected
    on_lines = sum(line["amount"] for line in found["lines"])
    assert on_lines == (found["total"] if vat["inclusive"] else found["subtotal"])


@pytest.mark.parametrize(
    "adjustments",
    [
        [{"percent": 1_000}] * 100,
        [{"percent": 1_000}] * 9,
        [{"fixed": money.MAX_AMOUNT}] * 100,
        [{"set": money.MAX_AMOUNT}, {"percent": 1_000}],
    ],
)
@pytest.mark.parametrize("pricing", [group(money.MAX_AMOUNT), each(money.MAX_AMOUNT, private_upgrade={"percent": 100})])
def test_no_stack_of_rules_leads_beyond_the_largest_amount(pricing: dict[str, Any], adjustments: list[dict[str, Any]]) -> None:
    asked: dict[str, Any] = {"local_start": MONDAY, "party_size": 10_000, "private": True}
    stacked = {**pricing, "adjustments": adjustments}

    inside = price(stacked, tax=tax("99.999", inclusive=True), **asked)
    on_top = price(stacked, tax=tax("99.999", inclusive=False), **asked)

    assert inside["total"] == on_top["subtotal"] == money.MAX_AMOUNT
    assert money.MAX_AMOUNT < on_top["total"] <= 2 * money.MAX_AMOUNT
    assert sum(line["amount"] for line in inside["lines"]) == money.MAX_AMOUNT


def test_the_sum_is_bounded_after_every_line() -> None:
    adjustments = [{"percent": 1_000}, {"fixed": -money.MAX_AMOUNT}, {"fixed": -1}, {"fixed": 5}]

    found = price(group(money.MAX_AMOUNT, adjustments=adjustments), tax=NO_TAX, local_start=MONDAY, party_size=2, private=False)

    assert [line["amount"] for line in found["lines"]] == [money.MAX_AMOUNT, 0, -money.MAX_AMOUNT, 0, 5]


@pytest.mark.parametrize(("percent", "amount"), [(12.1, 61), (2.3, 12), (33.3, 167), (-12.1, -61)])
def test_percentages_count_as_they_are_written(percent: float, amount: int) -> None:
    """12.1 % of 500 is 60.5, though the float is a little less than 12.1."""
    assert money.percent_of(500, percent) == amount
    if percent > 0:
        assert deposit_due(group(500, deposit={"percent": percent}), 500) == amount


def test_starts_of_one_moment_cost_the_same() -> None:
    pricing = group(
        100, adjustments=[{"weekdays": [6], "percent": 10}, {"dates": {"from": "2026-12-12", "to": "2026-12-12"}, "fixed": 7}]
    )
    week_later = SATURDAY + dt.timedelta(days=7)

    assert moment(group(100), SATURDAY) == moment(group(100), MONDAY)
    assert moment(pricing, SATURDAY) != moment(pricing, week_later)
    undated = {**pricing, "adjustments": pricing["adjustments"][:1]}
    assert moment(undated, SATURDAY) == moment(undated, week_later) != moment(undated, MONDAY)


@pytest.mark.parametrize(
    ("pricing", "total"),
    [(group(10_000), 7_000), (each(10_000), 14_000), ({"model": "tiered", "currency": "EUR", "tiers": TIERS}, 7_000)],
)
def test_a_timetables_price_replaces_the_base(pricing: dict[str, Any], total: int) -> None:
    assert price(pricing, tax=NO_TAX, local_start=MONDAY, party_size=2, private=False, override=7_000)["total"] == total


@pytest.mark.parametrize(
    ("deposit", "due"),
    [(None, 0), ({"percent": 30}, 3_000), ({"percent": 33.33}, 3_333), ({"amount": 2_000}, 2_000), ({"amount": 99_999}, 10_000)],
)
def test_deposits(deposit: dict[str, Any] | None, due: int) -> None:
    assert deposit_due(group(10_000, deposit=deposit), 10_000) == due


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (15_000, "EUR", "€150"),
        (1_250, "EUR", "€12.50"),
        (15_000, "JPY", "¥15,000"),
        (1_500, "KWD", "KWD 1.500"),
        (-900, "CHF", "-CHF 9"),
    ],
)
def test_money_reads_well(amount: int, currency: str, text: str) -> None:
    assert money.text(amount, currency) == text
