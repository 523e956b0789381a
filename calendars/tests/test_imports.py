"""Calendars read over HTTP: what becomes of their busy times, and of the calendars when something is wrong with them."""

import datetime as dt
import gzip
import socket
import time
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from bookings.models import Booking
from calendars import fetching, reading
from calendars.errors import ImportPaused
from calendars.models import CalendarImport, ImportedTime
from calendars.reasons import Reason
from calendars.services import (
    create_feed,
    create_import,
    delete_import,
    pause_import,
    request_sync,
    resume_import,
    sync_due,
    update_import,
)
from calendars.tests.host import Host, answering, bomb, endless
from calendars.tests.test_expansion import calendar
from common.errors import ValidationFailed
from organizations.actor import Actor
from rooms.models import Block, Room
from rooms.services import delete_block, update_block
from tests import standing
from tests.cast import Player
from tests.stage import book, slot_at
from webhooks.models import Event

house, alice, group_room, paris = standing.house, standing.owner, standing.group_room, standing.paris


def at(days: int, hour: int = 12, minutes: int = 60, uid: str = "") -> str:
    start = slot_at(days, hour)
    lines = [f"DTSTART:{start:%Y%m%dT%H%M%SZ}", f"DTEND:{start + dt.timedelta(minutes=minutes):%Y%m%dT%H%M%SZ}"]
    return "\n".join([f"UID:{uid}"] * bool(uid) + lines)


def sync(source: CalendarImport) -> CalendarImport:
    CalendarImport.objects.filter(pk=source.pk).update(next_sync_at=timezone.now())
    assert sync_due() == 1
    return again(source)


def again(source: CalendarImport) -> CalendarImport:
    return CalendarImport.objects.with_place().get(pk=source.pk)


def blocked() -> list[tuple[Any, Any]]:
    blocks = Block.objects.filter(kind="external").order_by("starts_at", "date_from")
    return [(block.starts_at or block.date_from, block.ends_at or block.date_to) for block in blocks]


def events() -> list[str]:
    return list(Event.objects.filter(type__startswith="schedule.").order_by("pk").values_list("type", flat=True))


def test_busy_times_become_blocks_and_are_no_longer_on_sale(
    alice: Player, group_room: Room, host: Host, source: CalendarImport
) -> None:
    day = slot_at(11).date()
    host.serve(calendar(at(10) + "\nSUMMARY:Doctor", f"DTSTART;VALUE=DATE:{day:%Y%m%d}"))

    synced = sync(source)

    assert blocked() == [(slot_at(10), slot_at(10, 13)), (day, day)]
    assert synced.state == "ok"
    assert {(block.scope, block.reason) for block in Block.objects.all()} == {("rooms", "Team calendar")}
    answer = alice.api.get(
        f"/schedules?room={group_room.public_id}&date_from={slot_at(10).date()}&date_to={day}&include=unavailable"
    ).json()
    on_ten, on_eleven = (row["slots"] for row in answer["data"])
    assert [slot["reasons"] for slot in on_ten if slot["starts_at"].endswith("T12:00:00Z")] == [["blocked"]]
    assert all("blocked" in slot["reasons"] for slot in on_eleven)
    assert events() == ["schedule.blocked"] * 2


def test_what_is_unchanged_is_not_touched_and_nobody_is_told(host: Host, source: CalendarImport) -> None:
    host.serve(calendar(at(10, uid="a"), at(12, uid="b"), at(14, uid="c")))
    sync(source)
    kept = {block.pk: (block.version, block.updated_at) for block in Block.objects.all()}
    Event.objects.all().delete()

    host.serve(calendar(at(10, uid="a"), at(13, uid="b"), at(16, uid="d")))
    sync(source)
    sync(source)

    assert blocked() == [(slot_at(day), slot_at(day, 13)) for day in (10, 13, 16)]
    assert events() == ["schedule.blocked", "schedule.blocked", "schedule.unblocked"]  # moved, made, gone
    same = [block for block in Block.objects.all() if kept.get(block.pk) == (block.version, block.updated_at)]
    assert [block.starts_at for block in same] == [slot_at(10)]
    assert Block.objects.get(starts_at=slot_at(13)).version == 2


def test_who_says_that_nothing_has_changed_is_believed_for_a_day(host: Host, source: CalendarImport) -> None:
    host.serve(calendar(at(10)), etag='"1"', last_modified="Sat, 28 Nov 2026 10:00:00 GMT")
    sync(source)
    synced = sync(source)

    assert host.asked[0].keys().isdisjoint({"if-none-match", "if-modified-since"})
    assert (host.asked[1]["if-none-match"], host.asked[1]["if-modified-since"]) == ('"1"', "Sat, 28 Nov 2026 10:00:00 GMT")
    assert synced.state == "ok"
    assert len(blocked()) == 1
    CalendarImport.objects.update(read_at=timezone.now() - dt.timedelta(hours=25))
    sync(source)
    assert "if-none-match" not in host.asked[2]


def test_a_venues_import_blocks_all_of_its_rooms(alice: Player, group_room: Room, host: Host) -> None:
    source = create_import(by=alice.actor, venue=group_room.venue, name="Holidays", secret_url=host.url, include_titles=True)
    host.serve(calendar(at(10) + "\nSUMMARY:Bank holiday", at(12)))

    sync(source)

    assert set(Block.objects.values_list("scope", "venue", "reason")) == {
        ("venue", group_room.venue.pk, "Bank holiday"),
        ("venue", group_room.venue.pk, "Holidays"),
    }
    update_import(source=again(source), by=alice.actor, include_titles=False)
    sync(source)
    assert set(Block.objects.values_list("reason", flat=True)) == {"Holidays"}


def test_a_bookings_hour_is_blocked_all_the_same_and_named(
    alice: Player, group_room: Room, host: Host, source: CalendarImport
) -> None:
    hit, free = book(alice.actor, group_room, slot_at(10)), book(alice.actor, group_room, slot_at(11))
    host.serve(calendar(at(10), at(12)))

    sync(source)

    shown = alice.api.get(f"/calendar_imports/{source.public_id}").json()
    assert shown["conflicts"] == [hit.public_id]
    assert Booking.objects.get(pk=hit.pk).status == "confirmed"
    assert len(blocked()) == 2
    assert free.public_id not in str(shown)


def test_what_people_do_to_a_block_holds_until_its_time_changes(alice: Player, host: Host, source: CalendarImport) -> None:
    host.serve(calendar(at(10, uid="a"), at(12, uid="b")))
    sync(source)
    first, second = Block.objects.with_spaces().order_by("starts_at")
    update_block(block=first, by=alice.actor, reason="Plumber", ends_at=slot_at(10, 15))
    delete_block(block=second, by=alice.actor)

    sync(source)

    assert blocked() == [(slot_at(10), slot_at(10, 15))]
    host.serve(calendar(at(10, uid="a"), at(13, uid="b")))
    sync(source)
    assert blocked() == [(slot_at(10), slot_at(10, 15)), (slot_at(13), slot_at(13, 13))]


def test_past_blocks_stay_as_what_was(host: Host, source: CalendarImport) -> None:
    host.serve(calendar(at(10, uid="a")))
    sync(source)
    past = {"starts_at": slot_at(-5), "ends_at": slot_at(-5, 13)}
    Block.objects.update(**past)
    ImportedTime.objects.update(**past)

    host.serve(calendar())
    sync(source)

    assert blocked() == [(slot_at(-5), slot_at(-5, 13))]
    assert not ImportedTime.objects.exists()


def test_a_paused_or_deleted_import_frees_what_is_to_come(alice: Player, host: Host, source: CalendarImport) -> None:
    host.serve(calendar(at(10), at(12)))
    sync(source)

    paused = pause_import(source=source, by=alice.actor)

    assert (blocked(), paused.state) == ([], "paused")
    CalendarImport.objects.update(next_sync_at=timezone.now())
    assert sync_due() == 0
    with pytest.raises(ImportPaused):
        request_sync(source=paused, by=alice.actor)
    resume_import(source=paused, by=alice.actor)
    assert sync_due() == 1
    assert len(blocked()) == 2
    delete_import(source=source, by=alice.actor)
    assert blocked() == []
    assert events().count("schedule.unblocked") == 4


def test_an_import_that_is_paused_while_it_is_read_makes_no_blocks(
    alice: Player, host: Host, source: CalendarImport, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = fetching.fetch_all

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        outcomes = fetch(*args, **kwargs)
        pause_import(source=source, by=alice.actor)
        return outcomes

    monkeypatch.setattr(fetching, "fetch_all", interrupted)
    host.serve(calendar(at(10)))

    assert sync(source).state == "paused"
    assert blocked() == []


def test_what_our_own_feeds_told_does_not_come_back(
    alice: Player, charlie: Player, group_room: Room, host: Host, source: CalendarImport
) -> None:
    """Room → feed → another calendar → import → room → feed: nothing grows."""
    address = create_feed(by=alice.actor, room=group_room)[1].removeprefix("http://127.0.0.1:8000")
    booking = book(alice.actor, group_room, slot_at(10))
    for _ in range(3):
        ours = Client().get(address).content.decode()
        foreign = calendar(at(12, uid="theirs")).partition("BEGIN:VEVENT")[2].removesuffix("END:VCALENDAR\r\n")
        host.serve(ours.replace("END:VCALENDAR", "BEGIN:VEVENT" + foreign + "END:VCALENDAR"))
        sync(source)
        assert blocked() == [(slot_at(12), slot_at(12, 13))]

    stripped = f"UID:{booking.public_id}@127.0.0.1\n" + at(10)  # by a calendar that keeps no property that it does not know
    renamed = at(10, uid="new") + f"\nX-BOOKINGFLOW-ORGANIZATION:{alice.organization.public_id}"
    neighbours = at(14, uid="bkg_" + "0" * 26 + "@127.0.0.1") + f"\nX-BOOKINGFLOW-ORGANIZATION:{charlie.organization.public_id}"
    elsewhere = at(16, uid="bkg_" + "0" * 26 + "@bookings.example")
    host.serve(calendar(stripped, renamed, neighbours, elsewhere))
    sync(source)
    assert blocked() == [(slot_at(14), slot_at(14, 13)), (slot_at(16), slot_at(16, 13))]


GOOD = calendar(at(10))


def html(status: int = 200) -> Any:
    return answering("<!doctype html><html><body>Please sign in</body></html>", status=status)


HOSTILE: dict[str, tuple[Any, Reason]] = {
    "50 MB": (answering(b"BEGIN:VCALENDAR\r\n" + b" " * 50 * 1024 * 1024), Reason.TOO_LARGE),
    "without end": (endless(b"BEGIN:VCALENDAR\r\n", b" " * 65536), Reason.TOO_LARGE),
    "slow": (endless(b"BEGIN:VCALENDAR\r\n", b" ", pause=0.05), Reason.TIMEOUT),
    "no answer": (lambda request: time.sleep(1), Reason.TIMEOUT),
    "a bomb": (answering(bomb(50), content_encoding="gzip"), Reason.TOO_LARGE),
    "a bomb in pieces without end": (
        endless(b"\x1f\x8b\x08\0\0\0\0\0\0\xff", b"\x00\x00\x00\xff\xff" * 9999, content_encoding="gzip"),
        Reason.TOO_LARGE,
    ),
    "packed and broken": (answering(gzip.compress(GOOD.encode())[:-9], content_encoding="gzip"), Reason.BAD_ENCODING),
    "packed and not": (answering(GOOD, content_encoding="gzip"), Reason.BAD_ENCODING),
    "packed otherwise": (answering(GOOD, content_encoding="br"), Reason.BAD_ENCODING),
    "packed twice": (answering(GOOD, content_encoding="gzip, gzip"), Reason.BAD_ENCODING),
    "a web page": (html(), Reason.NOT_A_CALENDAR),
    "gone": (html(404), Reason.HTTP),
    "broken": (html(500), Reason.HTTP),
    "latin-1": (answering(GOOD.replace("END:VEVENT", "SUMMARY:Café\r\nEND:VEVENT").encode("latin-1")), Reason.BAD_ENCODING),
    "NUL": (answering(GOOD.replace("END:VEVENT", "SUMMARY:a\0b\r\nEND:VEVENT")), Reason.BAD_ENCODING),
    "cut off": (answering(GOOD[:-20]), Reason.MALFORMED),
    "empty": (answering(""), Reason.NOT_A_CALENDAR),
    "every second": (answering(calendar(at(10) + "\nRRULE:FREQ=SECONDLY;COUNT=1000000000")), Reason.TOO_FREQUENT),
    "a redirect inside": (answering("", status=302, location="http://10.0.0.1/team.ics"), Reason.BLOCKED_ADDRESS),
    "a redirect to the cloud's own": (
        answering("", status=302, location="http://169.254.169.254/latest"),
        Reason.BLOCKED_ADDRESS,
    ),
    "a redirect to a file": (answering("", status=302, location="file:///etc/passwd"), Reason.BLOCKED_ADDRESS),
    "a redirect to an odd number": (answering("", status=302, location="https://2130706433/x"), Reason.BLOCKED_ADDRESS),
    "a redirect to nowhere": (answering("", status=302), Reason.PROTOCOL),
    "a circle": (answering("", status=302, location="/team.ics"), Reason.REDIRECT),
}


@pytest.mark.parametrize(("play", "reason"), HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_wrong_is_named_and_what_was_read_last_holds(
    alice: Player, host: Host, source: CalendarImport, play: Any, reason: Reason, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.serve(GOOD)
    sync(source)
    before, told = blocked(), events()
    if reason == Reason.TIMEOUT:
        monkeypatch.setattr(fetching, "TOTAL_SECONDS", 0.5)

    host.play = play
    started = time.monotonic()
    failed = sync(source)

    assert (failed.state, failed.failure) == ("stale", reason)
    assert time.monotonic() - started < 10
    assert blocked() == before != []
    assert events() == told
    shown = alice.api.get(f"/calendar_imports/{source.public_id}").json()
    assert (shown["state"], shown["failure"]) == ("stale", reason)
    assert shown["failure_detail"].startswith(str(reason.label))
    assert shown["synced_at"] < shown["checked_at"]
    host.serve(GOOD)
    well = sync(source)
    assert (well.state, well.failure, well.failing_since) == ("ok", "", None)


def test_a_name_that_leads_inside_is_stopped_where_the_socket_opens(
    host: Host, source: CalendarImport, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The address looks public, and its name was when it was looked at."""
    update_import(source=source, by=Actor.system(source.organization), secret_url="https://calendar.example.com/x.ics")
    settings.WEBHOOK_ALLOW_LOOPBACK = False
    inside = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", int(urlsplit(host.url).port or 0)))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args: inside)

    assert sync(source).failure == Reason.BLOCKED_ADDRESS
    assert host.asked == []


ONE_OF_A_BILLION = "RRULE:FREQ=YEARLY;BYHOUR={0};BYMINUTE={1};BYSECOND={1}".format(
    ",".join(map(str, range(24))), ",".join(map(str, range(60)))
)


def test_a_billion_instances_cost_a_process_of_their_own_and_no_worker(
    host: Host, source: CalendarImport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "WALL_SECONDS", 3)
    other = create_import(by=Actor.system(source.organization), room=source.room, name="Other", secret_url=host.url + "?other")
    bad, good = calendar(at(10) + "\n" + ONE_OF_A_BILLION), calendar(at(12))
    host.play = lambda request: answering(good if "other" in request.path else bad)(request)
    CalendarImport.objects.update(next_sync_at=timezone.now())
    started = time.monotonic()

    assert sync_due() == 2

    assert time.monotonic() - started < 10
    assert again(source).failure == Reason.TOO_COMPLEX
    assert again(source).next_sync_at > timezone.now() + dt.timedelta(minutes=50)
    assert again(other).state == "ok"
    assert blocked() == [(slot_at(12), slot_at(12, 13))]


def test_a_calendar_can_come_packed_and_by_a_redirect(host: Host, source: CalendarImport) -> None:
    packed = answering(gzip.compress(GOOD.encode()), content_encoding="gzip")
    moved = answering("", status=301, location="/moved.ics")
    host.play = lambda request: (packed if request.path == "/moved.ics" else moved)(request)

    assert sync(source).state == "ok"
    assert len(blocked()) == 1
    assert host.asked[0]["user-agent"] == "BookingFlow-Calendars/1"


@pytest.mark.parametrize(
    "address",
    [
        "http://example.com/x.ics",
        "https://10.0.0.1/x.ics",
        "https://localhost/x.ics",
        "ftp://example.com/x",
        "https://u:p@example.com/",
        "x",
        "",
    ],
)
def test_an_address_that_is_none_of_the_internets_is_refused(
    alice: Player, group_room: Room, address: str, settings: Any
) -> None:
    refused = alice.api.post("/calendar_imports", {"room": group_room.public_id, "name": "x", "secret_url": address})

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/secret_url"
    made = alice.api.post(
        "/calendar_imports", {"room": group_room.public_id, "name": "x", "secret_url": "webcal://example.com/x.ics"}
    )
    assert (made.status_code, made.json()["host"], made.json()["state"]) == (201, "example.com", "pending")
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "bookings.example"]
    with pytest.raises(ValidationFailed, match="one of our own"):
        create_import(by=alice.actor, room=group_room, name="x", secret_url="https://bookings.example/calendars/x.ics")


def test_the_address_is_kept_encrypted_and_never_told(alice: Player, host: Host, source: CalendarImport) -> None:
    row = CalendarImport.objects.values().get(pk=source.pk)

    assert "team.ics" not in str(row)
    assert "team.ics" not in str(alice.api.get(f"/calendar_imports/{source.public_id}").json())
    assert row["host"] == "127.0.0.1"


def test_another_organizations_feeds_and_imports_are_absent(
    alice: Player, charlie: Player, group_room: Room, source: CalendarImport
) -> None:
    feed, _ = create_feed(by=alice.actor, room=group_room)

    for path, one in (("calendar_feeds", feed), ("calendar_imports", source)):
        theirs = charlie.api.get(f"/{path}/{one.public_id}")
        absent = charlie.api.get(f"/{path}/{one.public_id[:4]}{'0' * 26}")
        assert theirs.status_code == absent.status_code == 404
        assert charlie.api.get(f"/{path}").json()["data"] == []
        assert charlie.api.delete(f"/{path}/{one.public_id}").status_code == 404
        refused = charlie.api.post(f"/{path}", {"room": group_room.public_id, "name": "x", "secret_url": "https://example.com/"})
        assert refused.status_code == 422
        assert alice.api.get(f"/{path}/{one.public_id}").status_code == 200
