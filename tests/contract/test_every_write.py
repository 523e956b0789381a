"""Every write × repeated, changed, stale: it takes effect once, and on the version that was meant."""

from typing import Any

import pytest

from tests import standing
from tests.cast import Player
from tests.contract.schema import BASE, document
from tests.security.routes import WRITES, Route, fill
from tests.state import everything, undone

stage, alice, ids = standing.stage, standing.alice, standing.ids

PROMISED = [
    route
    for route in WRITES
    if "If-Match" in [one["name"] for one in document()["paths"][BASE + route.path][route.method.lower()].get("parameters", ())]
]


def call(player: Player, route: Route, ids: dict[str, str], *, query: str = "", more: Any = None, **headers: str) -> Any:
    path, body = route.path.replace("{id}", ids.get(route.id, "")), fill(route.body, ids)
    return player.api.call(route.method, path + query, {**(body or {}), **more} if more else body, **headers)


def test_repeated_it_answers_the_same_and_does_nothing_more(alice: Player, ids: dict[str, str]) -> None:
    for route in WRITES:
        with undone():
            first = call(alice, route, ids, idempotency_key="a")
            after = everything()
            again = call(alice, route, ids, idempotency_key="a")

            assert (first.status_code, again.status_code) == (route.ok, route.ok), f"{route.name}: {first.content!r}"
            assert again.content == first.content, route.name
            assert again.get("ETag") == first.get("ETag"), route.name
            assert ("Idempotency-Replayed" in first, again["Idempotency-Replayed"]) == (False, "true"), route.name
            assert everything() == after, route.name


def test_the_same_key_with_another_body_or_query_is_refused(alice: Player, ids: dict[str, str]) -> None:
    for route in WRITES:
        with undone():
            call(alice, route, ids, idempotency_key="a")
            after = everything()
            others = [call(alice, route, ids, query="?dry_run=false", idempotency_key="a")]
            if route.method != "DELETE":
                others.append(call(alice, route, ids, more={"another": 1}, idempotency_key="a"))

            for other in others:
                assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused"), route.name
            assert everything() == after, route.name


def test_a_stale_version_is_refused_with_the_current_one_which_then_works(alice: Player, ids: dict[str, str]) -> None:
    before = everything()
    for route in PROMISED:
        stale = call(alice, route, ids, if_match='"999"')
        assert (stale.status_code, stale.json()["code"]) == (412, "version_conflict"), route.name
        assert stale["ETag"] == f'"{stale.json()["current_version"]}"', route.name
        assert everything() == before, route.name

        current = stale["ETag"]
        for tag in (current, f'"{current[1:-1]}-0123456789abcdef"', "*"):  # plain, of a composed answer, any
            with undone():
                done = call(alice, route, ids, if_match=tag)
            assert done.status_code == route.ok, f"{route.name} {tag}: {done.content!r}"


@pytest.mark.parametrize("tag", ["1", '"x"', 'W/"1"', '"1", "2"', '""'])
def test_what_is_no_version_is_refused_by_name(alice: Player, ids: dict[str, str], tag: str) -> None:
    before = everything()
    for route in PROMISED:
        answer = call(alice, route, ids, if_match=tag)
        assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "If-Match"), route.name
    assert everything() == before


def test_versions_are_promised_for_every_write_on_an_object() -> None:
    """A quote changes nothing."""
    assert {route.name for route in PROMISED} == {
        route.name for route in WRITES if route.id and not route.path.endswith("/quote")
    }
