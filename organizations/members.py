"""The verbs on members: another role, and good-bye. An organization always keeps an owner, and only owners deal with owners."""

import dataclasses

from django.db import transaction

from common.errors import NotFound
from organizations.actor import Actor
from organizations.errors import LastOwner, NotAdministrator
from organizations.models import Membership, Organization
from organizations.permissions import Role
from organizations.services import record, require_administrator


def at_home(by: Actor) -> Actor:
    """The actor on the live organization: a sandbox twin has no members of its own."""
    return dataclasses.replace(by, organization=by.organization.sandbox_of or by.organization)


@transaction.atomic
def change_role(*, member: Membership, role: Role, by: Actor) -> Membership:
    """Give the member another role, which holds from their next request on. Raises NotAdministrator, LastOwner, NotFound."""
    by, member = _lock(member, by)
    require_may_give(by, role)
    if member.role == role:
        return member
    _require_another_owner(member)
    previous, member.role = member.role, role
    member.save(update_fields=["role"])
    record(by, "member.role_changed", member.user.public_id, role=role, previous=previous)
    return member


@transaction.atomic
def remove_member(*, member: Membership, by: Actor) -> None:
    """The person's next request is refused; what they did keeps their name, and API keys that they made keep working.

    Raises NotAdministrator, LastOwner, NotFound.
    """
    by, member = _lock(member, by)
    _require_another_owner(member)
    member.delete()
    record(by, "member.removed", member.user.public_id, role=member.role)


def require_may_give(by: Actor, role: str) -> None:
    """Raise NotAdministrator unless the actor may make somebody that, or deal with somebody who is that."""
    require_administrator(by)
    if role == Role.OWNER and by.role != Role.OWNER:
        raise NotAdministrator("Only an owner makes, changes or removes owners.")


def lock_members(organization: Organization) -> None:
    """One change to members and invitations at a time; rows that refer to the organization can be written meanwhile."""
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)


def _lock(member: Membership, by: Actor) -> tuple[Actor, Membership]:
    by = at_home(by)
    require_administrator(by)
    lock_members(by.organization)
    current = Membership.objects.visible_to(by).select_related("user").filter(pk=member.pk).first()
    if current is None:
        raise NotFound("member")
    require_may_give(by, current.role)
    return by, current


def _require_another_owner(member: Membership) -> None:
    """Where the member is an owner, who is to be one no longer."""
    others = Membership.objects.filter(organization=member.organization_id, role=Role.OWNER).exclude(pk=member.pk)
    if member.role == Role.OWNER and not others.filter(user__is_active=True).exists():
        raise LastOwner("An organization needs an owner. Make somebody else an owner first.")
