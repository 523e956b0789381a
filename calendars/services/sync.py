"""Reading other people's calendars, and making blocks of what is busy in them.

1. A few that are due are claimed, by their next date, unless another worker has claimed some: one at a time is at it, so that
   slow and hostile calendars keep no other task waiting for a worker.
2. They are fetched at the same time, with no transaction open.
3. What came, unless it is the same text as the last time, is worked out in a process of its own, and compared with what was
   there by (UID, recurrence, part): what has changed is changed, what is new is made, what is gone goes, in that order, so that
   no time is on sale in between. What stays the same is not touched, and nobody is told.
4. A failure changes nothing but what the row says of it.
5. A claim lasts as long as the longest step may, and is renewed before each: a worker that is lost holds nobody up for long, and
   what it had is read again.
"""

import datetime as dt
import hashlib
import logging
import random
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Case, F, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from calendars import fetching, reading
from calendars.expansion import Busy, Refused
from calendars.ical import OUR_UID
from calendars.models import CalendarImport, ImportedTime
from calendars.reasons import Reason
from common.errors import NotFound
from common.fetch import Answer, FetchFailed
from organizations.actor import Actor
from rooms.models import Block
from rooms.services import create_blocks, delete_blocks, update_blocks

INTERVAL, SPREAD_SECONDS = dt.timedelta(minutes=10), 60
COSTLY = {Reason.TOO_COMPLEX: dt.timedelta(hours=1)}  # after which it is tried again: it has had all of its CPU_SECONDS
READ_ALL = dt.timedelta(hours=24)  # then it is read even if unchanged: a series reaches a day further into the window
AT_ONCE = 8  # calendars fetched at the same time: 40 MB at most
RUN_SECONDS = 20  # then the next run, half a minute after this one began, goes on; a worker that is to stop waits for it
LEASE = dt.timedelta(seconds=max(fetching.TOTAL_SECONDS, reading.WALL_SECONDS) + 15)
ACTS = 100  # blocks made, changed or taken away in one transaction: bookings wait for it, about a tenth of a second
FORGOTTEN = dt.timedelta(days=2)  # past times are no longer compared; their blocks stay
_STAMP = re.compile(rb"^DTSTAMP[:;].*$", re.MULTILINE)  # when it was written: with many hosts at every answer anew
LOCK = 0x63616C73  # of PostgreSQL's advisory locks, for the moment of a claim

logger = logging.getLogger(__name__)
T = TypeVar("T")


def sync_due() -> int:
    """Read the calendars that are due, until there are none or the time is up. Answers how many."""
    count, ends_at = 0, time.monotonic() + RUN_SECONDS
    while time.monotonic() < ends_at and (claimed := _claim(timezone.now())):
        count += len(claimed)
        try:
            for number, outcome in enumerate(_fetched(claimed)):
                _renew(claimed[number:])
                _settle(claimed[number], outcome)
                _release(claimed[number : number + 1])
        finally:
            _release(claimed)
    return count


@transaction.atomic
def _claim(now: dt.datetime) -> list[CalendarImport]:
    """Their next date is set first: whatever happens to this run, they are read again in due course."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])  # two at once would both see that nobody is at it
    if CalendarImport.objects.filter(claimed_until__gt=now).exists():
        return []
    _take_back(now)
    found = CalendarImport.objects.with_place().due(now).select_for_update(of=("self",), no_key=True, skip_locked=True)
    claimed = list(found[:AT_ONCE])
    for source in claimed:
        source.claimed_until = now + LEASE
        source.next_sync_at = now + INTERVAL + dt.timedelta(seconds=random.uniform(0, SPREAD_SECONDS))  # noqa: S311 - no secret
        source.save(update_fields=["claimed_until", "next_sync_at"])
    return claimed


def _take_back(now: dt.datetime) -> None:
    """What a lost worker had is due again at once; when that happens twice on end, in its turn: it may be what kills workers."""
    again = Case(When(failure=Reason.INTERNAL, then=F("next_sync_at")), default=now)
    since = Coalesce("failing_since", now)
    lost = CalendarImport.objects.filter(claimed_until__lte=now)
    lost.update(claimed_until=None, next_sync_at=again, failure=Reason.INTERNAL, failure_status=None, failing_since=since)


def _renew(claimed: list[CalendarImport]) -> None:
    CalendarImport.objects.filter(pk__in=[source.pk for source in claimed]).update(claimed_until=timezone.now() + LEASE)


def _release(claimed: list[CalendarImport]) -> None:
    CalendarImport.objects.filter(pk__in=[source.pk for source in claimed]).update(claimed_until=None)


def _fetched(claimed: list[CalendarImport]) -> list[fetching.Outcome]:
    unconditional = {source.pk for source in claimed if _must_be_read(source)}
    return fetching.fetch_all(claimed, unconditional=unconditional)


def _must_be_read(source: CalendarImport) -> bool:
    return source.read_at is None or timezone.now() - source.read_at > READ_ALL


def _settle(source: CalendarImport, outcome: fetching.Outcome) -> None:
    """One calendar's trouble, or our own with it, is not another's."""
    try:
        if isinstance(outcome, FetchFailed):
            _fail(source, outcome.reason, status=outcome.status)
        elif outcome.status == 304:
            _succeed(source)
        else:
            _read(source, outcome)
    except Refused as refusal:
        _fail(source, str(refusal))
    except NotFound:
        logger.info("%s was paused, changed or deleted while it was read", source.public_id)
    except Exception:
        logger.exception("%s could not be read", source.public_id)
        _fail(source, Reason.INTERNAL)


def _read(source: CalendarImport, answer: Answer) -> None:
    now, digest = timezone.now(), hashlib.sha256(_STAMP.sub(b"", answer.body)).hexdigest()
    if digest == source.digest and not _must_be_read(source):
        _succeed(source, etag=answer.etag, last_modified=answer.last_modified)
        return
    found = reading.busy_times(answer.body, timezone=source.place.timezone, now=now)
    # Whoever is lost from here on leaves it half done: no sign that nothing has changed is believed then.
    CalendarImport.objects.filter(pk=source.pk).update(read_at=None, claimed_until=timezone.now() + LEASE)
    apply(source, [busy for busy in found if not is_ours(busy, source)], now=now)
    _succeed(source, read_at=now, digest=digest, etag=answer.etag, last_modified=answer.last_modified)


def is_ours(busy: Busy, source: CalendarImport) -> bool:
    """What our feeds told, come back through another calendar. Another organization's games are news, if they say whose."""
    if busy.origin:
        return busy.origin == source.organization.public_id
    match = OUR_UID.fullmatch(busy.uid)
    return bool(match) and match["host"] == urlsplit(settings.PUBLIC_URL).hostname  # type: ignore[index]


def apply(source: CalendarImport, found: Iterable[Busy], *, now: dt.datetime) -> None:
    """Make the import's blocks what was found. Raises NotFound when it was paused, changed or deleted meanwhile."""
    wanted = _keyed(found)
    known = {one.key: one for one in ImportedTime.objects.filter(source=source)}
    differs = [(one, wanted[key]) for key, one in known.items() if key in wanted and one.content != _content(wanted[key], source)]
    for changed in _batches(differs):
        with _unchanged(source):
            _change(source, changed)
    for new in _batches([(key, busy) for key, busy in wanted.items() if key not in known]):
        with _unchanged(source):
            _make(source, new)
    gone = [one for key, one in known.items() if key not in wanted and (one.ends_at > now or one.ends_at < now - FORGOTTEN)]
    for some in _batches(gone):
        with _unchanged(source):
            coming = [one.block_id for one in some if one.block_id and one.ends_at > now]
            delete_blocks(pks=coming, by=Actor.system(source.organization))
            ImportedTime.objects.filter(pk__in=[one.pk for one in some]).delete()


def _batches(items: list[T]) -> Iterator[list[T]]:
    return (items[start : start + ACTS] for start in range(0, len(items), ACTS))


def _keyed(found: Iterable[Busy]) -> dict[str, Busy]:
    """By what stays the same when a time moves. Calendars that give several entries one UID are taken as they are."""
    wanted: dict[str, Busy] = {}
    for busy in found:
        twin = 0
        while (key := _digest(busy.uid, busy.recurrence, busy.part, twin)) in wanted:
            twin += 1
        wanted[key] = busy
    return wanted


def _content(busy: Busy, source: CalendarImport) -> str:
    return _digest(busy.starts_at, busy.ends_at, busy.date_from, busy.date_to, _reason(busy, source))


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _reason(busy: Busy, source: CalendarImport) -> str:
    return (source.include_titles and busy.title) or source.name


def _make(source: CalendarImport, new: Sequence[tuple[str, Busy]]) -> None:
    blocks = _new_blocks(source, [busy for _, busy in new])
    ImportedTime.objects.bulk_create(
        ImportedTime(source=source, key=key, content=_content(busy, source), block=block, **_bounds(busy))
        for (key, busy), block in zip(new, blocks, strict=True)
    )


def _new_blocks(source: CalendarImport, found: Sequence[Busy]) -> list[Block]:
    by, place = Actor.system(source.organization), {"rooms": [source.room]} if source.room else {"venue": source.venue}
    return create_blocks(by=by, times=[_fields(source, busy) for busy in found], kind=Block.Kind.EXTERNAL, **place)


def _change(source: CalendarImport, changed: Sequence[tuple[ImportedTime, Busy]]) -> None:
    kept = {one.block_id: _fields(source, busy) for one, busy in changed if one.block_id is not None}
    update_blocks(by=Actor.system(source.organization), changes=kept)
    deleted = [(one, busy) for one, busy in changed if one.block_id is None]  # by somebody who meant the time that it was
    if deleted:
        for (one, _), block in zip(deleted, _new_blocks(source, [busy for _, busy in deleted]), strict=True):
            one.block = block
        ImportedTime.objects.bulk_update([one for one, _ in deleted], ["block"])
    for one, busy in changed:
        one.content, one.starts_at, one.ends_at = _content(busy, source), *_bounds(busy).values()
    ImportedTime.objects.bulk_update([one for one, _ in changed], ["content", "starts_at", "ends_at"])


def _fields(source: CalendarImport, busy: Busy) -> dict[str, Any]:
    """As the verbs on blocks take them."""
    reason = {"reason": _reason(busy, source)}
    if busy.date_from:
        return reason | {"date_from": dt.date.fromisoformat(busy.date_from), "date_to": dt.date.fromisoformat(busy.date_to)}
    return reason | _bounds(busy)


def _bounds(busy: Busy) -> dict[str, dt.datetime]:
    return {"starts_at": dt.datetime.fromisoformat(busy.starts_at), "ends_at": dt.datetime.fromisoformat(busy.ends_at)}


@contextmanager
def _unchanged(source: CalendarImport) -> Iterator[None]:
    """A transaction behind its lock: what is paused, or has another address by now, gets no blocks of what was read before."""
    with transaction.atomic():
        rows = CalendarImport.objects.select_for_update(no_key=True).filter(pk=source.pk, status=CalendarImport.Status.ACTIVE)
        if not rows.filter(version=source.version).values_list("pk", flat=True):
            raise NotFound("calendar import")
        yield


def _succeed(source: CalendarImport, **read: Any) -> None:
    """Unless it has been changed since: then it is read again at once, and by its new address."""
    now = timezone.now()
    rows = CalendarImport.objects.filter(pk=source.pk, version=source.version)
    rows.update(checked_at=now, synced_at=now, failure="", failure_status=None, failing_since=None, **read)


def _fail(source: CalendarImport, reason: str, *, status: int | None = None) -> None:
    now = timezone.now()
    rows = CalendarImport.objects.filter(pk=source.pk, version=source.version)
    later = {"next_sync_at": now + COSTLY[Reason(reason)]} if reason in COSTLY else {}
    rows.update(checked_at=now, failure=reason, failure_status=status, failing_since=source.failing_since or now, **later)
