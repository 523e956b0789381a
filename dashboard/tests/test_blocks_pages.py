"""Blocks: laid once, on days or weekly; and never silently on a booking."""

import datetime as dt
from typing import Any

from django.urls import reverse

from dashboard.tests.filling import filled
from dashboard.tests.pages import queries, sign_in
from rooms.models import Block, Room
from rooms.services import archive_room, create_block
from tests.cast import Player
from tests.stage import book, make_room, make_venue, slot_at

NEW, LIST = "/dashboard/blocks/new", "/dashboard/blocks"


def of(block: Block, name: str = "block") -> str:
    return reverse(f"dashboard:{name}", kwargs={"public_id": block.public_id})


def day(days: int) -> dt.date:
    return slot_at(days).date()


def days_off(room: Room, **more: Any) -> dict[str, Any]:
    fields = {
        "scope": "rooms",
        "rooms": [room.public_id],
        "span": "days",
        "date_from": day(5).isoformat(),
        "repeat": "",
        "kind": "event",
    }
    return {**fields, **more}


def test_whole_days_of_a_room_are_taken_off_sale(alice: Player, group_room: Room) -> None:
    answer = sign_in(alice).post(NEW, days_off(group_room, reason="Paint <b>"), follow=True)

    block = Block.objects.get()
    assert (block.date_from, block.date_to, block.kind) == (day(5), day(5), "event")
    page = answer.content.decode()
    assert "Paint &lt;b&gt;" in page
    assert "Vault" in page
    slots = alice.api.get(f"/schedules?room={group_room.public_id}&date_from={day(5)}&date_to={day(5)}").json()["data"]
    assert slots[0]["status"] == "closed"


def test_times_are_by_the_venues_clock(alice: Player, group_room: Room) -> None:
    tokyo = make_venue(alice.actor, name="Tokyo", timezone="Asia/Tokyo", currency="JPY")
    times = {"span": "times", "starts_at": f"{day(5)}T18:00", "ends_at": f"{day(5)}T20:30"}
    sign_in(alice).post(NEW, days_off(group_room, **times, scope="venue", venue=tokyo.public_id))

    block = Block.objects.get()
    assert (block.venue, block.starts_at, block.ends_at) == (tokyo, slot_at(5, 9), slot_at(5, 11, 30))


def test_a_series_is_told_in_words(alice: Player, group_room: Room) -> None:
    client = sign_in(alice)
    client.post(NEW, days_off(group_room, scope="all", repeat="weekly", interval="2", count="3"))

    assert Block.objects.get().recurrence == {"freq": "weekly", "interval": 2, "count": 3}
    page = client.get(LIST).content.decode()
    assert "every 2 weeks, 3 times" in page
    assert "Everything" in page


def test_bookings_in_the_way_are_named_and_it_is_asked(alice: Player, group_room: Room) -> None:
    book(alice.actor, group_room, slot_at(5), customer={"name": "Ada <i>"})
    client, block = sign_in(alice), days_off(group_room, reason="Repairs")

    asked = client.post(NEW, block)
    page = asked.content.decode()
    assert (asked.status_code, Block.objects.count()) == (409, 0)
    assert "Ada &lt;i&gt;" in page
    assert 'value="Repairs"' in page
    assert client.post(NEW, {**block, "keep": "1"}).status_code == 302
    assert Block.objects.count() == 1


def test_what_is_missing_or_wrong_is_named(alice: Player, group_room: Room) -> None:
    client = sign_in(alice)

    def errors(**more: Any) -> dict[str, Any]:
        answer = client.post(NEW, days_off(group_room, **more))
        assert answer.status_code == 422
        return dict(answer.context["form"].errors)

    assert list(errors(rooms=[])) == ["rooms"]
    assert list(errors(date_from="")) == ["date_from"]
    assert list(errors(date_to=day(4).isoformat())) == ["date_to"]
    assert errors(span="times", starts_at=f"{day(5)}T18:00", ends_at=f"{day(5)}T17:00") == {
        "ends_at": ["The end must lie after the start."]
    }
    assert list(errors(span="times")) == ["starts_at", "ends_at"]
    assert errors(span="times", starts_at="2027-03-28T02:30", ends_at="2027-03-28T04:00") == {
        "starts_at": ["Clocks skip this time in Europe/Paris."]
    }
    for nonsense in ("0001-01-01T00:00", "9999-12-31T23:59", "\0", "soon"):
        assert list(errors(span="times", starts_at=nonsense, ends_at=f"{day(5)}T17:00")) == ["starts_at"]
    assert list(errors(repeat="weekly", until=day(20).isoformat(), count="3")) == ["count"]
    assert list(errors(repeat="weekly", until=day(1).isoformat())) == ["until"]


def test_a_block_saved_as_it_is_changes_nothing(alice: Player, group_room: Room) -> None:
    other = make_room(alice.actor, group_room.venue, name="Other")
    laid = [
        create_block(by=alice.actor, rooms=[group_room, other], starts_at=slot_at(5), ends_at=slot_at(6), reason="r"),
        create_block(
            by=alice.actor,
            venue=group_room.venue,
            date_from=day(5),
            date_to=day(7),
            kind="holiday",
            recurrence={"freq": "weekly", "interval": 3, "until": day(90).isoformat()},
        ),
        create_block(by=alice.actor, all=True, date_from=day(5), date_to=day(7)),
    ]
    archive_room(room=other, by=alice.actor)
    client = sign_in(alice)
    for block in laid:
        before = alice.api.get(f"/schedules/block/{block.public_id}").json()
        assert client.post(of(block), filled(client, of(block))).status_code == 302
        assert alice.api.get(f"/schedules/block/{block.public_id}").json() == before


def test_a_block_is_changed_and_deleted(alice: Player, group_room: Room) -> None:
    block = create_block(by=alice.actor, rooms=[group_room], date_from=day(5), date_to=day(5))
    client = sign_in(alice)
    stale = filled(client, of(block), date_to=day(6).isoformat())
    assert client.post(of(block), stale).status_code == 302
    block.refresh_from_db()
    assert block.date_to == day(6)

    assert client.post(of(block), stale).status_code == 422  # typed on a version that is no longer
    assert client.get(of(block, "block_delete")).status_code == 200
    client.post(of(block, "block_delete"), {"version": block.version})
    assert not Block.objects.exists()


def test_lists_are_split_and_narrowed(alice: Player, group_room: Room) -> None:
    other = make_room(alice.actor, group_room.venue, name="Other")
    for room, at, reason in ((group_room, 9, "later"), (group_room, 5, "soon"), (other, 7, "elsewhere"), (other, -9, "over")):
        create_block(by=alice.actor, rooms=[room], date_from=day(at), date_to=day(at), reason=reason)
    tuesdays = {"freq": "weekly", "interval": 1}
    create_block(by=alice.actor, all=True, date_from=day(-20), date_to=day(-20), reason="always", recurrence=tuesdays)
    client = sign_in(alice)

    def reasons(query: str = "") -> list[str]:
        return [told["block"].reason for told in client.get(LIST + query).context["blocks"]]

    assert reasons() == ["always", "soon", "elsewhere", "later"]
    assert reasons("?when=past") == ["over"]
    assert reasons(f"?room={other.public_id}") == ["always", "elsewhere"]
    with queries():
        client.get(LIST)
    with queries():
        client.get(of(Block.objects.get(reason="soon")))


def test_long_lists_go_on(alice: Player, group_room: Room) -> None:
    for number in range(30):
        create_block(by=alice.actor, rooms=[group_room], date_from=day(40 - number), date_to=day(40 - number), reason=str(number))
    client = sign_in(alice)
    first = client.get(LIST).context
    second = client.get(f"{LIST}?cursor={first['pager'].next_cursor}").context

    assert [told["block"].reason for told in [*first["blocks"], *second["blocks"]]] == [str(n) for n in range(29, -1, -1)]


def test_a_reader_sees_blocks_and_no_button(alice: Player, bob: Player, group_room: Room) -> None:
    block = create_block(by=alice.actor, rooms=[group_room], date_from=day(5), date_to=day(5))
    page = sign_in(bob).get(LIST).content.decode()

    assert "Vault" in page
    assert NEW not in page
    assert of(block) not in page


def test_an_address_fills_in_what_it_knows(alice: Player, group_room: Room) -> None:
    make_room(alice.actor, group_room.venue, name="Other")
    form = sign_in(alice).get(f"{NEW}?room={group_room.public_id}&from=2027-01-05T18:00&to=2027-01-05T20:00").context["form"]

    assert form["rooms"].value() == [group_room.public_id]
    assert (form["span"].value(), form["starts_at"].value()) == ("times", "2027-01-05T18:00")
