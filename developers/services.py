"""The verbs on API keys. Only people who administer the organization may use them, never a key."""

import datetime as dt
from collections.abc import Collection, Iterable

from django.conf import settings
from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from common.errors import FieldError, NotFound, ValidationFailed
from common.signing import Undecipherable, decrypt, encrypt
from developers import keys, reminders, request_log
from developers.errors import ApiKeyExpired, ApiKeyInvalid, ApiKeyMalformed, ApiKeyRevoked
from developers.models import ApiKey, ApiKeySecret, IdempotencyRecord
from developers.presets import PRESETS
from developers.rules import UNBOUND, KeyRules
from organizations.actor import Actor
from organizations.errors import PlanLimit
from organizations.models import Organization, User
from organizations.permissions import READ_SCOPES, Scope
from organizations.services import record, require_administrator

MAX_LIVE_SECRETS = 2  # the one in use and the one that replaces it
UNTIL_REVOKED = None  # the default overlap of a rotation: the old secret works until somebody revokes it


@transaction.atomic
def create_key(
    *,
    by: Actor,
    name: str,
    preset: ApiKey.Preset = ApiKey.Preset.CUSTOM,
    scopes: Iterable[Scope] = (),
    mode: ApiKey.Mode = ApiKey.Mode.LIVE,
    expires_at: dt.datetime | None = None,
    rules: KeyRules = UNBOUND,
) -> tuple[ApiKey, str]:
    """A new key and its secret, which is shown now and never again. A test key needs the sandbox twin to exist.

    Raises NotAdministrator, PlanLimit (too many keys, or a writing key on a plan without), ValidationFailed.
    """
    require_administrator(by)
    granted, bounds = _granted(preset, scopes, expires_at), rules.checked()
    organization = Organization.objects.select_for_update(of=("self",)).select_related("plan").get(pk=by.organization.pk)
    _check_plan(organization, granted)
    if mode == ApiKey.Mode.TEST and not Organization.objects.filter(sandbox_of=organization).exists():
        raise ValidationFailed(FieldError("Make the sandbox first.", pointer="/mode"))
    key = ApiKey.objects.create(
        organization=organization,
        name=name,
        mode=mode,
        preset=preset,
        scopes=sorted(granted),
        expires_at=expires_at,
        reminded_days=reminders.missed(expires_at),
        created_by=User.objects.filter(public_id=by.id).first(),
        **bounds,
    )
    secret = _add_secret(key)
    told = {field: value for field, value in bounds.items() if value not in ([], "", None)}
    record(by, "api_key.created", key.public_id, name=name, mode=mode, scopes=key.scopes, **told)
    return key, secret


@transaction.atomic
def update_key(*, by: Actor, key: ApiKey, name: str, rules: KeyRules) -> ApiKey:
    """Another name and other rules, from the next request on; secrets and scopes stay. Changing nothing leaves no trace.

    Raises NotAdministrator, ValidationFailed.
    """
    require_administrator(by)
    key = ApiKey.objects.visible_to(by).select_for_update(of=("self",)).get(pk=key.pk)
    wanted = {"name": name, **rules.checked()}
    changes = {field: [getattr(key, field), value] for field, value in wanted.items() if getattr(key, field) != value}
    if changes:
        for field, value in wanted.items():
            setattr(key, field, value)
        key.save(update_fields=[*changes])
        record(by, "api_key.changed", key.public_id, name=name, changes=changes)
    return key


@transaction.atomic
def rotate_key(*, by: Actor, key: ApiKey, overlap: dt.timedelta | None = UNTIL_REVOKED) -> str:
    """A second secret for the same key. The old one works for `overlap` more, by default until it is revoked.

    Raises NotAdministrator; ValidationFailed when two secrets are live already.
    """
    require_administrator(by)
    key = ApiKey.objects.visible_to(by).select_for_update().get(pk=key.pk)
    live = key.secrets.live()
    if overlap is not UNTIL_REVOKED:
        live.update(retires_at=timezone.now() + overlap)
    if key.secrets.live().count() >= MAX_LIVE_SECRETS:
        raise ValidationFailed(FieldError("Two secrets are live already: revoke the old one first.", pointer="/key"))
    secret = _add_secret(key)
    hours = None if overlap is UNTIL_REVOKED else overlap.total_seconds() / 3600
    record(by, "api_key.rotated", key.public_id, overlap_hours=hours)
    return secret


@transaction.atomic
def revoke_key(*, by: Actor, key: ApiKey, prefix: str = "") -> int:
    """Revoke every secret of the key, or the one that begins with `prefix`; the next request with it meets 401.

    Answers how many were revoked. Raises NotAdministrator.
    """
    require_administrator(by)
    secrets = ApiKeySecret.objects.visible_to(by).filter(key=key, revoked_at=None, prefix__startswith=prefix)
    revoked = secrets.update(revoked_at=timezone.now())
    record(by, "api_key.revoked", key.public_id, secrets=revoked, prefix=prefix)
    return revoked


def find_key(*, by: Actor, public_id: str) -> ApiKey:
    """Raises NotFound."""
    key = ApiKey.objects.visible_to(by).filter(public_id=public_id).first()
    if key is None:
        raise NotFound("API key")
    return key


def lock_key(*, by: Actor) -> None:
    """Until the transaction ends no other request of that key gets past this point."""
    ApiKey.objects.select_for_update(no_key=True).filter(public_id=by.id).first()


def authenticate(text: str) -> ApiKeySecret:
    """The live secret of that text: pattern, checksum, then one indexed look-up. Never cached, so that a revocation
    holds from the next request on.

    Raises ApiKeyMalformed, ApiKeyInvalid, ApiKeyRevoked, ApiKeyExpired.
    """
    if not keys.is_well_formed(text):
        raise ApiKeyMalformed("Check that the key was copied whole: bkf_live_ or bkf_test_ and 38 letters or digits.")
    secret = ApiKeySecret.objects.with_key().filter(digest=keys.digest(text)).first()
    if secret is None:
        raise ApiKeyInvalid
    if not secret.is_live:
        raise ApiKeyRevoked
    if secret.key.expires_at is not None and secret.key.expires_at <= timezone.now():
        raise ApiKeyExpired
    if not secret.key.has_somewhere_to_act:
        raise ApiKeyInvalid("The sandbox that this test key acts on does not exist.")
    return secret


def record_use(*, secret_id: int, at: dt.datetime, ip: str | None, agent: str) -> None:
    """Note when, from where and with what a secret was last used. Runs in a worker, off the request's path."""
    ApiKeySecret.objects.filter(pk=secret_id).update(
        first_used_at=Coalesce(F("first_used_at"), Value(at)), last_used_at=at, last_used_ip=ip, last_used_agent=agent
    )


def forget_idempotency() -> int:
    """Drop the kept answers that are older than the promised 72 hours."""
    kept_since = timezone.now() - dt.timedelta(hours=settings.IDEMPOTENCY_KEPT_HOURS)
    return IdempotencyRecord.objects.older_than(kept_since).delete()[0]


def redact_answers(*, organization: Organization, mentions: Collection[str]) -> None:
    """Empty the kept answers that mention one of the public ids, and the bodies in the request log; their requests stay
    answered, and their entries stay.
    """
    for record_ in IdempotencyRecord.objects.filter(organization=organization, body__isnull=False):
        if _mentions(record_, mentions):
            record_.body = encrypt('{"erased":true}').encode()
            record_.save(update_fields=["body"])
    request_log.redact(organization=organization, mentions=mentions)


def _mentions(record_: IdempotencyRecord, public_ids: Collection[str]) -> bool:
    """What nobody can read any more counts as mentioning everybody."""
    try:
        text = decrypt(bytes(record_.body or b"").decode())
    except Undecipherable:
        return True
    return any(public_id in text for public_id in public_ids)


def _granted(preset: ApiKey.Preset, scopes: Iterable[Scope], expires_at: dt.datetime | None) -> frozenset[Scope]:
    granted = PRESETS.get(preset) or frozenset(scopes)
    if not granted:
        raise ValidationFailed(FieldError("Name a preset or at least one scope.", pointer="/scopes"))
    if expires_at is not None and expires_at <= timezone.now():
        raise ValidationFailed(FieldError("The expiry lies in the past.", pointer="/expires_at"))
    return granted


def _check_plan(organization: Organization, granted: frozenset[Scope]) -> None:
    plan = organization.plan
    if not plan.keys_may_write and not granted <= READ_SCOPES:
        raise PlanLimit(f"API keys on the {plan.name} plan are read-only.")
    if ApiKey.objects.filter(organization=organization).live().count() >= plan.max_api_keys:
        raise PlanLimit(
            f"The {plan.name} plan includes {plan.max_api_keys} API keys: revoke one that is no longer used, or change the plan."
        )


def _add_secret(key: ApiKey) -> str:
    minted = keys.mint(key.mode)
    ApiKeySecret.objects.create(key=key, digest=minted.digest, prefix=minted.prefix, last4=minted.last4)
    return minted.text
