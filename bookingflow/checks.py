"""System checks of the whole product; `manage.py check --deploy` runs those that concern servers."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register


@register(Tags.security, deploy=True)
def production_is_not_development(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if not settings.DEVELOPMENT:
        return []
    return [Error("DEVELOPMENT is on: cookies and redirects do not insist on HTTPS.", id="bookingflow.E001")]


@register(Tags.security, deploy=True)
def public_url_is_https(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.PUBLIC_URL.startswith("https://"):
        return []
    return [Error("PUBLIC_URL must begin with https:// on a server.", id="bookingflow.E002")]


@register()
def lease_outlasts_requests(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A claim on an idempotency key must not run out while its request can still be waiting for locks."""
    if settings.IDEMPOTENCY_LEASE_SECONDS * 1000 > settings.LOCK_TIMEOUT_MS:
        return []
    return [Error("IDEMPOTENCY_LEASE_SECONDS must be longer than LOCK_TIMEOUT_MS.", id="bookingflow.E003")]
