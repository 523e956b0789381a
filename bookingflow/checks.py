"""System checks of the whole product. `manage.py check --deploy` runs them with Django's own; web servers and workers, which
start without manage.py, refuse to start on an error of one of these.
"""

from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register, run_checks

OURS = "bookingflow"


def refuse_to_start() -> None:
    """Raise SystemExit with what is wrong, if anything is. The database is not asked: it may come up later."""
    found = run_checks(tags=[OURS], include_deployment_checks=not settings.DEVELOPMENT)
    if errors := [str(message) for message in found if message.is_serious() and not message.is_silenced()]:
        raise SystemExit("\n".join(["This will not start as it is set up:", *errors]))


@register(OURS, Tags.security, deploy=True)
def production_is_not_development(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if not settings.DEVELOPMENT:
        return []
    return [Error("DEVELOPMENT is on: cookies and redirects do not insist on HTTPS.", id="bookingflow.E001")]


@register(OURS, Tags.security, deploy=True)
def public_url_is_https(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.PUBLIC_URL.startswith("https://"):
        return []
    return [Error("PUBLIC_URL must begin with https:// on a server.", id="bookingflow.E002")]


@register(OURS)
def lease_outlasts_requests(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A claim on an idempotency key must not run out while its request can still be waiting for locks."""
    if settings.IDEMPOTENCY_LEASE_SECONDS * 1000 > settings.LOCK_TIMEOUT_MS:
        return []
    return [Error("IDEMPOTENCY_LEASE_SECONDS must be longer than LOCK_TIMEOUT_MS.", id="bookingflow.E003")]


@register(OURS, Tags.security, deploy=True)
def webhooks_stay_outside(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Else everybody who has an endpoint could reach what listens on this machine."""
    if not settings.WEBHOOK_ALLOW_LOOPBACK:
        return []
    return [Error("WEBHOOK_ALLOW_LOOPBACK is for a developer's own machine.", id="bookingflow.E004")]


@register(OURS)
def webhook_lease_outlasts_requests(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A delivery whose lease runs out is sent again: after its request's deadline there must be time to write the answer down."""
    if settings.WEBHOOK_LEASE_SECONDS >= 2 * settings.WEBHOOK_TOTAL_SECONDS:
        return []
    return [Error("WEBHOOK_LEASE_SECONDS must be at least twice WEBHOOK_TOTAL_SECONDS.", id="bookingflow.E005")]


@register(OURS, Tags.security)
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


@register(OURS, Tags.security, deploy=True)
def stripe_is_asked_over_https(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Each call carries the secret key."""
    if settings.STRIPE_API_BASE.startswith("https://"):
        return []
    return [Error("STRIPE_API_BASE must begin with https:// on a server.", id="bookingflow.E007")]


@register(OURS, Tags.security, deploy=True)
def stripe_is_heard(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Payments are settled without its webhooks too, but only at the next look at Stripe, minutes later."""
    if settings.STRIPE_WEBHOOK_SECRET or not settings.STRIPE_SECRET_KEY:
        return []
    hint = f"Let Stripe post its events to {settings.PUBLIC_URL}/webhooks/stripe and set the secret that it shows for that."
    return [Warning("STRIPE_SECRET_KEY without STRIPE_WEBHOOK_SECRET.", hint=hint, id="bookingflow.W008")]
