"""`Authorization: Bearer bkf_…`: from a request to an Actor."""

import time

from django.utils import timezone
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from common import jobs
from developers import playground
from developers.errors import ApiKeyMalformed, AuthenticationRequired
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
        scheme, _, text = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if not scheme:
            raise AuthenticationRequired("Send the header `Authorization: Bearer <API key>`.")
        if scheme.lower() != "bearer":
            raise ApiKeyMalformed("The scheme must be Bearer: `Authorization: Bearer <API key>`.")
        if playground.is_token(text.strip()):
            return playground.authenticate(text.strip(), request._request)
        secret = authenticate(text.strip())
        note_use(secret, request)
        key = secret.key
        scopes = key.effective_scopes
        return Actor("api_key", key.public_id, key.acts_on, scopes, withheld=key.granted_scopes - scopes), secret

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="BookingFlow"'


def note_use(secret: ApiKeySecret, request: Request) -> None:
    """Have a worker write down the use."""
    now = time.monotonic()
    if now - _noted.get(secret.pk, -USE_NOTED_EVERY) < USE_NOTED_EVERY:
        return
    _noted[secret.pk] = now
    agent = request.META.get("HTTP_USER_AGENT", "")[:200]
    jobs.send(
        "developers.tasks.record_use", secret.pk, timezone.now().isoformat(), request.META.get("REMOTE_ADDR") or None, agent
    )
