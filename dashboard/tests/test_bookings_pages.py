"""The list of bookings."""

import csv
import io
import re
from typing import Any

import pytest
from django.test import Client

from bookings.models import Booking
from bookings.services import cancel_booking
from dashboard.tests.bookings import said, starting, text, url
from dashboard.tests.pages import queries, sign_in
from rooms.models import Room
from tests.cast import Player
from tests.stage import book, make_room, slot_at

Status = Booking.Status


@pytest.fixture
def booking(alice: Player, group_room: Room) -> Booking:
    return book(alice.actor, group_room, slot_at(10), payment={"mode": "pos", "amount": 4_000})


@pytest.fixture
def client(alice: Player) -> Client:
    return sign_in(alice)


def test_the_list_begins_with_what_comes_next(client: Client, alice: Player, group_room: Room) -> None:
    later, sooner = book(alice.actor, group_room, slot_at(12)), book(alice.actor, group_room, slot_at(11))
    past = starting(book(alice.actor, group_room, slot_at(13)), days=-3)

    shown = client.get(url("bookings")).context["pager"].rows

    assert shown == [sooner, later]
    assert client.get(url("bookings", query="?when=past")).context["pager"].rows == [past]


def test_the_filters_are_the_apis(client: Client, alice: Player, group_room: Room) -> None:
    spare = make_room(alice.actor, group_room.venue, name="Spare")
    held = book(alice.actor, group_room, slot_at(11), hold=True, customer={"name": "Zoe"})
    other = book(alice.actor, spare, slot_at(12))

    def rows(query: str) -> list[Booking]:
        return list(client.get(url("bookings", query=query)).context["pager"].rows)

    assert rows("?status=held") == [held]
    assert rows(f"?room={spare.public_id}") == [other]
    assert rows("?q=zoe") == [held]
    assert rows(f"?date={slot_at(12).date()}") == [other]
    assert rows("?when=today") == rows("?payment_status=refunded") == []


def test_a_chip_keeps_the_other_filters(client: Client, booking: Booking) -> None:
    page = text(client.get(url("bookings", query="?when=all&source=api&cursor=x")))

    assert "?when=all&amp;source=api&amp;status=held" in page
    assert "?when=today&amp;source=api" in page
    assert not re.search(r'href="[^"]*cursor=x', page)


@pytest.mark.parametrize("query", ["?status=nonsense", "?date=yesterday", "?room=rm_unknown", "?source=fax"])
def test_a_filter_that_means_nothing_is_said(client: Client, booking: Booking, query: str) -> None:
    answer = client.get(url("bookings", query=query))

    assert answer.status_code == 422
    assert "This filter means nothing here." in text(answer)


def test_pages_go_on_and_back(client: Client, alice: Player, group_room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.views.bookings.page_of.__kwdefaults__", {"sorts": ("-created_at",), "rows": 2})
    made = [book(alice.actor, group_room, slot_at(day)) for day in (11, 12, 13)]

    first = client.get(url("bookings")).context["pager"]
    second = client.get(url("bookings", query=f"?cursor={first.next_cursor}")).context["pager"]
    again = client.get(url("bookings", query=f"?cursor={second.prev_cursor}")).context["pager"]

    assert (first.rows, second.rows, again.rows) == (made[:2], made[2:], made[:2])
    assert first.prev_cursor is second.next_cursor is None


def test_a_cursor_of_another_list_begins_anew(client: Client, booking: Booking) -> None:
    assert client.get(url("bookings", query="?cursor=made-up")).context["pager"].rows == [booking]


def test_names_are_escaped(client: Client, alice: Player, group_room: Room) -> None:
    evil = book(alice.actor, group_room, slot_at(11), customer={"name": "<script>alert(1)</script>"})

    for page in (url("bookings"), url("booking", evil), url("booking_guests", evil), url("search", query="?q=script")):
        answer = text(client.get(page))
        assert "<script>alert" not in answer
        assert "&lt;script&gt;" in answer


def test_the_list_asks_as_often_for_many_as_for_one(client: Client, alice: Player, group_room: Room) -> None:
    query = f"?when=week&room={group_room.public_id}&venue={group_room.venue.public_id}&status=confirmed"
    for day in range(11, 16):
        book(alice.actor, group_room, slot_at(day), customer={"name": f"Guest {day}"})

    with queries():
        client.get(url("bookings"))
    with queries():
        client.get(url("bookings", query=query))


def test_the_list_as_a_file(client: Client, alice: Player, group_room: Room) -> None:
    made = book(alice.actor, group_room, slot_at(11), customer={"name": '=HYPERLINK("http://evil")', "phone": "+33612345678"})
    cancel_booking(booking=book(alice.actor, group_room, slot_at(12)), by=alice.actor)

    answer = client.get(url("bookings_export", query="?status=confirmed"))
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))

    assert answer["Content-Type"].startswith("text/csv")
    assert "attachment" in answer["Content-Disposition"]
    assert [row["reference"] for row in rows] == [made.reference]
    assert rows[0]["name"].startswith("'=")
    assert rows[0]["phone"] == "'+33612345678"
    assert (rows[0]["total"], rows[0]["due"], rows[0]["currency"]) == ("100.00", "100.00", "EUR")


def test_those_ticked_are_checked_in_each_by_itself(client: Client, alice: Player, group_room: Room) -> None:
    here = starting(book(alice.actor, group_room, slot_at(11)), hours=1)
    early = book(alice.actor, group_room, slot_at(12), customer={"name": "Early Bird"})

    answer: Any = client.post(
        url("bookings_check_in"), {"booking": [here.public_id, early.public_id], "back": "when=today&next=//evil.example"}
    )

    here.refresh_from_db(), early.refresh_from_db()
    assert (here.status, early.status) == (Status.CHECKED_IN, Status.CONFIRMED)
    assert answer.url == "/dashboard/bookings?when=today&next=%2F%2Fevil.example"
    assert "Ada checked in." in said(answer)
    assert any("Early Bird" in one and "12 hours" in one for one in said(answer))


def test_another_organizations_booking_is_not_checked_in(charlie: Player, alice: Player, group_room: Room) -> None:
    here = starting(book(alice.actor, group_room, slot_at(11)), hours=1)

    sign_in(charlie).post(url("bookings_check_in"), {"booking": [here.public_id]})

    here.refresh_from_db()
    assert here.status == Status.CONFIRMED


def test_an_empty_list_says_what_to_do(alice: Player, bob: Player, group_room: Room) -> None:
    assert "Nothing is booked from today on" in text(sign_in(alice).get(url("bookings")))
    assert "New booking</a>" not in text(sign_in(bob).get(url("bookings")))
