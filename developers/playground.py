"""Short-lived tokens with which the dashboard's playground calls the real API in a member's name.

A token is signed, not stored: `bkf_play_` and who, on which organization, in which session. It opens nothing without that
session's cookie, so that a copy of it is worthless elsewhere, and what it may do is read anew at each call.
"""

import datetime as dt
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user
from django.core import signing
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from developers.errors import ApiKeyExpired, ApiKeyInvalid
from developers.models import ApiKey, ApiKeySecret
from organizations.actor import Actor
from organizations.models import Membership, Organization, User
from organizations.permissions import Role

PREFIX = "bkf_play_"
LIFETIME = dt.timedelta(minutes=15)
_SALT = "developers.playground"


def mint(*, by: Actor, session_key: str) -> str:
    """A token for the member `by`, on the organization (live or sandbox) that they act on, in that session of theirs."""
    until = int((timezone.now() + LIFETIME).timestamp())
    content = {"user": by.id, "organization": by.organization.public_id, "session": _fingerprint(session_key), "until": until}
    return PREFIX + signing.dumps(content, salt=_SALT)


def is_token(text: str) -> bool:
    return text.startswith(PREFIX)


def authenticate(text: str, request: HttpRequest) -> tuple[Actor, ApiKeySecret]:
    """The member as an Actor, with what a key of their role could do on the organization's plan; and that key, which stands in
    no table, for those who ask what key was used.

    Raises ApiKeyExpired after 15 minutes; ApiKeyInvalid when it is altered, comes from another site, without its session, or when
    the membership has ended.
    """
    try:
        content = signing.loads(text.removeprefix(PREFIX), salt=_SALT)
    except signing.BadSignature:
        raise ApiKeyInvalid from None
    until = dt.datetime.fromtimestamp(content["until"], dt.UTC)
    if timezone.now() >= until:
        raise ApiKeyExpired("A token of the playground's lasts 15 minutes.")
    session_key = request.session.session_key or ""
    if not _is_same_origin(request) or not constant_time_compare(content["session"], _fingerprint(session_key)):
        raise ApiKeyInvalid("The playground's token works only in the session that it was made for.")
    user = get_user(request)
    organization = (
        Organization.objects.select_related("sandbox_of__plan", "plan").filter(public_id=content["organization"]).first()
    )
    if not isinstance(user, User) or user.public_id != content["user"] or organization is None:
        raise ApiKeyInvalid
    live = organization.sandbox_of or organization
    membership = Membership.objects.of(user).filter(organization=live).first()
    if membership is None:
        raise ApiKeyInvalid("The membership has ended.")
    secret = _as_key(text, organization, live, Role(membership.role), until)
    key = secret.key
    scopes = key.effective_scopes
    return Actor("user", user.public_id, organization, scopes, withheld=key.granted_scopes - scopes), secret


def _fingerprint(session_key: str) -> str:
    return salted_hmac(_SALT, session_key, algorithm="sha256").hexdigest()


def _is_same_origin(request: HttpRequest) -> bool:
    """Browsers tell where a request comes from. One that tells nothing (over plain HTTP) could still not have set the header
    from another site: that needs a preflight, which we answer to nobody.
    """
    site, origin = request.headers.get("Sec-Fetch-Site", "same-origin"), request.headers.get("Origin")
    ours = urlsplit(settings.PUBLIC_URL)
    return site == "same-origin" and origin in (
        None,
        f"{request.scheme}://{request.get_host()}",
        f"{ours.scheme}://{ours.netloc}",
    )


def _as_key(text: str, organization: Organization, live: Organization, role: Role, until: dt.datetime) -> ApiKeySecret:
    if organization is not live:
        live.sandbox = organization  # so that the key acts on the row that is here already
    key = ApiKey(
        public_id="playground",
        organization=live,
        name="Playground",
        mode=organization.mode,
        preset=ApiKey.Preset.CUSTOM,
        scopes=sorted(role.scopes),
        expires_at=until,
    )
    return ApiKeySecret(key=key, prefix=PREFIX, last4=text[-4:])
