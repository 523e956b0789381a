"""Who is to have which role."""

from typing import Any

from django import forms
from django.utils.html import format_html

from organizations.actor import Actor
from organizations.permissions import Role

# A sentence each, for people.
ROLES = {
    Role.OWNER: "Everything, other owners included.",
    Role.MANAGER: "Everything but owners: bookings, rooms, prices, refunds, members, keys and settings.",
    Role.STAFF: "The desk: bookings with their cancellations, customers and blocks. Reads the rest.",
    Role.READ_ONLY: "Sees everything, changes nothing.",
}


class RoleForm(forms.Form):
    role = forms.ChoiceField(widget=forms.RadioSelect)

    def __init__(self, *args: Any, by: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        roles = [role for role in Role if role != Role.OWNER or by.role == Role.OWNER]
        label = '<span><strong>{}</strong><br><span class="muted small">{}</span></span>'
        choices = [(role.value, format_html(label, role.label, ROLES[role])) for role in roles]
        self.fields["role"].choices = choices  # type: ignore[attr-defined]


class InviteForm(RoleForm):
    email = forms.EmailField(label="E-mail address", widget=forms.EmailInput({"autocomplete": "off"}))
    field_order = ("email", "role")
