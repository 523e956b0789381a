"""Who is asked to join, who may ask, and that an invitation is good once, for seven days, for one address."""

import datetime as dt
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.utils import timezone

from common.errors import DomainError, NotFound, ValidationFailed
from organizations import invitations
from organizations.actor import Actor
from organizations.errors import InvitationClosed, InvitationForAnother, LastOwner, NotAdministrator
from organizations.invitations import accept_invitation, find_invitation, invite_member, resend_invitation, revoke_invitation
from organizations.members import change_role, remove_member
from organizations.models import AuditEntry, Invitation, Membership, User
from organizations.permissions import Role
from organizations.services import add_member, sandbox_organization
from tests.cast import Player, enter
from tests.crowd import at_once


def invite(by: Player, *, email: str = "new@example.com", role: Role = Role.STAFF) -> tuple[Invitation, str]:
    return invite_member(email=email, role=role, by=by.actor)


def newcomer(email: str = "new@example.com") -> User:
    return User.objects.create_user(email)


def of(player: Player) -> Membership:
    return Membership.objects.get(user=player.user)


@pytest.fixture
def manager(alice: Player) -> Player:
    return enter("mia", alice.organization, Role.MANAGER, "read_only")  # type: ignore[arg-type]


def test_an_invitation_makes_a_member_and_proves_the_address(alice: Player) -> None:
    invitation, token = invite(alice, email=" New@Example.com ", role=Role.MANAGER)
    user = newcomer()

    membership = accept_invitation(token=token, user=user)

    assert (membership.organization, membership.role) == (alice.organization, Role.MANAGER)
    assert EmailAddress.objects.get(user=user).verified
    acts = AuditEntry.objects.filter(subject=invitation.public_id).order_by("pk").values_list("action", "actor_id")
    assert list(acts) == [("invitation.created", alice.user.public_id), ("invitation.accepted", user.public_id)]


def test_the_token_is_kept_nowhere(alice: Player) -> None:
    invitation, token = invite(alice)

    kept = [str(value) for value in Invitation.objects.filter(pk=invitation.pk).values().get().values()]
    kept += [str(entry.details) for entry in AuditEntry.objects.all()]
    assert not [value for value in kept if token in value]


@pytest.mark.parametrize("token", ["", "x" * 43])
def test_an_unknown_token_is_refused(alice: Player, token: str) -> None:
    with pytest.raises(NotFound):
        accept_invitation(token=token, user=newcomer())


def test_an_expired_one_is_refused_until_it_is_sent_again(alice: Player) -> None:
    invitation, token = invite(alice)
    week = timezone.now() - dt.timedelta(days=7)
    Invitation.objects.update(sent_at=week, expires_at=week + invitations.VALID_FOR)

    with pytest.raises(InvitationClosed, match="expired"):
        accept_invitation(token=token, user=newcomer())
    _, fresh = resend_invitation(invitation=invitation, by=alice.actor)
    with pytest.raises(NotFound):
        find_invitation(token)
    assert accept_invitation(token=fresh, user=User.objects.get(email="new@example.com")).role == Role.STAFF


def test_a_new_invitation_takes_the_place_of_an_expired_one(alice: Player) -> None:
    first, _ = invite(alice)
    Invitation.objects.update(expires_at=timezone.now())

    invite(alice)

    first.refresh_from_db()
    assert first.state == "revoked"
    assert Invitation.objects.pending().count() == 1


def test_a_withdrawn_one_is_refused(alice: Player) -> None:
    invitation, token = invite(alice)
    revoke_invitation(invitation=invitation, by=alice.actor)

    with pytest.raises(InvitationClosed, match="withdrawn"):
        accept_invitation(token=token, user=newcomer())
    with pytest.raises(InvitationClosed):
        resend_invitation(invitation=invitation, by=alice.actor)


def test_it_works_once(alice: Player) -> None:
    _, token = invite(alice)
    user = newcomer()
    accept_invitation(token=token, user=user)

    remove_member(member=Membership.objects.get(user=user), by=alice.actor)

    with pytest.raises(InvitationClosed, match="used"):
        accept_invitation(token=token, user=user)


def test_a_stranger_who_has_the_link_cannot_use_it(alice: Player, charlie: Player) -> None:
    _, token = invite(alice)

    with pytest.raises(InvitationForAnother):
        accept_invitation(token=token, user=charlie.user)
    assert accept_invitation(token=token, user=newcomer())


def test_an_address_that_another_has_confirmed_is_not_ones_own(alice: Player, charlie: Player) -> None:
    _, token = invite(alice)
    EmailAddress.objects.create(user=newcomer(), email="new@example.com", verified=True, primary=True)
    EmailAddress.objects.create(user=charlie.user, email="new@example.com")

    with pytest.raises(InvitationForAnother):
        accept_invitation(token=token, user=charlie.user)


def test_who_is_a_member_already_keeps_the_role(alice: Player) -> None:
    _, token = invite(alice, role=Role.READ_ONLY)
    user = newcomer()
    add_member(organization=alice.organization, user=user, role=Role.OWNER, by=alice.actor)

    assert accept_invitation(token=token, user=user).role == Role.OWNER


@pytest.mark.parametrize(("email", "code"), [("bob@example.com", "already_member"), ("new@example.com", "already_invited")])
def test_whom_there_is_no_need_to_invite(alice: Player, bob: Player, email: str, code: str) -> None:
    invite(alice)

    with pytest.raises(ValidationFailed) as refused:
        invite(alice, email=email.upper())
    assert [(error.pointer, error.code) for error in refused.value.errors] == [("/email", code)]


def test_nobody_sends_letters_to_the_whole_world(alice: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(invitations, "MAX_A_DAY", 2)
    for number in range(2):
        revoke_invitation(invitation=invite(alice, email=f"{number}@example.com")[0], by=alice.actor)

    with pytest.raises(ValidationFailed, match="2 invitations a day"):
        invite(alice)


def test_nobody_is_sent_letters_without_pause(alice: Player) -> None:
    invitation, _ = invite(alice)

    with pytest.raises(DomainError, match="Wait a minute"):
        resend_invitation(invitation=invitation, by=alice.actor)


def test_only_administrators_invite(alice: Player, bob: Player, charlie: Player) -> None:
    invitation, _ = invite(alice)
    key = Actor("api_key", alice.key.public_id, alice.organization, alice.actor.scopes)

    for by in (bob.actor, key):
        with pytest.raises(NotAdministrator):
            invite_member(email="other@example.com", role=Role.STAFF, by=by)
        with pytest.raises(NotAdministrator):
            revoke_invitation(invitation=invitation, by=by)
    with pytest.raises(NotFound):
        revoke_invitation(invitation=invitation, by=charlie.actor)


def test_only_owners_deal_with_owners(alice: Player, bob: Player, manager: Player) -> None:
    by = manager.actor
    for act in (
        lambda: invite_member(email="new@example.com", role=Role.OWNER, by=by),
        lambda: change_role(member=of(bob), role=Role.OWNER, by=by),
        lambda: change_role(member=of(alice), role=Role.STAFF, by=by),
        lambda: remove_member(member=of(alice), by=by),
        lambda: revoke_invitation(invitation=invite(alice, role=Role.OWNER)[0], by=by),
    ):
        with pytest.raises(NotAdministrator):
            act()
    assert change_role(member=of(bob), role=Role.STAFF, by=by).role == Role.STAFF
    remove_member(member=of(bob), by=by)


def test_an_organization_keeps_an_owner(alice: Player, bob: Player) -> None:
    for act in (
        lambda: change_role(member=of(alice), role=Role.MANAGER, by=alice.actor),
        lambda: remove_member(member=of(alice), by=alice.actor),
    ):
        with pytest.raises(LastOwner):
            act()
    change_role(member=of(bob), role=Role.OWNER, by=alice.actor)
    User.objects.filter(pk=bob.user.pk).update(is_active=False)
    with pytest.raises(LastOwner):
        remove_member(member=of(alice), by=alice.actor)
    User.objects.filter(pk=bob.user.pk).update(is_active=True)

    remove_member(member=of(alice), by=alice.actor)

    assert alice.organization.memberships.get().user == bob.user


def test_another_role_is_written_down_and_the_same_one_is_not(alice: Player, bob: Player) -> None:
    change_role(member=of(bob), role=Role.STAFF, by=alice.actor)
    change_role(member=of(bob), role=Role.STAFF, by=alice.actor)

    entry = AuditEntry.objects.get(action="member.role_changed")
    assert (entry.subject, entry.details) == (bob.user.public_id, {"role": "staff", "previous": "read_only"})


def test_another_organizations_members_are_out_of_reach(alice: Player, bob: Player, charlie: Player) -> None:
    with pytest.raises(NotFound):
        change_role(member=of(bob), role=Role.STAFF, by=charlie.actor)
    with pytest.raises(NotFound):
        remove_member(member=of(bob), by=charlie.actor)


def test_in_test_mode_it_is_the_live_organizations_members_that_change(alice: Player, bob: Player) -> None:
    twin, _ = sandbox_organization(alice.organization)
    by = Actor.member(of(alice), organization=twin)

    invitation, _ = invite_member(email="new@example.com", role=Role.STAFF, by=by)
    change_role(member=of(bob), role=Role.STAFF, by=by)

    assert invitation.organization == alice.organization
    assert not AuditEntry.objects.filter(organization=twin).exists()


@pytest.mark.django_db(transaction=True)
def test_of_many_at_the_same_moment_one_gets_in(alice: Player) -> None:
    _, token = invite(alice)
    user = newcomer()

    def accept() -> str:
        try:
            accept_invitation(token=token, user=user)
        except DomainError as refused:
            return type(refused).__name__
        return "in"

    answers = at_once([accept] * 6)

    assert sorted(answers) == ["InvitationClosed"] * 5 + ["in"]
    assert Membership.objects.filter(user=user).count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_invitations_at_the_same_moment_one_is_made(alice: Player) -> None:
    def ask() -> str:
        try:
            invite(alice)
        except DomainError as refused:
            return refused.code.code
        return "invited"

    assert sorted(at_once([ask] * 6)) == ["invited"] + ["validation_failed"] * 5


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_remove_each_other_leave_one(alice: Player, bob: Player) -> None:
    change_role(member=of(bob), role=Role.OWNER, by=alice.actor)
    bob_now = Actor.member(of(bob))
    pairs: list[tuple[Any, Any]] = [(of(bob), alice.actor), (of(alice), bob_now)]

    def remove(pair: tuple[Any, Any]) -> str:
        try:
            remove_member(member=pair[0], by=pair[1])
        except DomainError as refused:
            return refused.code.code
        return "removed"

    answers = at_once([lambda pair=pair: remove(pair) for pair in pairs])  # type: ignore[misc]

    assert sorted(answers) == ["invalid_transition", "removed"]
    assert alice.organization.memberships.count() == 1
