"""API keys: what they look like, what they may do, how they come and go."""

import datetime as dt
import secrets
from functools import partial

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from common.errors import DomainError, ErrorCode, ValidationFailed
from developers import keys, services
from developers.models import ApiKey, ApiKeySecret
from developers.presets import PRESETS
from organizations.actor import Actor
from organizations.models import AuditEntry, Organization, Plan
from organizations.permissions import ALL_SCOPES, READ_SCOPES, Scope
from rooms.models import Room
from rooms.services import sandbox_for
from tests.cast import Api, Player
from tests.stage import booking_body, slot_at


def test_a_key_has_its_form_and_a_checksum() -> None:
    key = keys.mint("live")

    assert keys.PATTERN.fullmatch(key.text)
    assert keys.is_well_formed(key.text)
    assert (key.prefix, key.last4) == (key.text[:13], key.text[-4:])
    for broken in (
        key.text[:-1],
        key.text + "x",
        key.text.replace("live", "test"),
        key.text[:20] + "?" + key.text[21:],
        "",
        "bkf_live_",
    ):
        assert not keys.is_well_formed(broken)


def test_a_mistyped_letter_is_told_from_an_unknown_key_without_a_query(alice: Player, django_assert_num_queries: object) -> None:
    letter = "a" if alice.secret[20] != "a" else "b"
    with django_assert_num_queries(0):  # type: ignore[operator]
        mistyped = Api(alice.secret[:20] + letter + alice.secret[21:]).get("/me")
    unknown = Api(keys.mint("live").text).get("/me")

    assert (mistyped.status_code, mistyped.json()["code"]) == (401, "api_key_malformed")
    assert (unknown.status_code, unknown.json()["code"]) == (401, "api_key_invalid")
    assert unknown["WWW-Authenticate"].startswith("Bearer")


def test_the_secret_is_kept_nowhere(alice: Player) -> None:
    from django.apps import apps
    from django.core import serializers

    rows = [row for model in apps.get_models() for row in model._default_manager.all()]
    assert alice.secret not in serializers.serialize("json", rows)


def test_me_tells_who_is_calling(alice: Player) -> None:
    body = alice.api.get("/me").json()

    assert body["organization"] == {"id": alice.organization.public_id, "name": "Alpha", "plan": "business"}
    assert body["key"]["id"] == alice.key.public_id
    assert body["key"]["preset"] == "read_write"
    assert body["key"]["prefix"] == alice.secret[:13]
    assert body["key"]["last4"] == alice.secret[-4:]
    assert body["mode"] == "live"


def test_presets_and_single_scopes(alice: Player) -> None:
    assert PRESETS[ApiKey.Preset.READ_ONLY] == READ_SCOPES - {Scope.LOGS_READ}
    assert PRESETS[ApiKey.Preset.READ_WRITE] == ALL_SCOPES
    key, _ = services.create_key(by=alice.actor, name="writer", scopes=[Scope.BOOKINGS_WRITE])
    assert key.effective_scopes == {Scope.BOOKINGS_WRITE, Scope.BOOKINGS_READ}


def test_write_never_implies_canceling_or_refunds(alice: Player, group_room: Room) -> None:
    writer = Api(services.create_key(by=alice.actor, name="w", scopes=[Scope.BOOKINGS_WRITE])[1])
    canceler = Api(services.create_key(by=alice.actor, name="c", scopes=[Scope.BOOKINGS_WRITE, Scope.BOOKINGS_CANCEL])[1])
    booking = writer.post("/bookings", booking_body(group_room, slot_at(10))).json()

    refused = writer.delete(f"/bookings/{booking['id']}")
    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")
    assert refused.json()["required_scopes"] == ["bookings:cancel"]
    assert refused.json()["granted_scopes"] == ["bookings:read", "bookings:write"]
    own_choice = canceler.delete(f"/bookings/{booking['id']}?refund=full")
    assert own_choice.json()["required_scopes"] == ["refunds:write"]
    assert canceler.delete(f"/bookings/{booking['id']}").status_code == 200


def test_both_secrets_work_until_the_old_one_is_revoked(alice: Player) -> None:
    new = services.rotate_key(by=alice.actor, key=alice.key)

    assert Api(alice.secret).get("/me").json()["key"]["id"] == Api(new).get("/me").json()["key"]["id"]
    assert services.revoke_key(by=alice.actor, key=alice.key, prefix=alice.secret[:13]) == 1
    old = Api(alice.secret).get("/me")
    assert (old.status_code, old.json()["code"]) == (401, "api_key_revoked")
    assert Api(new).get("/me").status_code == 200


def test_an_overlap_that_has_passed_retires_the_old_secret(alice: Player) -> None:
    new = services.rotate_key(by=alice.actor, key=alice.key, overlap=dt.timedelta(hours=1))
    assert Api(alice.secret).get("/me").status_code == 200

    ApiKeySecret.objects.filter(retires_at__isnull=False).update(retires_at=timezone.now() - dt.timedelta(seconds=1))

    assert Api(alice.secret).get("/me").status_code == 401
    assert Api(new).get("/me").status_code == 200


def test_at_most_two_secrets_are_live(alice: Player) -> None:
    services.rotate_key(by=alice.actor, key=alice.key)

    with pytest.raises(DomainError) as refused:
        services.rotate_key(by=alice.actor, key=alice.key)
    assert refused.value.code is ErrorCode.VALIDATION_FAILED
    services.revoke_key(by=alice.actor, key=alice.key, prefix=alice.secret[:13])
    services.rotate_key(by=alice.actor, key=alice.key, overlap=dt.timedelta(0))


def test_an_expired_key_is_refused(alice: Player) -> None:
    ApiKey.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))

    assert alice.api.get("/me").json()["code"] == "api_key_expired"


def test_every_act_on_a_key_is_audited(alice: Player) -> None:
    key, _ = services.create_key(by=alice.actor, name="x", preset=ApiKey.Preset.READ_ONLY)
    services.rotate_key(by=alice.actor, key=key)
    services.revoke_key(by=alice.actor, key=key)

    entries = AuditEntry.objects.filter(subject=key.public_id).order_by("pk")
    assert [entry.action for entry in entries] == ["api_key.created", "api_key.rotated", "api_key.revoked"]
    assert {entry.actor_id for entry in entries} == {alice.user.public_id}


def test_only_administrators_make_keys_and_never_a_key(alice: Player, bob: Player) -> None:
    key_actor = Actor("api_key", alice.key.public_id, alice.organization, ALL_SCOPES)
    for nobody in (bob.actor, key_actor):
        with pytest.raises(DomainError) as refused:
            services.create_key(by=nobody, name="x", preset=ApiKey.Preset.READ_ONLY)
        assert refused.value.code is ErrorCode.INSUFFICIENT_SCOPE


def test_another_tenants_key_is_out_of_reach(alice: Player, charlie: Player) -> None:
    assert services.revoke_key(by=charlie.actor, key=alice.key) == 0
    with pytest.raises(DomainError) as absent:
        services.find_key(by=charlie.actor, public_id=alice.key.public_id)
    assert absent.value.code is ErrorCode.NOT_FOUND
    assert alice.api.get("/me").status_code == 200


def test_starter_keys_are_read_only_whatever_their_scopes(alice: Player, group_room: Room) -> None:
    starter = Plan.objects.get(slug="starter")
    alice.organization.plan = starter
    alice.organization.save()
    with pytest.raises(DomainError) as refused:
        services.create_key(by=alice.actor, name="x", preset=ApiKey.Preset.READ_WRITE)
    assert refused.value.code is ErrorCode.PLAN_LIMIT

    answer = alice.api.post("/bookings", booking_body(group_room, slot_at(10)))
    assert (answer.status_code, answer.json()["code"]) == (403, "plan_limit")
    assert "bookings:write" not in alice.api.get("/me").json()["key"]["scopes"]
    assert alice.api.get("/bookings").status_code == 200


def test_a_plan_limits_the_number_of_live_keys(alice: Player) -> None:
    Plan.objects.filter(slug="business").update(max_api_keys=2)
    alice.organization.plan.refresh_from_db()
    key, _ = services.create_key(by=alice.actor, name="second", preset=ApiKey.Preset.READ_ONLY)

    with pytest.raises(DomainError) as refused:
        services.create_key(by=alice.actor, name="third", preset=ApiKey.Preset.READ_ONLY)
    assert refused.value.code is ErrorCode.PLAN_LIMIT
    services.revoke_key(by=alice.actor, key=key)
    services.create_key(by=alice.actor, name="third", preset=ApiKey.Preset.READ_ONLY)


def test_a_test_key_acts_on_the_sandbox_alone(alice: Player, group_room: Room) -> None:
    twin = sandbox_for(alice.organization)
    _, secret = services.create_key(by=alice.actor, name="t", preset=ApiKey.Preset.READ_WRITE, mode=ApiKey.Mode.TEST)
    api = Api(secret)

    assert secret.startswith("bkf_test_")
    me = api.get("/me").json()
    assert (me["mode"], me["organization"]["id"]) == ("test", twin.public_id)
    room = Room.objects.get(organization=twin)
    assert api.post("/bookings", booking_body(room, slot_at(10))).status_code == 201
    assert api.get(f"/rooms/{group_room.public_id}").status_code == 404
    assert alice.api.get("/bookings").json()["data"] == []


def test_a_test_key_needs_a_sandbox(alice: Player) -> None:
    make = partial(services.create_key, by=alice.actor, name="t", preset=ApiKey.Preset.READ_WRITE, mode=ApiKey.Mode.TEST)
    with pytest.raises(ValidationFailed) as refused:
        make()
    assert [error.pointer for error in refused.value.errors] == ["/mode"]
    assert ApiKey.objects.count() == 1

    twin = sandbox_for(alice.organization)
    _, secret = make()
    Organization.objects.filter(pk=twin.pk).update(sandbox_of=None)  # which no code of ours does
    answer = Api(secret).get("/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "api_key_invalid")


def test_last_use_is_written_by_the_worker(alice: Player) -> None:
    secret = ApiKeySecret.objects.get(key=alice.key)
    first, later = timezone.now(), timezone.now() + dt.timedelta(minutes=5)

    services.record_use(secret_id=secret.pk, at=first, ip="203.0.113.7", agent="curl/8")
    services.record_use(secret_id=secret.pk, at=later, ip=None, agent="")

    secret.refresh_from_db()
    assert (secret.first_used_at, secret.last_used_at, secret.last_used_ip) == (first, later, None)


def test_the_commands_create_rotate_and_revoke(alice: Player, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_api_key", "alpha", "Calendar sync", "--scope", "bookings:read", "--days", "30")
    key_id, secret = capsys.readouterr().out.split()
    assert Api(secret).get("/me").json()["key"]["name"] == "Calendar sync"
    call_command("rotate_api_key", "alpha", key_id, "--overlap", "24h")
    new = capsys.readouterr().out.strip()
    assert Api(secret).get("/me").status_code == Api(new).get("/me").status_code == 200
    call_command("revoke_api_key", "alpha", key_id)
    assert Api(new).get("/me").status_code == 401
    call_command("create_api_key", "alpha", "Sandbox", "--preset", "read_write", "--test")
    assert capsys.readouterr().out.split()[-1].startswith("bkf_test_")

    for arguments in (["nobody", "x"], ["alpha", "x"]):
        with pytest.raises(CommandError):
            call_command("create_api_key", *arguments)


def test_unknown_schemes_and_empty_headers_are_refused(alice: Player) -> None:
    for header, code in (
        (f"Basic {secrets.token_hex(8)}", "api_key_malformed"),
        ("Bearer", "api_key_malformed"),
        ("", "authentication_required"),
    ):
        answer = Api().get("/me", authorization=header)
        assert (answer.status_code, answer.json()["code"]) == (401, code)
