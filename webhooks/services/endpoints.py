"""The verbs on endpoints: where news goes, what it is signed with, and whether it goes at all."""

import datetime as dt
import re
from typing import Any
from urllib.parse import urlsplit

import orjson
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from common import jobs
from common.addresses import RefusedAddress, check_url
from common.errors import FieldError, NotFound, ValidationFailed, VersionConflict
from common.signing import encrypt, new_secret
from organizations.actor import Actor
from organizations.errors import PlanLimit
from organizations.models import Organization
from organizations.permissions import Scope
from organizations.services import record
from webhooks import schedule
from webhooks.models import Delivery, Endpoint, EndpointSecret, Event
from webhooks.serializers import EndpointShape
from webhooks.services.events import emit
from webhooks.types import EventType

MAX_LIVE_SECRETS = 3
MAX_HEADERS, MAX_HEADER_VALUE = 10, 1_000
DEFAULT_OVERLAP, LONGEST_OVERLAP = dt.timedelta(hours=24), dt.timedelta(days=7)
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")  # RFC 9110 token
# Ours to set, or about the connection rather than the message.
_RESERVED = re.compile(
    r"(host|content-.*|webhook-.*|bookingflow-.*|user-agent|accept-encoding|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding"
    r"|upgrade|expect)",
    re.IGNORECASE,
)


@transaction.atomic
def create_endpoint(*, by: Actor, url: str, headers: dict[str, str] | None = None, **fields: Any) -> tuple[Endpoint, str]:
    """A new endpoint and its secret, which is shown now and never again.

    Raises NotAllowed, PlanLimit, ValidationFailed (an address that cannot be reached from the internet, a reserved header).
    """
    by.require(Scope.WEBHOOKS_WRITE)
    _check_plan(by.organization)
    endpoint = Endpoint(organization=by.organization)
    _assign(endpoint, {"url": url, "headers": headers or {}, **fields})
    endpoint.save()
    secret = _add_secret(endpoint)
    record(by, "webhook_endpoint.created", endpoint.public_id, url=url)
    return endpoint, secret


@transaction.atomic
def update_endpoint(*, endpoint: Endpoint, by: Actor, expected_version: int | None = None, **changes: Any) -> Endpoint:
    """Change the given fields. What is under way goes to the new address from its next attempt on.

    Raises NotAllowed, NotFound, VersionConflict, ValidationFailed.
    """
    by.require(Scope.WEBHOOKS_WRITE)
    endpoint = _locked(endpoint, by=by, expected_version=expected_version)
    before = (EndpointShape.json(endpoint), endpoint.headers)
    _assign(endpoint, changes)
    if "headers" not in changes and EndpointShape.json(endpoint) == before[0]:
        return endpoint
    _save(endpoint)
    record(by, "webhook_endpoint.updated", endpoint.public_id, fields=sorted(changes))
    return endpoint


@transaction.atomic
def delete_endpoint(*, endpoint: Endpoint, by: Actor, expected_version: int | None = None) -> None:
    """With its deliveries; its events stay. Raises NotAllowed, NotFound, VersionConflict."""
    by.require(Scope.WEBHOOKS_WRITE)
    endpoint = _locked(endpoint, by=by, expected_version=expected_version)
    record(by, "webhook_endpoint.deleted", endpoint.public_id, url=endpoint.url)
    endpoint.delete()


@transaction.atomic
def rotate_secret(
    *, endpoint: Endpoint, by: Actor, overlap: dt.timedelta = DEFAULT_OVERLAP, expected_version: int | None = None
) -> tuple[Endpoint, str]:
    """A new secret, shown now; the others sign too for `overlap` more, a week at most. No overlap revokes them at once.

    Raises NotAllowed, NotFound, VersionConflict, ValidationFailed when three secrets are live.
    """
    by.require(Scope.WEBHOOKS_WRITE)
    endpoint = _locked(endpoint, by=by, expected_version=expected_version)
    now = timezone.now()
    secrets = EndpointSecret.objects.filter(endpoint=endpoint)
    for secret in secrets.live(now):
        retires_at = now + min(overlap, LONGEST_OVERLAP)
        if secret.retires_at is None or secret.retires_at > retires_at:
            secret.retires_at = retires_at
            secret.save(update_fields=["retires_at"])
    if secrets.live(now).count() >= MAX_LIVE_SECRETS:
        detail = f"{MAX_LIVE_SECRETS} secrets sign already: wait, or rotate with an overlap of 0."
        raise ValidationFailed(FieldError(detail, "too_many", pointer="/overlap_seconds"))
    text = _add_secret(endpoint)
    _save(endpoint)
    record(by, "webhook_endpoint.secret_rotated", endpoint.public_id, overlap_seconds=overlap.total_seconds())
    return endpoint, text


@transaction.atomic
def pause_endpoint(*, endpoint: Endpoint, by: Actor, expected_version: int | None = None) -> Endpoint:
    """Send nothing until it is enabled again; events are held meanwhile. Pausing twice changes nothing.

    Raises NotAllowed, NotFound, VersionConflict.
    """
    by.require(Scope.WEBHOOKS_WRITE)
    endpoint = _locked(endpoint, by=by, expected_version=expected_version)
    if endpoint.status != Endpoint.Status.ACTIVE:
        return endpoint
    endpoint.status = Endpoint.Status.PAUSED
    _save(endpoint)
    Delivery.objects.waiting().filter(endpoint=endpoint).update(state=Delivery.State.HELD)
    record(by, "webhook_endpoint.paused", endpoint.public_id)
    return endpoint


@transaction.atomic
def enable_endpoint(
    *, endpoint: Endpoint, by: Actor, release_held_since: dt.datetime | None = None, expected_version: int | None = None
) -> tuple[Endpoint, int]:
    """Send again, its health forgotten. Of what was held, deliveries since `release_held_since` go out now, paced like a
    replay; older ones, and without it all, stay held. Answers the endpoint and how many were released.

    Raises NotAllowed, NotFound, VersionConflict.
    """
    by.require(Scope.WEBHOOKS_WRITE)
    endpoint = _locked(endpoint, by=by, expected_version=expected_version)
    if endpoint.status != Endpoint.Status.ACTIVE:
        endpoint.status, endpoint.disabled_reason, endpoint.disabled_at = Endpoint.Status.ACTIVE, "", None
        schedule.start_afresh(endpoint)
        _save(endpoint)
        record(by, "webhook_endpoint.enabled", endpoint.public_id)
    released = 0
    if release_held_since is not None:
        held = held_deliveries(endpoint).filter(event__occurred_at__gte=release_held_since)
        released = held.update(state=Delivery.State.PENDING, due_at=timezone.now())
        jobs.ring_after_commit("webhooks.tasks.deliver")
    return endpoint, released


def held_deliveries(endpoint: Endpoint) -> Any:
    """Those that wait for the endpoint to be enabled and released."""
    return Delivery.objects.filter(endpoint=endpoint, state=Delivery.State.HELD)


@transaction.atomic
def ping(*, endpoint: Endpoint, by: Actor, expected_version: int | None = None) -> Event:
    """Send it `webhook.ping`, whatever it subscribed to. Raises NotAllowed, NotFound, VersionConflict."""
    by.require(Scope.WEBHOOKS_WRITE)
    endpoint = _locked(endpoint, by=by, expected_version=expected_version)
    return emit(EventType.WEBHOOK_PING, by=by, object=EndpointShape.json(endpoint), version=endpoint.version, only_to=endpoint)


@transaction.atomic
def send_test_event(
    *, endpoint: Endpoint, by: Actor, type: EventType, object: dict[str, Any], expected_version: int | None = None
) -> Event:
    """Send it an event of any type about an example object, to that endpoint alone.

    Raises NotAllowed, NotFound, VersionConflict.
    """
    by.require(Scope.WEBHOOKS_WRITE)
    endpoint = _locked(endpoint, by=by, expected_version=expected_version)
    return emit(type, by=by, object=object, version=object.get("version", 1), only_to=endpoint)


def _assign(endpoint: Endpoint, fields: dict[str, Any]) -> None:
    if "headers" in fields:
        endpoint.headers = encrypt(orjson.dumps(_checked_headers(fields.pop("headers"))).decode())
    if "url" in fields:
        _check_url(fields["url"])
    for name, value in fields.items():
        setattr(endpoint, name, value)


def _check_url(url: str) -> None:
    own_hosts = [*settings.ALLOWED_HOSTS, urlsplit(settings.PUBLIC_URL).hostname or ""]
    try:
        check_url(url, own_hosts=own_hosts, allow_loopback=settings.WEBHOOK_ALLOW_LOOPBACK, allow_http=False)
    except RefusedAddress as refusal:
        raise ValidationFailed(FieldError(str(refusal), "refused_address", pointer="/url")) from None


def _checked_headers(headers: dict[str, str]) -> dict[str, str]:
    errors = []
    if len(headers) > MAX_HEADERS:
        errors.append(FieldError(f"At most {MAX_HEADERS} headers.", "too_many", pointer="/headers"))
    if len({name.lower() for name in headers}) < len(headers):
        errors.append(FieldError("A name stands there twice.", "duplicate", pointer="/headers"))
    for name, value in headers.items():
        pointer = f"/headers/{name.replace('~', '~0').replace('/', '~1')}"
        if not _HEADER_NAME.fullmatch(name):
            errors.append(FieldError("This is no name of a header.", "invalid", pointer=pointer))
        elif _RESERVED.fullmatch(name):
            errors.append(FieldError("This header is set by us.", "reserved", pointer=pointer))
        elif len(value) > MAX_HEADER_VALUE or not value.isascii() or not value.isprintable():
            detail = f"At most {MAX_HEADER_VALUE} printable ASCII characters."
            errors.append(FieldError(detail, "invalid", pointer=pointer))
    if errors:
        raise ValidationFailed(*errors)
    return headers


def _check_plan(organization: Organization) -> None:
    locked = Organization.objects.select_for_update(of=("self",), no_key=True).select_related("plan").get(pk=organization.pk)
    most = locked.plan.max_webhook_endpoints
    if Endpoint.objects.filter(organization=organization).count() >= most:
        raise PlanLimit(f"The {locked.plan.name} plan includes {most} webhook endpoints.")


def _add_secret(endpoint: Endpoint) -> str:
    text = new_secret()
    EndpointSecret.objects.create(endpoint=endpoint, encrypted=encrypt(text))
    return text


def _save(endpoint: Endpoint) -> None:
    endpoint.version += 1
    endpoint.save()


def _locked(endpoint: Endpoint, *, by: Actor, expected_version: int | None = None) -> Endpoint:
    current = Endpoint.objects.visible_to(by).select_for_update().filter(pk=endpoint.pk).first()
    if current is None:
        raise NotFound("webhook endpoint")
    if expected_version is not None and current.version != expected_version:
        raise VersionConflict(current=current.version)
    return current
