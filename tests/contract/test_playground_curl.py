"""The command that the playground shows, pasted into a shell, gets the answer that Run gets."""

import json
import subprocess
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from dashboard.tests.pages import sign_in
from developers.models import ApiKey
from developers.services import create_key
from rooms.models import Room
from rooms.services import sandbox_for
from tests.cast import Player
from tests.server import Server

PASSES = {"time", "id", "expires_at", "created_at", "updated_at", "request_id", "key"}  # other at each call


@pytest.fixture(autouse=True)
def as_the_server_has_it(settings: Any, server: Server) -> None:
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    settings.PUBLIC_URL = server.url


def lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: lasting(item) for name, item in value.items() if name not in PASSES and not str(name).startswith("type")}
    return [lasting(item) for item in value] if isinstance(value, list) else value


def run(client: Client, data: dict[str, Any]) -> tuple[int, Any, str]:
    answer = client.post(reverse("dashboard:playground_run"), data)
    shown = answer.context["answer"]
    return shown.status, json.loads(shown.text), answer.context["call"].curl


@pytest.mark.parametrize(
    ("operation", "changes"),
    [
        ("get_me", {}),
        ("get_room", {}),
        ("list_rooms", {"query_q": 'Va\'u & "lt" $HOME'}),
        ("list_schedules", {}),
        ("quote_booking", {}),
        ("create_venue", {"body_name": "L'Annexe \\ $(date) `x`\n<<JSON\nJSON"}),
        ("create_booking", {"body_party_size": "99", "header_Idempotency-Key": ""}),
        ("get_room", {"path_id": "rm_ä/../?x=1"}),
    ],
    ids=["me", "object", "query", "availability", "write", "odd text", "refused", "odd id"],
)
def test_the_shown_command_gets_the_same_answer(
    transactional_db: None, server: Server, alice: Player, group_room: Room, operation: str, changes: dict[str, str]
) -> None:
    sandbox_for(alice.organization)
    _, secret = create_key(by=alice.actor, name="Test", preset=ApiKey.Preset.READ_WRITE, mode=ApiKey.Mode.TEST)
    client = sign_in(alice)
    form = client.get(reverse("dashboard:developers_playground"), {"operation": operation}).context["form"]

    status, body, command = run(client, {"operation": operation, **form.initial, **changes})

    shown = command.replace("curl", 'curl -sS -w "\\n%{http_code}"', 1)
    done = subprocess.run(
        ["bash", "-c", shown],
        env={"PATH": "/usr/bin:/bin", "BOOKINGFLOW_KEY": secret},
        capture_output=True,
        text=True,
        check=True,
    )
    pasted, _, code = done.stdout.rpartition("\n")
    assert (int(code), lasting(json.loads(pasted))) == (status, lasting(body))
    assert secret not in command
