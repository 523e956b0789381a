"""`/schedules/block`: time off sale, and the bookings that it hits."""

import datetime as dt
from typing import Any

import pytest

from common.walltime import utc_text, zone
from rooms.models import Block, Room
from rooms.recurrence import merged, stretches
from rooms.services import create_block, create_blocks, delete_block, delete_blocks, update_blocks
from tests import standing
from tests.cast import Player
from tests.stage import book, booking_body, make_room, make_venue, slot_at
from webhooks.models import Event

house, alice, group_room, paris = standing.house, standing.owner, standing.group_room, standing.paris


def test_a_block_that_hits_bookings_is_refused_and_names_them(alice: Player, group_room: Room) -> None:
    hit = book(alice.actor, group_room, slot_at(10))
    book(alice.actor, group_room, slot_at(11))
    block = {"rooms": [group_room.public_id], "starts_at": utc_text(slot_at(10, 11)), "ends_at": utc_text(slot_at(10, 13))}

    refused = alice.api.post("/schedules/block", block)
    assert (refused.status_code, refused.json()["code"]) == (409, "block_conflicts_bookings")
    assert refused.json()["conflicts"] == [hit.public_id]
    assert not Block.objects.exists()

    kept = alice.api.post("/schedules/block", {**block, "on_conflict": "keep"})
    assert (kept.status_code, kept.json()["conflicts"]) == (201, [hit.public_id])
    assert alice.api.get(f"/bookings/{hit.public_id}").json()["status"] == "confirmed"


@pytest.mark.parametrize("scope", ["rooms", "venue", "all"])
def test_a_block_takes_what_it_names(alice: Player, group_room: Room, shared_room: Room, scope: str) -> None:
    elsewhere = make_room(alice.actor, make_venue(alice.actor, name="Lyon"), name="Elsewhere")
    which = {"rooms": [group_room.public_id], "venue": group_room.venue.public_id, "all": True}[scope]
    alice.api.post("/schedules/block", {scope: which, "date_from": str(slot_at(10).date()), "date_to": str(slot_at(10).date())})

    def is_free(room: Room) -> bool:
        return alice.api.post("/bookings", booking_body(room, slot_at(10))).status_code == 201

    assert not is_free(group_room)
    assert is_free(shared_room) is (scope == "rooms")
    assert is_free(elsewhere) is (scope != "all")


def test_deleting_a_block_puts_the_time_back_on_sale(alice: Player, group_room: Room) -> None:
    block = create_block(by=alice.actor, rooms=[group_room], starts_at=slot_at(10, 11), ends_at=slot_at(10, 13))
    assert alice.api.post("/bookings", booking_body(group_room, slot_at(10))).status_code == 409

    assert alice.api.delete(f"/schedules/block/{block.public_id}").json()["deleted"] is True

    assert alice.api.post("/bookings", booking_body(group_room, slot_at(10))).status_code == 201
    assert alice.api.get(f"/schedules/block/{block.public_id}").status_code == 404
    types = [event.type for event in Event.objects.filter(object_id=block.public_id).order_by("pk")]
    assert types == ["schedule.blocked", "schedule.unblocked"]


def test_changing_a_block_checks_its_new_time(alice: Player, group_room: Room) -> None:
    block = create_block(by=alice.actor, rooms=[group_room], starts_at=slot_at(10, 11), ends_at=slot_at(10, 13))
    hit = book(alice.actor, group_room, slot_at(11))
    days = {"date_from": str(slot_at(11).date()), "date_to": str(slot_at(11).date())}

    refused = alice.api.put(f"/schedules/block/{block.public_id}", days)
    assert (refused.status_code, refused.json()["conflicts"]) == (409, [hit.public_id])
    changed = alice.api.put(f"/schedules/block/{block.public_id}", {"reason": "Paint"}).json()
    assert (changed["reason"], changed["starts_at"], changed["version"]) == ("Paint", utc_text(slot_at(10, 11)), 2)
    moved = alice.api.put(f"/schedules/block/{block.public_id}", {**days, "on_conflict": "keep"}).json()
    assert (moved["starts_at"], moved["date_from"]) == (None, days["date_from"])


@pytest.mark.parametrize("scope", ["rooms", "venue"])
def test_many_blocks_at_once_are_as_one_by_one(alice: Player, group_room: Room, scope: str) -> None:
    """In what they are, in what they take and in what is told of them."""
    place: dict[str, Any] = {"rooms": [group_room]} if scope == "rooms" else {"venue": group_room.venue}
    day = slot_at(12).date()
    hour = {"starts_at": slot_at(10), "ends_at": slot_at(10, 13)}

    def told() -> list[tuple[str, str, int, dict[str, Any]]]:
        return list(
            Event.objects.filter(object_type="block").order_by("pk").values_list("type", "object_id", "object_version", "data")
        )

    def shown(block: Block) -> dict[str, Any]:
        answer: dict[str, Any] = alice.api.get(f"/schedules/block/{block.public_id}").json()
        return {name: value for name, value in answer.items() if name != "conflicts"}

    first, second, third = create_blocks(
        by=alice.actor, times=[hour, {"date_from": day, "date_to": day}, hour], reason="Team", kind="external", **place
    )
    assert [(kind, id, data["object"]) for kind, id, _, data in told()] == [
        ("schedule.blocked", block.public_id, shown(block)) for block in (first, second, third)
    ]
    assert [shown(block)["reason"] for block in (first, second)] == ["Team", "Team"]
    assert alice.api.post("/bookings", booking_body(group_room, slot_at(10))).json()["reasons"] == ["blocked"]
    assert alice.api.post("/bookings", booking_body(group_room, slot_at(12))).json()["reasons"] == ["blocked"]

    Event.objects.all().delete()
    before, third_id = shown(second), third.public_id
    delete_block(block=third, by=alice.actor)
    same: dict[str, Any] = {"reason": "Team", **hour}
    changes = {first.pk: same, second.pk: {"starts_at": slot_at(11), "ends_at": slot_at(11, 13)}, third.pk: same}
    update_blocks(by=alice.actor, changes=changes)
    after = shown(second)
    assert (after["starts_at"], after["date_from"], after["version"]) == (utc_text(slot_at(11)), None, 2)
    assert [(kind, id, version) for kind, id, version, _ in told()] == [
        ("schedule.unblocked", third_id, 2),
        ("schedule.blocked", second.public_id, 2),
    ]
    previous = {name: before[name] for name in before if after[name] != before[name] and name not in ("version", "updated_at")}
    assert told()[1][3] == {"object": after, "previous_attributes": previous}
    assert before["updated_at"] < after["updated_at"]

    assert delete_blocks(by=alice.actor, pks=[first.pk, second.pk, third.pk]) == 2
    assert [(kind, id, version) for kind, id, version, _ in told()[2:]] == [
        ("schedule.unblocked", first.public_id, 2),
        ("schedule.unblocked", second.public_id, 3),
    ]


def test_many_blocks_of_another_organization_are_absent(alice: Player, charlie: Player, group_room: Room) -> None:
    [block] = create_blocks(
        by=alice.actor, rooms=[group_room], times=[{"date_from": slot_at(1).date(), "date_to": slot_at(1).date()}]
    )

    update_blocks(by=charlie.actor, changes={block.pk: {"reason": "theirs"}})

    assert delete_blocks(by=charlie.actor, pks=[block.pk]) == 0
    assert Block.objects.get().reason == ""


@pytest.mark.parametrize("scope", ["venue", "all"])
def test_widening_a_block_checks_what_it_takes_now(alice: Player, group_room: Room, shared_room: Room, scope: str) -> None:
    hit = book(alice.actor, group_room, slot_at(10))
    day = slot_at(10).date()
    block = create_block(by=alice.actor, rooms=[shared_room], date_from=day, date_to=day)
    wider = {scope: {"venue": group_room.venue.public_id, "all": True}[scope]}

    refused = alice.api.put(f"/schedules/block/{block.public_id}", wider)
    assert (refused.status_code, refused.json()["conflicts"]) == (409, [hit.public_id])
    assert alice.api.get(f"/schedules/block/{block.public_id}").json()["rooms"] == [shared_room.public_id]
    widened = alice.api.put(f"/schedules/block/{block.public_id}", {**wider, "on_conflict": "keep"}).json()
    assert (widened["scope"], widened["rooms"], widened["conflicts"]) == (scope, [], [hit.public_id])


def test_a_changed_block_is_told_as_blocked_with_its_new_state(alice: Player, group_room: Room) -> None:
    block = create_block(by=alice.actor, rooms=[group_room], starts_at=slot_at(10, 11), ends_at=slot_at(10, 13))

    changed = alice.api.put(f"/schedules/block/{block.public_id}", {"reason": "Paint"}).json()

    event = Event.objects.latest("pk")
    del changed["conflicts"]
    assert (event.type, event.object_version, event.data) == (
        "schedule.blocked",
        2,
        {"object": changed, "previous_attributes": {"reason": ""}},
    )


def test_changing_nothing_of_a_block_changes_nothing(alice: Player, group_room: Room) -> None:
    block = create_block(by=alice.actor, rooms=[group_room], starts_at=slot_at(10, 11), ends_at=slot_at(10, 13))
    path, events = f"/schedules/block/{block.public_id}", Event.objects.count()
    before = alice.api.get(path).json()

    same = {"rooms": [group_room.public_id], "starts_at": before["starts_at"], "recurrence": None}
    assert alice.api.put(path, {}).json() == alice.api.put(path, same).json() == before
    assert Event.objects.count() == events


def test_a_venues_block_takes_rooms_of_other_venues_in_its_spaces(alice: Player, group_room: Room) -> None:
    """From either side: the room that lends the space, and the one that is played there for another venue."""
    lyon = make_venue(alice.actor, name="Lyon")
    guest = make_room(alice.actor, lyon, name="Guest", shares_space_with=[group_room])
    apart = make_room(alice.actor, lyon, name="Apart")
    day = slot_at(10).date()

    block = create_block(by=alice.actor, venue=group_room.venue, date_from=day, date_to=day)
    assert alice.api.post("/bookings", booking_body(guest, slot_at(10))).json()["reasons"] == ["blocked"]
    hit = book(alice.actor, apart, slot_at(10))

    alice.api.delete(f"/schedules/block/{block.public_id}")
    booking = book(alice.actor, group_room, slot_at(10))
    refused = alice.api.post("/schedules/block", {"venue": lyon.public_id, "date_from": str(day), "date_to": str(day)})
    assert set(refused.json()["conflicts"]) == {hit.public_id, booking.public_id}


def test_stretches_that_overlap_become_one() -> None:
    at = [slot_at(10, hour) for hour in range(8, 16)]

    assert merged([(at[4], at[5]), (at[0], at[3]), (at[1], at[2]), (at[5], at[6])]) == [(at[0], at[3]), (at[4], at[6])]


def weekly(alice: Player, room: Room, first: dt.datetime, hours: int = 2, **recurrence: Any) -> Block:
    block = create_block(
        by=alice.actor,
        rooms=[room],
        starts_at=first,
        ends_at=first + dt.timedelta(hours=hours),
        recurrence={"freq": "weekly", "interval": 1, **recurrence},
    )
    return Block.objects.with_spaces().get(pk=block.pk)


def occurrences(block: Block, zone_name: str, start: str, end: str) -> list[str]:
    bounds = (dt.datetime.fromisoformat(f"{day}T00:00:00+00:00") for day in (start, end))
    tz = zone(zone_name)
    return [f"{first.astimezone(tz):%m-%d %H:%M}–{last.astimezone(tz):%H:%M}" for first, last in stretches(block, tz, *bounds)]


def test_a_weekly_block_keeps_its_wall_time_across_a_clock_change(alice: Player, group_room: Room) -> None:
    nine = dt.datetime(2027, 3, 15, 9, tzinfo=zone("Europe/Paris"))
    block = weekly(alice, group_room, nine.astimezone(dt.UTC))

    assert occurrences(block, "Europe/Paris", "2027-03-01", "2027-04-10") == [
        "03-15 09:00–11:00",
        "03-22 09:00–11:00",
        "03-29 09:00–11:00",  # clocks went forward on the 28th
        "04-05 09:00–11:00",
    ]


@pytest.mark.parametrize(
    ("recurrence", "days"),
    [
        ({"count": 2}, ["03-15", "03-22"]),
        ({"until": "2027-03-29"}, ["03-15", "03-22", "03-29"]),
        ({"until": "2027-03-28"}, ["03-15", "03-22"]),
        ({"interval": 2, "count": 3}, ["03-15", "03-29", "04-12"]),
    ],
)
def test_a_series_ends_when_it_says(alice: Player, group_room: Room, recurrence: dict[str, Any], days: list[str]) -> None:
    block = weekly(alice, group_room, dt.datetime(2027, 3, 15, 9, tzinfo=dt.UTC), **recurrence)

    assert [item[:5] for item in occurrences(block, "Europe/Paris", "2027-01-01", "2027-12-31")] == days
    late = dt.datetime(2027, 9, 1, tzinfo=dt.UTC)
    assert not Block.objects.touching(late, late + dt.timedelta(days=1)).exists()


def test_a_weekly_block_of_whole_days_is_enforced(alice: Player, group_room: Room) -> None:
    day = slot_at(10).date()
    create_block(by=alice.actor, all=True, date_from=day, date_to=day, recurrence={"freq": "weekly", "interval": 1, "count": 3})

    statuses = [alice.api.post("/bookings", booking_body(group_room, slot_at(10 + 7 * week))).status_code for week in range(4)]

    assert statuses == [409, 409, 409, 201]


def test_a_block_forbids_games_but_not_the_cleaning_before_it(alice: Player, group_room: Room) -> None:
    room = make_room(alice.actor, group_room.venue, name="Slow", turnaround_minutes=30)
    create_block(by=alice.actor, rooms=[room], starts_at=slot_at(10, 13), ends_at=slot_at(10, 15))

    assert alice.api.post("/bookings", booking_body(room, slot_at(10, 12))).status_code == 201


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/rooms"),
        ({"rooms": []}, "/rooms"),
        ({"all": True, "venue": "$venue"}, "/rooms"),
        ({"rooms": ["rm_x"]}, "/rooms"),
        ({"all": True, "starts_at": "2027-01-01T10:00:00Z"}, "/ends_at"),
        ({"all": True, "starts_at": "2027-01-01T10:00:00Z", "ends_at": "2027-01-01T10:00:00Z"}, "/ends_at"),
        ({"all": True, "date_from": "2027-01-02", "date_to": "2027-01-01"}, "/date_to"),
        ({"all": True, "date_from": "2027-01-02", "date_to": "2037-01-01"}, "/date_to"),
        ({"all": True, "date_from": "2027-01-02", "date_to": "2027-01-02", "starts_at": "2027-01-01T10:00:00Z"}, "/date_from"),
        ({"all": True, "date_from": "2027-01-02", "date_to": "2027-01-02", "recurrence": {"freq": "daily"}}, "/recurrence/freq"),
        (
            {
                "all": True,
                "date_from": "2027-01-02",
                "date_to": "2027-01-02",
                "recurrence": {"freq": "weekly", "count": 2, "until": "2027-02-02"},
            },
            "/recurrence/count",
        ),
        (
            {
                "all": True,
                "date_from": "2027-01-02",
                "date_to": "2027-01-02",
                "recurrence": {"freq": "weekly", "until": "2027-01-01"},
            },
            "/recurrence/until",
        ),
        ({"all": True, "date_from": "2027-01-02", "date_to": "2027-01-02", "kind": "party"}, "/kind"),
    ],
)
def test_odd_blocks_are_refused_by_name(alice: Player, group_room: Room, body: dict[str, Any], pointer: str) -> None:
    body = {name: group_room.venue.public_id if value == "$venue" else value for name, value in body.items()}

    answer = alice.api.post("/schedules/block", body)

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer), answer.content
    assert not Block.objects.exists()


def test_blocks_are_listed_by_what_they_touch(alice: Player, group_room: Room) -> None:
    early = create_block(by=alice.actor, rooms=[group_room], starts_at=slot_at(5, 9), ends_at=slot_at(5, 10), kind="event")
    late = create_block(by=alice.actor, all=True, date_from=slot_at(40).date(), date_to=slot_at(41).date())

    def found(query: str) -> set[str]:
        return {row["id"] for row in alice.api.get(f"/schedules/block?{query}").json()["data"]}

    assert found("") == {early.public_id, late.public_id}
    assert (
        found("kind=event")
        == found(f"room={group_room.public_id}")
        == found(f"date_to={slot_at(20).date()}")
        == {early.public_id}
    )
    assert found(f"date_from={slot_at(20).date()}") == {late.public_id}
