"""Each write takes effect once for each `Idempotency-Key`, however often and however parallel it is sent.

1. A short transaction claims the key: (organization, key) is unique, so of many at once one wins.
2. The business write and its answer commit together, under a lock on the claim that checks the lease is still ours:
   after a crash in between nothing has happened, and once the lease has run out a repeated request runs it anew.
3. A repeated request gets the stored answer; another body 422; one that comes while the first still runs 409.

Answers that may differ next time (400, 401, 403, 429, 5xx) are not kept: their claim is dropped.
"""

import datetime as dt
import hashlib
import uuid
from collections.abc import Callable
from typing import Any

import orjson
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from developers.errors import IdempotencyInProgress, IdempotencyKeyReused
from developers.models import IdempotencyRecord
from developers.renderers import PROBLEM, to_bytes

HEADER = "Idempotency-Key"
MAX_LETTERS = 255
NOT_KEPT = {400, 401, 403, 429}
KEPT_HEADERS = ("ETag", "Location")

Execute = Callable[[], Response]
Refuse = Callable[[Exception], Response]


def run(request: Request, key: str, *, execute: Execute, refuse: Refuse) -> Response:
    """The answer of `execute`, run at most once for the key. `refuse` turns its exceptions into answers.

    Raises IdempotencyInProgress, IdempotencyKeyReused.
    """
    lease = uuid.uuid4()
    claim = _claim(request, key, lease)
    if claim.lease != lease:
        return _replay(claim)
    try:
        with transaction.atomic():
            _still_ours(claim, lease)
            response = execute()
            _store(claim, response)
    except Exception as error:
        response = refuse(error)
        if response.status_code in NOT_KEPT or response.status_code >= 500:
            IdempotencyRecord.objects.filter(pk=claim.pk, lease=lease, status=None).delete()
        else:
            _store(claim, response)
    return response


def _claim(request: Request, key: str, lease: uuid.UUID) -> IdempotencyRecord:
    """The record of the key: ours if its lease is `lease`, else one with an answer to replay."""
    organization = request.user.organization  # type: ignore[union-attr]
    expires = timezone.now() + dt.timedelta(seconds=settings.IDEMPOTENCY_LEASE_SECONDS)
    mark = fingerprint(request)
    with transaction.atomic():
        IdempotencyRecord.objects.bulk_create(
            [IdempotencyRecord(organization=organization, key=key, fingerprint=mark, lease=lease, lease_expires_at=expires)],
            ignore_conflicts=True,
        )
        claim = IdempotencyRecord.objects.select_for_update().get(organization=organization, key=key)
        if claim.fingerprint != mark:
            raise IdempotencyKeyReused("This key came with another method, path or body before.")
        if claim.status is None and claim.lease != lease:
            if claim.lease_expires_at > timezone.now():
                raise IdempotencyInProgress
            claim.lease, claim.lease_expires_at = lease, expires
            claim.save(update_fields=["lease", "lease_expires_at"])
    return claim


def fingerprint(request: Request) -> str:
    """Method, path, query and body; the order of a JSON object's members does not count."""
    body = orjson.dumps(request.data, option=orjson.OPT_SORT_KEYS, default=str)
    parts = [request.method or "", request.path_info, request.META.get("QUERY_STRING", ""), body.decode()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _still_ours(claim: IdempotencyRecord, lease: uuid.UUID) -> None:
    current = IdempotencyRecord.objects.select_for_update().filter(pk=claim.pk, lease=lease, status=None)
    if not current.exists():
        raise IdempotencyInProgress


def _store(claim: IdempotencyRecord, response: Response) -> None:
    headers = {name: response[name] for name in KEPT_HEADERS if name in response}
    IdempotencyRecord.objects.filter(pk=claim.pk, lease=claim.lease).update(
        status=response.status_code, body=to_bytes(response.data), headers=headers
    )


def _replay(claim: IdempotencyRecord) -> Response:
    data: Any = orjson.loads(bytes(claim.body)) if claim.body else None
    headers = {**claim.headers, "Idempotency-Replayed": "true"}
    refused = claim.status is not None and claim.status >= 400
    return Response(data, status=claim.status, headers=headers, content_type=PROBLEM if refused else None)
