"""System checks of the whole product; `manage.py check --deploy` runs those that concern servers."""

from typing import Any

from cryptography.fernet import Fernet
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


@register(Tags.security, deploy=True)
def webhooks_stay_outside(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Else everybody who has an endpoint could reach what listens on this machine."""
    if not settings.WEBHOOK_ALLOW_LOOPBACK:
        return []
    return [Error("WEBHOOK_ALLOW_LOOPBACK is for a developer's own machine.", id="bookingflow.E004")]


@register()
def webhook_lease_outlasts_requests(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A delivery whose lease runs out is sent again: after its request's deadline there must be time to write the answer down."""
    if settings.WEBHOOK_LEASE_SECONDS >= 2 * settings.WEBHOOK_TOTAL_SECONDS:
        return []
    return [Error("WEBHOOK_LEASE_SECONDS must be at least twice WEBHOOK_TOTAL_SECONDS.", id="bookingflow.E005")]


@register(Tags.security)
def encryption_keys_are_keys(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Else it would show only when the first secret is kept."""
    try:
        for key in settings.SECRET_ENCRYPTION_KEYS:
            Fernet(key)
    except ValueError:
        wrong = True
    else:
        wrong = not settings.SECRET_ENCRYPTION_KEYS
    hint = 'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
    text = "SECRET_ENCRYPTION_KEYS must be Fernet keys, separated by commas."
    return [Error(text, hint=hint, id="bookingflow.E006")] if wrong else []
