"""Settings → Developers → Calendars: feeds and imports made, shown, changed and ended, without scripts."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from calendars.expansion import Busy
from calendars.models import CalendarFeed, CalendarImport
from calendars.services import create_import
from calendars.services.sync import apply
from dashboard.templatetags import ui
from dashboard.tests.pages import queries, sign_in
from rooms.models import Block, Room
from rooms.services import update_block
from tests.cast import Player
from tests.stage import book, slot_at

LIST = reverse("dashboard:developers_calendars")


def at(name: str, public_id: str = "") -> str:
    return reverse(f"dashboard:{name}", kwargs={"public_id": public_id} if public_id else {})


def text_of(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return str(answer.content.decode())


@pytest.fixture
def client(alice: Player) -> Client:
    return sign_in(alice)


@pytest.fixture
def source(alice: Player, group_room: Room) -> CalendarImport:
    """One that has been read: it blocks an hour in which Ada has booked."""
    made = create_import(by=alice.actor, room=group_room, name="Team days", secret_url="https://example.com/secret/team.ics")
    booking = book(alice.actor, group_room, slot_at(10))
    apply(made, [Busy("u", "", 0, booking.starts_at.isoformat(), booking.ends_at.isoformat())], now=timezone.now())
    CalendarImport.objects.update(synced_at=timezone.now(), checked_at=timezone.now())
    return CalendarImport.objects.with_place().get()


def test_a_feeds_address_is_shown_once_and_works(client: Client, group_room: Room) -> None:
    assert "No feeds yet" in text_of(client, LIST)
    made = client.post(at("new_feed"), {"place": group_room.public_id, "name": "Reception"})
    feed = CalendarFeed.objects.get()
    assert made["Location"] == at("feed", feed.public_id)

    first, second = text_of(client, made["Location"]), text_of(client, made["Location"])

    address = first.partition("<code>")[2].partition("</code>")[0]
    assert Client().get(address.removeprefix("http://127.0.0.1:8000")).status_code == 200
    assert "/calendars/bkc_" not in second
    assert f"{feed.prefix}…" in second
    listed = text_of(client, LIST)
    assert "Reception" in listed
    assert "just now" in listed  # it has been read


def test_a_feed_is_changed_and_revoked(client: Client, group_room: Room) -> None:
    client.post(at("new_feed"), {"place": group_room.venue.public_id})
    feed = CalendarFeed.objects.get()
    assert (feed.venue, feed.room, feed.include_names) == (group_room.venue, None, False)

    client.post(at("feed_edit", feed.public_id), {"name": "Till", "include_names": "on", "version": "1"})
    stale = client.post(at("feed_edit", feed.public_id), {"name": "Other", "version": "1"})

    assert stale.status_code == 422
    assert "Somebody else has changed this" in stale.content.decode()
    feed.refresh_from_db()
    assert (feed.name, feed.include_names) == ("Till", True)
    assert client.post(at("feed_revoke", feed.public_id))["Location"] == LIST
    assert not CalendarFeed.objects.exists()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"place": "rm_" + "0" * 26}, "Select a valid choice"),
        ({"secret_url": "http://10.0.0.1/x.ics"}, "must be reachable from the internet"),
    ],
)
def test_what_is_refused_says_why_and_keeps_what_was_typed(
    client: Client, group_room: Room, changed: dict[str, str], words: str
) -> None:
    typed = {"place": group_room.public_id, "name": "Team days", "secret_url": "webcal://example.com/team.ics"}

    refused = client.post(at("new_import"), {**typed, **changed})

    assert refused.status_code == 422
    assert words in refused.content.decode()
    assert "Team days" in refused.content.decode()
    assert client.post(at("new_import"), typed).status_code == 302
    assert CalendarImport.objects.get().host == "example.com"


def test_an_import_shows_its_state_and_the_bookings_that_it_hits(client: Client, source: CalendarImport) -> None:
    listed, shown = text_of(client, LIST), text_of(client, at("calendar_import", source.public_id))

    assert "1 booking</a>" in listed
    for words in ("Up to date", "Bookings at the same time", "What it blocks next", "Team days"):
        assert words in shown
    assert "secret/team.ics" not in listed + shown
    CalendarImport.objects.update(failure="http", failure_status=404, failing_since=timezone.now())
    for page in (text_of(client, LIST), text_of(client, at("calendar_import", source.public_id))):
        assert "The host answered with an error (404)." in page
        assert "Stale" in page


def test_what_it_blocks_is_told_as_it_now_is(alice: Player, client: Client, source: CalendarImport) -> None:
    """Whole days as such, and by what people have made of a block."""
    path, block = at("calendar_import", source.public_id), Block.objects.get()
    assert f"{ui.local(block.starts_at, 'Europe/Paris')} – {ui.clock(block.ends_at, 'Europe/Paris')}" in text_of(client, path)

    day = slot_at(10).date()
    update_block(block=block, by=alice.actor, date_from=day, date_to=day + dt.timedelta(days=1), on_conflict="keep")

    shown = text_of(client, path)
    assert f"{ui.day(day)} – {ui.day(day + dt.timedelta(days=1))}" in shown


def test_when_it_is_tried_again_is_told(client: Client, source: CalendarImport) -> None:
    for failure, words in (("http", "every ten minutes"), ("too_complex", "every hour")):
        CalendarImport.objects.update(failure=failure, failing_since=timezone.now())
        assert f"We go on trying {words}." in text_of(client, at("calendar_import", source.public_id))


def test_an_import_is_synced_paused_resumed_changed_and_deleted(client: Client, source: CalendarImport) -> None:
    def act(name: str, data: dict[str, Any] | None = None) -> CalendarImport | None:
        assert client.post(at(name, source.public_id), data or {}).status_code == 302
        return CalendarImport.objects.filter(pk=source.pk).first()

    before = source.next_sync_at
    synced = act("import_sync")
    assert synced is not None
    assert synced.next_sync_at > before
    paused = act("import_pause")
    assert paused is not None
    assert (paused.state, Block.objects.count()) == ("paused", 0)
    assert "It is paused: resume it first." in client.post(at("import_sync", source.public_id), follow=True).content.decode()
    resumed = act("import_resume")
    assert resumed is not None
    assert resumed.status == "active"
    changed = act("import_edit", {"name": "Holidays", "secret_url": "", "version": str(resumed.version)})
    assert changed is not None
    assert (changed.name, changed.url) == ("Holidays", source.url)
    assert act("import_delete") is None


def test_the_page_asks_as_often_for_many_as_for_one(
    alice: Player, client: Client, source: CalendarImport, group_room: Room
) -> None:
    for number in range(5):
        create_import(by=alice.actor, venue=group_room.venue, name=f"C{number}", secret_url="https://example.com/x.ics")
        client.post(at("new_feed"), {"place": group_room.public_id})

    with queries():
        client.get(LIST)
    with queries():
        client.get(at("calendar_import", source.public_id))


def test_a_booking_is_a_file_for_a_calendar(alice: Player, client: Client, group_room: Room) -> None:
    booking = book(alice.actor, group_room, slot_at(10))
    path = at("booking_calendar", booking.public_id)

    answer = client.get(path)

    assert path in text_of(client, at("booking", booking.public_id))
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="{booking.reference}.ics"'
    assert f"UID:{booking.public_id}@" in answer.content.decode()
