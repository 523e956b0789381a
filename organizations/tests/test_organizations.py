"""Tenants, members, plans, and the audit trail that nobody changes."""

from importlib import import_module

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction

from common.errors import DomainError, ErrorCode
from organizations.actor import Actor
from organizations.models import AuditEntry, Organization, Plan, User
from organizations.permissions import Role, Scope, with_implied
from organizations.services import add_member, create_organization
from tests.cast import Player


def test_a_new_organization_starts_on_the_business_trial_with_its_owner(plans: None) -> None:
    owner = User.objects.create_user("Owner@Example.com", "a long password")

    organization = create_organization(name="Clockwork", owner=owner)

    assert organization.plan.slug == "business"
    assert organization.memberships.get().role == Role.OWNER
    assert owner.email == "owner@example.com"
    assert create_organization(name="Clockwork").slug != organization.slug


def test_a_plan_lets_in_at_least_one_request(plans: None) -> None:
    plan = Plan.objects.get(slug="starter")
    plan.rate_burst = 0

    with pytest.raises(ValidationError) as refused:
        plan.full_clean()

    assert list(refused.value.message_dict) == ["rate_burst"]


def test_roles_are_sets_of_scopes() -> None:
    assert Scope.BOOKINGS_CANCEL in Role.STAFF.scopes
    assert Scope.REFUNDS_WRITE not in Role.STAFF.scopes
    assert Role.READ_ONLY.scopes == {scope for scope in Scope if scope.endswith(":read")} - {Scope.LOGS_READ}
    assert with_implied(frozenset({Scope.ROOMS_WRITE})) == {Scope.ROOMS_WRITE, Scope.ROOMS_READ}
    assert with_implied(frozenset({Scope.REFUNDS_WRITE})) == {Scope.REFUNDS_WRITE}


def test_members_are_added_by_administrators_only(alice: Player, bob: Player) -> None:
    newcomer = User.objects.create_user("new@example.com")

    with pytest.raises(DomainError) as refused:
        add_member(organization=alice.organization, user=newcomer, role=Role.STAFF, by=bob.actor)
    assert refused.value.code is ErrorCode.INSUFFICIENT_SCOPE
    add_member(organization=alice.organization, user=newcomer, role=Role.STAFF, by=alice.actor)
    changed = add_member(organization=alice.organization, user=newcomer, role=Role.MANAGER, by=alice.actor)
    assert alice.organization.memberships.filter(user=newcomer).get() == changed


def test_the_audit_trail_cannot_be_changed(alice: Player) -> None:
    with pytest.raises(TypeError):
        AuditEntry.objects.all().delete()
    for statement in ("UPDATE organizations_auditentry SET action = 'x'", "DELETE FROM organizations_auditentry"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_rows_are_visible_to_their_own_tenant(alice: Player, charlie: Player) -> None:
    assert AuditEntry.objects.visible_to(alice.actor).exists()
    both = AuditEntry.objects.visible_to(alice.actor) & AuditEntry.objects.visible_to(charlie.actor)
    assert not both.exists()


def test_the_system_acts_with_every_scope(alice: Player) -> None:
    Actor.system(alice.organization).require(*Scope)
    assert Organization.objects.get(pk=alice.organization.pk).mode == "live"


@pytest.mark.django_db
def test_each_plan_includes_its_number_of_webhook_endpoints() -> None:
    for module in ("0003_plans", "0004_plan_webhook_endpoints"):
        migration = import_module(f"organizations.migrations.{module}")
        (migration.create_plans if hasattr(migration, "create_plans") else migration.set_included)(apps, None)

    assert dict(Plan.objects.values_list("slug", "max_webhook_endpoints")) == {"starter": 2, "business": 10, "enterprise": 50}


def test_who_was_there_before_addresses_were_confirmed_signs_in_as_before(alice: Player, bob: Player) -> None:
    EmailAddress.objects.create(user=bob.user, email=bob.user.email)

    import_module("organizations.migrations.0006_addresses").confirm(apps, None)

    found = EmailAddress.objects.order_by("email").values_list("email", "verified", "primary")
    assert list(found) == [("alice@example.com", True, True), ("bob@example.com", False, False)]
