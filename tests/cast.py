"""The cast: Alice owns organization A, Bob may only read it, Charlie owns organization B."""

import json
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core.signals import setting_changed
from django.dispatch import receiver
from django.http import HttpResponse
from django.test import Client
from django.test.client import ClientHandler

from developers.models import ApiKey
from developers.services import create_key
from organizations.actor import Actor
from organizations.models import Membership, Organization, Plan, User
from organizations.permissions import Role
from organizations.services import add_member, create_organization
from tests.contract import schema

BASE = "/api/v1/public"
PLENTY = 1_000_000  # requests


class Api:
    """The API in process, through one key (or none); paths are relative to its base."""

    handler = ClientHandler(enforce_csrf_checks=False)  # one for all: to make its middleware takes a millisecond

    def __init__(self, secret: str | None = None) -> None:
        self.client = Client(raise_request_exception=False)
        self.client.handler = self.handler
        self.headers = {"Authorization": f"Bearer {secret}"} if secret else {}

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """`headers` in Python's spelling: `if_match='"1"'`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        more: dict[str, Any] = {"data": data, "content_type": "application/json"} if data else {}
        url = path if path.startswith(("/api/", "/v1")) else BASE + path
        answer: Any = self.client.generic(method, url, headers={**self.headers, **named}, **more)
        if answer.streaming:  # read to its end, as a client would
            answer = HttpResponse(answer.getvalue(), status=answer.status_code, headers=answer.headers)
        schema.check(method, url, answer.status_code, answer.headers, answer.content)
        return answer

    def get(self, path: str, **headers: str) -> Any:
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("POST", path, {} if body is None else body, **headers)

    def put(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.call("PUT", path, {} if body is None else body, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self.call("DELETE", path, **headers)


@receiver(setting_changed)
def with_other_settings(**about: Any) -> None:
    Api.handler = ClientHandler(enforce_csrf_checks=False)


@dataclass
class Player:
    """A person at work: the membership's actor, and an API key of theirs."""

    user: User
    actor: Actor
    key: ApiKey
    secret: str
    session: str = ""  # of a browser that they have signed in with already

    @property
    def organization(self) -> Organization:
        return self.actor.organization

    @property
    def api(self) -> Api:
        return Api(self.secret)


def enter(name: str, organization: Organization, role: Role, preset: ApiKey.Preset) -> Player:
    user = User.objects.create_user(f"{name}@example.com", name=name.title())
    system = Actor.system(organization)
    add_member(organization=organization, user=user, role=role, by=system)
    membership = Membership.objects.select_related("user", "organization").get(user=user)
    key, secret = create_key(by=system, name=f"{name}'s key", preset=preset)
    return Player(user, Actor.member(membership), key, secret)


def set_plans() -> None:
    """They stand in a migration, whose rows a flushed database lacks. No test is slowed down by limits that it is not about."""
    rates = ("rate_per_minute", "rate_burst", "organization_rate_per_minute", "organization_rate_burst")
    plenty = dict.fromkeys(rates, PLENTY)
    if not Plan.objects.update(**plenty):
        import_module("organizations.migrations.0003_plans").create_plans(apps, None)
        Plan.objects.update(**plenty)


def cast_alice() -> Player:
    return enter("alice", create_organization(name="Alpha"), Role.OWNER, ApiKey.Preset.READ_WRITE)


def cast_bob(alice: Player) -> Player:
    return enter("bob", alice.organization, Role.READ_ONLY, ApiKey.Preset.READ_ONLY)


def cast_charlie() -> Player:
    return enter("charlie", create_organization(name="Beta"), Role.OWNER, ApiKey.Preset.READ_WRITE)


@pytest.fixture
def plans(db: None) -> None:
    set_plans()


@pytest.fixture
def alice(plans: None) -> Player:
    return cast_alice()


@pytest.fixture
def bob(alice: Player) -> Player:
    return cast_bob(alice)


@pytest.fixture
def charlie(plans: None) -> Player:
    return cast_charlie()
