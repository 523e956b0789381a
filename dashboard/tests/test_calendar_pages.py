"""The calendar: what a day and a week show, and that the page hears of every change, and of nothing else."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from bookings.models import Booking
from bookings.services import cancel_booking, check_in
from common.walltime import utc_text, zone
from dashboard.calendar_days import Kind, current_day, load
from dashboard.live import change_mark, etag
from dashboard.ruler import Ruler
from dashboard.tests.pages import queries, sign_in
from rooms.models import Claim, Room, Venue
from rooms.services import create_block, delete_block, update_block, update_room, update_venue
from tests.cast import Player
from tests.stage import HOURLY, PER_GROUP, book, booking_body, make_room, make_venue, slot_at

PARIS = zone("Europe/Paris")
LATE = {
    "rules": [{"weekdays": [1, 2, 3, 4, 5, 6, 7], "first_start": "20:00", "last_start": "01:00", "interval_minutes": 60}],
    "overrides": [],
}


def day_of(at: dt.datetime) -> str:
    return at.astimezone(PARIS).date().isoformat()


def text(answer: Any) -> str:
    """What stands on the page, without its spaces and tags' lines."""
    return " ".join(answer.content.decode().split())


def show(player: Player, at: dt.datetime, **more: str) -> str:
    return text(sign_in(player).get("/dashboard/calendar", {"day": day_of(at), **more}))


# A day


def test_a_day_shows_who_comes_how_many_and_what_they_owe(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(3))

    page = show(alice, slot_at(3))

    assert f"/dashboard/bookings/{booking.public_id}" in page
    assert "Ada</span>" in page
    assert "4 players" in page
    assert "Confirmed" in page
    assert "€100.00 due" in page
    assert "<strong>1 of 15</strong> games sold, 14 free · 4 guests" in page


def test_a_free_slot_leads_to_its_booking(alice: Player, bob: Player, group_room: Room) -> None:
    wanted = f"?room={group_room.public_id}&amp;starts_at={utc_text(slot_at(3))}".replace(":", "%3A")

    assert f"/dashboard/bookings/new{wanted}" in show(alice, slot_at(3))
    assert "Free, from €100.00" in show(alice, slot_at(3))
    reader = show(bob, slot_at(3))
    assert "Free, from €100.00" in reader
    assert wanted not in reader


def test_a_hold_shows_how_long_it_lasts_and_vanishes_with_it(alice: Player, group_room: Room) -> None:
    hold = book(alice.actor, group_room, slot_at(3), hold=True)
    assert "Held, 10 min left" in show(alice, slot_at(3))

    Booking.objects.filter(pk=hold.pk).update(hold_expires_at=timezone.now())
    Claim.objects.filter(holder=hold.public_id).update(expires_at=timezone.now())

    page = show(alice, slot_at(3))
    assert "Ada" not in page
    assert "15 free" in page


def test_a_canceled_booking_frees_its_slot(alice: Player, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(3))
    cancel_booking(booking=booking, by=alice.actor)

    assert "Ada" not in show(alice, slot_at(3))


def test_a_shared_game_shows_its_parties_and_the_seats_left(alice: Player, shared_room: Room) -> None:
    book(alice.actor, shared_room, slot_at(3), party_size=3)
    book(alice.actor, shared_room, slot_at(3), party_size=4, customer={"name": "Grace"})

    page = show(alice, slot_at(3))

    assert "7 of 10</span> seats · " in page
    assert "3 free" in page
    assert page.index("Ada</span>") < page.index("Grace</span>")
    assert '10<span class="visually-hidden"> seats</span> free, from €25.00' in page


def test_a_block_is_named_and_takes_its_slots_off_the_day(alice: Player, group_room: Room) -> None:
    create_block(by=alice.actor, rooms=[group_room], starts_at=slot_at(3, 10), ends_at=slot_at(3, 13), reason="New lock")

    page = show(alice, slot_at(3))

    assert "Blocked: New lock" in page
    assert "12 free" in page


def test_a_whole_day_that_is_blocked_says_so(alice: Player, group_room: Room) -> None:
    day = slot_at(3).astimezone(PARIS).date()
    create_block(by=alice.actor, all=True, date_from=day, date_to=day, kind="holiday", reason="Christmas")

    page = show(alice, slot_at(3))

    assert "All day" in page
    assert "Blocked: Christmas" in page
    assert "Nothing on sale" in page


def test_a_booking_kept_in_a_block_says_so(alice: Player, group_room: Room) -> None:
    book(alice.actor, group_room, slot_at(3))
    create_block(by=alice.actor, rooms=[group_room], starts_at=slot_at(3, 10), ends_at=slot_at(3, 13), on_conflict="keep")

    assert "In a block" in show(alice, slot_at(3))


def test_a_space_that_another_room_has_is_said_to_be_in_use(alice: Player, group_room: Room) -> None:
    make_room(alice.actor, group_room.venue, name="Torchlight", shares_space_with=[group_room])
    book(alice.actor, group_room, slot_at(3))

    assert "Space in use by Vault" in show(alice, slot_at(3))


def test_a_closed_room_says_so_and_stays_in_its_place(alice: Player, group_room: Room) -> None:
    closed = {"rules": HOURLY["rules"], "overrides": [{"date": day_of(slot_at(3)), "closed": True}]}
    make_room(alice.actor, group_room.venue, name="Attic", schedule=closed)

    assert "Closed: Attic" in show(alice, slot_at(3))


def test_a_day_without_any_game_says_so(alice: Player, group_room: Room) -> None:
    update_room(room=group_room, by=alice.actor, schedule={"rules": []})

    assert "No room has a game on this day." in show(alice, slot_at(3))


def test_without_a_room_it_says_what_to_do(alice: Player) -> None:
    assert "Make the first room" in text(sign_in(alice).get("/dashboard/calendar"))


def test_what_is_past_and_what_is_not_yet_on_sale_cannot_be_booked(alice: Player, group_room: Room) -> None:
    assert "Not sold" in show(alice, slot_at(-3))
    assert "Not on sale yet" in show(alice, slot_at(150))
    assert "Free" not in show(alice, slot_at(150))


def test_names_are_escaped(alice: Player, group_room: Room) -> None:
    book(alice.actor, group_room, slot_at(3), customer={"name": "<script>x</script>"})

    page = show(alice, slot_at(3))

    assert "&lt;script&gt;x" in page
    assert "<script>x" not in page


def test_an_archived_room_shows_where_it_had_bookings(alice: Player, group_room: Room) -> None:
    book(alice.actor, group_room, slot_at(3))
    Room.objects.filter(pk=group_room.pk).update(status="archived")
    make_room(alice.actor, group_room.venue, name="Attic")

    assert "Ada" in show(alice, slot_at(3))
    assert "Vault" not in show(alice, slot_at(4))


def test_a_day_that_is_none_shows_today(alice: Player, group_room: Room) -> None:
    for wrong in ("2026-02-31", "tomorrow", "9999-12-31"):
        answer = sign_in(alice).get("/dashboard/calendar", {"day": wrong})
        assert "That is not a day of the calendar" in text(answer)
        assert answer.context["asked"].is_today


@pytest.mark.parametrize("name", ["room", "venue"])
def test_another_organizations_rooms_are_absent(alice: Player, charlie: Player, group_room: Room, name: str) -> None:
    make_room(charlie.actor, make_venue(charlie.actor))
    foreign = {"room": group_room.public_id, "venue": group_room.venue.public_id}

    assert sign_in(alice).get("/dashboard/calendar", {name: foreign[name]}).status_code == 200
    assert sign_in(charlie).get("/dashboard/calendar", {name: foreign[name]}).status_code == 404


def test_venues_on_one_clock_stand_side_by_side_and_others_one_at_a_time(alice: Player, group_room: Room) -> None:
    lyon = make_venue(alice.actor, name="Lyon")
    make_room(alice.actor, lyon, name="Silk")
    assert {"Silk", "Vault"} == {room.name for room in shown_rooms(sign_in(alice))}

    make_room(alice.actor, make_venue(alice.actor, name="Tokyo", timezone="Asia/Tokyo"), name="Neon")

    client = sign_in(alice)
    assert [room.name for room in shown_rooms(client)] == ["Vault"]
    assert [room.name for room in shown_rooms(client, venue=lyon.public_id)] == ["Silk"]


def shown_rooms(client: Client, **asked: str) -> list[Room]:
    shown: list[Room] = client.get("/dashboard/calendar", asked).context["asked"].rooms
    return shown


def test_a_day_of_twenty_rooms_takes_no_more_queries_than_one(alice: Player, paris: Venue) -> None:
    rooms = [make_room(alice.actor, paris, name=f"Room {number}") for number in range(20)]
    for room in rooms:
        book(alice.actor, room, slot_at(3))
    create_block(by=alice.actor, venue=paris, starts_at=slot_at(3, 7), ends_at=slot_at(3, 8))
    client = sign_in(alice)

    with queries():
        assert text(client.get("/dashboard/calendar", {"day": day_of(slot_at(3))})).count("Ada</span>") == 20
    with queries():
        client.get("/dashboard/calendar/week", {"day": day_of(slot_at(3))})


def test_more_rooms_than_fit_are_on_further_pages(alice: Player, paris: Venue) -> None:
    first = make_room(alice.actor, paris, name="Room 00")
    Room.objects.bulk_create(
        Room(
            organization=alice.organization,
            venue=paris,
            name=f"Room {n:02}",
            slug=f"room-{n}",
            schedule=HOURLY,
            pricing=PER_GROUP,
        )
        for n in range(1, 30)
    )
    client = sign_in(alice)

    assert len(client.get("/dashboard/calendar").context["day"].days) == 24
    assert len(client.get("/dashboard/calendar?page=2").context["day"].days) == 6
    assert first.name in text(client.get("/dashboard/calendar?page=99"))


# After midnight, and when clocks change


def night(day: dt.date, hour: int) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(hour), tzinfo=PARIS).astimezone(dt.UTC)


def test_a_game_after_midnight_belongs_to_its_evening_and_is_recalled_in_the_morning(alice: Player, paris: Venue) -> None:
    room = make_room(alice.actor, paris, schedule=LATE)
    evening = timezone.now().astimezone(PARIS).date() + dt.timedelta(days=4)
    morning = evening + dt.timedelta(days=1)
    book(alice.actor, room, night(morning, 1))
    last = book(alice.actor, room, night(evening, 23), customer={"name": "Grace"})
    Booking.objects.filter(pk=last.pk).update(ends_at=night(morning, 0) + dt.timedelta(minutes=20))

    of_evening, of_morning = load(alice.actor, [room], evening, morning, now=timezone.now())

    assert [entry.parties[0].name for entry in of_evening.games] == ["Grace", "Ada"]
    assert [entry.falls_on for entry in of_evening.games] == [evening, morning]
    assert of_morning.games == []
    assert [entry.parties[0].name for entry in of_morning.night_before if entry.kind == Kind.GAME] == ["Grace", "Ada"]
    assert f"{morning:%a} 01:00–01:50" in show(alice, night(evening, 12))
    assert "Last night’s" in show(alice, night(morning, 12))


def test_a_booking_of_another_timetable_is_on_its_own_date(alice: Player, paris: Venue) -> None:
    room = make_room(alice.actor, paris, schedule={"rules": [{"weekdays": [1, 2, 3, 4, 5, 6, 7], "start_times": ["00:30"]}]})
    day = timezone.now().astimezone(PARIS).date() + dt.timedelta(days=4)
    book(alice.actor, room, night(day, 0) + dt.timedelta(minutes=30))
    update_room(room=room, by=alice.actor, schedule=HOURLY)
    room = Room.objects.with_spaces().get()

    before, on_it = load(alice.actor, [room], day - dt.timedelta(days=1), day, now=timezone.now())

    assert (len(before.games), len(on_it.games)) == (0, 1)


def test_the_evening_is_not_over_at_midnight() -> None:
    room = Room(schedule=LATE, duration_minutes=60, venue=Venue(timezone="Europe/Paris"))
    evening = dt.date(2026, 11, 28)
    at = [dt.datetime(2026, 11, 29, *time, tzinfo=PARIS) for time in ((0, 15), (1, 59), (2, 0))]

    assert [current_day([room], now, "Europe/Paris") for now in at] == [evening, evening, dt.date(2026, 11, 29)]


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_a_day_has_as_many_hours_as_its_clock_says(day: str, hours: int) -> None:
    date = dt.date.fromisoformat(day)
    midnight, end = night(date, 0), night(date + dt.timedelta(days=1), 0)
    ruler = Ruler(midnight, PARIS, [(midnight, end)])

    assert ruler.rows == hours * 12
    labels = [line.label for line in ruler.lines]
    assert ("02:00 CEST" in labels and "02:00 CET" in labels) == (hours == 25)
    assert ("02:00" in labels) == (hours == 24)


def test_idle_hours_are_drawn_together() -> None:
    day = dt.date(2026, 11, 28)
    ruler = Ruler(night(day, 0), PARIS, [(night(day, 0), night(day, 1)), (night(day, 10), night(day, 12))])

    assert [line.is_gap for line in ruler.lines] == [False, True, False, False]
    assert [ruler.row(night(day, hour)) for hour in (0, 1, 5, 10, 11, 12, 20)] == [0, 12, 12, 24, 36, 48, 48]
    assert ruler.row(night(day, 10) + dt.timedelta(minutes=33)) == 24 + 6
    assert ruler.row(night(day, 10) + dt.timedelta(minutes=33), up=True) == 24 + 7


def test_a_long_block_does_not_stretch_the_day() -> None:
    day = dt.date(2026, 11, 28)
    whole = [(night(day, 0), night(day + dt.timedelta(days=1), 0))]

    assert Ruler(night(day, 0), PARIS, [(night(day, 10), night(day, 12))], whole).rows == 2 * 12
    assert Ruler(night(day, 0), PARIS, [], whole).rows == 9 * 12


# A week


def test_a_week_shows_its_games_and_how_full_each_day_is(alice: Player, group_room: Room, shared_room: Room) -> None:
    book(alice.actor, group_room, slot_at(3))
    asked = {"day": day_of(slot_at(3)), "venue": group_room.venue.public_id}

    answer = sign_in(alice).get("/dashboard/calendar/week", asked)

    assert "Ada</span>" in text(answer)
    assert "1 of 30 sold," in text(answer)
    assert len(answer.context["week"].days) == 7
    assert "Free, from" not in text(answer)


def test_a_rooms_week_shows_what_is_free(alice: Player, group_room: Room) -> None:
    asked = {"day": day_of(slot_at(3)), "room": group_room.public_id}

    assert "Free, </span>from €100.00" in text(sign_in(alice).get("/dashboard/calendar/week", asked))


def test_starts_that_overlap_are_offered_as_often_as_they_can_be_played(alice: Player, paris: Venue) -> None:
    rule = {"weekdays": [1, 2, 3, 4, 5, 6, 7], "first_start": "10:00", "last_start": "12:00", "interval_minutes": 30}
    room = make_room(alice.actor, paris, schedule={"rules": [rule]}, duration_minutes=60)
    day = slot_at(3).astimezone(PARIS).date()

    (empty,) = load(alice.actor, [room], day, day, now=timezone.now())
    book(alice.actor, room, night(day, 11))
    (booked,) = load(alice.actor, [room], day, day, now=timezone.now())

    assert (len(empty.free), empty.offered) == (5, 3)
    assert [f"{entry.starts_at.astimezone(PARIS):%H:%M}" for entry in booked.free] == ["10:00", "12:00"]
    assert booked.offered == 3


# Live


def test_the_live_part_answers_not_modified_until_something_changes(alice: Player, group_room: Room) -> None:
    client = sign_in(alice)
    asked = {"day": day_of(slot_at(3))}
    first = client.get("/dashboard/calendar/live", asked)
    assert text(first).startswith("<section")

    with queries(5):
        again = client.get("/dashboard/calendar/live", asked, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == first["ETag"] == client.get("/dashboard/calendar", asked).context["etag"]

    assert alice.api.post("/bookings", booking_body(group_room, slot_at(3))).status_code == 201
    changed = client.get("/dashboard/calendar/live", asked, headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert "Ada</span>" in text(changed)


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> dt.datetime:
    """The clock of the marks stands still: what changes one is not the minute."""
    now = timezone.now()
    monkeypatch.setattr("dashboard.live.timezone.now", lambda: now)
    return now


def test_every_change_that_the_calendar_shows_changes_the_mark(alice: Player, group_room: Room, still: dt.datetime) -> None:
    marks = [change_mark(alice.actor)]

    def changed() -> bool:
        marks.append(change_mark(alice.actor))
        return marks[-1] != marks[-2]

    assert not changed()
    booking = book(alice.actor, group_room, slot_at(3))
    assert changed()
    hold = book(alice.actor, group_room, slot_at(4), hold=True)
    assert changed()
    alice.api.post(f"/bookings/{hold.public_id}/confirm")
    assert changed()
    alice.api.put(f"/bookings/{booking.public_id}", {"starts_at": utc_text(slot_at(5))})
    assert changed()
    cancel_booking(booking=booking, by=alice.actor)
    assert changed()
    Booking.objects.filter(pk=hold.pk).update(starts_at=timezone.now(), ends_at=timezone.now() + dt.timedelta(hours=1))
    check_in(booking=hold, by=alice.actor)
    assert changed()
    block = create_block(by=alice.actor, rooms=[group_room], starts_at=slot_at(8), ends_at=slot_at(9))
    assert changed()
    block = update_block(block=block, by=alice.actor, reason="Paint")
    assert changed()
    delete_block(block=block, by=alice.actor)
    assert changed()
    update_room(room=group_room, by=alice.actor, name="Crypt")
    assert changed()
    update_venue(venue=group_room.venue, by=alice.actor, name="Paris 11e")
    assert changed()
    assert not changed()
    assert len(set(marks)) == len(marks) - 2


def test_a_hold_that_runs_out_changes_the_mark(alice: Player, group_room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    hold = book(alice.actor, group_room, slot_at(3), hold=True)
    assert hold.hold_expires_at
    expires_at = hold.hold_expires_at.replace(second=30)  # within a minute
    Booking.objects.filter(pk=hold.pk).update(hold_expires_at=expires_at)
    moments = [expires_at - dt.timedelta(seconds=2), expires_at - dt.timedelta(seconds=1), expires_at]

    marks = []
    for moment in moments:
        monkeypatch.setattr("dashboard.live.timezone.now", lambda moment=moment: moment)
        marks.append(change_mark(alice.actor))

    assert marks[0] == marks[1] != marks[2]


def test_what_others_do_changes_no_mark(alice: Player, charlie: Player, group_room: Room, still: dt.datetime) -> None:
    theirs = make_room(charlie.actor, make_venue(charlie.actor))
    mark = change_mark(alice.actor)

    book(charlie.actor, theirs, slot_at(3))
    book(charlie.actor, theirs, slot_at(4), hold=True)
    create_block(by=charlie.actor, rooms=[theirs], starts_at=slot_at(8), ends_at=slot_at(9))

    assert change_mark(alice.actor) == mark != change_mark(charlie.actor)


def test_a_change_that_is_committed_late_is_seen(alice: Player, group_room: Room, still: dt.datetime) -> None:
    """Its time is that of its transaction, before that of a change which was seen already."""
    early = book(alice.actor, group_room, slot_at(3))
    book(alice.actor, group_room, slot_at(4))
    mark = change_mark(alice.actor)

    Booking.objects.filter(pk=early.pk).update(version=early.version + 1)  # updated_at stays behind the other's

    assert change_mark(alice.actor) != mark


def test_a_mark_is_recognized_however_it_is_sent(alice: Player, group_room: Room) -> None:
    client, mark = sign_in(alice), etag(change_mark(alice.actor))

    for sent in (mark, f"W/{mark}", f'"other", {mark}'):
        assert client.get("/dashboard/calendar/live", headers={"If-None-Match": sent}).status_code == 304
    assert client.get("/dashboard/calendar/live", headers={"If-None-Match": '"other"'}).status_code == 200
