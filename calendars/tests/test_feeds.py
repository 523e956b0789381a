"""Feeds as a calendar reads them: written with one library here, read with another."""

import datetime as dt
import re
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.http import http_date

from bookings.models import Booking
from bookings.services import cancel_booking
from calendars import feeds
from calendars.models import CalendarFeed
from calendars.services import create_feed, revoke_feed, update_feed
from developers.services import create_key
from organizations.models import AuditEntry
from organizations.permissions import Scope
from rooms.models import Block, Claim, Occupancy, Room, Session, Venue
from rooms.services import create_block, delete_block
from tests import standing
from tests.cast import Api, Player
from tests.stage import book, make_room, make_venue, slot_at

if TYPE_CHECKING:
    from ical.calendar import Calendar

house, alice, group_room, paris = standing.house, standing.owner, standing.group_room, standing.paris

HOST = "127.0.0.1"  # of PUBLIC_URL


def path_of(address: str) -> str:
    return address.removeprefix("http://127.0.0.1:8000")


def fetch(address: str, **headers: str) -> Any:
    return Client().get(path_of(address), headers={name.replace("_", "-"): value for name, value in headers.items()})


def parsed(text: str) -> "Calendar":
    from ical.calendar_stream import IcsCalendarStream  # late: it takes half a second, and every process imports every test

    return IcsCalendarStream.calendar_from_ics(text)


def read(address: str) -> "Calendar":
    answer = fetch(address)
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    return parsed(answer.content.decode())


def by_uid(calendar: "Calendar") -> dict[str, Any]:
    return {str(event.uid).partition("@")[0]: event for event in calendar.events}


@pytest.fixture
def address(alice: Player, group_room: Room) -> str:
    return create_feed(by=alice.actor, room=group_room)[1]


def test_a_feed_shows_games_without_a_persons_data(alice: Player, group_room: Room, address: str) -> None:
    booking = book(alice.actor, group_room, slot_at(10))
    book(alice.actor, group_room, slot_at(12), hold=True)

    [event] = read(address).events

    assert (event.uid, event.sequence) == (f"{booking.public_id}@{HOST}", 1)
    assert (event.summary, event.location) == ("Vault: 4 players", "Paris")
    assert event.status == "CONFIRMED"
    assert (event.dtstart, event.dtend) == (booking.starts_at, booking.ends_at)
    assert booking.reference in str(event.description)
    text = fetch(address).content.decode()
    assert "Ada" not in text
    assert "ada@example.com" not in text


def test_names_are_shown_where_they_were_asked_for(alice: Player, group_room: Room) -> None:
    feed, address = create_feed(by=alice.actor, venue=group_room.venue, include_names=True)
    book(alice.actor, group_room, slot_at(10))
    create_block(by=alice.actor, venue=group_room.venue, starts_at=slot_at(20), ends_at=slot_at(21), reason="New locks")

    assert {event.summary for event in read(address).events} == {"Vault: Ada, 4 players", "Blocked: New locks"}
    update_feed(feed=feed, by=alice.actor, include_names=False)
    assert {event.summary for event in read(address).events} == {"Vault: 4 players", "Blocked: maintenance"}


def test_a_change_keeps_the_uid_and_raises_the_sequence_and_a_canceled_game_stays_for_thirty_days(
    alice: Player, group_room: Room, address: str
) -> None:
    booking = book(alice.actor, group_room, slot_at(10))
    before = by_uid(read(address))[booking.public_id]

    canceled = cancel_booking(booking=booking, by=alice.actor)

    after = by_uid(read(address))[booking.public_id]
    assert (before.status, before.transparency) == ("CONFIRMED", "OPAQUE")
    assert (after.status, after.transparency) == ("CANCELLED", "TRANSPARENT")
    assert after.sequence == canceled.version > before.sequence
    Booking.objects.filter(pk=booking.pk).update(canceled_at=timezone.now() - dt.timedelta(days=31))
    assert read(address).events == []


def test_what_was_never_confirmed_was_never_there(alice: Player, group_room: Room, address: str) -> None:
    held = book(alice.actor, group_room, slot_at(10), hold=True)
    cancel_booking(booking=held, by=alice.actor)

    assert read(address).events == []


@pytest.mark.parametrize(
    ("zone", "days"),
    [
        (
            "Europe/Paris",
            [("2027-03-27", "+01:00"), ("2027-03-28", "+02:00"), ("2026-10-24", "+02:00"), ("2026-10-25", "+01:00")],
        ),
        (
            "America/New_York",
            [("2027-03-13", "-05:00"), ("2027-03-14", "-04:00"), ("2026-10-31", "-04:00"), ("2026-11-01", "-05:00")],
        ),
        ("Asia/Kolkata", [("2027-03-28", "+05:30")]),
        ("UTC", [("2027-03-28", "+00:00")]),
    ],
)
def test_wall_times_are_right_on_both_sides_of_a_clock_change(alice: Player, zone: str, days: list[tuple[str, str]]) -> None:
    """By the reader's own zone, and by the file's VTIMEZONE under a name that no machine knows."""
    venue = make_venue(alice.actor, name="Here", timezone=zone)
    room = make_room(alice.actor, venue)
    games = {}
    for day, offset in days:
        noon = dt.datetime.combine(slot_at(10).date(), dt.time(12), tzinfo=ZoneInfo(zone))
        booking = book(alice.actor, room, noon.astimezone(dt.UTC))
        starts_at = dt.datetime.fromisoformat(f"{day}T18:00:00{offset}")
        moved = {"starts_at": starts_at, "ends_at": starts_at + dt.timedelta(minutes=50)}
        Booking.objects.filter(pk=booking.pk).update(**moved, claim=None)
        games[booking.public_id] = starts_at
        cancel_claims()
    wide = {"PAST": dt.timedelta(days=400), "AHEAD": dt.timedelta(days=800)}
    with pytest.MonkeyPatch.context() as patch:
        for name, length in wide.items():
            patch.setattr(feeds, name, length)
        text = fetch(create_feed(by=alice.actor, venue=venue)[1]).content.decode()

    found = by_uid(parsed(text))

    assert found.keys() == games.keys()
    for public_id, starts_at in games.items():
        event = found[public_id]
        assert event.dtstart == starts_at
        assert event.dtstart.hour == 18
        assert event.dtend - event.dtstart == dt.timedelta(minutes=50)
    if zone == "UTC":
        assert "VTIMEZONE" not in text
    else:
        renamed = text.replace(f"TZID:{zone}", "TZID:X-Nowhere").replace(f"TZID={zone}", "TZID=X-Nowhere")
        told = by_uid(parsed(renamed))
        assert {public_id: told[public_id].dtstart.astimezone(dt.UTC) for public_id in games} == games


def cancel_claims() -> None:
    """So that the next one can be booked at the same hour."""
    Claim.objects.update(released_at=timezone.now())
    Occupancy.objects.update(active=False)
    Session.objects.update(ended=True)


def test_blocks_are_told_by_their_rule_and_those_of_other_calendars_are_not(
    alice: Player, group_room: Room, address: str
) -> None:
    monday = dt.date(2027, 3, 15)
    first = dt.datetime(2027, 3, 15, 9, tzinfo=dt.UTC)  # 10:00 in Paris
    weekly = {"freq": "weekly", "interval": 1}
    at: dict[str, Any] = {"starts_at": first, "ends_at": first + dt.timedelta(hours=2)}
    days: dict[str, Any] = {"date_from": dt.date(2027, 5, 1), "date_to": dt.date(2027, 5, 2)}
    until = create_block(by=alice.actor, all=True, recurrence={**weekly, "until": "2027-03-29"}, **at)
    count = create_block(by=alice.actor, rooms=[group_room], recurrence={**weekly, "interval": 2, "count": 3}, **at)
    whole = create_block(by=alice.actor, venue=group_room.venue, kind="holiday", **days)
    create_block(by=alice.actor, rooms=[group_room], kind="external", **at)
    other = make_room(alice.actor, group_room.venue, name="Other")
    create_block(by=alice.actor, rooms=[other], **at)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(feeds, "AHEAD", dt.timedelta(days=800))
        calendar = read(address)

    assert set(by_uid(calendar)) == {until.public_id, count.public_id, whole.public_id}
    told: dict[str, list[Any]] = {}
    for event in calendar.timeline:
        told.setdefault(str(event.uid).partition("@")[0], []).append(event.dtstart)
    assert [start.strftime("%Y-%m-%d %H:%M %z") for start in told[until.public_id]] == [
        *("2027-03-15 10:00 +0100", "2027-03-22 10:00 +0100", "2027-03-29 10:00 +0200"),  # the clock changes in between
    ]
    assert [start.date() for start in told[count.public_id]] == [monday + dt.timedelta(weeks=weeks) for weeks in (0, 2, 4)]
    [event] = [event for event in calendar.events if str(event.uid).startswith(whole.public_id)]
    assert (event.dtstart, event.dtend, event.summary) == (dt.date(2027, 5, 1), dt.date(2027, 5, 3), "Blocked: holiday")


def test_a_room_shows_what_is_on_in_its_space_and_a_venue_all_of_its_rooms(alice: Player, group_room: Room) -> None:
    shared = make_room(alice.actor, group_room.venue, name="Same space", shares_space_with=[group_room])
    elsewhere = make_room(alice.actor, group_room.venue, name="Elsewhere")
    for room, day in ((group_room, 10), (shared, 11), (elsewhere, 12)):
        book(alice.actor, room, slot_at(day))

    of_room = read(create_feed(by=alice.actor, room=group_room)[1])
    of_venue = read(create_feed(by=alice.actor, venue=group_room.venue)[1])

    assert [event.summary for event in of_room.events] == ["Vault: 4 players", "Same space: 4 players"]
    assert len(of_venue.events) == 3


def test_who_has_it_already_is_told_so_until_something_changes(alice: Player, group_room: Room, address: str) -> None:
    book(alice.actor, group_room, slot_at(10))
    block = create_block(by=alice.actor, rooms=[group_room], starts_at=slot_at(30), ends_at=slot_at(31))
    first = fetch(address)
    etag, modified = first["ETag"], first["Last-Modified"]

    assert fetch(address).content == first.content
    assert fetch(address, if_none_match=etag).status_code == 304
    assert fetch(address, if_modified_since=modified).status_code == 304
    assert fetch(address, if_modified_since=http_date(0)).status_code == 200

    delete_block(block=block, by=alice.actor)  # leaves no newer row behind

    again = fetch(address, if_modified_since=modified)
    assert again.status_code == 200
    assert again["ETag"] != etag
    assert fetch(address, if_none_match=etag).status_code == 200
    assert fetch(address, if_none_match=again["ETag"]).status_code == 304


def test_a_revoked_feed_answers_404_at_once_like_one_that_never_was(alice: Player, group_room: Room) -> None:
    feed, address = create_feed(by=alice.actor, room=group_room)
    etag = fetch(address)["ETag"]

    revoke_feed(feed=feed, by=alice.actor)

    gone = fetch(address, if_none_match=etag)
    assert gone.status_code == 404
    for token in ("bkc_" + "0" * 32, "bkc_short", "x" * 500, "bkc_" + "é" * 32, "%00"):
        other = Client().get(f"/calendars/{token}.ics")
        assert other.status_code == 404
        assert other.json().keys() == gone.json().keys()
    assert Client().post(path_of(address)).status_code == 405
    assert AuditEntry.objects.filter(action="calendar_feed.revoked", subject=feed.public_id).exists()


def test_the_secret_is_kept_as_a_digest_and_shown_once(alice: Player, group_room: Room) -> None:
    made = alice.api.post("/calendar_feeds", {"room": group_room.public_id, "name": "Till"}).json()
    secret = made["secret_url"].rpartition("/")[2].removesuffix(".ics")

    shown = alice.api.get(f"/calendar_feeds/{made['id']}").json()
    listed = alice.api.get("/calendar_feeds").json()["data"][0]

    assert shown == listed
    assert "secret_url" not in shown
    assert secret.startswith(shown["prefix"])
    row = CalendarFeed.objects.values().get()
    assert secret not in str(row)
    assert fetch(made["secret_url"]).status_code == 200
    assert alice.api.get(f"/calendar_feeds/{made['id']}").json()["last_read_at"] is not None


@pytest.mark.parametrize(
    ("body", "code"),
    [({}, "exactly_one"), ({"room": "$room", "venue": "$venue"}, "exactly_one"), ({"room": "rm_" + "0" * 26}, "unknown")],
)
def test_a_feed_is_of_one_room_or_one_venue(alice: Player, group_room: Room, body: dict[str, str], code: str) -> None:
    ids = {"$room": group_room.public_id, "$venue": group_room.venue.public_id}

    refused = alice.api.post("/calendar_feeds", {name: ids.get(value, value) for name, value in body.items()})

    assert refused.status_code == 422
    assert (refused.json()["errors"][0]["pointer"], refused.json()["errors"][0]["code"]) == ("/room", code)
    assert alice.api.post("/calendar_feeds", {"room": group_room.public_id}).status_code == 201


def test_a_key_opens_no_more_by_a_feed_than_it_may_read(alice: Player, group_room: Room) -> None:
    def asked(*scopes: Scope, **body: Any) -> int:
        _, secret = create_key(by=alice.actor, name="k", scopes=[Scope.CALENDARS_WRITE, *scopes])
        return int(Api(secret).post("/calendar_feeds", {"room": group_room.public_id, **body}).status_code)

    reads = (Scope.BOOKINGS_READ, Scope.SCHEDULES_READ)
    assert asked() == asked(Scope.BOOKINGS_READ) == 403
    assert asked(*reads) == 201
    assert asked(*reads, include_names=True) == 403
    assert asked(*reads, Scope.CUSTOMERS_READ, include_names=True) == 201


def test_one_booking_is_a_file_that_a_guest_can_have(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10))
    held = book(alice.actor, group_room, slot_at(11), hold=True)

    answer = alice.api.get(f"/bookings/{booking.reference}/calendar")

    [event] = parsed(answer.content.decode()).events
    assert answer["Content-Disposition"] == f'attachment; filename="{booking.reference}.ics"'
    assert (event.uid, event.dtstart) == (f"{booking.public_id}@{HOST}", booking.starts_at)
    assert "Ada" not in answer.content.decode()
    assert "STATUS:TENTATIVE" in alice.api.get(f"/bookings/{held.public_id}/calendar").content.decode()
    cancel_booking(booking=booking, by=alice.actor)
    assert "STATUS:CANCELLED" in alice.api.get(f"/bookings/{booking.public_id}/calendar").content.decode()


DRAWN = ("public_id", "reference", "claim_id", "room_id", "starts_at", "ends_at")


@pytest.fixture(params=[6_000, pytest.param(100_000, marks=pytest.mark.soak)])
def crowded(request: Any, alice: Player, group_room: Room) -> Venue:
    """So many bookings in four rooms, from 550 days ago to 450 ahead: copies of one."""
    rooms = [group_room, *(make_room(alice.actor, group_room.venue, name=f"Room {number}") for number in range(3))]
    one = book(alice.actor, group_room, slot_at(10))
    create_block(by=alice.actor, all=True, starts_at=slot_at(50), ends_at=slot_at(51))
    kept = ", ".join(str(field.column) for field in Booking._meta.concrete_fields if field.column not in (*DRAWN, "id"))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO bookings_booking ({kept}, {", ".join(DRAWN)})
            SELECT {kept}, 'bkg_' || lpad(n::text, 26, '0'), lpad(n::text, 8, '0'), NULL::bigint,
                (%(rooms)s::bigint[])[1 + n %% 4], begins, begins + interval '50 minutes'
            FROM bookings_booking, LATERAL (
                SELECT n, now() - interval '550 days' + n * interval '1000 days' / %(count)s AS begins
                FROM generate_series(1, %(count)s) n
            ) drawn WHERE id = %(one)s""",
            {"rooms": [room.pk for room in rooms], "count": request.param, "one": one.pk},
        )
        cursor.execute("ANALYZE bookings_booking")
    return group_room.venue


def test_a_feed_is_bounded_however_many_bookings_there_are(
    alice: Player, crowded: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    if Booking.objects.count() < 100_000:
        monkeypatch.setattr(feeds, "MAX_GAMES", 300)
    address = create_feed(by=alice.actor, venue=crowded)[1]
    etag = fetch(address)["ETag"]
    with CaptureQueriesContext(connection) as captured:
        answer = fetch(address)

    text = answer.content.decode()
    assert text.count("SUMMARY:Blocked") == 1
    assert text.count("BEGIN:VEVENT") == feeds.MAX_GAMES + 1
    assert min(re.findall(r"\nDTSTART;TZID=Europe/Paris:(\d{8})", text)) >= f"{timezone.now():%Y%m%d}"  # to come first
    assert len(answer.content) < 1_500_000
    assert len(captured) <= 6, [query["sql"][:200] for query in captured]
    with CaptureQueriesContext(connection) as unchanged:
        assert fetch(address, if_none_match=etag).status_code == 304
    assert len(unchanged) == len(captured)

    monkeypatch.setattr(feeds, "AHEAD", dt.timedelta(days=10))  # leaves room for what is past
    with CaptureQueriesContext(connection) as captured:
        fetch(address)
    plans = [_explained(query["sql"]) for query in captured if 'FROM "bookings_booking"' in query["sql"]]
    assert len(plans) == 2
    assert all("Index Cond" in plan and "Seq Scan on bookings_booking" not in plan for plan in plans), plans


def _explained(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + sql.replace("%", "%%"))
        return "\n".join(row[0] for row in cursor.fetchall())


def test_blocks_beyond_the_bound_are_left_out(
    alice: Player, group_room: Room, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "MAX_BLOCKS", 2)
    for day in (30, 31, 32):
        create_block(by=alice.actor, rooms=[group_room], starts_at=slot_at(day), ends_at=slot_at(day, 13))

    assert len(read(address).events) == 2
    assert Block.objects.count() == 3
