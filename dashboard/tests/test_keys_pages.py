"""Settings → Developers: the overview and API keys."""

import datetime as dt
import json
import logging
import re
from typing import Any

import pytest
from django.utils import timezone

from common.ids import new_id
from common.signing import decrypt
from dashboard import once
from dashboard.tests.pages import queries, sign_in
from developers import keys
from developers.models import ApiKey, ApiKeySecret
from developers.services import create_key, record_use, rotate_key
from organizations.models import AuditEntry, Plan
from organizations.permissions import Scope
from rooms.models import Room
from rooms.services import sandbox_for
from tests import standing
from tests.cast import Api, Player
from tests.stage import book, slot_at
from webhooks.engine.relay import relay
from webhooks.models import Delivery
from webhooks.services import create_endpoint

house, alice, group_room, paris = standing.house, standing.owner, standing.group_room, standing.paris

DEVELOPERS = "/dashboard/settings/developers"
KEYS = f"{DEVELOPERS}/keys"
SECRET = re.compile(r"bkf_(?:live|test)_[0-9A-Za-z]{38}")


def shown(answer: Any) -> set[str]:
    """The secrets that stand in a page."""
    return set(SECRET.findall(answer.content.decode()))


def make(client: Any, **typed: Any) -> str:
    """The path of the page of a key just made."""
    answer = client.post(f"{KEYS}/new", {"name": "Website", "preset": "read_only", **typed})
    assert answer.status_code == 302
    return str(answer.url)


def use(secret: str, *, ago: dt.timedelta = dt.timedelta(minutes=3)) -> None:
    row = ApiKeySecret.objects.get(digest=keys.digest(secret))
    record_use(secret_id=row.pk, at=timezone.now() - ago, ip="203.0.113.7", agent="curl/8")


def test_a_new_key_shows_its_secret_once_and_works(alice: Player) -> None:
    client: Any = sign_in(alice)
    page = make(client)

    first = client.get(page)
    (secret,) = shown(first)

    assert Api(secret).get("/me").json()["key"]["name"] == "Website"
    assert "no-store" in first["Cache-Control"]
    assert 'hx-history="false"' in first.content.decode()
    assert "$BOOKINGFLOW_KEY" in first.content.decode()
    again = client.get(page)  # a reload; the back button asks for the same
    assert shown(again) == set()
    assert secret[:13] in again.content.decode()
    assert shown(client.get(KEYS)) == set()


def test_a_secret_on_its_way_is_nowhere_in_plain_text(alice: Player, caplog: pytest.LogCaptureFixture) -> None:
    client: Any = sign_in(alice)
    with caplog.at_level(logging.DEBUG):
        page = make(client)
        kept = client.session[once.SLOT]
        secret = decrypt(kept["secret"])
        assert secret not in json.dumps(dict(client.session.items()))
        assert shown(client.get(page)) == {secret}
    assert secret not in caplog.text
    assert once.SLOT not in client.session


def test_a_secret_is_shown_on_its_own_page_only_and_not_for_long(alice: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    client: Any = sign_in(alice)
    page = make(client)

    assert shown(client.get(f"{KEYS}/{alice.key.public_id}")) == set()
    client.head(page)  # looks, and is shown nothing
    monkeypatch.setattr("dashboard.once.time.time", lambda: timezone.now().timestamp() + once.KEPT_SECONDS + 1)
    assert shown(client.get(page)) == set()
    monkeypatch.undo()
    assert shown(client.get(page)) == set()


def test_a_custom_key_has_the_chosen_scopes_and_an_expiry(alice: Player) -> None:
    day = timezone.now().date() + dt.timedelta(days=30)
    make(sign_in(alice), name="Till", preset="custom", scopes=["bookings:write", "bookings:cancel"], expires_at=day.isoformat())

    key = ApiKey.objects.get(name="Till")
    assert (key.preset, key.scopes) == ("custom", ["bookings:cancel", "bookings:write"])
    assert key.expires_at == dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), tzinfo=dt.UTC)
    assert key.created_by == alice.user


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"name": ""}, "This field is required."),
        ({"preset": "everything"}, "Select a valid choice."),
        ({"preset": "custom"}, "Choose at least one."),
        ({"preset": "custom", "scopes": ["bookings:destroy"]}, "Select a valid choice."),
        ({"expires_at": "2020-01-01"}, "The expiry lies in the past."),
        ({"expires_at": "soon"}, "Enter a valid date."),
    ],
)
def test_what_is_wrong_is_named_and_what_was_typed_stays(alice: Player, typed: dict[str, Any], words: str) -> None:
    before = ApiKey.objects.count()
    answer = sign_in(alice).post(f"{KEYS}/new", {"name": "My <b>till</b>", "preset": "read_write", **typed})

    text = answer.content.decode()
    assert (answer.status_code, ApiKey.objects.count()) == (422, before)
    assert words in text
    if "name" not in typed:
        assert "My &lt;b&gt;till&lt;/b&gt;" in text
    assert "<b>till" not in text


def test_the_plans_limit_is_told(alice: Player) -> None:
    Plan.objects.filter(pk=alice.organization.plan_id).update(max_api_keys=1)

    answer = sign_in(alice).post(f"{KEYS}/new", {"name": "One more", "preset": "read_only"})

    assert answer.status_code == 422
    assert "plan includes 1 API keys" in answer.content.decode()


def test_a_key_made_in_test_mode_acts_on_the_twin(alice: Player, group_room: Room) -> None:
    sandbox_for(alice.organization)
    client: Any = sign_in(alice, mode="test")

    (secret,) = shown(client.get(make(client)))

    me = Api(secret).get("/me").json()
    assert secret.startswith("bkf_test_")
    assert me["mode"] == "test"
    assert me["organization"]["id"] != alice.organization.public_id
    assert ApiKey.objects.get(name="Website").organization == alice.organization
    assert "Website" in sign_in(alice).get(KEYS).content.decode()  # listed in both modes


def test_rotating_leaves_both_working_until_the_old_is_revoked(alice: Player) -> None:
    client: Any = sign_in(alice)
    page = f"{KEYS}/{alice.key.public_id}"
    use(alice.secret)

    answer = client.post(f"{page}/rotate", {"overlap": "until_revoked"})
    first = client.get(answer.url)
    (new,) = shown(first)

    assert new != alice.secret
    assert "was last used 3 min ago from 203.0.113.7" in " ".join(first.content.decode().split())
    assert "Something still uses it" in first.content.decode()
    assert shown(client.get(page)) == set()
    assert [Api(secret).get("/me").status_code for secret in (alice.secret, new)] == [200, 200]

    asked = client.get(f"{page}/revoke-secret?secret={alice.secret[:13]}")
    assert f"{alice.secret[:13]}…{alice.secret[-4:]}" in asked.content.decode()
    assert [Api(secret).get("/me").status_code for secret in (alice.secret, new)] == [200, 200]
    assert client.post(f"{page}/revoke-secret", {"secret": alice.secret[:13]}).status_code == 302
    assert [Api(secret).get("/me").status_code for secret in (alice.secret, new)] == [401, 200]


def test_an_old_secret_that_has_gone_quiet_is_said_to_be(alice: Player) -> None:
    use(alice.secret, ago=dt.timedelta(days=3))
    rotate_key(by=alice.actor, key=alice.key)

    assert "It has gone quiet" in sign_in(alice).get(f"{KEYS}/{alice.key.public_id}").content.decode()


@pytest.mark.parametrize(
    ("overlap", "hours"), [("now", 0), ("1h", 1), ("24h", 24), ("7d", 7 * 24), ("30d", 30 * 24), ("until_revoked", None)]
)
def test_each_overlap(alice: Player, overlap: str, hours: int | None) -> None:
    sign_in(alice).post(f"{KEYS}/{alice.key.public_id}/rotate", {"overlap": overlap})

    old = ApiKeySecret.objects.get(digest=keys.digest(alice.secret))
    assert Api(alice.secret).get("/me").status_code == (401 if hours == 0 else 200)
    if hours is None:
        assert old.retires_at is None
    else:
        assert old.retires_at is not None
        assert abs(old.retires_at - timezone.now() - dt.timedelta(hours=hours)) < dt.timedelta(minutes=1)


def test_with_two_live_secrets_only_a_rotation_that_ends_both_is_offered(alice: Player) -> None:
    second = rotate_key(by=alice.actor, key=alice.key)
    client: Any = sign_in(alice)
    page = f"{KEYS}/{alice.key.public_id}/rotate"

    assert 'value="24h"' not in client.get(page).content.decode()
    assert client.post(page, {"overlap": "24h"}).status_code == 422
    assert client.post(page, {"overlap": "now"}).status_code == 302
    assert [Api(secret).get("/me").status_code for secret in (alice.secret, second)] == [401, 401]


def test_a_revoked_key_fails_at_once_and_its_name_must_be_typed(alice: Player) -> None:
    client: Any = sign_in(alice)
    page = f"{KEYS}/{alice.key.public_id}/revoke"

    refused = client.post(page, {"confirmation": "another"})
    assert (refused.status_code, Api(alice.secret).get("/me").status_code) == (422, 200)
    assert "That is not its name." in refused.content.decode()
    assert client.post(page, {"confirmation": alice.key.name}).status_code == 302

    answer = Api(alice.secret).get("/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "api_key_revoked")
    assert "Revoked" in client.get(KEYS).content.decode()
    assert "Rotate</a>" not in client.get(f"{KEYS}/{alice.key.public_id}").content.decode()


def test_a_secret_that_is_not_the_keys_or_not_live_cannot_be_revoked(alice: Player, charlie: Player) -> None:
    client: Any = sign_in(alice)
    page = f"{KEYS}/{alice.key.public_id}/revoke-secret"

    assert client.post(page, {"secret": charlie.secret[:13]}).status_code == 404
    assert client.post(page, {"secret": "bkf_"}).status_code == 404
    assert Api(charlie.secret).get("/me").status_code == 200
    assert Api(alice.secret).get("/me").status_code == 200
    assert client.post(page, {"secret": alice.secret[:13]}).status_code == 302
    assert client.get(page).status_code == 404  # none is live


@pytest.mark.parametrize("path", ["new", "{key}/edit", "{key}/rotate", "{key}/revoke", "{key}/revoke-secret"])
def test_readers_change_nothing(alice: Player, bob: Player, path: str) -> None:
    before = list(ApiKeySecret.objects.order_by("pk").values())
    typed = {"name": "x", "preset": "read_only", "overlap": "now", "confirmation": alice.key.name, "secret": ""}

    assert sign_in(bob).post(f"{KEYS}/{path.format(key=alice.key.public_id)}", typed).status_code == 403
    assert list(ApiKeySecret.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("path", ["edit", "rotate", "revoke", "revoke-secret"])
def test_another_organizations_key_is_left_alone(alice: Player, charlie: Player, path: str) -> None:
    typed = {"overlap": "now", "confirmation": alice.key.name, "secret": ""}

    assert sign_in(charlie).post(f"{KEYS}/{alice.key.public_id}/{path}", typed).status_code == 404
    assert Api(alice.secret).get("/me").status_code == 200


def test_names_are_escaped_and_states_told(alice: Player) -> None:
    create_key(by=alice.actor, name="<script>alert(1)</script>", scopes=[Scope.BOOKINGS_READ])
    soon, _ = create_key(
        by=alice.actor, name="Soon", preset=ApiKey.Preset.READ_ONLY, expires_at=timezone.now() + dt.timedelta(days=3)
    )
    over, _ = create_key(
        by=alice.actor, name="Over", preset=ApiKey.Preset.READ_ONLY, expires_at=timezone.now() + dt.timedelta(days=3)
    )
    ApiKey.objects.filter(pk=over.pk).update(expires_at=timezone.now() - dt.timedelta(days=1))
    client: Any = sign_in(alice)

    text = client.get(KEYS).content.decode()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "Expires soon" in text
    assert "Expired" in text
    assert "It expires in" in client.get(f"{KEYS}/{soon.public_id}").content.decode()
    assert "It expired on" in client.get(f"{KEYS}/{over.public_id}").content.decode()


def test_queries_do_not_grow_with_keys(alice: Player) -> None:
    client: Any = sign_in(alice)
    for number in range(5):
        create_key(by=alice.actor, name=f"Key {number}", preset=ApiKey.Preset.READ_ONLY)

    for path in (KEYS, f"{KEYS}/{alice.key.public_id}", f"{KEYS}/{alice.key.public_id}/edit", f"{KEYS}/new", DEVELOPERS):
        with queries():
            assert client.get(path).status_code == 200


def test_the_steps_tick_themselves(alice: Player, group_room: Room) -> None:
    client: Any = sign_in(alice)

    def done() -> int:
        return client.get(DEVELOPERS).content.decode().count("steps__done")

    assert done() == 1  # the cast has keys
    use(alice.secret)
    assert done() == 2
    endpoint, _ = create_endpoint(by=alice.actor, url="https://example.com/hook")
    book(alice.actor, group_room, slot_at(10))
    relay()
    assert done() == 2
    Delivery.objects.filter(endpoint=endpoint).update(state="succeeded", attempts=1)
    text = client.get(DEVELOPERS).content.decode()
    assert "From nothing to a first webhook" not in text
    assert "Deliveries arrived" in text
    sandbox_for(alice.organization)
    assert "in test mode" in sign_in(alice, mode="test").get(DEVELOPERS).content.decode()  # which has its own steps


def test_readers_see_the_overview_without_keys(bob: Player) -> None:
    text = sign_in(bob).get(DEVELOPERS).content.decode()

    assert f'href="{KEYS}"' not in text
    assert f"{KEYS}/new" not in text


def test_an_unknown_key_is_a_page(alice: Player) -> None:
    assert sign_in(alice).get(f"{KEYS}/{new_id('key')}").status_code == 404


@pytest.mark.parametrize("path", ["new", "{key}/edit", "{key}/rotate", "{key}/revoke", "{key}/revoke-secret"])
def test_an_old_sign_in_is_asked_for_the_password_first(alice: Player, path: str) -> None:
    client: Any = sign_in(alice, recently=False)

    answer = client.get(f"{KEYS}/{path.format(key=alice.key.public_id)}")

    assert (answer.status_code, answer.url.partition("?")[0]) == (302, "/accounts/reauthenticate/")
    assert client.get(KEYS).status_code == 200


BOUND = {
    "networks": "203.0.113.7, 2001:db8::/32",
    "max_amount_per_booking": "150",
    "max_amount_per_day": "600,50",
    "max_open_holds": "2",
}


def words(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_a_key_is_made_with_rules_which_its_page_tells_in_words(alice: Player, group_room: Room) -> None:
    client: Any = sign_in(alice)

    page = make(client, preset="ai_agent", rooms=[group_room.public_id], **BOUND)

    key = ApiKey.objects.latest("pk")
    assert (key.networks, key.rooms) == (["203.0.113.7/32", "2001:db8::/32"], [group_room.public_id])
    assert (key.currency, key.max_amount_per_booking, key.max_amount_per_day, key.max_open_holds) == ("EUR", 15_000, 60_050, 2)
    told = words(client.get(page))
    assert "Calls come from 203.0.113.7/32 and 2001:db8::/32 only." in told
    assert f"It books in {group_room.name} only." in told
    assert "A booking costs €150 at most." in told
    assert "cost €600.50 at most together." in told
    assert "At most 2 of its holds are open at a time." in told
    assert "1000000 times a minute" in told


def test_a_key_without_rules_says_so(alice: Player) -> None:
    told = words(sign_in(alice).get(f"{KEYS}/{alice.key.public_id}"))

    assert "Calls may come from anywhere." in told
    assert "It may book in every room." in told


def test_for_an_agent_caps_are_suggested(alice: Player, group_room: Room) -> None:
    client: Any = sign_in(alice)

    plain, suggested = words(client.get(f"{KEYS}/new")), words(client.get(f"{KEYS}/new?preset=ai_agent"))

    assert 'value="500.00"' not in plain
    assert all(text in suggested for text in ('value="500.00"', 'value="2000.00"', '<details class="disclosure" open>'))
    assert client.get(f"{KEYS}/new?preset=nonsense").status_code == 200


def test_rules_are_changed_and_taken_away_again(alice: Player, group_room: Room) -> None:
    client: Any = sign_in(alice)
    page = f"{KEYS}/{alice.key.public_id}"
    typed = {"name": "Till", "rooms": [group_room.public_id], **BOUND}

    assert client.post(f"{page}/edit", typed).url == page
    assert Api(alice.secret).get("/me").json()["code"] == "address_not_allowed"
    again = words(client.get(f"{page}/edit"))
    assert all(text in again for text in ("203.0.113.7/32", 'value="600.50"', 'value="Till"', "checked"))

    assert client.post(f"{page}/edit", {"name": "Till"}).url == page
    me = Api(alice.secret).get("/me").json()["key"]
    assert (me["name"], me["networks"], me["rooms"], me["caps"]["max_amount_per_day"]) == ("Till", [], [], None)
    assert AuditEntry.objects.filter(action="api_key.changed", subject=alice.key.public_id).count() == 2


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"networks": "203.0.113.7/24"}, "Write 203.0.113.0/24 for all of them"),
        ({"networks": "here"}, "is no network"),
        ({"max_amount_per_day": "1.005"}, "EUR has 2 digits after the point."),
        ({"max_amount_per_day": "much"}, "Write an amount"),
        ({"max_open_holds": "-1"}, "greater than or equal to 0"),
        ({"rooms": ["rm_unknown"]}, "not one of the available choices"),
        ({"name": ""}, "This field is required."),
    ],
)
@pytest.mark.parametrize("path", ["new", "{key}/edit"])
def test_what_is_wrong_is_told_at_its_field(alice: Player, group_room: Room, path: str, typed: dict[str, Any], told: str) -> None:
    answer: Any = sign_in(alice).post(
        f"{KEYS}/{path.format(key=alice.key.public_id)}", {"name": "Till", "preset": "read_only", **typed}
    )

    assert answer.status_code == 422
    assert told in words(answer).replace("&#x27;", "'")


def test_a_test_key_is_bound_to_the_rooms_of_the_sandbox(alice: Player, group_room: Room) -> None:
    sandbox_for(alice.organization)
    client: Any = sign_in(alice, mode="test")
    page = make(client, preset="ai_agent")
    (room,) = Room.objects.exclude(pk=group_room.pk)

    assert client.post(f"{page}/edit", {"name": "Agent", "rooms": [group_room.public_id]}).status_code == 422
    assert client.post(f"{page}/edit", {"name": "Agent", "rooms": [room.public_id]}).status_code == 302
    assert f"It books in {room.name} only." in words(sign_in(alice).get(page))  # seen from live mode too


def test_a_room_that_is_gone_stays_on_the_list_until_it_is_taken_off(alice: Player) -> None:
    ApiKey.objects.filter(pk=alice.key.pk).update(rooms=["rm_gone"])
    page = f"{KEYS}/{alice.key.public_id}"

    assert "rm_gone (not there any more)" in words(sign_in(alice).get(page))
    assert sign_in(alice).post(f"{page}/edit", {"name": "Till", "rooms": ["rm_gone"]}).status_code == 302
