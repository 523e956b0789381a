"""How often a feed may be read, and how often one may ask for feeds that there are not."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from calendars import limits
from calendars.services import create_feed
from calendars.tests.test_feeds import path_of
from calendars.tokens import new_token
from rooms.models import Room
from tests.cast import Player


def feed_of(alice: Player, room: Room) -> str:
    return path_of(create_feed(by=alice.actor, room=room)[1])


def guess() -> str:
    return f"/calendars/{new_token()}.ics"


def statuses(paths: list[str], **meta: Any) -> list[int]:
    return [Client().get(path, **meta).status_code for path in paths]


def test_a_feed_is_read_so_many_times_a_minute_by_all_together(
    alice: Player, group_room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "READS", 3)
    feed, other = feed_of(alice, group_room), feed_of(alice, group_room)
    first = Client().get(feed, REMOTE_ADDR="198.51.100.1")
    has_it: dict[str, Any] = {"HTTP_IF_NONE_MATCH": first["ETag"]}
    assert [first.status_code, *statuses([feed] * 2, REMOTE_ADDR="198.51.100.2", **has_it)] == [200, 304, 304]

    refused = Client().get(feed, **has_it)

    body, wait = refused.json(), int(refused["Retry-After"])
    assert (refused.status_code, refused["Content-Type"]) == (429, "application/problem+json")
    assert (body["code"], body["limit"], body["retry_after"], body["retryable"]) == ("rate_limited", "feed", wait, True)
    assert body["detail"].startswith("All who read this feed together may ask 3 times within a minute.")
    assert 1 <= wait <= 61
    assert refused["Cache-Control"] == "no-store"
    assert Client().head(feed).status_code == 429
    assert statuses([other]) == [200]


@pytest.mark.parametrize("redis", ["unix:///nowhere/redis.sock?db=0", ""], ids=["without Redis", "with Redis"])
def test_who_asks_for_feeds_that_there_are_not_is_refused_before_anything_is_looked_up(
    alice: Player, group_room: Room, monkeypatch: pytest.MonkeyPatch, settings: Any, redis: str
) -> None:
    settings.REDIS_URL = redis or settings.REDIS_URL
    monkeypatch.setattr(limits, "MISSES", 3)
    feed, client = feed_of(alice, group_room), f"198.51.100.{3 if redis else 4}"
    assert statuses([feed, guess(), guess(), "/calendars/x.ics"], REMOTE_ADDR=client) == [200, 404, 404, 404]

    with CaptureQueriesContext(connection) as captured:
        refused = Client().get(guess(), REMOTE_ADDR=client)
        assert statuses([feed], REMOTE_ADDR=client) == [429]

    assert (refused.status_code, refused.json()["limit"]) == (429, "feed-misses")
    assert int(refused["Retry-After"]) >= 1
    assert len(captured) == 0
    assert statuses([feed, guess()], REMOTE_ADDR="198.51.100.5") == [200, 404]


@pytest.mark.parametrize(
    ("behind_proxy", "first", "second", "is_same"),
    [
        (False, {"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": "203.0.113.1"}, {"REMOTE_ADDR": "192.0.2.1"}, True),
        (True, {"HTTP_X_FORWARDED_FOR": "203.0.113.1"}, {"HTTP_X_FORWARDED_FOR": "1.2.3.4, 203.0.113.1"}, True),
        (True, {"HTTP_X_FORWARDED_FOR": "203.0.113.2"}, {"HTTP_X_FORWARDED_FOR": "203.0.113.2, 203.0.113.3"}, False),
        (False, {"REMOTE_ADDR": "2001:db8:1:2::1"}, {"REMOTE_ADDR": "2001:db8:1:2:ffff::9"}, True),
        (False, {"REMOTE_ADDR": "2001:db8:1:3::1"}, {"REMOTE_ADDR": "2001:db8:1:4::1"}, False),
        (False, {"REMOTE_ADDR": ""}, {"REMOTE_ADDR": ""}, False),
    ],
    ids=["claimed", "behind a proxy", "another behind it", "a network of version 6", "another of version 6", "not told"],
)
def test_clients_are_told_apart_by_what_is_known_of_their_address(
    db: None,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    behind_proxy: bool,
    first: dict[str, str],
    second: dict[str, str],
    is_same: bool,
) -> None:
    settings.BEHIND_PROXY = behind_proxy
    monkeypatch.setattr(limits, "MISSES", 2)
    assert statuses([guess(), guess()], **first) == [404, 404]

    assert statuses([guess()], **second) == [429 if is_same else 404]
