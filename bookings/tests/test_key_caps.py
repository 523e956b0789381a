"""What a key may book at most: rooms, amounts, open holds; by itself and in a crowd."""

import datetime as dt
from collections import Counter
from typing import Any

import pytest
from django.utils import timezone

from bookings.models import Booking, BookingHistory
from bookings.services import cancel_booking
from developers.models import ApiKey
from developers.rules import KeyRules
from developers.services import create_key, update_key
from organizations.actor import Actor
from rooms.models import Room, Venue
from rooms.services import sandbox_for
from tests.cast import Api, Player
from tests.crowd import at_once
from tests.stage import PER_GROUP, book, booking_body, make_room, slot_at

PRICE = PER_GROUP["amount"]  # of a game in group_room


class Agent(Api):
    """The API through a key with rules."""

    def __init__(self, player: Player, mode: ApiKey.Mode = ApiKey.Mode.LIVE, **rules: Any) -> None:
        self.player = player
        self.key, secret = create_key(
            by=player.actor, name="Agent", preset=ApiKey.Preset.AI_AGENT, mode=mode, rules=KeyRules(**rules)
        )
        super().__init__(secret)

    def bind(self, **rules: Any) -> None:
        update_key(by=self.player.actor, key=self.key, name="Agent", rules=KeyRules(**rules))

    def book(self, room: Room, days: int, **more: Any) -> Any:
        return self.post("/bookings", booking_body(room, slot_at(days), **more))


def refusal(answer: Any) -> dict[str, Any]:
    """What a refusal says beside its words."""
    body = answer.json()
    assert (answer.status_code, body["code"]) == (403, "key_cap_exceeded"), body
    return {name: body[name] for name in ("cap", "limit", "asked", "used") if name in body}


# Rooms


@pytest.fixture
def other_room(alice: Player, paris: Venue) -> Room:
    return make_room(alice.actor, paris, name="Attic", pricing={**PER_GROUP, "amount": PRICE * 2})


def test_a_key_books_only_in_its_rooms(alice: Player, group_room: Room, other_room: Room) -> None:
    agent = Agent(alice, rooms=(group_room.public_id,))

    assert agent.book(group_room, 5).status_code == 201
    assert refusal(agent.book(other_room, 5)) == {
        "cap": "rooms",
        "limit": [group_room.public_id],
        "asked": other_room.public_id,
    }
    assert Booking.objects.count() == 1
    assert refusal(agent.post("/bookings/quote", {key: booking_body(other_room, slot_at(5))[key] for key in QUOTED}))
    assert agent.get("/rooms").json()["data"]  # what it may read is not the rule's matter


QUOTED = ("room", "starts_at", "party_size")


def test_it_cannot_move_a_booking_into_or_out_of_other_rooms(alice: Player, group_room: Room, other_room: Room) -> None:
    agent = Agent(alice, rooms=(group_room.public_id,))
    own = agent.book(group_room, 5).json()["id"]
    others = book(alice.actor, other_room, slot_at(5)).public_id

    assert refusal(agent.put(f"/bookings/{own}", {"room": other_room.public_id}))["cap"] == "rooms"
    assert refusal(agent.put(f"/bookings/{others}", {"room": group_room.public_id}))["cap"] == "rooms"
    assert refusal(agent.put(f"/bookings/{others}", {"notes_internal": "x"}))["cap"] == "rooms"
    assert refusal(agent.post(f"/bookings/{own}/quote", {"room": other_room.public_id}))["cap"] == "rooms"
    assert agent.put(f"/bookings/{own}", {"notes_internal": "x"}).status_code == 200


def test_it_confirms_checks_in_and_cancels_only_there(alice: Player, group_room: Room, other_room: Room) -> None:
    held = book(alice.actor, other_room, slot_at(5), hold=True).public_id
    secret = create_key(
        by=alice.actor, name="Till", preset=ApiKey.Preset.READ_WRITE, rules=KeyRules(rooms=(group_room.public_id,))
    )[1]
    till = Api(secret)

    for act in ("confirm", "extend", "check-in", "no-show"):
        assert refusal(till.post(f"/bookings/{held}/{act}"))["cap"] == "rooms"
    assert refusal(till.delete(f"/bookings/{held}"))["cap"] == "rooms"


# Amounts


def test_a_booking_may_cost_so_much_and_no_more(alice: Player, group_room: Room, other_room: Room) -> None:
    agent = Agent(alice, currency="EUR", max_amount_per_booking=PRICE)

    own = agent.book(group_room, 5)
    assert own.status_code == 201
    answer = agent.book(other_room, 5)
    assert refusal(answer) == {"cap": "max_amount_per_booking", "limit": PRICE, "asked": PRICE * 2}
    assert "€100" in answer.json()["detail"]
    assert "€200" in answer.json()["detail"]
    assert refusal(agent.book(other_room, 5, hold=True))["cap"] == "max_amount_per_booking"
    assert refusal(agent.put(f"/bookings/{own.json()['id']}", {"room": other_room.public_id}))["asked"] == PRICE * 2


def test_a_dear_hold_of_somebody_elses_is_not_confirmed(alice: Player, other_room: Room) -> None:
    held = book(alice.actor, other_room, slot_at(5), hold=True)
    agent = Agent(alice, currency="EUR", max_amount_per_booking=PRICE)

    assert refusal(agent.post(f"/bookings/{held.public_id}/confirm"))["cap"] == "max_amount_per_booking"
    held.refresh_from_db()
    assert held.status == Booking.Status.HELD


def test_what_costs_too_much_already_may_be_moved_for_the_same_price(alice: Player, other_room: Room) -> None:
    dear = book(alice.actor, other_room, slot_at(5))
    agent = Agent(alice, currency="EUR", max_amount_per_booking=PRICE)

    assert agent.put(f"/bookings/{dear.public_id}", {"starts_at": slot_at(6).isoformat()}).status_code == 200


def test_a_day_has_an_amount_and_what_came_to_nothing_does_not_count(alice: Player, group_room: Room) -> None:
    agent = Agent(alice, currency="EUR", max_amount_per_day=PRICE * 2)
    first, held = agent.book(group_room, 5), agent.book(group_room, 6, hold=True)
    assert [first.status_code, held.status_code] == [201, 201]

    answer = agent.book(group_room, 7)
    assert refusal(answer) == {"cap": "max_amount_per_day", "limit": PRICE * 2, "asked": PRICE, "used": PRICE * 2}
    assert agent.post(f"/bookings/{held.json()['id']}/confirm").status_code == 200  # it has been counted already

    cancel_booking(booking=Booking.objects.get(public_id=first.json()["id"]), by=alice.actor)
    assert agent.book(group_room, 7).status_code == 201
    assert refusal(agent.book(group_room, 8))["used"] == PRICE * 2


def test_a_hold_that_has_run_out_gives_its_amount_back(alice: Player, group_room: Room) -> None:
    agent = Agent(alice, currency="EUR", max_amount_per_day=PRICE)
    held = agent.book(group_room, 5, hold=True).json()["id"]
    assert refusal(agent.book(group_room, 6))

    Booking.objects.filter(public_id=held).update(hold_expires_at=timezone.now() - dt.timedelta(seconds=1))

    assert agent.book(group_room, 6).status_code == 201


def test_other_peoples_holds_count_once_the_key_confirms_them(alice: Player, group_room: Room) -> None:
    agent = Agent(alice, currency="EUR", max_amount_per_day=PRICE)
    holds = [book(alice.actor, group_room, slot_at(day), hold=True).public_id for day in (5, 6)]

    assert agent.post(f"/bookings/{holds[0]}/confirm").status_code == 200
    assert refusal(agent.post(f"/bookings/{holds[1]}/confirm"))["used"] == PRICE
    assert refusal(agent.book(group_room, 7))["used"] == PRICE


def test_a_booking_made_dearer_counts_for_the_day(alice: Player, group_room: Room, other_room: Room) -> None:
    theirs = book(alice.actor, group_room, slot_at(5)).public_id
    agent = Agent(alice, currency="EUR", max_amount_per_day=PRICE * 2)

    assert agent.put(f"/bookings/{theirs}", {"notes_internal": "x"}).status_code == 200
    assert agent.put(f"/bookings/{theirs}", {"room": other_room.public_id}).status_code == 200
    assert refusal(agent.book(group_room, 6))["used"] == PRICE * 2


def test_each_day_and_each_key_counts_for_itself(alice: Player, group_room: Room) -> None:
    agent, other = (Agent(alice, currency="EUR", max_amount_per_day=PRICE) for _ in range(2))
    assert [agent.book(group_room, 5).status_code, other.book(group_room, 6).status_code] == [201, 201]
    assert refusal(agent.book(group_room, 7))

    agent.bind(currency="EUR", max_amount_per_day=PRICE * 2)

    assert agent.book(group_room, 7).status_code == 201
    assert BookingHistory.objects.filter(actor_id=agent.key.public_id).count() == 2


def test_with_an_amount_a_key_books_in_that_currency_only(alice: Player, group_room: Room) -> None:
    agent = Agent(alice, currency="USD", max_amount_per_booking=PRICE * 10)

    assert refusal(agent.book(group_room, 5)) == {"cap": "currency", "limit": "USD", "asked": "EUR"}


# Open holds


def test_so_many_holds_may_be_open(alice: Player, group_room: Room) -> None:
    agent = Agent(alice, max_open_holds=2)
    holds = [agent.book(group_room, day, hold=True) for day in (5, 6)]
    assert [answer.status_code for answer in holds] == [201, 201]
    book(alice.actor, group_room, slot_at(9), hold=True)  # another's

    assert refusal(agent.book(group_room, 7, hold=True)) == {"cap": "max_open_holds", "limit": 2, "asked": 3, "used": 2}
    assert agent.book(group_room, 7).status_code == 201
    assert agent.post(f"/bookings/{holds[0].json()['id']}/confirm").status_code == 200
    assert agent.book(group_room, 8, hold=True).status_code == 201


def test_no_holds_at_all_is_a_cap_too(alice: Player, group_room: Room) -> None:
    assert refusal(Agent(alice, max_open_holds=0).book(group_room, 5, hold=True))["limit"] == 0


# In a crowd, elsewhere, and for others


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("rules", "more"),
    [({"currency": "EUR", "max_amount_per_day": PRICE * 3}, {}), ({"max_open_holds": 3}, {"hold": True})],
    ids=["amount of the day", "open holds"],
)
def test_parallel_bookings_cannot_pass_a_cap_together(
    alice: Player, paris: Venue, rules: dict[str, Any], more: dict[str, Any]
) -> None:
    """In a room each, so that no lock of a space keeps them apart."""
    rooms = [make_room(alice.actor, paris, name=f"Room {number}") for number in range(8)]
    agent = Agent(alice, **rules)

    answers = at_once([lambda room=room: agent.book(room, 5, **more) for room in rooms])  # type: ignore[misc]

    assert Counter(answer.status_code for answer in answers) == {201: 3, 403: 5}


def test_caps_hold_in_test_mode(alice: Player, group_room: Room) -> None:
    sandbox_for(alice.organization)
    agent = Agent(alice, mode=ApiKey.Mode.TEST, currency="EUR", max_amount_per_day=PRICE)
    room = Room.objects.visible_to(Actor.system(agent.key.acts_on)).get(name=group_room.name)

    assert agent.book(room, 5).status_code == 201
    assert refusal(agent.book(room, 6))["used"] == PRICE


def test_people_have_no_caps(alice: Player, group_room: Room) -> None:
    Agent(alice, rooms=("rm_other",), currency="USD", max_amount_per_booking=0, max_open_holds=0)

    assert book(alice.actor, group_room, slot_at(5), hold=True).status == Booking.Status.HELD
    assert alice.api.post("/bookings", booking_body(group_room, slot_at(6))).status_code == 201
