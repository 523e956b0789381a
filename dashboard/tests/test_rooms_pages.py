"""Rooms: from nothing to a bookable room, each setting by its page, and what is typed survives what is refused."""

import datetime as dt
from pathlib import Path

from django.urls import reverse

from dashboard.forms import typed
from dashboard.tests.pages import queries, sign_in
from organizations.services import create_organization
from rooms import inputs
from rooms.models import Room, Venue
from rooms.services import archive_room
from tests.cast import Player
from tests.stage import book, make_room, make_venue, slot_at

NEW = {
    "name": "The <Vault>",
    "duration_minutes": "60",
    "min_party": "2",
    "max_party": "6",
    "weekdays": ["1", "2", "3", "4", "5", "6", "7"],
    "first_start": "10",
    "last_start": "20:30",
    "interval_minutes": "90",
    "model": "per_person",
    "amount": "25,50",
}


def url(name: str, room: Room) -> str:
    return reverse(f"dashboard:{name}", kwargs={"public_id": room.public_id})


# A new room


def test_a_form_makes_a_room_that_guests_can_book_at_that_price(alice: Player, paris: Venue) -> None:
    client = sign_in(alice)
    answer = client.post(reverse("dashboard:new_room"), NEW, follow=True)

    room = Room.objects.get()
    assert answer.redirect_chain[0][0] == url("room", room)
    page = answer.content.decode()
    assert "The &lt;Vault&gt; can be booked" in page
    assert "<Vault>" not in page
    tomorrow = (dt.datetime.now(dt.UTC) + dt.timedelta(days=2)).date().isoformat()
    days = alice.api.get(f"/schedules?room={room.public_id}&date_from={tomorrow}&date_to={tomorrow}&party_size=4").json()["data"]
    slots = days[0]["slots"]
    assert [slot["starts_at_local"][11:16] for slot in slots] == [
        *("10:00", "11:30", "13:00", "14:30", "16:00", "17:30", "19:00", "20:30")
    ]
    assert {slot["price"]["amount"] for slot in slots} == {4 * 2_550}
    assert room.turnaround_minutes == 15
    assert "10:00" in page


def test_an_organization_without_a_venue_gets_one_by_the_chosen_clock(alice: Player) -> None:
    client = sign_in(alice)
    assert 'name="timezone"' in client.get(reverse("dashboard:new_room")).content.decode()

    answer = client.post(reverse("dashboard:new_room"), {**NEW, "timezone": "Asia/Tokyo", "amount": "9000"})

    room = Room.objects.select_related("venue").get()
    assert answer.status_code == 302
    assert (room.venue.timezone, room.venue.currency, room.venue.is_default) == ("Asia/Tokyo", "JPY", True)
    assert room.pricing["amount"] == 9_000


def test_a_refused_new_room_names_the_fields_and_loses_nothing(alice: Player, paris: Venue) -> None:
    bad = {**NEW, "min_party": "8", "first_start": "25:00", "amount": "1.234"}
    answer = sign_in(alice).post(reverse("dashboard:new_room"), bad)

    assert (answer.status_code, Room.objects.count()) == (422, 0)
    assert set(answer.context["form"].errors) == {"first_start", "amount"}
    assert 'value="8"' in answer.content.decode()
    answer = sign_in(alice).post(reverse("dashboard:new_room"), {**NEW, "min_party": "8"})
    assert answer.context["form"].errors == {"min_party": ["This is more than the largest party."]}


def test_a_preview_of_a_new_room_saves_nothing(alice: Player, paris: Venue) -> None:
    answer = sign_in(alice).post(reverse("dashboard:new_room"), {**NEW, "preview": "1"}, headers={"HX-Request": "true"})

    assert Room.objects.count() == 0
    assert "11:30" in answer.content.decode()


def test_an_empty_list_says_what_to_do(alice: Player, bob: Player) -> None:
    assert reverse("dashboard:new_room") in sign_in(alice).get(reverse("dashboard:rooms")).content.decode()
    assert reverse("dashboard:new_room") not in sign_in(bob).get(reverse("dashboard:rooms")).content.decode()


# Lists and the overview


def test_the_list_shows_the_next_game_of_each_room(alice: Player, group_room: Room) -> None:
    book(alice.actor, group_room, slot_at(3))
    book(alice.actor, group_room, slot_at(2))
    archived = make_room(alice.actor, group_room.venue, name="Old <cellar>")
    archive_room(room=archived, by=alice.actor)
    client = sign_in(alice)

    page = client.get(reverse("dashboard:rooms"))
    assert [(room.name, room.next_game) for room in page.context["rooms"]] == [("Vault", slot_at(2))]
    page = client.get(reverse("dashboard:rooms") + "?status=archived")
    assert [room.name for room in page.context["rooms"]] == ["Old <cellar>"]
    assert "<cellar>" not in page.content.decode()


def test_pages_ask_the_database_no_more_with_more_rooms_and_bookings(alice: Player, group_room: Room) -> None:
    for number in range(4):
        make_room(alice.actor, group_room.venue, name=f"Room {number}")
        book(alice.actor, group_room, slot_at(2 + number))
    client = sign_in(alice)
    names = ["room", "room_archive", *(f"room_edit_{section}" for section in ("basics", "party", "schedule", "price", "policy"))]
    for path in (reverse("dashboard:rooms"), reverse("dashboard:new_room"), *(url(name, group_room) for name in names)):
        with queries():
            client.get(path)


def test_a_reader_sees_a_room_and_no_way_to_change_it(bob: Player, group_room: Room) -> None:
    page = sign_in(bob).get(url("room", group_room)).content.decode()

    assert "Vault" in page
    for name in ("room_edit_schedule", "room_archive"):
        assert url(name, group_room) not in page


# Sections


def test_archiving_names_the_bookings_in_the_way(alice: Player, group_room: Room) -> None:
    book(alice.actor, group_room, slot_at(3), customer={"name": "Ada <b>"})
    client, path = sign_in(alice), url("room_archive", group_room)

    page = client.get(path).content.decode()
    assert "Ada &lt;b&gt;" in page
    assert client.post(path, {"version": group_room.version}).status_code == 409
    group_room.refresh_from_db()
    assert group_room.status == Room.Status.ACTIVE


def test_a_room_is_archived_and_put_back(alice: Player, group_room: Room) -> None:
    client, path = sign_in(alice), url("room_archive", group_room)
    for status in (Room.Status.ARCHIVED, Room.Status.ACTIVE):
        assert client.get(path).status_code == 200
        assert client.post(path, {"version": group_room.version}).status_code == 302
        group_room.refresh_from_db()
        assert group_room.status == status


def test_another_venue_is_chosen_by_name_and_brings_its_currency(alice: Player, paris: Venue) -> None:
    tokyo = make_venue(alice.actor, name="Tokyo", timezone="Asia/Tokyo", currency="JPY")
    sign_in(alice).post(reverse("dashboard:new_room"), {**NEW, "venue": tokyo.public_id, "amount": "9000"})

    room = Room.objects.get()
    assert (room.venue_id, room.pricing["amount"], room.pricing["currency"]) == (tokyo.pk, 9_000, "JPY")


def test_a_venue_of_others_is_no_choice(alice: Player, charlie: Player, paris: Venue) -> None:
    create_organization(name="Gamma")
    make_venue(alice.actor, name="Lyon")
    theirs = make_venue(charlie.actor)
    answer = sign_in(alice).post(reverse("dashboard:new_room"), {**NEW, "venue": theirs.public_id})

    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["venue"])


def test_plain_words_stand_for_refusals_that_there_are() -> None:
    folder = Path(inputs.__file__).parent
    sources = "".join((folder / name).read_text() for name in ("inputs.py", "rules.py", "services/blocks.py"))
    made = ("tiered prices", "per_group prices", "per_person prices", "This value", "Give exactly one", "It lies before ")

    assert [words for words in typed.PLAIN if words not in sources and not words.startswith(made)] == []
