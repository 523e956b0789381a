"""The log of requests: every call of the API by a known key or token, and what was answered.

1. The request puts a record on a list in Redis (`log_queue`): masked, cut, its bodies encrypted.
2. A worker drains the list into the table, in batches; a record that comes twice is one entry.
3. Bodies go after a week, entries after a month, and the bodies that mention a person when that person is erased.
"""

import datetime as dt
import logging
from collections.abc import Collection, Iterator
from itertools import islice
from typing import Any

import orjson
from django.conf import settings
from django.db import DataError, IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from common.client import client_address
from common.errors import ErrorCode, NotFound
from common.ids import made_at
from common.signing import Undecipherable, decrypt, encrypt
from developers import log_queue
from developers.idempotency import BASES, HEADER
from developers.inside import TOOL
from developers.log_queue import Batch
from developers.masking import masked_body, masked_headers, masked_query, masked_text
from developers.models import ApiKeySecret, LogErasure, RequestLogEntry
from developers.renderers import PROBLEM
from organizations.actor import Actor
from organizations.models import Organization
from organizations.permissions import Scope

MOST_BATCHES = 40  # of one task, so that it ends while more and more comes
CHUNK = 1_000  # rows that are dropped at once
MOST = 10_000  # entries that are counted
ON_ITS_WAY = dt.timedelta(seconds=30)
UNFIT = (DataError, IntegrityError, ValueError)
OWN_PATH = "/logs"  # what the log answers would be kept in the log, and again in what that answers
PERSONAL_IDS = (b"bkg_", b"cus_")  # of those whom an erasure is about
ID_LETTERS = 26
# A request that comes a moment after an erasure has begun may still read what that has not yet committed.
SETTLES = dt.timedelta(seconds=60)
_ERASING = 1_818_386_798  # this advisory lock's name; any number that nothing else here uses

logger = logging.getLogger(__name__)


def note(request: HttpRequest, response: HttpResponseBase, *, came_at: dt.datetime, seconds: float) -> None:
    """Have the call written down, where its key or token was known. Never raises."""
    secret = getattr(request, "auth", None)
    if isinstance(secret, ApiKeySecret):
        log_queue.put(lambda: orjson.dumps(_record(request, response, secret, came_at, seconds)))


def _record(
    request: HttpRequest, response: HttpResponseBase, secret: ApiKeySecret, came_at: dt.datetime, seconds: float
) -> dict[str, Any]:
    key, path, answer = secret.key, _below_base(request.path_info), _body(response)
    query, address = masked_query(request.META.get("QUERY_STRING", "")), client_address(request.META)
    keeps = not path.startswith(OWN_PATH)
    bodies = {
        "request": masked_body(getattr(request, "_body", b"") if keeps else b""),  # unread by what refused before
        "answer": masked_body(answer if keeps else b""),
    }
    content = orjson.dumps({name: {"text": text, "is_cut": is_cut} for name, (text, is_cut) in bodies.items()})
    return {
        "organization_id": key.acts_on.pk,  # whose caller may have been refused
        "mode": key.mode,
        "key": key.public_id,
        "key_name": key.name,
        "key_prefix": secret.prefix,
        "key_last4": secret.last4,
        "request_id": request.request_id,  # type: ignore[attr-defined]
        "method": _text(request.method, 10),
        "path": _text(masked_text(path), 500),
        "query": _text(query, 1000),
        "status": response.status_code,
        "error_code": _error_code(response, answer),
        "duration_ms": round(seconds * 1000, 1),
        "client_address": str(address) if address else None,
        "user_agent": _text(masked_text(request.META.get("HTTP_USER_AGENT", "")), 200),
        "idempotency_key": _text(masked_text(request.headers.get(HEADER, "")), 255),
        "is_replayed": response.headers.get("Idempotency-Replayed") == "true",
        "is_dry_run": response.headers.get("Dry-Run") == "true",
        "tool": request.META.get(TOOL, ""),
        "request_headers": masked_headers((_text(name), _text(value)) for name, value in request.headers.items() if value),
        "answer_headers": masked_headers((_text(name), _text(value)) for name, value in _answer_headers(response)),
        "content": encrypt(content.decode()) if query or any(text or is_cut for text, is_cut in bodies.values()) else "",
        "mentions": _mentions(path.encode(errors="replace"), query.encode(errors="replace"), content),
        "created_at": came_at.isoformat(),
    }


def _below_base(path: str) -> str:
    for base in BASES:
        path = path.removeprefix(base)
    return path


def _body(response: HttpResponseBase) -> bytes:
    """Of a file that is still being sent, nothing."""
    return b"" if response.streaming else response.content  # type: ignore[attr-defined]


def _answer_headers(response: HttpResponseBase) -> Iterator[tuple[str, str]]:
    yield from response.headers.items()
    if response.cookies:
        yield "Set-Cookie", ", ".join(response.cookies)


def _error_code(response: HttpResponseBase, answer: bytes) -> str:
    if response.status_code < 400 or response.headers.get("Content-Type") != PROBLEM:
        return ""
    return str(orjson.loads(answer)["code"])


def _text(text: str | None, most: int = 500) -> str:
    """What PostgreSQL and JSON take: no NUL, no half of a letter."""
    return (text or "")[:most].replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def _mentions(*texts: bytes) -> list[str]:
    """The customers and bookings in it. By splitting: a pattern would take longer than all the rest."""
    found = {
        prefix + piece[:ID_LETTERS]
        for text in texts
        for prefix in PERSONAL_IDS
        if prefix in text
        for piece in text.split(prefix)[1:]
        if piece[:ID_LETTERS].isalnum() and len(piece) >= ID_LETTERS
    }
    return sorted(mention.decode() for mention in found)


def drain() -> int:
    """Write what waits into the log; answers how many records that were. Several at once, or one after another that was killed,
    write nothing twice and lose nothing. Raises RedisError; and OperationalError, after which the batch is found again.
    """
    written = 0
    for batch in islice(log_queue.batches(), MOST_BATCHES):
        _write(batch)
        log_queue.done(batch)
        written += len(batch.records)
    return written


def _write(batch: Batch) -> None:
    """All at once; where PostgreSQL does not take one of them, each by itself."""
    rows = [row for record in batch.records if (row := _row(record))]
    try:
        _insert(rows)
    except UNFIT:
        for row in rows:
            try:
                _insert([row])
            except UNFIT:
                logger.warning("a request that does not fit into the request log: %s", row.request_id, exc_info=True)


def _row(record: bytes) -> RequestLogEntry | None:
    """None for what another release has put there and this one does not know."""
    try:
        given = orjson.loads(record)
        return RequestLogEntry(**{**given, "created_at": dt.datetime.fromisoformat(given["created_at"])})
    except (TypeError, ValueError, KeyError):
        logger.warning("a record that cannot be read was left out of the request log", exc_info=True)
        return None


@transaction.atomic
def _insert(rows: list[RequestLogEntry]) -> None:
    """Of organizations that still exist. What mentions a person who was erased since comes in without its bodies."""
    with connection.cursor() as cursor:  # no erasure can come between this look and our commit
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_ERASING])
    there = set(Organization.objects.filter(pk__in={row.organization_id for row in rows}).values_list("pk", flat=True))
    rows = [row for row in rows if row.organization_id in there]
    if not rows:
        return
    oldest = min(row.created_at for row in rows)
    for erasure in LogErasure.objects.filter(organization__in=there, created_at__gte=oldest - SETTLES):
        for row in rows:
            earlier = row.created_at <= erasure.created_at + SETTLES
            if earlier and row.organization_id == erasure.organization_id and set(row.mentions) & set(erasure.mentions):
                row.content, row.query, row.mentions, row.is_erased = "", "", [], True
    RequestLogEntry.objects.bulk_create(rows, ignore_conflicts=True)


def find_entry(*, by: Actor, id: str) -> RequestLogEntry:
    """By its own id or by the request's. Raises NotAllowed, NotFound."""
    by.require(Scope.LOGS_READ)
    field = "request_id" if id.startswith("req_") else "public_id"
    found = RequestLogEntry.objects.visible_to(by).filter(**{field: id.replace("\0", "")}).first()
    if found is None:
        raise NotFound("request log entry")
    return found


def calls_lately(*, by: Actor) -> tuple[int, int]:
    """How many of the last 24 hours there are, and how many of them were refused or failed; counted no further than to `MOST`."""
    entries = RequestLogEntry.objects.visible_to(by).filter(created_at__gte=timezone.now() - dt.timedelta(hours=24)).order_by()
    failed = entries.filter(status__in={error.status for error in ErrorCode})  # each by itself is found in an index
    return entries[:MOST].count(), failed[:MOST].count()


def is_coming(request_id: str) -> bool:
    """Whether a request of that id may still be on its way into the log."""
    came_at = made_at(request_id) if request_id.startswith("req_") else None
    return came_at is not None and abs(timezone.now() - came_at) < ON_ITS_WAY


def bodies(entry: RequestLogEntry) -> dict[str, dict[str, Any]]:
    """{request, answer: {text, is_cut}}, or nothing where they are past keeping, erased, or nobody can read them any more."""
    try:
        found: dict[str, dict[str, Any]] = orjson.loads(decrypt(entry.content)) if entry.content else {}
    except Undecipherable:
        return {}
    return found


def redact(*, organization: Organization, mentions: Collection[str]) -> None:
    """Empty the bodies that mention one of the public ids, those of requests that are not in the log yet included. In the
    transaction of the erasure.
    """
    ids = sorted(set(mentions))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ERASING])
    LogErasure.objects.create(organization=organization, mentions=ids)
    kept = RequestLogEntry.objects.filter(organization=organization, mentions__overlap=ids).exclude(content="")
    kept.update(content="", query="", mentions=[], is_erased=True)


def forget() -> None:
    """Drop bodies and queries, then whole entries, that are past keeping: in chunks, so that nobody waits for it."""
    now = timezone.now()
    entries, bodies_go = RequestLogEntry.objects.all(), now - dt.timedelta(days=settings.REQUEST_LOG_BODIES_KEPT_DAYS)
    while old := _older(entries.exclude(content=""), bodies_go):
        entries.filter(pk__in=old).update(content="", query="", mentions=[])
    while old := _older(entries, now - dt.timedelta(days=settings.REQUEST_LOG_KEPT_DAYS)):
        entries.filter(pk__in=old).delete()
    LogErasure.objects.filter(created_at__lt=bodies_go).delete()


def _older(entries: QuerySet[RequestLogEntry], before: dt.datetime) -> list[int]:
    return list(entries.filter(created_at__lt=before).order_by().values_list("pk", flat=True)[:CHUNK])
