"""Every write, sent many times at the same moment with one Idempotency-Key, does what it does when it is sent once."""

from functools import partial
from typing import Any

import pytest

from developers.models import ApiKey
from organizations.permissions import Role
from organizations.services import create_organization
from tests.cast import Player, enter
from tests.crowd import at_once
from tests.security.routes import WRITES, Route, fill, furnish
from tests.stage import make_room, make_venue
from tests.state import in_every_table, undone

pytestmark = pytest.mark.django_db(transaction=True)


def needs(route: Route) -> set[str]:
    """What of a stage it uses up: another that needs the same comes upon another stage."""
    found = {route.id or route.path}
    if "starts_at" in (route.body or {}):
        found.add("slot")
    if (route.method, route.id) == ("DELETE", "endpoint"):
        found |= {"replay", "delivery"}
    return found


def shared_stages(routes: list[Route]) -> list[list[Route]]:
    stages: list[list[Route]] = []
    for route in routes:
        free = (stage for stage in stages if not any(needs(route) & needs(other) for other in stage))
        stage = next(free, None)
        if stage is None:
            stages.append([route])
        else:
            stage.append(route)
    return stages


def new_stage(name: str) -> tuple[Player, dict[str, str]]:
    player = enter(name, create_organization(name=name), Role.OWNER, ApiKey.Preset.READ_WRITE)
    venue = make_venue(player.actor)
    room, spare = make_room(player.actor, venue), make_room(player.actor, venue, name="Spare")
    return player, furnish(player, room, spare)


def effects() -> dict[str, tuple[int, int]]:
    """How many rows each table has, and the sum of their versions."""
    versions = "coalesce(sum((to_jsonb(kept) ->> 'version')::bigint), 0)::bigint"
    found = in_every_table(f"SELECT '{{name}}', count(*), {versions} FROM {{table}} kept")
    return {table: (rows, sum_of_versions) for table, rows, sum_of_versions in found}


def difference(before: dict[str, tuple[int, int]]) -> dict[str, list[int]]:
    after = effects()
    return {
        table: [now - then for then, now in zip(before[table], after[table], strict=True)]
        for table in before
        if before[table] != after[table]
    }


@pytest.mark.parametrize("callers", [4, pytest.param(40, marks=pytest.mark.soak)])
def test_at_once_it_takes_effect_once(plans: None, callers: int) -> None:
    one, of_one = new_stage("one")
    for number, routes in enumerate(shared_stages(WRITES)):
        many, of_many = new_stage(f"many{number}")
        for route in routes:
            before = effects()
            with undone():
                alone = call(one, route, of_one)
                expected = difference(before)

            answers = at_once([partial(call, many, route, of_many)] * callers)

            statuses = {answer.status_code for answer in answers}
            assert alone.status_code == route.ok, f"{route.name}: {alone.content!r}"
            assert statuses <= {route.ok, 409}, f"{route.name}: {statuses}"
            refused = {answer.json()["code"] for answer in answers if answer.status_code == 409}
            assert refused <= {"idempotency_in_progress"}, route.name
            done = [answer for answer in answers if answer.status_code == route.ok]
            assert sum("Idempotency-Replayed" not in answer for answer in done) == 1, route.name
            assert len({answer.content for answer in done}) == 1, route.name
            assert difference(before) == expected, route.name


def call(player: Player, route: Route, ids: dict[str, str]) -> Any:
    path = route.path.replace("{id}", ids.get(route.id, ""))
    return player.api.call(route.method, path, fill(route.body, ids), idempotency_key=route.name)
