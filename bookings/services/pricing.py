"""From price rules to a booking's price: one place for new bookings, changes and quotes."""

import datetime as dt
from typing import Any

from bookings.models import Booking
from common.walltime import zone
from rooms import pricing, schedule
from rooms.models import Room


def rules_of(room: Room) -> dict[str, Any]:
    """The snapshot that a booking keeps: the room's pricing, its venue's tax, and the timetable if that sets prices."""
    rules = {"pricing": room.pricing, "tax": room.venue.tax}
    if any("price_override" in rule for rule in room.schedule.get("rules", ())):
        rules["schedule"] = room.schedule
    return rules


def price_by(
    rules: dict[str, Any], *, room: Room, starts_at: dt.datetime, party_size: int, private: bool, fees: int = 0
) -> dict[str, Any]:
    """{currency, lines, subtotal, tax, total} in minor units. `fees` of moves are a line of their own, free of tax."""
    tz = zone(room.venue.timezone)
    price = pricing.price(
        rules["pricing"],
        tax=rules["tax"],
        local_start=starts_at.astimezone(tz),
        party_size=party_size,
        private=private,
        override=schedule.price_override(rules.get("schedule", {}), starts_at, tz),
    )
    if fees:
        price["lines"].append({"kind": "fee", "label": "Rescheduling", "quantity": 1, "amount": fees})
        price["subtotal"] += fees
        price["total"] += fees
    return price


def deposit_of(rules: dict[str, Any], price: dict[str, Any]) -> int:
    """The part of the price that is due at once, minor units; 0 where no deposit is asked."""
    return pricing.deposit_due(rules["pricing"], price["total"])


def requoted(booking: Booking, rules: dict[str, Any], *, fee: int, **slot: Any) -> dict[str, Any]:
    """The whole booking priced again by the rules, with the fees of earlier moves and of this one."""
    return price_by(rules, **slot, fees=booking.reschedule_fees + fee)
