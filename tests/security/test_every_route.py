"""Every route × {no key, malformed, revoked, expired, read-only, another organization's, right}."""

import datetime as dt
import json
import re
from typing import Any

import pytest
from django.utils import timezone

from developers.models import ApiKey
from developers.services import create_key, revoke_key
from tests import standing
from tests.cast import Api, Player
from tests.security.routes import ABSENT, PUBLIC, ROUTES, Route, api_views, fill

stage, alice, bob, charlie, ids = standing.stage, standing.alice, standing.bob, standing.charlie, standing.ids


def call(api: Api, route: Route, ids: dict[str, str], *, id: str = "") -> Any:
    path = route.path.replace("{id}", id or ids.get(route.id, ""))
    return api.call(route.method, path, fill(route.body, ids))


def each_route(*routes: Route) -> Any:
    return pytest.mark.parametrize("route", routes or ROUTES, ids=lambda route: route.name)


@each_route()
def test_the_right_key_gets_in(alice: Player, ids: dict[str, str], route: Route) -> None:
    answer = call(alice.api, route, ids)

    assert answer.status_code == route.ok, answer.content


@pytest.fixture(scope="module")
def broken_keys(stage: standing.Stage) -> dict[str, str | None]:
    """By the code of their refusal."""
    by = stage.alice.actor
    expired, expired_secret = create_key(by=by, name="expired", preset=ApiKey.Preset.READ_WRITE)
    ApiKey.objects.filter(pk=expired.pk).update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    revoked, revoked_secret = create_key(by=by, name="revoked", preset=ApiKey.Preset.READ_WRITE)
    revoke_key(by=by, key=revoked)
    return {
        "authentication_required": None,
        "api_key_malformed": stage.alice.secret[:-3],
        "api_key_revoked": revoked_secret,
        "api_key_expired": expired_secret,
    }


@each_route()
def test_no_broken_key_gets_in(broken_keys: dict[str, str | None], ids: dict[str, str], route: Route) -> None:
    for code, secret in broken_keys.items():
        answer = call(Api(secret), route, ids)
        assert (answer.status_code, answer.json()["code"]) == (401, code)


@each_route()
def test_a_read_only_key_reads_and_nothing_else(bob: Player, ids: dict[str, str], route: Route) -> None:
    answer = call(bob.api, route, ids)

    if route.writes:
        assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
        assert answer.json()["required_scopes"]
    else:
        assert answer.status_code == route.ok


@each_route(*(route for route in ROUTES if route.id))
def test_another_tenants_id_answers_byte_for_byte_like_an_absent_one(
    alice: Player, charlie: Player, ids: dict[str, str], route: Route
) -> None:
    before = alice.api.call("GET", "/bookings").content
    theirs = call(charlie.api, route, ids)
    absent = call(charlie.api, route, ids, id=ids[route.id].split("_")[0] + "_" + ABSENT)

    assert theirs.status_code == absent.status_code == 404
    assert _without_request_id(theirs) == _without_request_id(absent)
    assert alice.api.call("GET", "/bookings").content == before


@each_route(*(route for route in ROUTES if not route.id))
def test_lists_and_bodies_show_nothing_of_another_tenant(
    alice: Player, charlie: Player, ids: dict[str, str], route: Route
) -> None:
    """In a body a foreign id is refused as an unknown one is; in a list nothing of it shows."""
    answer = call(charlie.api, route, ids)

    text = answer.content.decode()
    assert [public_id for public_id in ids.values() if public_id in text] == []
    if "$room" in json.dumps(route.body):
        unknown = call(charlie.api, route, {**ids, "room": f"rm_{ABSENT}"})
        assert answer.status_code == 422
        assert _without_request_id(answer) == _without_request_id(unknown)


@pytest.mark.parametrize(("parameter", "kind"), [("room", "room"), ("venue", "venue"), ("customer", "customer")])
def test_a_foreign_id_in_a_filter_is_an_unknown_one(charlie: Player, ids: dict[str, str], parameter: str, kind: str) -> None:
    foreign = charlie.api.get(f"/bookings?{parameter}={ids[kind]}")

    assert (foreign.status_code, foreign.json()["errors"][0]["code"]) == (422, "unknown")


def _without_request_id(answer: Any) -> bytes:
    request_id = answer["Request-Id"].encode()
    assert request_id in answer.content
    # An unknown filter or body repeats what was asked for; ids of equal length are told apart by nothing else.
    content: bytes = answer.content.replace(request_id, b"")
    return re.sub(rb"[a-z]+_[0-9a-z]{26}", b"ID", content)


def test_no_route_is_missing_from_the_table() -> None:
    listed = {route.name for route in ROUTES} | PUBLIC

    assert {name for name, _, _ in api_views()} == listed
