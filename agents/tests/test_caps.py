"""What an agent's key may do at most, by its tools; one by one and all at once."""

from collections import Counter
from typing import Any

import pytest

from agents.tests.speaking import LEGACY, MODERN, Agent, agent, secret_of
from bookings.models import Booking
from common.walltime import utc_text
from developers.models import ApiKey
from developers.presets import suggested_rules
from developers.rules import KeyRules
from developers.services import create_key
from rooms.models import Room, Venue
from tests.cast import Player
from tests.crowd import at_once
from tests.stage import PER_GROUP, make_room, slot_at

PRICE = PER_GROUP["amount"]


def wish(room: Room, days: int = 5) -> dict[str, Any]:
    return {"room": room.public_id, "starts_at": utc_text(slot_at(days)), "party_size": 4, "customer": {"name": "Ada"}}


def test_the_preset_s_suggested_caps_hold(alice: Player, group_room: Room) -> None:
    rules = suggested_rules(ApiKey.Preset.AI_AGENT, "EUR")
    assert isinstance(rules, KeyRules)
    assert rules.max_open_holds is not None
    secret = create_key(by=alice.actor, name="Agent", preset=ApiKey.Preset.AI_AGENT, rules=rules)[1]
    asking = Agent(secret)
    dear = make_room(alice.actor, group_room.venue, name="Palace", pricing={**PER_GROUP, "amount": 50_100})

    for days in range(rules.max_open_holds):
        asking.call("hold_booking", **wish(group_room, 5 + days))

    refused = asking.refused("hold_booking", **wish(group_room, 20))
    assert (refused["status"], refused["code"], refused["cap"]) == (403, "key_cap_exceeded", "max_open_holds")
    refused = asking.refused("quote_booking", room=dear.public_id, starts_at=utc_text(slot_at(6)), party_size=4)
    assert refused["cap"] == "max_amount_per_booking"


def test_an_amount_of_the_day_is_counted_over_holds_confirmations_and_changes(alice: Player, group_room: Room) -> None:
    dear = make_room(alice.actor, group_room.venue, name="Attic", pricing={**PER_GROUP, "amount": PRICE * 2})
    asking = agent(alice, currency="EUR", max_amount_per_day=PRICE * 2)
    first = asking.call("hold_booking", **wish(group_room, 5))["booking"]
    asking.call("confirm_booking", booking=first)
    asking.call("hold_booking", **wish(group_room, 6))

    assert asking.refused("hold_booking", **wish(group_room, 7))["cap"] == "max_amount_per_day"
    assert asking.refused("reschedule_booking", booking=first, room=dear.public_id)["cap"] == "max_amount_per_day"


def test_only_the_rooms_that_are_named(alice: Player, group_room: Room) -> None:
    other = make_room(alice.actor, group_room.venue, name="Attic")
    asking = agent(alice, rooms=(group_room.public_id,))

    asking.call("hold_booking", **wish(group_room))
    assert asking.refused("hold_booking", **wish(other))["cap"] == "rooms"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "rules", [{"currency": "EUR", "max_amount_per_day": PRICE * 3}, {"max_open_holds": 3}], ids=["day", "holds"]
)
def test_parallel_calls_cannot_pass_a_cap_together(alice: Player, paris: Venue, rules: dict[str, Any]) -> None:
    """In a room each, so that no lock of a space keeps them apart; in both versions of the protocol."""
    rooms = [make_room(alice.actor, paris, name=f"Room {number}") for number in range(8)]
    secret = secret_of(alice, **rules)

    def hold(number: int) -> str:
        calling = Agent(secret, version=(LEGACY, MODERN)[number % 2])
        result = calling.result("tools/call", {"name": "hold_booking", "arguments": wish(rooms[number])})
        return str(result["structuredContent"].get("code", "held"))

    answers = at_once([lambda number=number: hold(number) for number in range(8)])  # type: ignore[misc]

    assert Counter(answers) == {"held": 3, "key_cap_exceeded": 5}
    assert Booking.objects.count() == 3
