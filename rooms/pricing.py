"""From a room's price rules to a price. Pure; integer minor units, halves rounded up on each line, tax last.

1. The base: per group, per person, or by the tier of the party's size; a schedule rule's price_override replaces it.
2. The adjustments that match (weekday, time, date, party), by priority, lowest first: `percent` of what stands so far,
   `fixed` added, or `set` in its place. 3. The private upgrade. 4. Tax, out of the sum or on top of it.

After every line the sum is kept within [0, MAX_AMOUNT], a line showing only what it really changed: whatever rules are
stacked, a sum fits PostgreSQL's bigint, and tax on top, which stays below 100 %, at most doubles it.
"""

import datetime as dt
from collections.abc import Hashable
from decimal import Decimal
from typing import Any

from common.money import MAX_AMOUNT, half_up, percent_of


def price(
    pricing: dict[str, Any],
    *,
    tax: dict[str, Any],
    local_start: dt.datetime,
    party_size: int,
    private: bool,
    override: int | None = None,
) -> dict[str, Any]:
    """{currency, lines [{kind, label, quantity, amount}], subtotal, tax, total}. `local_start` is on the venue's clock."""
    lines = [_base(pricing, party_size, override)]
    so_far: int = lines[0]["amount"]
    for adjustment in sorted(pricing.get("adjustments", ()), key=lambda item: item.get("priority", 0)):
        if _matches(adjustment, local_start, party_size):
            before, so_far = so_far, _within_range(_adjusted(adjustment, so_far))
            lines.append(_line("adjustment", adjustment.get("label") or "Adjustment", so_far - before))
    upgrade = pricing.get("private_upgrade")
    if private and upgrade:
        surcharge = upgrade["amount"] if "amount" in upgrade else percent_of(so_far, upgrade["percent"])
        before, so_far = so_far, _within_range(so_far + surcharge)
        lines.append(_line("private_upgrade", "Private game", so_far - before))
    return {"currency": pricing["currency"], "lines": lines, **_taxed(so_far, tax)}


def moment(pricing: dict[str, Any], local_start: dt.datetime) -> Hashable:
    """What of a start its price depends on: two starts with the same moment cost the same."""
    adjustments = pricing.get("adjustments")
    if not adjustments:
        return None
    dated = any(adjustment.get("dates") for adjustment in adjustments)
    return local_start.isoweekday(), local_start.hour, local_start.minute, local_start.date() if dated else None


def deposit_due(pricing: dict[str, Any], total: int) -> int:
    """The part of a total that is due at once, minor units; 0 where no deposit is asked."""
    deposit = pricing.get("deposit")
    if not deposit:
        return 0
    return min(total, deposit["amount"] if "amount" in deposit else percent_of(total, deposit["percent"]))


def _base(pricing: dict[str, Any], party_size: int, override: int | None) -> dict[str, Any]:
    people = f"{party_size} player{'' if party_size == 1 else 's'}"
    if pricing["model"] == "per_person":
        each = pricing["amount"] if override is None else override
        return _line("base", people, _within_range(each * party_size), quantity=party_size)
    if override is not None:
        return _line("base", people, override)
    if pricing["model"] == "per_group":
        return _line("base", people, pricing["amount"])
    return _line("base", people, _tier(pricing["tiers"], party_size)["amount"])


def _tier(tiers: list[dict[str, Any]], party_size: int) -> dict[str, Any]:
    """The party's tier; outside all of them, which availability refuses anyway, the nearest."""
    return min(tiers, key=lambda tier: max(tier["min"] - party_size, party_size - tier["max"], 0))


def _adjusted(adjustment: dict[str, Any], so_far: int) -> int:
    if "set" in adjustment:
        return int(adjustment["set"])
    if "percent" in adjustment:
        return so_far + percent_of(so_far, adjustment["percent"])
    return so_far + int(adjustment["fixed"])


def _within_range(amount: int) -> int:
    return min(max(amount, 0), MAX_AMOUNT)


def _matches(adjustment: dict[str, Any], local: dt.datetime, party_size: int) -> bool:
    weekdays, times, dates, party = (adjustment.get(name) for name in ("weekdays", "times", "dates", "party"))
    if weekdays and local.isoweekday() not in weekdays:
        return False
    if times and not _within(f"{local:%H:%M}", times["from"], times["to"]):
        return False
    if dates and not dates["from"] <= local.date().isoformat() <= dates["to"]:
        return False
    return not party or party["min"] <= party_size <= party["max"]


def _within(time: str, start: str, end: str) -> bool:
    """Whether a wall time lies in [start, end), which may run past midnight."""
    return start <= time < end if start < end else time >= start or time < end


def _taxed(amount: int, tax: dict[str, Any]) -> dict[str, int]:
    rate = Decimal(tax["rate"])
    if tax["inclusive"]:
        part = half_up(Decimal(amount) * rate / (100 + rate))
        return {"subtotal": amount - part, "tax": part, "total": amount}
    part = percent_of(amount, rate)
    return {"subtotal": amount, "tax": part, "total": amount + part}


def _line(kind: str, label: str, amount: int, *, quantity: int = 1) -> dict[str, Any]:
    return {"kind": kind, "label": label, "quantity": quantity, "amount": amount}
