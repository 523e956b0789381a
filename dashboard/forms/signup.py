"""Signing up: a person, and their organization unless they were invited into one."""

from typing import Any

from allauth.account import forms as allauth_forms
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import record_authentication
from allauth.core import context
from django import forms
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.shortcuts import redirect

from common.errors import DomainError
from dashboard.accounts import PASSWORD_HELP
from dashboard.forms.timezones import TimeZoneField
from organizations.invitations import accept_invitation, find_invitation
from organizations.models import Invitation, User
from rooms.services import open_organization

INVITATION = "invitation"  # the parameter that carries the token of an invitation's link


class SignUpForm(allauth_forms.SignupForm):  # type: ignore[misc]
    name = forms.CharField(label="Your name", max_length=120, widget=forms.TextInput({"autocomplete": "name"}))
    organization = forms.CharField(
        label="Name of the organization",
        max_length=120,
        help_text="As your guests know you.",
        widget=forms.TextInput({"autocomplete": "organization"}),
    )
    timezone = TimeZoneField(help_text="Of your venue. Opening hours and bookings follow its clock.")
    invitation = forms.CharField(required=False, widget=forms.HiddenInput)
    account_already_exists: bool  # allauth's, set by clean_email
    field_order = ("name", "email", "password1", "organization", "timezone", INVITATION)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.invited = self._find_invitation()
        self.fields["password1"].help_text = PASSWORD_HELP
        if self.invited is not None:
            del self.fields["organization"], self.fields["timezone"]
            self.fields["email"].disabled = True  # the letter that brought them here was sent there
            self.initial["email"] = self.invited.email

    def _find_invitation(self) -> Invitation | None:
        """The open invitation whose link was followed; a dead one has been told about before one comes here."""
        token = self.data.get(INVITATION) or context.request.GET.get(INVITATION, "")
        self.initial[INVITATION] = token
        try:
            return find_invitation(token) if token else None
        except DomainError:
            return None

    def clean(self) -> dict[str, Any]:
        if self.data.get(INVITATION) and self.invited is None:
            raise forms.ValidationError("This invitation is no longer valid. Ask for a new one.")
        return super().clean()

    def try_save(self, request: HttpRequest) -> tuple[User | None, Any]:
        """Of two sign-ups with one address at the same moment the second is treated as the later one that it is."""
        if not self.account_already_exists:
            try:
                with transaction.atomic():
                    return self.save(request), None
            except IntegrityError:
                self.account_already_exists = True
            except DomainError:  # somebody was quicker with the invitation; its page says so
                return None, redirect("dashboard:invitation", token=self.cleaned_data[INVITATION])
        make_password(self.cleaned_data["password1"])  # takes its time, as it does for a new account
        return super().try_save(request)

    def save(self, request: HttpRequest) -> User:
        if self.invited is not None:
            get_adapter().stash_verified_email(request, self.invited.email)
        user: User = super().save(request)
        if self.invited is not None:
            accept_invitation(token=self.cleaned_data[INVITATION], user=user)
        record_authentication(request, user, method="password", email=user.email)  # else the first key asks for it again
        return user

    def custom_signup(self, request: HttpRequest, user: User) -> None:
        user.name = self.cleaned_data["name"]
        user.save(update_fields=["name"])
        if self.invited is None:
            open_organization(name=self.cleaned_data["organization"], owner=user, timezone=self.cleaned_data["timezone"])
