"""The verbs on invitations. Their tokens are shown once, for the letter that the caller sends."""

import datetime as dt
import hashlib
import secrets

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils import timezone

from common.errors import DomainError, ErrorCode, FieldError, NotFound, ValidationFailed
from organizations.actor import Actor
from organizations.errors import InvitationClosed, InvitationForAnother
from organizations.members import at_home, lock_members, require_may_give
from organizations.models import Invitation, Membership, User
from organizations.permissions import Role
from organizations.services import record, require_administrator

VALID_FOR = dt.timedelta(days=7)
TOKEN_BYTES = 32
MAX_A_DAY = 50  # new invitations of one organization: nobody sends mail to the whole world through us
RESENT_AFTER = dt.timedelta(minutes=1)


@transaction.atomic
def invite_member(*, email: str, role: Role, by: Actor) -> tuple[Invitation, str]:
    """A new invitation and its token. One that has expired gives way to it.

    Raises NotAdministrator; ValidationFailed on `/email` for a member, for somebody who has an open one, and above MAX_A_DAY.
    """
    by = at_home(by)
    require_may_give(by, role)
    email = email.strip().lower()
    lock_members(by.organization)
    _check_invited(email, by)
    token, now = secrets.token_urlsafe(TOKEN_BYTES), timezone.now()
    invitation = Invitation.objects.create(
        organization=by.organization,
        email=email,
        role=role,
        digest=_digest(token),
        invited_by=User.objects.filter(public_id=by.id).first(),
        expires_at=now + VALID_FOR,
    )
    record(by, "invitation.created", invitation.public_id, email=email, role=role)
    return invitation, token


@transaction.atomic
def resend_invitation(*, invitation: Invitation, by: Actor) -> tuple[Invitation, str]:
    """A new token, valid for as long as a first one; the old link is dead.

    Raises NotAdministrator, NotFound, InvitationClosed; a DomainError (rate_limited) within RESENT_AFTER.
    """
    by, invitation = _lock(invitation, by)
    now = timezone.now()
    if now - invitation.sent_at < RESENT_AFTER:
        raise DomainError("It was sent a moment ago. Wait a minute.", code=ErrorCode.RATE_LIMITED)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    invitation.digest, invitation.sent_at, invitation.expires_at = _digest(token), now, now + VALID_FOR
    invitation.save(update_fields=["digest", "sent_at", "expires_at"])
    record(by, "invitation.resent", invitation.public_id)
    return invitation, token


@transaction.atomic
def revoke_invitation(*, invitation: Invitation, by: Actor) -> None:
    """The link is dead from now on. Raises NotAdministrator, NotFound, InvitationClosed."""
    by, invitation = _lock(invitation, by)
    invitation.revoked_at = timezone.now()
    invitation.save(update_fields=["revoked_at"])
    record(by, "invitation.revoked", invitation.public_id)


@transaction.atomic
def accept_invitation(*, token: str, user: User) -> Membership:
    """The person becomes a member, once: of two at the same moment, one is refused. Who is a member already keeps the role.

    The link came by mail, so that it proves the address, where it is one of the person's own.
    Raises NotFound, InvitationClosed, InvitationForAnother.
    """
    invitation = find_invitation(token, lock=True)
    if not _proves_address(invitation.email, user):
        raise InvitationForAnother(f"This invitation was sent to {invitation.email}.")
    membership, _ = Membership.objects.get_or_create(
        organization=invitation.organization, user=user, defaults={"role": invitation.role}
    )
    invitation.accepted_at = timezone.now()
    invitation.save(update_fields=["accepted_at"])
    record(Actor.member(membership), "invitation.accepted", invitation.public_id, role=membership.role)
    return membership


def find_invitation(token: str, *, lock: bool = False) -> Invitation:
    """The open invitation of that token. Raises NotFound, InvitationClosed."""
    found = Invitation.objects.select_related("organization", "invited_by").filter(digest=_digest(token))
    invitation = (found.select_for_update(of=("self",)) if lock else found).first()
    if invitation is None:
        raise NotFound("invitation")
    _require_open(invitation, "open")
    return invitation


def _lock(invitation: Invitation, by: Actor) -> tuple[Actor, Invitation]:
    by = at_home(by)
    require_administrator(by)
    current = Invitation.objects.visible_to(by).select_for_update().filter(pk=invitation.pk).first()
    if current is None:
        raise NotFound("invitation")
    require_may_give(by, current.role)
    _require_open(current, "open", "expired")
    return by, current


def _require_open(invitation: Invitation, *states: str) -> None:
    told = {
        "accepted": "This invitation has been used.",
        "revoked": "This invitation has been withdrawn.",
        "expired": "This invitation has expired. Ask for a new one.",
        "open": "",
    }
    if invitation.state not in states:
        raise InvitationClosed(told[invitation.state])


def _check_invited(email: str, by: Actor) -> None:
    if Membership.objects.visible_to(by).filter(user__email=email).exists():
        raise ValidationFailed(FieldError("They are a member already.", code="already_member", pointer="/email"))
    mine, now = Invitation.objects.visible_to(by), timezone.now()
    if mine.pending().filter(email=email, expires_at__gt=now).exists():
        raise ValidationFailed(FieldError("They have an open invitation already.", code="already_invited", pointer="/email"))
    if mine.filter(created_at__gt=now - dt.timedelta(days=1)).count() >= MAX_A_DAY:
        raise ValidationFailed(FieldError(f"At most {MAX_A_DAY} invitations a day.", code="too_many", pointer="/email"))
    mine.pending().filter(email=email).update(revoked_at=now)


def _proves_address(email: str, user: User) -> bool:
    """Whether the address is the person's, which it counts as from now on unless another person has proved it before."""
    address = EmailAddress.objects.filter(user=user, email=email).first()
    if address is None and user.email == email:
        primary = not EmailAddress.objects.filter(user=user, primary=True).exists()
        address = EmailAddress.objects.create(user=user, email=email, primary=primary)
    return address is not None and bool(address.set_verified())


def _digest(token: str) -> str:
    """Plain SHA-256 will do: there is nothing to guess in 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()
