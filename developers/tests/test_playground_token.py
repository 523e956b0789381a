"""The playground's tokens: the real API in a member's name, in their own session, for a quarter of an hour."""

import datetime as dt
import json
from typing import Any
from unittest import mock

import pytest
from django.test import Client
from django.utils import timezone

from developers import playground
from organizations.actor import Actor
from organizations.models import Membership, Plan
from organizations.permissions import READ_SCOPES, Role
from rooms.models import Room
from rooms.services import sandbox_for
from tests.cast import BASE, Player
from tests.stage import booking_body, slot_at

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"}


@pytest.fixture
def browser(alice: Player) -> Client:
    return signed_in(alice)


def signed_in(player: Player) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(player.user)
    return client


def token_of(player: Player, client: Client, *, actor: Actor | None = None) -> str:
    return playground.mint(by=actor or player.actor, session_key=client.session.session_key or "")


def ask(client: Client, token: str, path: str = "/me", method: str = "GET", body: Any = None, **headers: str) -> Any:
    more = {"data": body, "content_type": "application/json"} if body is not None else {}
    return client.generic(method, BASE + path, headers={**SAME_ORIGIN, "Authorization": f"Bearer {token}", **headers}, **more)


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_it_opens_the_api_for_the_member(alice: Player, browser: Client, group_room: Room) -> None:
    token = token_of(alice, browser)

    told = ask(browser, token).json()

    assert (told["organization"]["id"], told["mode"], told["key"]["name"]) == (alice.organization.public_id, "live", "Playground")
    assert set(told["key"]["scopes"]) == set(Role.OWNER.scopes)
    assert ask(browser, token, f"/rooms/{group_room.public_id}").json()["id"] == group_room.public_id


def test_what_it_does_is_the_persons_doing_and_happens_once_for_its_idempotency_key(
    alice: Player, browser: Client, group_room: Room
) -> None:
    body = json.dumps(booking_body(group_room, slot_at(10)))
    token = token_of(alice, browser)

    first, second = (ask(browser, token, "/bookings", "POST", body, **{"Idempotency-Key": "once"}) for _ in range(2))

    assert (first.status_code, second.json()["id"]) == (201, first.json()["id"])
    history = alice.api.get(f"/bookings/{first.json()['id']}/events").json()["data"]
    assert [entry["actor"] for entry in history] == [{"type": "user", "id": alice.user.public_id}]


def test_one_for_the_sandbox_acts_on_the_sandbox(alice: Player, browser: Client, group_room: Room) -> None:
    twin = sandbox_for(alice.organization)
    membership = Membership.objects.select_related("user", "organization").get(user=alice.user)
    token = token_of(alice, browser, actor=Actor.member(membership, organization=twin))

    assert ask(browser, token).json()["mode"] == "test"
    assert ask(browser, token, f"/rooms/{group_room.public_id}").status_code == 404
    assert [room["name"] for room in ask(browser, token, "/rooms").json()["data"]] == [group_room.name]


def test_it_is_worthless_in_another_session_and_to_another_person(alice: Player, charlie: Player, browser: Client) -> None:
    token = token_of(alice, browser)

    for other in (Client(), signed_in(alice), signed_in(charlie)):
        assert code_of(ask(other, token)) == (401, "api_key_invalid")
    browser.logout()
    assert code_of(ask(browser, token)) == (401, "api_key_invalid")


def test_a_session_cannot_be_lent_to_another_persons_token(alice: Player, charlie: Player) -> None:
    client = signed_in(charlie)

    assert code_of(ask(client, token_of(alice, client))) == (401, "api_key_invalid")


def test_it_lasts_fifteen_minutes(alice: Player, browser: Client) -> None:
    token, now = token_of(alice, browser), timezone.now()

    with mock.patch("developers.playground.timezone.now", return_value=now + dt.timedelta(minutes=14)):
        assert ask(browser, token).status_code == 200
    with mock.patch("developers.playground.timezone.now", return_value=now + dt.timedelta(minutes=15, seconds=1)):
        assert code_of(ask(browser, token)) == (401, "api_key_expired")


@pytest.mark.parametrize(
    "alter", [lambda text: text[:-1], lambda text: text + "x", lambda text: "bkf_play_", lambda text: "bkf_play_ä"]
)
def test_an_altered_one_is_refused(alice: Player, browser: Client, alter: Any) -> None:
    assert code_of(ask(browser, alter(token_of(alice, browser)).encode().decode("latin-1"))) == (401, "api_key_invalid")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
    ids=str,
)
def test_it_is_refused_to_other_sites(alice: Player, browser: Client, headers: dict[str, str]) -> None:
    assert code_of(ask(browser, token_of(alice, browser), **headers)) == (401, "api_key_invalid")


def test_it_ends_with_the_membership_and_follows_the_role(alice: Player, bob: Player) -> None:
    client = signed_in(bob)
    token = token_of(bob, client)
    assert code_of(ask(client, token, "/customers", "POST", '{"name": "Ada"}')) == (403, "insufficient_scope")

    Membership.objects.filter(user=bob.user).update(role=Role.MANAGER)
    assert ask(client, token, "/customers", "POST", '{"name": "Ada"}').status_code == 201

    Membership.objects.filter(user=bob.user).delete()
    assert code_of(ask(client, token)) == (401, "api_key_invalid")


def test_it_ends_with_the_account(alice: Player, browser: Client) -> None:
    token = token_of(alice, browser)
    alice.user.is_active = False
    alice.user.save(update_fields=["is_active"])

    assert code_of(ask(browser, token)) == (401, "api_key_invalid")


def test_it_does_what_a_key_could_on_the_organizations_plan(alice: Player, browser: Client) -> None:
    Plan.objects.filter(pk=alice.organization.plan_id).update(keys_may_write=False)
    token = token_of(alice, browser)

    assert set(ask(browser, token).json()["key"]["scopes"]) == READ_SCOPES
    assert code_of(ask(browser, token, "/customers", "POST", '{"name": "Ada"}')) == (403, "plan_limit")


def test_another_organizations_id_is_an_absent_one(charlie: Player, group_room: Room) -> None:
    client = signed_in(charlie)

    assert code_of(ask(client, token_of(charlie, client), f"/rooms/{group_room.public_id}")) == (404, "not_found")


def test_a_key_needs_no_session_and_asks_for_none(alice: Player, group_room: Room) -> None:
    answer = alice.api.get("/me")

    assert answer.status_code == 200
    assert "Cookie" not in answer["Vary"]
