"""When to try again, and what an endpoint's answers say of its health. Pure: rows in, changed rows out, no clock of its own.

The ladder 5s 30s 2m 5m 15m 30m 1h 2h 4h 8h 12h 20h 24h makes 14 attempts in 71 h 52 m. Jitter keeps receivers that came
back from being met by everything at once; it is drawn from delivery and attempt, so that it can be foretold.
"""

import datetime as dt
import random

from django.conf import settings

from common.http import Failure, Outcome, parse_retry_after
from webhooks.models import Endpoint

SLOW_STATUSES = {502, 504}
RESTING_STATUSES = {429, 503}
GONE = 410

BREAKER_ATTEMPTS, BREAKER_SHARE = 10, 0.7  # at least so many in five minutes, of which so many failed
BREAKER_LONGEST = dt.timedelta(minutes=15)
RECENT_MINUTES = 5

DISABLED_AFTER = dt.timedelta(hours=120)  # without a 2xx
DISABLED_ATTEMPTS, DISABLED_EVENTS = 10, 3  # at least, so that one odd event or a quiet week disables nobody
WARNED_AT_HOURS = (1, 24, 72, 108)


def next_attempt_at(public_id: str, attempts: int, outcome: Outcome, *, now: dt.datetime) -> dt.datetime | None:
    """When a delivery whose attempt number `attempts` has just failed is due again; None when that was the last."""
    ladder = settings.WEBHOOK_RETRY_SECONDS
    if attempts > len(ladder):
        return None
    seconds = ladder[attempts - 1] * random.Random(f"{public_id}:{attempts}").uniform(0.9, 1.1)  # noqa: S311 - jitter
    if outcome.status in SLOW_STATUSES or outcome.failure == Failure.TIMEOUT:
        seconds = max(seconds, settings.WEBHOOK_SLOW_RETRY_SECONDS)
    return now + dt.timedelta(seconds=max(seconds, rest_asked_for(outcome, now=now)))


def rest_asked_for(outcome: Outcome, *, now: dt.datetime) -> float:
    """Seconds for which a 429 or 503 asks the whole endpoint to be left alone."""
    return parse_retry_after(outcome.retry_after, now=now) or 0.0 if outcome.status in RESTING_STATUSES else 0.0


def note_success(endpoint: Endpoint, *, now: dt.datetime) -> None:
    _count(endpoint, now, failed=False)
    endpoint.failing_since, endpoint.failed_attempts, endpoint.failed_events, endpoint.warned_hours = None, 0, [], 0
    if endpoint.breaker_opens:
        endpoint.breaker_opens, endpoint.resting_until, endpoint.recent = 0, None, {}


def note_failure(endpoint: Endpoint, event_id: str, outcome: Outcome, *, is_probe: bool, now: dt.datetime) -> int:
    """Count it, open the breaker or leave it open longer. Answers the hours for which a warning is due now, mostly 0."""
    _count(endpoint, now, failed=True)
    endpoint.failing_since = endpoint.failing_since or now
    endpoint.failed_attempts += 1
    if event_id not in endpoint.failed_events and len(endpoint.failed_events) < DISABLED_EVENTS:
        endpoint.failed_events = [*endpoint.failed_events, event_id]
    if is_probe or (not endpoint.breaker_opens and _fails_too_often(endpoint)):
        seconds = settings.WEBHOOK_BREAKER_SECONDS * 2**endpoint.breaker_opens
        rest(endpoint, now + min(dt.timedelta(seconds=seconds), BREAKER_LONGEST))
        endpoint.breaker_opens = min(endpoint.breaker_opens + 1, 30)
    if seconds := rest_asked_for(outcome, now=now):
        rest(endpoint, now + dt.timedelta(seconds=seconds))
    return _warning_due(endpoint, now)


def rest(endpoint: Endpoint, until: dt.datetime) -> None:
    endpoint.resting_until = max(endpoint.resting_until or until, until)


def is_beyond_hope(endpoint: Endpoint, *, now: dt.datetime) -> bool:
    """Whether it is to be disabled: days without a 2xx, over enough attempts of enough events."""
    return (
        endpoint.failing_since is not None
        and now - endpoint.failing_since >= DISABLED_AFTER
        and endpoint.failed_attempts >= DISABLED_ATTEMPTS
        and len(endpoint.failed_events) >= DISABLED_EVENTS
    )


def start_afresh(endpoint: Endpoint) -> None:
    """Forget how it was doing: a person says that it is well."""
    endpoint.resting_until, endpoint.recent, endpoint.breaker_opens = None, {}, 0
    endpoint.failing_since, endpoint.failed_attempts, endpoint.failed_events, endpoint.warned_hours = None, 0, [], 0


def _count(endpoint: Endpoint, now: dt.datetime, *, failed: bool) -> None:
    minute = int(now.timestamp()) // 60
    recent = {key: value for key, value in endpoint.recent.items() if int(key) > minute - RECENT_MINUTES}
    attempts, failures = recent.get(str(minute), [0, 0])
    endpoint.recent = {**recent, str(minute): [attempts + 1, failures + failed]}


def _fails_too_often(endpoint: Endpoint) -> bool:
    attempts = sum(counts[0] for counts in endpoint.recent.values())
    failures = sum(counts[1] for counts in endpoint.recent.values())
    return attempts >= BREAKER_ATTEMPTS and failures >= attempts * BREAKER_SHARE


def _warning_due(endpoint: Endpoint, now: dt.datetime) -> int:
    assert endpoint.failing_since is not None
    age = (now - endpoint.failing_since).total_seconds() / 3600
    due = max((hours for hours in WARNED_AT_HOURS if hours <= age), default=0)
    if due <= endpoint.warned_hours:
        return 0
    endpoint.warned_hours = due
    return due
