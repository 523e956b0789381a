"""The verbs on people and tenants."""

from typing import Any

from django.db import transaction
from django.utils.text import slugify

from common.ids import new_id
from organizations.actor import Actor
from organizations.errors import NotAdministrator
from organizations.models import AuditEntry, Membership, Organization, Plan, User
from organizations.permissions import ADMINISTRATORS, Role

# New organizations try everything; billing, once it exists, ends the trial.
TRIAL_PLAN = "business"


def record(by: Actor, action: str, subject: str = "", **details: Any) -> AuditEntry:
    """Write one line of the audit trail, in the caller's transaction."""
    return AuditEntry.objects.create(
        organization=by.organization,
        actor_type=by.type,
        actor_id=by.id,
        action=action,
        subject=subject,
        details=details,
        request_id=by.request_id,
    )


def require_administrator(by: Actor) -> None:
    """Raise NotAdministrator unless a person (or the system) with an administrator's role acts."""
    if by.type == "api_key" or by.role not in ADMINISTRATORS:
        raise NotAdministrator("Only an owner or a manager may do this.")


@transaction.atomic
def create_organization(*, name: str, owner: User | None = None) -> Organization:
    """A new tenant on the Business trial, with its first owner."""
    organization = Organization.objects.create(name=name, slug=free_slug(name), plan=Plan.objects.get(slug=TRIAL_PLAN))
    by = Actor.system(organization)
    record(by, "organization.created", organization.public_id, name=name)
    if owner is not None:
        add_member(organization=organization, user=owner, role=Role.OWNER, by=by)
    return organization


@transaction.atomic
def rename_organization(*, name: str, by: Actor) -> Organization:
    """Another name for people to see; addresses and ids stay. Raises NotAdministrator."""
    require_administrator(by)
    organization = Organization.objects.select_for_update(no_key=True).get(pk=by.organization.pk)
    previous, organization.name = organization.name, name
    if previous != name:
        organization.save(update_fields=["name"])
        record(by, "organization.renamed", organization.public_id, name=name, previous=previous)
    return organization


@transaction.atomic
def add_member(*, organization: Organization, user: User, role: Role, by: Actor) -> Membership:
    """Give a person a role, or change the one they have. Raises NotAdministrator."""
    require_administrator(by)
    membership, _ = Membership.objects.update_or_create(organization=organization, user=user, defaults={"role": role})
    record(by, "member.added", user.public_id, role=str(role))
    return membership


@transaction.atomic
def sandbox_organization(organization: Organization) -> tuple[Organization, bool]:
    """The sandbox twin and whether it was just made. Two callers at once get the same twin."""
    Organization.objects.select_for_update().get(pk=organization.pk)
    return Organization.objects.get_or_create(
        sandbox_of=organization,
        defaults={
            "name": f"{organization.name} (test)"[:120],
            "slug": free_slug(f"{organization.slug}-test"),
            "plan": organization.plan,
        },
    )


def free_slug(name: str) -> str:
    """A slug that no organization has yet."""
    slug = slugify(name)[:40] or "organization"
    return slug if not Organization.objects.filter(slug=slug).exists() else f"{slug}-{new_id('x')[-6:]}"
