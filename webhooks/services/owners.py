"""Telling an endpoint's owners how it is doing, by e-mail."""

import datetime as dt
from typing import Any

from django.conf import settings

from organizations.mail import mail_administrators
from webhooks import schedule
from webhooks.engine.forget import HELD_FOR
from webhooks.engine.record import LEASE_EXPIRED
from webhooks.models import Attempt, Endpoint


def warn_owners(*, endpoint: Endpoint, hours: int) -> None:
    """Nothing has arrived for `hours`: when it will be disabled, and where to look. Silent once it is well or disabled."""
    if endpoint.status == Endpoint.Status.ACTIVE and endpoint.failing_since is not None:
        _mail("webhook_failing", endpoint, hours=hours, disabled_at=endpoint.failing_since + schedule.DISABLED_AFTER)


def tell_owners_disabled(*, endpoint: Endpoint) -> None:
    """We have stopped sending: why, what happens to the news, how to go on. Silent once a person has enabled it."""
    if endpoint.disabled_at is not None:
        gone = endpoint.disabled_reason == Endpoint.DisabledReason.GONE
        _mail("webhook_disabled", endpoint, gone=gone)


def _mail(name: str, endpoint: Endpoint, **context: Any) -> None:
    context |= {
        "endpoint": endpoint,
        "failure": _last_failure(endpoint),
        "hours_until_disabled": schedule.DISABLED_AFTER // dt.timedelta(hours=1),
        "days_held": HELD_FOR.days,
        "attempts": len(settings.WEBHOOK_RETRY_SECONDS) + 1,
        "docs_url": f"{settings.PUBLIC_URL}/backend/docs/api.md#webhooks",
    }
    mail_administrators(endpoint.organization, name, context)


def _last_failure(endpoint: Endpoint) -> str:
    """`timeout`, or `http (503)`. Our own vanished workers are not the receiver's failure."""
    failed = Attempt.objects.filter(endpoint=endpoint).exclude(failure__in=["", LEASE_EXPIRED])
    last = failed.order_by("-started_at").first()
    if last is None:
        return ""
    return f"{last.failure} ({last.status_code})" if last.status_code else last.failure
