"""Whatever the rules: prices are those of exact fractions, rounded line by line, and their parts add up."""

import datetime as dt
import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.money import MAX_AMOUNT
from rooms.pricing import deposit_due, price

Json = dict[str, Any]

amounts = st.integers(0, 30_000) | st.integers(0, MAX_AMOUNT)
halving = st.sampled_from([50, 12.5, 2.5, 0.5])  # percents that often leave half a minor unit
weekdays = st.lists(st.integers(1, 7), min_size=1, max_size=7, unique=True)
ranges = st.tuples(st.integers(1, 10), st.integers(1, 10)).map(sorted).map(lambda pair: {"min": pair[0], "max": pair[1]})


def percents(low: int, high: int) -> st.SearchStrategy[float]:
    """As the API takes them: two decimals at most."""
    return st.integers(low * 100, high * 100).map(lambda hundredths: hundredths / 100)


adjustments = st.builds(
    lambda effect, where, priority: {**effect, **where, "priority": priority},
    st.one_of(
        st.fixed_dictionaries({"percent": halving | percents(-100, 1_000)}),
        st.fixed_dictionaries({"fixed": st.integers(-30_000, 30_000) | st.integers(-MAX_AMOUNT, MAX_AMOUNT)}),
        st.fixed_dictionaries({"set": amounts}),
    ),
    st.fixed_dictionaries({}, optional={"weekdays": weekdays, "party": ranges}),
    st.integers(0, 3),
)
parts = st.none() | st.fixed_dictionaries({"amount": amounts}) | st.fixed_dictionaries({"percent": halving | percents(0, 100)})
pricings = st.builds(
    lambda model, **more: {"model": model, "currency": "EUR", **more},
    st.sampled_from(["per_group", "per_person"]),
    amount=amounts,
    adjustments=st.lists(adjustments, max_size=5),
    private_upgrade=parts,
    deposit=parts,
)
taxes = st.builds(
    lambda rate, inclusive: {"rate": f"{rate:.3f}", "inclusive": inclusive, "label": ""},
    halving | st.integers(0, 99_999).map(lambda thousandths: thousandths / 1000),
    st.booleans(),
)


def rounded(exact: Fraction) -> int:
    """To the nearest whole, halves away from nought."""
    whole = math.floor(abs(exact) + Fraction(1, 2))
    return whole if exact >= 0 else -whole


def share(amount: int, percent: float | str) -> int:
    return rounded(amount * Fraction(str(percent)) / 100)


def sums_by_fractions(pricing: Json, *, start: dt.datetime, party: int, private: bool) -> list[int]:
    """What stands after each line, the private upgrade's included."""

    def add(amount: int) -> None:
        stands.append(min(max(amount, 0), MAX_AMOUNT))

    stands: list[int] = []
    add(pricing["amount"] * (party if pricing["model"] == "per_person" else 1))
    for priority in range(4):
        for rule in (rule for rule in pricing["adjustments"] if rule["priority"] == priority):
            sizes = rule.get("party", {"min": 1, "max": 10})
            if start.isoweekday() in rule.get("weekdays", range(1, 8)) and sizes["min"] <= party <= sizes["max"]:
                last = stands[-1]
                add(rule["set"] if "set" in rule else last + rule.get("fixed", 0) + share(last, rule.get("percent", 0)))
    upgrade = pricing["private_upgrade"]
    if private and upgrade:
        add(stands[-1] + upgrade.get("amount", share(stands[-1], upgrade.get("percent", 0))))
    return stands


@pytest.mark.property
@given(pricing=pricings, tax=taxes, day=st.integers(1, 7), party=st.integers(1, 10), private=st.booleans())
def test_every_price_is_that_of_exact_fractions(pricing: Json, tax: Json, day: int, party: int, private: bool) -> None:
    start = dt.datetime(2026, 11, 1 + day, 18, 30)
    found = price(pricing, tax=tax, local_start=start, party_size=party, private=private)

    stands = sums_by_fractions(pricing, start=start, party=party, private=private)
    before = [0, *stands]
    assert [line["amount"] for line in found["lines"]] == [stand - last for stand, last in zip(stands, before, strict=False)]
    rate = Fraction(tax["rate"])
    if tax["inclusive"]:
        exact = stands[-1] * rate / (100 + rate)
        assert (found["total"], found["tax"]) == (stands[-1], rounded(exact))
    else:
        assert (found["subtotal"], found["tax"]) == (stands[-1], share(stands[-1], tax["rate"]))
    assert found["subtotal"] + found["tax"] == found["total"]
    assert min(found["subtotal"], found["tax"]) >= 0
    assert all(type(found[name]) is int for name in ("subtotal", "tax", "total"))


@pytest.mark.property
@given(pricing=pricings, total=amounts)
def test_a_deposit_is_a_part_of_the_total(pricing: Json, total: int) -> None:
    due, asked = deposit_due(pricing, total), pricing["deposit"] or {"amount": 0}

    assert due == min(total, asked.get("amount", share(total, asked.get("percent", 0))))
    assert 0 <= due <= total
