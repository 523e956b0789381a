"""From where a key may be used, and who sets its rules."""

from typing import Any

import pytest

from common.client import client_address
from common.errors import ValidationFailed
from developers.models import ApiKey
from developers.rules import KeyRules
from developers.services import create_key, update_key
from organizations.errors import NotAdministrator
from organizations.models import AuditEntry
from tests.cast import BASE, Player

OFFICE = ("203.0.113.0/24", "2001:db8::/32")


def ask(player: Player, **environ: Any) -> Any:
    return player.api.client.get(f"{BASE}/me", headers=player.api.headers, **environ)


def bind(player: Player, **rules: Any) -> None:
    update_key(by=player.actor, key=player.key, name=player.key.name, rules=KeyRules(**rules))


@pytest.mark.parametrize("origin", ["https://shop.example", "null", "http://testserver"])
def test_a_secret_key_in_a_browser_is_refused(alice: Player, origin: str) -> None:
    answer = alice.api.get("/me", origin=origin)

    assert (answer.status_code, answer.json()["code"]) == (403, "secret_key_in_browser")
    assert "rotate it now" in answer.json()["detail"]
    assert not [name for name in answer.headers if name.startswith("Access-Control")]
    assert alice.api.get("/me").status_code == 200


def test_what_is_no_key_is_told_so_in_a_browser_too(alice: Player) -> None:
    alice.secret = alice.secret[:-1] + ("0" if alice.secret[-1] != "0" else "1")

    assert alice.api.get("/me", origin="https://shop.example").json()["code"] == "api_key_malformed"


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("203.0.113.9", 200),
        ("::ffff:203.0.113.9", 200),
        ("2001:db8:1::5", 200),
        ("203.0.114.9", 403),
        ("2001:db9::1", 403),
        ("127.0.0.1", 403),
        ("", 403),
    ],
)
def test_calls_must_come_from_the_keys_networks(alice: Player, address: str, status: int) -> None:
    bind(alice, networks=OFFICE)

    answer = ask(alice, REMOTE_ADDR=address)

    assert answer.status_code == status
    if status == 403:
        assert answer.json()["code"] == "address_not_allowed"


def test_without_networks_a_key_works_from_anywhere(alice: Player) -> None:
    assert ask(alice, REMOTE_ADDR="198.51.100.1").status_code == 200
    assert ask(alice, REMOTE_ADDR="").status_code == 200


@pytest.mark.parametrize(
    ("written", "kept"), [("::ffff:203.0.113.9", "203.0.113.9/32"), ("::ffff:203.0.113.0/120", "203.0.113.0/24")]
)
def test_an_ipv4_network_written_as_ipv6_is_met_by_its_addresses(alice: Player, written: str, kept: str) -> None:
    bind(alice, networks=(written, kept))

    assert ApiKey.objects.get(pk=alice.key.pk).networks == [kept]
    assert ask(alice, REMOTE_ADDR="203.0.113.9").status_code == 200


@pytest.mark.parametrize(("behind_proxy", "status"), [(False, 403), (True, 200)])
def test_a_forwarded_address_counts_only_behind_a_proxy(alice: Player, settings: Any, behind_proxy: bool, status: int) -> None:
    settings.BEHIND_PROXY = behind_proxy
    bind(alice, networks=OFFICE)

    assert ask(alice, REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="198.51.100.1, 203.0.113.9").status_code == status


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("203.0.113.9, 198.51.100.1", "198.51.100.1"),  # only the last is the proxy's own word
        ("203.0.113.9,nonsense", "None"),
        ("203.0.113.9,", "None"),
        ("", "10.0.0.1"),
    ],
)
def test_behind_a_proxy_the_last_entry_counts(settings: Any, forwarded: str, address: str) -> None:
    settings.BEHIND_PROXY = True

    assert str(client_address({"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": forwarded})) == address


@pytest.mark.parametrize(
    ("rules", "field", "advice"),
    [
        ({"networks": ("203.0.113.7/24",)}, "/networks", "Write 203.0.113.0/24 for all of them"),
        ({"networks": ("office",)}, "/networks", "“office” is no network"),
        ({"networks": ("10.0.0.0/33",)}, "/networks", "is no network"),
        ({"networks": tuple(f"10.0.0.{n}" for n in range(51))}, "/networks", "At most 50"),
        ({"max_amount_per_day": 10}, "/currency", "currency"),
        ({"max_amount_per_day": -1, "currency": "EUR"}, "/max_amount_per_day", "0 to"),
        ({"max_open_holds": 10_001}, "/max_open_holds", "0 to"),
    ],
)
def test_rules_that_mean_nothing_are_refused_by_name(alice: Player, rules: dict[str, Any], field: str, advice: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        bind(alice, **rules)

    (error,) = refused.value.errors
    assert error.pointer == field
    assert advice in error.detail


def test_a_change_of_rules_is_noted_with_what_was_before(alice: Player) -> None:
    bind(alice, networks=("203.0.113.7", "203.0.113.7/32"), max_open_holds=2)
    bind(alice, networks=("203.0.113.7/32",), max_open_holds=2)

    (entry,) = AuditEntry.objects.filter(action="api_key.changed")
    assert entry.subject == alice.key.public_id
    assert entry.details["changes"] == {"networks": [[], ["203.0.113.7/32"]], "max_open_holds": [None, 2]}


def test_only_administrators_change_rules(alice: Player, bob: Player) -> None:
    with pytest.raises(NotAdministrator):
        update_key(by=bob.actor, key=alice.key, name="Mine", rules=KeyRules())


def test_another_organizations_key_cannot_be_changed(alice: Player, charlie: Player) -> None:
    with pytest.raises(ApiKey.DoesNotExist):
        update_key(by=charlie.actor, key=alice.key, name="Mine", rules=KeyRules())


def test_me_shows_the_rules_of_the_key(alice: Player) -> None:
    assert alice.api.get("/me").json()["key"]["caps"] == {
        "currency": None,
        "max_amount_per_booking": None,
        "max_amount_per_day": None,
        "max_open_holds": None,
    }
    bind(
        alice,
        networks=("127.0.0.0/8",),
        rooms=("rm_x",),
        currency="EUR",
        max_amount_per_booking=20_000,
        max_amount_per_day=50_000,
        max_open_holds=3,
    )

    key = alice.api.get("/me").json()["key"]

    assert (key["networks"], key["rooms"]) == (["127.0.0.0/8"], ["rm_x"])
    assert key["caps"] == {
        "currency": "EUR",
        "max_amount_per_booking": 20_000,
        "max_amount_per_day": 50_000,
        "max_open_holds": 3,
    }


def test_a_key_may_be_made_with_rules(alice: Player) -> None:
    key, _ = create_key(
        by=alice.actor, name="Agent", preset=ApiKey.Preset.AI_AGENT, rules=KeyRules(rooms=("rm_x", "rm_x"), max_open_holds=0)
    )

    assert (key.rooms, key.max_open_holds, key.currency) == (["rm_x"], 0, "")
    assert AuditEntry.objects.filter(action="api_key.created").latest("pk").details["max_open_holds"] == 0
