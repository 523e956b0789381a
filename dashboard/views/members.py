"""Settings → Members: who works here, who is invited, and as what."""

import logging

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from common.errors import DomainError, NotFound
from dashboard.access import PageRequest, page
from dashboard.forms.errors import refused
from dashboard.forms.members import ROLES, InviteForm, RoleForm
from organizations.errors import LastOwner
from organizations.invitations import invite_member, resend_invitation, revoke_invitation
from organizations.mail import mail_invitation
from organizations.members import at_home, change_role, remove_member, require_may_give
from organizations.models import Invitation, Membership
from organizations.permissions import Role

logger = logging.getLogger(__name__)


@page(administrators=True)
def settings_members(request: PageRequest) -> HttpResponse:
    by = at_home(request.actor)
    members = Membership.objects.visible_to(by).select_related("user").order_by("joined_at", "pk")
    invitations = Invitation.objects.visible_to(by).pending().select_related("invited_by").order_by("-sent_at", "-pk")
    context = {
        "members": members,
        "invitations": invitations,
        "roles": [(role.label, sentence) for role, sentence in ROLES.items()],
        "is_owner": by.role == Role.OWNER,
    }
    return render(request, "dashboard/settings/members.html", context)


@page(administrators=True, recent=True, methods=("GET", "POST"))
def settings_member_invite(request: PageRequest) -> HttpResponse:
    form = InviteForm(request.POST or None, by=request.actor, initial={"role": Role.STAFF})
    if request.method == "POST" and form.is_valid():
        try:
            invitation, token = invite_member(
                email=form.cleaned_data["email"], role=Role(form.cleaned_data["role"]), by=request.actor
            )
        except DomainError as error:
            refused(form, error)
        else:
            _send(request, invitation, token)
            return redirect("dashboard:settings_members")
    return render(request, "dashboard/settings/member_invite.html", {"form": form}, status=422 if form.errors else 200)


@page(administrators=True, recent=True, methods=("POST",))
def settings_invitation_resend(request: PageRequest, public_id: str) -> HttpResponse:
    try:
        invitation, token = resend_invitation(invitation=_invitation(request, public_id), by=request.actor)
    except NotFound:
        raise
    except DomainError as error:
        messages.error(request, error.detail)
    else:
        _send(request, invitation, token)
    return redirect("dashboard:settings_members")


@page(administrators=True, recent=True, methods=("GET", "POST"))
def settings_invitation_revoke(request: PageRequest, public_id: str) -> HttpResponse:
    invitation = _invitation(request, public_id)
    if request.method == "POST":
        revoke_invitation(invitation=invitation, by=request.actor)
        messages.success(request, f"The invitation of {invitation.email} is withdrawn.")
        return redirect("dashboard:settings_members")
    return render(request, "dashboard/settings/invitation_revoke.html", {"invitation": invitation})


@page(administrators=True, recent=True, methods=("GET", "POST"))
def settings_member(request: PageRequest, public_id: str) -> HttpResponse:
    """Another role."""
    member = _member(request, public_id)
    require_may_give(request.actor, member.role)
    form = RoleForm(request.POST or None, by=request.actor, initial={"role": member.role})
    if request.method == "POST" and form.is_valid():
        try:
            member = change_role(member=member, role=Role(form.cleaned_data["role"]), by=request.actor)
        except DomainError as error:
            refused(form, error)
        else:
            messages.success(request, f"{_name(member)} is now: {member.get_role_display()}.")
            return redirect("dashboard:settings_members" if _administers(request) else "dashboard:home")
    context = {"form": form, "member": member, "name": _name(member)}
    return render(request, "dashboard/settings/member.html", context, status=422 if form.errors else 200)


@page(administrators=True, recent=True, methods=("GET", "POST"))
def settings_member_remove(request: PageRequest, public_id: str) -> HttpResponse:
    member = _member(request, public_id)
    require_may_give(request.actor, member.role)
    context = {"member": member, "name": _name(member), "is_oneself": member.user == request.user}
    if request.method == "POST":
        try:
            remove_member(member=member, by=request.actor)
        except LastOwner as error:
            return render(request, "dashboard/settings/member_remove.html", {**context, "refused": error.detail}, status=409)
        messages.success(request, f"{_name(member)} is no longer a member.")
        return redirect("dashboard:home" if context["is_oneself"] else "dashboard:settings_members")
    return render(request, "dashboard/settings/member_remove.html", context)


def _send(request: PageRequest, invitation: Invitation, token: str) -> None:
    url = settings.PUBLIC_URL + reverse("dashboard:invitation", args=[token])
    try:
        mail_invitation(invitation, url=url)
    except OSError:  # smtplib's errors are among them
        logger.exception("could not send %s", invitation.public_id)
        messages.error(request, "The invitation is made, but its letter could not be sent. Send it again in a few minutes.")
    else:
        messages.success(request, f"An invitation is on its way to {invitation.email}.")


def _invitation(request: PageRequest, public_id: str) -> Invitation:
    return Invitation.objects.visible_to(at_home(request.actor)).pending().find(public_id)


def _member(request: PageRequest, public_id: str) -> Membership:
    member = Membership.objects.visible_to(at_home(request.actor)).filter(user__public_id=public_id).select_related("user")
    if not (found := member.first()):
        raise NotFound("member")
    return found


def _name(member: Membership) -> str:
    return member.user.name or member.user.email


def _administers(request: PageRequest) -> bool:
    """Whether the one who acts still may come here: one can take it from oneself."""
    return Membership.objects.filter(pk=request.membership.pk, role__in=(Role.OWNER, Role.MANAGER)).exists()
