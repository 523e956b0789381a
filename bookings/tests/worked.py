"""Short words for prices computed by hand, and the venues and rooms that charge them."""

import copy
import datetime as dt
from typing import Any

from common.walltime import to_instant, zone
from rooms.models import Room
from tests.cast import Player
from tests.stage import make_venue

Json = dict[str, Any]

ZONES = {
    "JPY": "Asia/Tokyo",
    "KWD": "Asia/Kuwait",
    "USD": "America/New_York",
    "CHF": "Europe/Zurich",
    "GBP": "Europe/London",
    "EUR": "Europe/Paris",
}
SOON = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=8)  # once: a test that runs over midnight has one day of it
WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
ROUND_THE_CLOCK: Json = {
    "weekdays": [1, 2, 3, 4, 5, 6, 7],
    "first_start": "00:00",
    "last_start": "23:30",
    "interval_minutes": 30,
}


def group(currency: str, amount: int, **more: Any) -> Json:
    return {"model": "per_group", "currency": currency, "amount": amount, **more}


def each(currency: str, amount: int, **more: Any) -> Json:
    return {"model": "per_person", "currency": currency, "amount": amount, **more}


def tiered(currency: str, *tiers: tuple[int, int, int], **more: Any) -> Json:
    rows = [{"min": low, "max": high, "amount": amount} for low, high, amount in tiers]
    return {"model": "tiered", "currency": currency, "tiers": rows, **more}


def inside(rate: str) -> Json:
    return {"rate": rate, "inclusive": True, "label": "VAT"}


def on_top(rate: str) -> Json:
    return {"rate": rate, "inclusive": False, "label": "VAT"}


UNTAXED = inside("0")


def day_of(start: str) -> dt.date:
    """The first day of that name (`Sat 18:30`) that lies a week ahead or more."""
    return SOON + dt.timedelta(days=(WEEKDAYS.index(start[:3]) - SOON.weekday()) % 7)


def instant_of(start: str, currency: str) -> dt.datetime:
    instant = to_instant(day_of(start), dt.time.fromisoformat(start[4:]), zone(ZONES[currency]))
    assert instant
    return instant


def make_priced_room(player: Player, pricing: Json, tax: Json, *, start: str, override: int | None = None, **more: Any) -> Room:
    """Through the API, so that its price rules are such as it takes. An adjustment's `dates` are days counted from the
    start's: (-1, 0) is the day before it and the day itself.
    """
    currency, pricing = pricing["currency"], copy.deepcopy(pricing)
    for adjustment in pricing.get("adjustments", ()):
        if "dates" in adjustment:
            first, last = (day_of(start) + dt.timedelta(days=days) for days in adjustment["dates"])
            adjustment["dates"] = {"from": first.isoformat(), "to": last.isoformat()}
    venue = make_venue(player.actor, name=currency, timezone=ZONES[currency], currency=currency, tax=tax)
    tiers = pricing.get("tiers", [{"min": 1, "max": 10}])
    body = {
        "name": "Vault",
        "venue": venue.public_id,
        "duration_minutes": 30,
        "booking_mode": "shared_with_private_upgrade" if pricing.get("private_upgrade") else "private",
        "min_party": tiers[0]["min"],
        "max_party": tiers[-1]["max"],
        "capacity": tiers[-1]["max"],
        "schedule": {"rules": [ROUND_THE_CLOCK if override is None else {**ROUND_THE_CLOCK, "price_override": override}]},
        "pricing": pricing,
        **more,
    }
    answer = player.api.post("/rooms", body)
    assert answer.status_code == 201, answer.content
    return Room.objects.with_spaces().get(public_id=answer.json()["id"])
