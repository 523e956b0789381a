"""Each write takes effect once for each `Idempotency-Key`, however often and however parallel it is sent.

1. A short transaction claims the key: (organization, key) is unique, so of many at once one wins.
2. The business write and its answer commit together, under a lock on the claim that checks the lease is still ours:
   after a crash in between nothing has happened, and once the lease has run out, seconds later, a repeated request runs it
   anew: whoever is still at work is known by the lock. What must ask someone outside does that after this commit, under a
   longer lease, and the record then names the `resource`: a repeated request goes on from there and never begins again.
3. A repeated request gets the stored answer; another body 422; one that comes while the first still runs 409, at once:
   the claim is read without its lock.

Answers that may differ next time (400, 401, 403, 412, 429, 5xx, `payment_required`) are not kept: their claim is dropped.
What is kept is encrypted, since it may hold a secret that is shown once, or a person's data.
"""

import datetime as dt
import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import orjson
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from common.errors import DomainError, ErrorCode, FieldError, ValidationFailed
from common.signing import decrypt, encrypt
from developers.errors import IdempotencyInProgress, IdempotencyKeyReused
from developers.models import IdempotencyRecord
from developers.renderers import PROBLEM
from organizations.actor import Actor

HEADER = "Idempotency-Key"
MAX_LETTERS = 255
NOT_KEPT = {400, 401, 403, 412, 429}  # 412: the repeat may bring another If-Match
KEPT_HEADERS = ("ETag", "Location")
BASES = ("/api/v1/public", "/v1")  # two addresses of the same routes
CLAIM_SECONDS = 10  # from the claim to the lock on it; a database that went away in between has let nobody give the claim back
CLAIM_TRIES = 3  # a claim that vanished or was taken over while we looked is looked at again

Execute = Callable[[], "Response | Unfinished"]
Refuse = Callable[[Exception], Response]


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What a write answers that has committed its part and must ask someone outside, for what it has made, before it can tell."""

    resource: str  # a public id


def key_of(request: Request) -> str | None:
    """The header's text. Raises ValidationFailed where that is no key."""
    key: str | None = request.headers.get(HEADER)
    if key is not None and (not 0 < len(key) <= MAX_LETTERS or not key.isprintable()):
        raise ValidationFailed(FieldError(f"1 to {MAX_LETTERS} printable characters, in a header of ASCII.", parameter=HEADER))
    return key


def run(request: Request, key: str, *, execute: Execute, finish: Callable[[str], Response], refuse: Refuse) -> Response:
    """The answer of `execute`, run at most once for the key; where that is Unfinished, the answer of `finish`, which may run
    again. `refuse` turns their exceptions into answers. All answer with a rendered body.

    Raises IdempotencyInProgress, IdempotencyKeyReused.
    """
    lease = uuid.uuid4()
    claim = _claim(request, key, lease)
    if claim.lease != lease:
        return _replay(claim)
    try:
        if not claim.resource:
            with transaction.atomic():
                _still_ours(claim, lease)
                outcome = execute()
                if not isinstance(outcome, Unfinished):
                    _store(claim, outcome)
                    return outcome
                claim.resource = outcome.resource
                claim.lease_expires_at = _lease_end(claim)
                claim.save(update_fields=["resource", "lease_expires_at"])
        response = finish(claim.resource)
        _store(claim, response)
    except Exception as error:
        response = refuse(error)
        if _may_differ(error, response):
            _let_go(claim, lease)
        else:
            _store(claim, response)
    return response


def _may_differ(error: Exception, response: Response) -> bool:
    """Whether the same request may be answered otherwise next time. Waiting for the payer is a 402 that passes, a declined
    card one that stays.
    """
    waits = isinstance(error, DomainError) and error.code is ErrorCode.PAYMENT_REQUIRED
    return waits or response.status_code in NOT_KEPT or response.status_code >= 500


def _let_go(claim: IdempotencyRecord, lease: uuid.UUID) -> None:
    """A repeated request runs anew; or goes on, where something was made."""
    ours = IdempotencyRecord.objects.filter(pk=claim.pk, lease=lease, status=None)
    if IdempotencyRecord.objects.filter(pk=claim.pk, resource="").exists():
        ours.delete()
    else:
        ours.update(lease_expires_at=timezone.now())


def _claim(request: Request, key: str, lease: uuid.UUID) -> IdempotencyRecord:
    """The record of the key: ours if its lease is `lease`, else one with an answer to replay."""
    organization = request.user.organization  # type: ignore[union-attr]
    mark = fingerprint(request)
    ours = IdempotencyRecord(organization=organization, key=key, fingerprint=mark, lease=lease)
    ours.lease_expires_at = _lease_end(ours)
    for _ in range(CLAIM_TRIES):
        IdempotencyRecord.objects.bulk_create([ours], ignore_conflicts=True)
        claim = IdempotencyRecord.objects.filter(organization=organization, key=key).first()
        if claim is None:  # a first request that keeps nothing has just dropped it
            continue
        if claim.fingerprint != mark:
            raise IdempotencyKeyReused("This key came with another method, path or body before.")
        if claim.status is not None or claim.lease == lease:
            return claim
        if claim.lease_expires_at > timezone.now():
            raise IdempotencyInProgress
        if _take_over(claim, lease):
            claim.lease = lease
            return claim
    raise IdempotencyInProgress


def _lease_end(claim: IdempotencyRecord) -> dt.datetime:
    """Asking outside happens without a lock on the claim, so that only the lease keeps others from doing it too."""
    outside: float = settings.IDEMPOTENCY_LEASE_SECONDS
    return timezone.now() + dt.timedelta(seconds=outside if claim.resource else min(outside, CLAIM_SECONDS))


def _take_over(claim: IdempotencyRecord, lease: uuid.UUID) -> bool:
    """Put our lease in the place of one that has run out. Of many at once one succeeds; none while the first, late as
    it is, holds the row: that one may still commit.
    """
    stale = IdempotencyRecord.objects.filter(pk=claim.pk, lease=claim.lease, status=None, lease_expires_at__lte=timezone.now())
    with transaction.atomic():
        free = stale.select_for_update(skip_locked=True).exists()
        return free and stale.update(lease=lease, lease_expires_at=_lease_end(claim)) == 1


def fingerprint(request: Request) -> str:
    """Method, path below the API's base, query and body; the order of a JSON object's members does not count."""
    body = orjson.dumps(request.data, option=orjson.OPT_SORT_KEYS, default=str)
    path = request.path_info
    for base in BASES:
        path = path.removeprefix(base)
    parts = [request.method or "", path, request.META.get("QUERY_STRING", ""), body.decode()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _still_ours(claim: IdempotencyRecord, lease: uuid.UUID) -> None:
    current = IdempotencyRecord.objects.select_for_update().filter(pk=claim.pk, lease=lease, status=None)
    if not current.exists():
        raise IdempotencyInProgress


def _store(claim: IdempotencyRecord, response: Response) -> None:
    headers = {name: response[name] for name in KEPT_HEADERS if name in response}
    body = None if response.data is None else encrypt(response.data.decode()).encode()
    IdempotencyRecord.objects.filter(pk=claim.pk, lease=claim.lease).update(
        status=response.status_code, body=body, headers=headers
    )


def _replay(claim: IdempotencyRecord) -> Response:
    body = None if claim.body is None else decrypt(bytes(claim.body).decode()).encode()
    headers = {**claim.headers, "Idempotency-Replayed": "true"}
    refused = claim.status is not None and claim.status >= 400
    return Response(body, status=claim.status, headers=headers, content_type=PROBLEM if refused else None)


def once(make: Callable[[], str], *, by: Actor, key: str) -> tuple[str, bool]:
    """The public id of what `make` made for this key, and whether that was just now: for forms, whose token is the key.

    All in one transaction: of two that are sent at once the second waits at the key's row for the first. Where `make` is
    refused nothing is kept, and the key may be used again.
    """
    now = timezone.now()
    ours = IdempotencyRecord(
        organization=by.organization, key=_form(key), fingerprint="form", lease=uuid.uuid4(), lease_expires_at=now, status=201
    )
    with transaction.atomic():
        IdempotencyRecord.objects.bulk_create([ours], ignore_conflicts=True)
        kept = IdempotencyRecord.objects.get(organization=by.organization, key=ours.key)
        if kept.lease != ours.lease:
            return kept.resource, False
        kept.resource = make()
        kept.save(update_fields=["resource"])
        return kept.resource, True


def made_once(*, by: Actor, key: str) -> str:
    """The public id of what was made for this key, empty if nothing was."""
    found = IdempotencyRecord.objects.filter(organization=by.organization, key=_form(key)).values_list("resource", flat=True)
    return found.first() or ""


def _form(key: str) -> str:
    return f"form:{key}"
