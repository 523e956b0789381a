"""`GET /schedules`: what is open, why the rest is not, and that booking agrees."""

import datetime as dt
from typing import Any
from unittest.mock import Mock

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.walltime import utc_text, zone
from rooms import availability, pricing
from rooms.api import views
from rooms.availability import Party, Reason
from rooms.models import Room
from rooms.services import create_block, update_room
from tests import standing
from tests.cast import Player
from tests.stage import book, booking_body, make_room, make_venue, slot_at

house, alice, group_room, paris = standing.house, standing.owner, standing.group_room, standing.paris


def slots(player: Player, room: Room, at: dt.datetime, query: str = "include=unavailable") -> dict[str, dict[str, Any]]:
    """The slots of the local day of an instant, by their start."""
    day = at.astimezone(zone(room.venue.timezone)).date()
    answer = player.api.get(f"/schedules?room={room.public_id}&date_from={day}&date_to={day}&{query}")
    assert answer.status_code == 200, answer.content
    return {slot["starts_at"]: slot for slot in answer.json()["data"][0]["slots"]}


def reasons(player: Player, room: Room, at: dt.datetime, query: str = "") -> list[str]:
    found: list[str] = slots(player, room, at, f"include=unavailable&{query}")[str(utc_text(at))]["reasons"]
    return found


def test_a_slot_tells_all_that_a_booker_needs(alice: Player, group_room: Room) -> None:
    at = slot_at(10)

    slot = slots(alice, group_room, at, "party_size=4")[str(utc_text(at))]

    local = at.astimezone(zone("Europe/Paris"))
    assert slot == {
        "starts_at": utc_text(at),
        "starts_at_local": local.isoformat(),
        "ends_at": utc_text(at + dt.timedelta(minutes=50)),
        "ends_at_local": (local + dt.timedelta(minutes=50)).isoformat(),
        "timezone": "Europe/Paris",
        "status": "available",
        "reasons": [],
        "capacity": 6,
        "seats_left": 6,
        "min_party": 2,
        "max_party": 6,
        "private_available": True,
        "price": {"amount": 10_000, "currency": "EUR", "party_size": 4},
        "book_by": utc_text(at),
    }


def test_reasons_tell_what_is_in_the_way(alice: Player, group_room: Room) -> None:
    twin = make_room(alice.actor, group_room.venue, name="Torchlight", shares_space_with=[group_room])
    book(alice.actor, group_room, slot_at(10))
    book(alice.actor, group_room, slot_at(10, 14), hold=True)
    create_block(by=alice.actor, rooms=[group_room], starts_at=slot_at(10, 15), ends_at=slot_at(10, 17))

    assert reasons(alice, group_room, slot_at(10)) == ["booked"]
    assert reasons(alice, group_room, slot_at(10, 14)) == ["held"]
    assert reasons(alice, group_room, slot_at(10, 15)) == reasons(alice, twin, slot_at(10, 16)) == ["blocked"]
    assert reasons(alice, twin, slot_at(10)) == ["shared_space_busy"]
    assert reasons(alice, group_room, slot_at(10, 13), "party_size=1") == ["party_too_small"]
    assert reasons(alice, group_room, slot_at(10, 13), "party_size=7") == ["party_too_large"]
    assert reasons(alice, group_room, slot_at(10, 13), "private=false") == ["private_unavailable"]
    assert reasons(alice, group_room, slot_at(100)) == ["beyond_horizon"]
    assert reasons(alice, group_room, slot_at(-1)) == ["lead_time"]


def test_shared_seats_are_counted(alice: Player, shared_room: Room) -> None:
    book(alice.actor, shared_room, slot_at(10), party_size=7)

    slot = slots(alice, shared_room, slot_at(10))[str(utc_text(slot_at(10)))]

    assert (slot["seats_left"], slot["reasons"], slot["private_available"]) == (3, [], False)
    assert reasons(alice, shared_room, slot_at(10), "party_size=4") == ["insufficient_seats"]


def test_moving_a_booking_sees_its_own_slot_as_free(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10))

    assert reasons(alice, group_room, slot_at(10), f"booking={booking.public_id}") == []


def test_open_slots_only_by_default_and_days_alone_on_request(alice: Player, group_room: Room) -> None:
    day = slot_at(10).date()
    for hour in range(8, 17):
        book(alice.actor, group_room, slot_at(10, hour))
    query = f"/schedules?room={group_room.public_id}&date_from={day}&date_to={day}"

    found = alice.api.get(query).json()["data"][0]
    assert len(found["slots"]) == 15 - 9
    assert found["status"] == "limited"
    assert alice.api.get(f"{query}&view=days").json()["data"] == [
        {
            "object": "availability_day",
            "room": group_room.public_id,
            "date": str(day),
            "timezone": "Europe/Paris",
            "status": "limited",
        }
    ]


def test_a_days_status(alice: Player, group_room: Room) -> None:
    sold = make_room(
        alice.actor,
        group_room.venue,
        name="Once",
        schedule={"rules": [{"weekdays": [1, 2, 3, 4, 5, 6, 7], "start_times": ["13:00"]}]},
    )
    start = dt.datetime.combine(slot_at(10).date(), dt.time(13), tzinfo=zone("Europe/Paris")).astimezone(dt.UTC)
    book(alice.actor, sold, start)
    day = start.date()
    create_block(by=alice.actor, rooms=[sold], date_from=day + dt.timedelta(days=1), date_to=day + dt.timedelta(days=1))

    answer = alice.api.get(f"/schedules?room={sold.public_id}&date_from={day}&date_to={day + dt.timedelta(days=2)}&view=days")

    assert [item["status"] for item in answer.json()["data"]] == ["sold_out", "closed", "available"]


def test_horizon_and_notice_across_a_clock_change(alice: Player) -> None:
    """Notice counts real minutes, the horizon the venue's days: on 24 October 2026 at 20:00 in Paris, 25 hours of day ahead."""
    room = make_room(alice.actor, make_venue(alice.actor), lead_time_minutes=24 * 60, horizon_days=1)
    now = dt.datetime(2026, 10, 24, 18, 0, tzinfo=dt.UTC)

    def found(hour: int, day: int = 25) -> list[Reason]:
        at = dt.datetime(2026, 10, day, hour, tzinfo=zone("Europe/Paris")).astimezone(dt.UTC)
        return availability.check(room, at, now=now, party=Party(4)).reasons

    assert found(18) == [Reason.LEAD_TIME]  # 23 real hours ahead
    assert found(19) == []  # 24 real hours, though the wall clock says 23
    assert found(22) == []
    assert found(10, day=26) == [Reason.BEYOND_HORIZON]


def test_hidden_rooms_answer_only_when_named(alice: Player, group_room: Room, shared_room: Room) -> None:
    update_room(room=shared_room, by=alice.actor, status="hidden")

    everything = alice.api.get("/schedules?view=days").json()["data"]
    assert {day["room"] for day in everything} == {group_room.public_id}
    assert alice.api.get(f"/schedules?view=days&room={shared_room.public_id}").json()["data"]
    assert alice.api.post("/bookings", booking_body(shared_room, slot_at(10))).status_code == 201


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("date_from=2026-01-01&date_to=2036-01-01", "range_too_large"),
        ("date_from=2026-01-01&date_to=2026-03-04", "range_too_large"),
        ("date_from=2026-01-01&date_to=2027-01-02&view=days", "range_too_large"),
        ("date_from=2026-02-01&date_to=2026-01-01", "validation_failed"),
        ("date_from=2026-02-30", "validation_failed"),
        ("party_size=0", "validation_failed"),
        ("party_size=four", "validation_failed"),
        ("private=maybe", "validation_failed"),
        ("view=months", "validation_failed"),
        ("include=everything", "validation_failed"),
        ("include=", "validation_failed"),
        ("room=rm_1", "validation_failed"),
        ("room=", "validation_failed"),
        ("booking=bkg_1", "validation_failed"),
        ("when=now", "validation_failed"),
    ],
)
def test_odd_questions_are_refused_by_name(alice: Player, query: str, code: str) -> None:
    answer = alice.api.get(f"/schedules?{query}")

    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_a_game_before_midnight_counts_for_the_set_up_of_the_first_start(alice: Player, paris: Any) -> None:
    schedule = {"rules": [{"weekdays": [1, 2, 3, 4, 5, 6, 7], "start_times": ["00:00", "22:00"]}]}
    room = make_room(alice.actor, paris, schedule=schedule, duration_minutes=60, setup_minutes=60, turnaround_minutes=30)
    tz = zone("Europe/Paris")
    evening = dt.datetime.combine(slot_at(6).date(), dt.time(22), tzinfo=tz).astimezone(dt.UTC)
    midnight = dt.datetime.combine(slot_at(7).date(), dt.time(0), tzinfo=tz).astimezone(dt.UTC)
    book(alice.actor, room, evening)  # until 23:30 with its turnaround, while midnight's set-up begins at 23:00

    assert reasons(alice, room, midnight) == ["booked"]
    now = dt.datetime.now(dt.UTC)
    others = availability.alternatives(room, midnight + dt.timedelta(days=7), now=now, party=Party())
    assert midnight not in [slot.starts_at for slot in others]


def test_a_game_that_is_on_keeps_its_end_when_the_rooms_duration_changes(alice: Player, shared_room: Room) -> None:
    book(alice.actor, shared_room, slot_at(10), party_size=2)
    book(alice.actor, shared_room, slot_at(10, 14), party_size=2)

    update_room(room=shared_room, by=alice.actor, duration_minutes=170)

    shown = slots(alice, shared_room, slot_at(10))
    ends = utc_text(slot_at(10, 12, 50))
    joined = shown[str(utc_text(slot_at(10)))]
    assert (joined["ends_at"], joined["reasons"], joined["seats_left"]) == (ends, [], 8)
    assert shown[str(utc_text(slot_at(10, 11)))]["reasons"] == ["booked"]
    assert shown[str(utc_text(slot_at(10, 15)))]["ends_at"] == utc_text(slot_at(10, 17, 50))
    made = alice.api.post("/bookings", booking_body(shared_room, slot_at(10), customer={"name": "Joins"}))
    assert (made.status_code, made.json()["ends_at"]) == (201, ends)


def test_the_status_of_days_is_told_without_pricing_a_start(
    alice: Player, group_room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    price = Mock(wraps=pricing.price)
    monkeypatch.setattr(pricing, "price", price)

    assert alice.api.get("/schedules?view=days").json()["data"][5]["status"] == "available"
    assert price.call_count == 0
    assert alice.api.get("/schedules").json()["data"][5]["slots"][0]["price"]["amount"] == 10_000
    assert price.call_count == 1  # no adjustment: one price for all starts


@pytest.mark.parametrize("view", ["slots", "days"])
def test_one_request_looks_at_so_many_starts_only(
    alice: Player, group_room: Room, monkeypatch: pytest.MonkeyPatch, view: str
) -> None:
    monkeypatch.setitem(views.STARTS_AT_ONCE, view, 3 * 15)
    days = {"date_from": slot_at(5).date(), "date_to": slot_at(7).date()}

    def ask(last: dt.date) -> Any:
        return alice.api.get(f"/schedules?view={view}&date_from={days['date_from']}&date_to={last}")

    assert ask(days["date_to"]).status_code == 200
    refused = ask(days["date_to"] + dt.timedelta(days=1))
    assert (refused.status_code, refused.json()["code"]) == (422, "range_too_large")
    if view == "slots":
        assert alice.api.get(f"/rooms/{group_room.public_id}").json()["code"] == "range_too_large"


def test_the_number_of_queries_does_not_grow(alice: Player, paris: Any) -> None:
    rooms = [make_room(alice.actor, paris, name=f"Room {number}") for number in range(10)]
    for room in rooms:
        book(alice.actor, room, slot_at(10))
        book(alice.actor, room, slot_at(11), hold=True)
    for room in rooms[:4]:
        create_block(by=alice.actor, rooms=[room], starts_at=slot_at(12, 9), ends_at=slot_at(12, 11))
    create_block(by=alice.actor, venue=paris, starts_at=slot_at(13, 9), ends_at=slot_at(13, 11))

    def queries(rooms: list[Room], days: int) -> int:
        named = ",".join(room.public_id for room in rooms)
        last = slot_at(5 + days - 1).date()
        with CaptureQueriesContext(connection) as captured:
            answer = alice.api.get(f"/schedules?room={named}&date_from={slot_at(5).date()}&date_to={last}")
        assert len(answer.json()["data"]) == len(rooms) * days
        return len(captured)

    assert queries(rooms, 31) == queries(rooms[:2], 7) <= 6


def test_a_room_shows_its_next_days(alice: Player, group_room: Room) -> None:
    answer = alice.api.get(f"/rooms/{group_room.public_id}?availability_days=3&party_size=4").json()

    assert len(answer["availability"]) == 3
    assert answer["availability"][2]["slots"][0]["price"]["party_size"] == 4
    assert "availability" not in alice.api.get(f"/rooms/{group_room.public_id}?availability_days=0").json()
    assert len(alice.api.get(f"/rooms/{group_room.public_id}").json()["availability"]) == 14
