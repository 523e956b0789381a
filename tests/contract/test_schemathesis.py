"""Schemathesis against the running server: whatever an operation is sent, its answer is what the OpenAPI document promises."""

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
from django.conf import settings

from common.walltime import utc_text
from organizations.models import Plan
from rooms.models import Room
from tests.cast import Player
from tests.contract.schema import BASE, document
from tests.security.routes import ROUTES, furnish
from tests.server import Server
from tests.stage import make_room, slot_at

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(900)]


def configuration(secret: str) -> str:
    """Every check is on. A well-formed request may be refused for what it is about, by a documented status, or told that nothing
    has changed; a wrong one must be refused, and by the same. Only what `DELETE` cancels or archives may be read afterwards: it
    is promised to stay.
    """
    operations = [operation for methods in document()["paths"].values() for operation in methods.values()]
    refusals = sorted({status for operation in operations for status in operation["responses"] if status.startswith("4")})
    return f"""
        continue-on-failure = true
        headers = {{ Authorization = "Bearer {secret}" }}
        [checks]
        positive_data_acceptance.expected-statuses = {json.dumps(["2xx", "304", *refusals])}
        negative_data_rejection.expected-statuses = {json.dumps(refusals)}
        [[operations]]
        include-path-regex = "/(bookings|rooms|replays)/"
        checks.use_after_free.enabled = false
    """


def examine(server: Server, player: Player, room: Room, folder: Path, *arguments: str) -> None:
    """Fails with Schemathesis's own words, which hold a curl command for each finding."""
    limits = ("rate_per_minute", "rate_burst", "organization_rate_per_minute", "organization_rate_burst")
    Plan.objects.update(**dict.fromkeys(limits, 1_000_000))
    ids = furnish(player, room, make_room(player.actor, room.venue, name="Spare"))
    kept: dict[str, list[str]] = defaultdict(list)
    for one in ids.values():
        kept[one.partition("_")[0]].append(one)
    told = {
        "CONTRACT_IDS": kept,
        "CONTRACT_SLOTS": [utc_text(slot_at(day, hour)) for day in range(20, 30) for hour in range(8, 20)],
        "CONTRACT_PREFIXES": {BASE + route.path: ids[route.id].partition("_")[0] for route in ROUTES if route.id},
    }
    config = folder / "schemathesis.toml"
    config.write_text(configuration(player.secret))
    command = [
        str(Path(sys.executable).parent / "schemathesis"),
        "--config-file",
        str(config),
        "run",
        str(settings.BASE_DIR / "docs" / "openapi.json"),
    ]
    fixed = ["--url", server.url, "--seed", "1", "--generation-database", "none", "--no-color"]
    done = subprocess.run(
        [*command, *fixed, *arguments],
        cwd=folder,  # where it leaves a cache
        env={
            **server.environment,
            **{name: json.dumps(value) for name, value in told.items()},
            "SCHEMATHESIS_HOOKS": "tests.contract.schemathesis_hooks",
            "PYTHONPATH": str(settings.BASE_DIR),
        },
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr


def test_every_answer_is_what_the_document_promises(server: Server, alice: Player, group_room: Room, tmp_path: Path) -> None:
    """`make soak` has each field's boundaries too, and PATCH, which is PUT by another name."""
    few = ("--max-examples", "2", "--phases", "examples,fuzzing", "--exclude-method", "PATCH")

    examine(server, alice, group_room, tmp_path, *few)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_hundred_tries_of_every_operation_and_chains_of_calls(
    server: Server, alice: Player, group_room: Room, tmp_path: Path
) -> None:
    examine(server, alice, group_room, tmp_path, "--max-examples", "100")
