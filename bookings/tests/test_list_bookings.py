"""`GET /bookings`: filters, pages, expansion, and the number of queries."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bookings.models import Booking
from common.ids import new_id
from rooms.models import Room
from tests import standing
from tests.cast import Player
from tests.stage import book, make_room, make_venue, slot_at

house, alice, group_room, paris = standing.house, standing.owner, standing.group_room, standing.paris


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["id"] for row in answer.json()["data"]]


def test_filters_narrow_and_combine(alice: Player, group_room: Room, shared_room: Room) -> None:
    first = book(alice.actor, group_room, slot_at(10), external_id="pos-1", source="pos")
    second = book(alice.actor, shared_room, slot_at(11), customer={"name": "Grace", "email": "grace@example.com"})
    third = book(alice.actor, group_room, slot_at(12), hold=True, payment=None)
    day = slot_at(11).date().isoformat()

    def found(query: str) -> set[str]:
        return set(ids(alice.api.get(f"/bookings?{query}")))

    a, b, c = first.public_id, second.public_id, third.public_id
    assert found("") == {a, b, c}
    assert found(f"date={day}") == {b}
    assert found(f"date_from={day}") == {b, c}
    assert found(f"date_to={day}") == {a, b}
    assert found(f"room={group_room.public_id}") == {a, c}
    assert found(f"room={group_room.public_id},{shared_room.public_id}") == {a, b, c}
    assert found(f"room={group_room.public_id}&room={shared_room.public_id}&status=held") == {c}
    assert found(f"venue={group_room.venue.public_id}") == {a, b, c}
    assert found("status=held,confirmed") == {a, b, c}
    assert found("payment_status=unpaid") == {a, b, c}
    assert found("source=pos") == {a}
    assert found("external_id=pos-1") == {a}
    assert found("email=GRACE@example.com") == {b}
    assert found(f"customer={second.customer.public_id}") == {b}
    assert found(f"reference={first.reference}") == {a}
    assert found("q=grace") == {b}
    assert found("updated_since=2099-01-01T00:00:00Z") == set()
    assert found("updated_since=2020-01-01T00:00:00+02:00") == {a, b, c}


def test_the_day_is_the_venues_own(alice: Player, group_room: Room) -> None:
    tokyo = make_venue(alice.actor, name="Tokyo", timezone="Asia/Tokyo")
    room = make_room(alice.actor, tokyo, name="Dojo")
    late = book(alice.actor, room, slot_at(10, 23))  # eight in the morning of the next day in Tokyo
    evening = book(alice.actor, group_room, slot_at(10, 20))

    next_day = (slot_at(10).date() + dt.timedelta(days=1)).isoformat()
    assert ids(alice.api.get(f"/bookings?date={next_day}")) == [late.public_id]
    assert ids(alice.api.get(f"/bookings?date={slot_at(10).date()}")) == [evening.public_id]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("colour=red", "colour"),
        ("status=nonsense", "status"),
        ("date=yesterday", "date"),
        ("date=9999-12-31", "date"),
        ("room=rm_unknown", "room"),
        ("room=%00", "room"),
        ("q=%00", "q"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("sort=price", "sort"),
        ("expand=payments", "expand"),
        ("updated_since=2026-01-01", "updated_since"),
        ("updated_since=", "updated_since"),
        ("date_from=", "date_from"),
        ("status=&status=", "status"),
        ("room=", "room"),
        ("include=", "include"),
    ],
)
def test_odd_parameters_are_refused_by_name(alice: Player, query: str, parameter: str) -> None:
    answer = alice.api.get(f"/bookings?{query}")

    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed"), answer.content
    assert [error["parameter"] for error in answer.json()["errors"]] == [parameter]


def test_pages_show_every_row_once_in_both_directions(alice: Player, group_room: Room) -> None:
    made = [book(alice.actor, group_room, slot_at(10, hour)).public_id for hour in range(8, 19)]
    pages, url = [], "/bookings?limit=4&sort=starts_at"
    answer = alice.api.get(url)
    while True:
        pages.append(ids(answer))
        if not answer.json()["has_more"]:
            break
        assert 'rel="next"' in answer["Link"]
        answer = alice.api.get(f"{url}&cursor={answer.json()['next_cursor']}")
    assert [row for page in pages for row in page] == made

    back = alice.api.get(f"{url}&cursor={answer.json()['prev_cursor']}")
    assert ids(back) == pages[1]
    first = alice.api.get(f"{url}&cursor={back.json()['prev_cursor']}")
    assert (ids(first), first.json()["prev_cursor"]) == (pages[0], None)


def test_rows_that_come_while_paging_shift_nothing(alice: Player, group_room: Room) -> None:
    made = [book(alice.actor, group_room, slot_at(10, hour)).public_id for hour in (10, 12, 14, 16)]
    first = alice.api.get("/bookings?limit=2&sort=starts_at")
    book(alice.actor, group_room, slot_at(10, 9))

    second = alice.api.get(f"/bookings?limit=2&sort=starts_at&cursor={first.json()['next_cursor']}")

    assert ids(first) + ids(second) == made


def test_a_cursor_belongs_to_its_list_and_filters(alice: Player, charlie: Player, group_room: Room) -> None:
    for hour in (10, 12, 14):
        book(alice.actor, group_room, slot_at(10, hour))
    cursor = alice.api.get("/bookings?limit=1").json()["next_cursor"]

    for answer in (
        alice.api.get(f"/bookings?status=held&cursor={cursor}"),
        alice.api.get(f"/bookings?sort=created_at&cursor={cursor}"),
        alice.api.get(f"/customers?cursor={cursor}"),
        charlie.api.get(f"/bookings?cursor={cursor}"),
        alice.api.get(f"/bookings?cursor={cursor[:-2]}xx"),
        alice.api.get("/bookings?cursor=nonsense"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (400, "cursor_mismatch")


def test_expansion_needs_the_scope_of_what_it_shows(alice: Player, group_room: Room) -> None:
    from developers.models import ApiKey
    from developers.services import create_key
    from tests.cast import Api

    book(alice.actor, group_room, slot_at(10))
    agent = Api(create_key(by=alice.actor, name="agent", preset=ApiKey.Preset.AI_AGENT)[1])

    assert agent.get("/bookings?expand=room").json()["data"][0]["room"]["object"] == "room"
    refused = agent.get("/bookings?expand=customer")
    assert (refused.status_code, refused.json()["required_scopes"]) == (403, ["customers:read"])


def test_a_page_of_a_hundred_expanded_bookings_takes_few_queries(alice: Player, paris: Any) -> None:
    for number in range(5):
        room = make_room(alice.actor, paris, name=f"Room {number}")
        for hour in (8, 9, 10):
            last = book(alice.actor, room, slot_at(10, hour), customer={"email": f"{number}-{hour}@example.com"})
        kept = Booking.objects.values().get(pk=last.pk)
        Booking.objects.bulk_create(
            Booking(**{**kept, "id": None, "claim_id": None, "public_id": new_id("bkg"), "reference": f"{number}-{copy}"})
            for copy in range(20)
        )

    def queries(limit: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            answer = alice.api.get(f"/bookings?limit={limit}&expand=customer,room&date_from={slot_at(9).date()}")
        assert len(ids(answer)) == limit
        return len(captured)

    assert queries(100) == queries(10) <= 6
