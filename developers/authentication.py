"""`Authorization: Bearer bkf_…`: from a request to an Actor."""

import time
from collections.abc import Collection

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from common import jobs, logs
from common.client import client_address
from common.errors import DomainError
from developers import counting, inside, playground
from developers.errors import AddressNotAllowed, ApiKeyMalformed, AuthenticationRequired, SecretKeyInBrowser
from developers.masking import masked_text
from developers.models import ApiKeySecret
from developers.services import authenticate
from organizations.actor import Actor

USE_NOTED_EVERY = 30.0  # seconds; a busy key costs one note per half minute and process, not one per request
_noted: dict[int, float] = {}


class ApiKeyAuthentication(BaseAuthentication):
    """Sets `request.user` to the Actor and `request.auth` to the secret, an unsaved one for a token of the playground's. There is
    no anonymous caller.
    """

    def authenticate(self, request: Request) -> tuple[Actor, ApiKeySecret]:
        known: tuple[Actor, ApiKeySecret] | None = request.META.get(inside.CALLER)
        if known is not None:
            return known
        text = bearer_of(request._request)
        if playground.is_token(text):
            return playground.authenticate(text, request._request)
        return caller_of(request._request, text)

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="BookingFlow"'


def bearer_of(request: HttpRequest) -> str:
    """What stands in the header. Raises AuthenticationRequired, ApiKeyMalformed."""
    scheme, _, text = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if not scheme:
        raise AuthenticationRequired("Send the header `Authorization: Bearer <API key>`.")
    if scheme.lower() != "bearer":
        raise ApiKeyMalformed("The scheme must be Bearer: `Authorization: Bearer <API key>`.")
    return text.strip()


def caller_of(request: HttpRequest, text: str, *, origins: Collection[str] = ()) -> tuple[Actor, ApiKeySecret]:
    """The key's Actor, and the secret; for whoever comes from where the key may be used. `origins` are the pages that may call.

    Raises the refusals of `authenticate`, SecretKeyInBrowser, AddressNotAllowed.
    """
    secret, address = authenticate(text), client_address(request.META)
    key = secret.key
    logs.note(organization=key.acts_on.public_id, key=key.public_id)
    refusal: DomainError | None = None
    if "Origin" in request.headers and request.headers["Origin"] not in origins:
        refusal = SecretKeyInBrowser(
            "The request comes from a web page, where anybody can read the key: rotate it now. Let the page ask a server of "
            "yours, and that server ask us."
        )
    elif not key.may_be_used_from(address):
        refusal = AddressNotAllowed(f"The key's list of networks does not have {address or 'an address that cannot be told'}.")
    if refusal is not None:
        request.auth = secret  # type: ignore[attr-defined]  # the key's owner finds it in the request log
        raise refusal
    scopes = key.effective_scopes
    return Actor("api_key", key.public_id, key.acts_on, scopes, withheld=key.granted_scopes - scopes, caps=key.caps), secret


def note_use(request: HttpRequest, secret: ApiKeySecret) -> None:
    """Have a worker write down the use of the request's key; not while Redis is away, which would make the request wait."""
    address, now = client_address(request.META), time.monotonic()
    if secret.pk is None or counting.redis_is_away() or now - _noted.get(secret.pk, -USE_NOTED_EVERY) < USE_NOTED_EVERY:
        return
    _noted[secret.pk] = now
    agent = masked_text(request.META.get("HTTP_USER_AGENT", ""))[:200]
    ip = str(address) if address else None
    jobs.send("developers.tasks.record_use", secret.pk, timezone.now().isoformat(), ip, agent)
