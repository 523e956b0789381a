"""How often one may ask: what passes, what the answers tell, and what happens while Redis is away."""

import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import http_sf
import pytest
import redis

from bookingflow import embedded
from common.ids import new_id
from developers import counting
from developers.services import create_key, rotate_key
from organizations.models import Plan
from organizations.permissions import Scope
from rooms.models import Room
from rooms.services import sandbox_for
from tests.cast import PLENTY, Api, Player
from tests.crowd import at_once
from tests.server import Server
from tests.stage import book, slot_at

NAMES = ["minute", "burst", "organization-minute", "organization-burst"]


def limit(player: Player, **fields: int) -> None:
    """Give the player's plan these limits."""
    Plan.objects.filter(pk=player.organization.plan_id).update(**fields)


def read(answer: Any, header: str) -> dict[str, dict[str, int]]:
    """A list of structured fields, by an implementation that is not ours."""
    fields: Any = http_sf.parse(answer[header].encode(), tltype="list")
    return dict(fields)


def second_key(player: Player, **more: Any) -> Api:
    return Api(create_key(by=player.actor, name="Second", scopes=[Scope.BOOKINGS_READ], **more)[1])


def test_the_headers_tell_the_limits_in_structured_fields(alice: Player) -> None:
    limit(alice, rate_per_minute=300, rate_burst=50, organization_rate_per_minute=600, organization_rate_burst=100)

    answer = alice.api.get("/me")

    policy, now = read(answer, "RateLimit-Policy"), read(answer, "RateLimit")
    assert [(name, p["q"], p["w"]) for name, p in policy.items()] == list(
        zip(NAMES, (300, 50, 600, 100), (60, 1, 60, 1), strict=True)
    )
    assert [(name, p["r"]) for name, p in now.items()] == list(zip(NAMES, (299, 49, 599, 99), strict=True))
    assert all(1 <= p["t"] <= policy[name]["w"] for name, p in now.items())
    assert (answer["X-RateLimit-Limit"], answer["X-RateLimit-Remaining"]) == ("300", "299")
    assert 0 <= int(answer["X-RateLimit-Reset"]) - int(time.time()) <= 61
    assert answer.json()["rate_limit"] == {
        "per_minute": 300,
        "burst": 50,
        "organization_per_minute": 600,
        "organization_burst": 100,
    }


def test_what_is_over_the_limit_is_told_when_to_come_back(alice: Player) -> None:
    limit(alice, rate_per_minute=2)
    assert [alice.api.get("/me").status_code for _ in range(2)] == [200, 200]

    answer = alice.api.get("/me")

    body, wait = answer.json(), int(answer["Retry-After"])
    assert (answer.status_code, body["code"], body["retryable"]) == (429, "rate_limited", True)
    assert (body["limit"], body["retry_after"]) == ("minute", wait)
    assert 1 <= wait <= 61
    assert read(answer, "RateLimit")["minute"] == {"r": 0, "t": wait}
    assert (answer["X-RateLimit-Limit"], answer["X-RateLimit-Remaining"]) == ("2", "0")


def test_after_the_wait_that_was_told_it_passes(alice: Player) -> None:
    limit(alice, rate_burst=3)
    answers = [alice.api.get("/me") for _ in range(12)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert {answer.json()["limit"] for answer in refused} == {"burst"}

    time.sleep(int(refused[-1]["Retry-After"]))

    assert alice.api.get("/me").status_code == 200


@pytest.mark.parametrize("fields", [{"rate_per_minute": 2}, {"rate_burst": 0}, {"organization_rate_per_minute": 2}])
def test_a_refused_request_takes_nothing_from_other_windows(alice: Player, fields: dict[str, int]) -> None:
    limit(alice, **fields)
    answers = [alice.api.get("/me") for _ in range(6)]

    passed = sum(answer.status_code == 200 for answer in answers)

    full = read(answers[-1], "RateLimit")
    assert passed == min(fields.values())
    assert [full[name]["r"] for name in ("minute", "organization-minute")] == [
        min(fields.get(field, PLENTY), PLENTY) - passed for field in ("rate_per_minute", "organization_rate_per_minute")
    ]


def test_refusals_of_other_kinds_cost_and_tell_the_same(alice: Player, bob: Player) -> None:
    answers = [
        bob.api.post("/bookings", {}),
        bob.api.get("/bookings/bkg_unknown"),
        bob.api.get("/bookings?nonsense=1"),
        bob.api.get("/me", accept="text/html"),
        bob.api.delete("/bookings"),
    ]

    assert [answer.status_code for answer in answers] == [403, 404, 422, 406, 405]
    assert [read(answer, "RateLimit")["minute"]["r"] for answer in answers] == [PLENTY - n for n in range(1, 6)]


def test_without_a_valid_key_nothing_is_told_and_nothing_is_kept(alice: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "take", pytest.fail)

    for api in (Api(), Api("bkf_live_x"), Api(alice.secret[:-7] + "0000000")):
        assert "RateLimit" not in api.get("/me")
    assert "RateLimit" not in Api().get("/status")
    assert "RateLimit" not in Api().get("/nothing")


def test_an_unchanged_copy_costs_nothing_while_there_is_room(alice: Player, group_room: Room) -> None:
    path = f"/bookings/{book(alice.actor, group_room, slot_at(10)).public_id}"
    limit(alice, rate_per_minute=3)
    tag = alice.api.get(path)["ETag"]

    unchanged = [alice.api.get(path, if_none_match=tag) for _ in range(5)]

    assert [answer.status_code for answer in unchanged] == [304] * 5
    assert {answer["X-RateLimit-Remaining"] for answer in unchanged} == {"2"}
    assert [alice.api.get(path, if_none_match='"0"').status_code for _ in range(3)] == [200, 200, 429]
    assert alice.api.get(path, if_none_match=tag).status_code == 429


def test_another_key_and_another_organization_are_not_affected(alice: Player, charlie: Player) -> None:
    limit(alice, rate_per_minute=1)
    other = second_key(alice)

    assert [alice.api.get("/me").status_code for _ in range(2)] == [200, 429]
    assert [api.get("/me").status_code for api in (other, charlie.api)] == [200, 200]


def test_a_second_secret_of_the_same_key_has_no_limit_of_its_own(alice: Player) -> None:
    limit(alice, rate_per_minute=1)
    new = Api(rotate_key(by=alice.actor, key=alice.key))

    assert [alice.api.get("/me").status_code, new.get("/me").status_code] == [200, 429]


def test_all_keys_of_an_organization_share_a_limit(alice: Player, charlie: Player) -> None:
    limit(alice, organization_rate_per_minute=3)
    other = second_key(alice)

    answers = [api.get("/me") for api in (alice.api, other, alice.api, other)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].json()["limit"] == "organization-minute"
    assert charlie.api.get("/me").status_code == 200


def test_test_keys_take_nothing_from_live_ones(alice: Player) -> None:
    sandbox_for(alice.organization)
    trial = second_key(alice, mode="test")
    limit(alice, organization_rate_per_minute=1)

    assert [api.get("/me").status_code for api in (trial, trial, alice.api)] == [200, 429, 200]


# Many at once


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("headers", [{}, {"If-None-Match": '"another"'}], ids=["plain", "conditional"])
def test_of_twenty_clients_at_once_exactly_as_many_pass_as_may(
    server: Server, alice: Player, group_room: Room, headers: dict[str, str]
) -> None:
    path = server.path(f"/bookings/{book(alice.actor, group_room, slot_at(10)).public_id}")
    limit(alice, rate_per_minute=50)

    def ask() -> list[int]:
        with server.session(alice.secret) as session:
            return [session.get(path, headers=headers, timeout=60).status_code for _ in range(5)]

    statuses = Counter(status for asked in at_once([ask] * 20) for status in asked)

    assert statuses == {200: 50, 429: 50}


def test_within_one_process_exactly_as_many_pass_too() -> None:
    counters, window = counting.LocalCounters(), counting.Window("minute", new_id("key"), 50, 3600)

    refused = at_once([lambda: sum(bool(counters.take([window])[0]) for _ in range(5))] * 20)

    assert sum(refused) == 50


# While Redis is away


@pytest.fixture
def own_redis(folder: Path, settings: Any) -> Iterator[contextlib.ExitStack]:
    """A Redis of the test's own: closing it stops it, `start` starts it again."""
    with contextlib.ExitStack() as running:
        settings.REDIS_URL = running.enter_context(embedded.redis(folder))
        yield running


def test_while_redis_is_stopped_requests_are_answered_and_limited(
    alice: Player, own_redis: contextlib.ExitStack, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "REST_SECONDS", 0.05)
    limit(alice, rate_per_minute=3)
    assert alice.api.get("/me").status_code == 200

    own_redis.close()
    answers = [alice.api.get("/me") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert read(answers[-1], "RateLimit")["minute"]["r"] == 0
    assert answers[-1]["Retry-After"]

    with embedded.redis(folder):  # empty, as after a restart: the library's scripts are gone too
        time.sleep(0.1)
        assert [alice.api.get("/me").status_code for _ in range(4)] == [200, 200, 200, 429]


def test_a_redis_that_hangs_is_waited_for_once(
    alice: Player, own_redis: contextlib.ExitStack, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "REST_SECONDS", 600.0)
    asked: list[object] = []
    take = counting.RedisCounters.take
    monkeypatch.setattr(counting.RedisCounters, "take", lambda self, windows: asked.append(0) or take(self, windows))
    assert alice.api.get("/me").status_code == 200
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        process = client.info("server")["process_id"]

    os.kill(process, signal.SIGSTOP)
    try:
        assert [alice.api.get("/me").status_code for _ in range(5)] == [200] * 5
    finally:
        os.kill(process, signal.SIGCONT)

    assert len(asked) == 2  # the one that it answered, and the one that it did not


def test_after_the_rest_one_request_alone_tries_redis_again(monkeypatch: pytest.MonkeyPatch) -> None:
    breaker = counting.Breaker()
    breaker.failed(redis.ConnectionError())
    assert not breaker.may_ask()

    breaker._rests_until = time.monotonic() - 1

    assert sorted(at_once([breaker.may_ask] * 10)) == [False] * 9 + [True]
    breaker.answered()
    assert breaker.may_ask()
    assert breaker.may_ask()


def test_a_redis_that_was_never_there_limits_too(alice: Player, settings: Any) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock?db=0"
    limit(alice, rate_per_minute=2)

    assert [alice.api.get("/me").status_code for _ in range(3)] == [200, 200, 429]
