"""What one types about API keys."""

import datetime as dt
from typing import Any

from django import forms

from dashboard.forms.key_rules import KeyRulesForm
from dashboard.forms.widgets import DateInput
from developers.models import ApiKey
from organizations.permissions import Scope

PRESETS = {
    ApiKey.Preset.READ_ONLY: "Sees everything but the request log, changes nothing.",
    ApiKey.Preset.READ_WRITE: "All that the API can do: books, cancels, refunds, changes rooms and customers.",
    ApiKey.Preset.AI_AGENT: "Finds rooms and free times, and books. Never cancels, refunds or reads your customer list.",
    ApiKey.Preset.CUSTOM: "Choose each permission yourself.",
}
# As they stand in the grid: resource, then its permissions.
GRID = (
    ("Bookings", {"Read": Scope.BOOKINGS_READ, "Write": Scope.BOOKINGS_WRITE, "Cancel": Scope.BOOKINGS_CANCEL}),
    ("Rooms and venues", {"Read": Scope.ROOMS_READ, "Write": Scope.ROOMS_WRITE}),
    ("Schedules and blocks", {"Read": Scope.SCHEDULES_READ, "Write": Scope.SCHEDULES_WRITE}),
    ("Customers", {"Read": Scope.CUSTOMERS_READ, "Write": Scope.CUSTOMERS_WRITE}),
    ("Payments", {"Read": Scope.PAYMENTS_READ, "Refund": Scope.REFUNDS_WRITE}),
    ("Webhooks", {"Read": Scope.WEBHOOKS_READ, "Write": Scope.WEBHOOKS_WRITE}),
    ("Calendar feeds and imports", {"Read": Scope.CALENDARS_READ, "Write": Scope.CALENDARS_WRITE}),
    ("Events", {"Read": Scope.EVENTS_READ}),
    ("Request log", {"Read": Scope.LOGS_READ}),
)
UNTIL_REVOKED = "until_revoked"
OVERLAPS: dict[str, tuple[str, dt.timedelta | None]] = {
    UNTIL_REVOKED: ("Until I revoke it", None),
    "now": ("Not at all: it stops now", dt.timedelta()),
    "1h": ("1 hour", dt.timedelta(hours=1)),
    "24h": ("24 hours", dt.timedelta(hours=24)),
    "7d": ("7 days", dt.timedelta(days=7)),
    "30d": ("30 days", dt.timedelta(days=30)),
}


class KeyForm(KeyRulesForm):
    name = forms.CharField(max_length=80, help_text="What will use it: Website, Till, n8n.")
    preset = forms.ChoiceField(
        label="What it may do", choices=ApiKey.Preset.choices, initial=ApiKey.Preset.READ_ONLY, widget=forms.RadioSelect
    )
    scopes = forms.MultipleChoiceField(
        label="Permissions", choices=Scope.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    expires_at = forms.DateField(
        label="Expires on",
        required=False,
        widget=DateInput(),
        help_text="Works to the end of that day, UTC. Empty: it does not expire.",
    )

    def clean_expires_at(self) -> dt.datetime | None:
        day = self.cleaned_data["expires_at"]
        if day and day.year > 2100:
            raise forms.ValidationError("The year must not lie after 2100.")
        return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), tzinfo=dt.UTC) if day else None

    def clean(self) -> dict[str, Any]:
        found = super().clean()
        if found.get("preset") == ApiKey.Preset.CUSTOM and not found.get("scopes") and "scopes" not in self.errors:
            self.add_error("scopes", "Choose at least one.")
        return found

    @property
    def asked(self) -> dict[str, Any]:
        """What `create_key` is asked for."""
        return {name: self.cleaned_data[name] for name in ("name", "preset", "scopes", "expires_at")} | {"rules": self.key_rules}

    @property
    def presets(self) -> list[dict[str, Any]]:
        """The cards."""
        chosen = self["preset"].value()
        return [
            {"value": preset.value, "label": preset.label, "text": text, "chosen": chosen == preset}
            for preset, text in PRESETS.items()
        ]

    @property
    def grid(self) -> list[dict[str, Any]]:
        """The rows of permissions."""
        chosen = self["scopes"].value() or []
        return [
            {
                "resource": resource,
                "cells": [
                    {"verb": verb, "value": scope.value, "help": scope.label, "chosen": scope.value in chosen}
                    for verb, scope in verbs.items()
                ],
            }
            for resource, verbs in GRID
        ]


class RotateKeyForm(forms.Form):
    overlap = forms.ChoiceField(
        label="How much longer does the present secret work?", initial=UNTIL_REVOKED, widget=forms.RadioSelect, choices=()
    )

    def __init__(self, *args: Any, only_now: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = ["now"] if only_now else [*OVERLAPS]
        self.fields["overlap"].choices = [(name, OVERLAPS[name][0]) for name in names]  # type: ignore[attr-defined]
        self.initial.setdefault("overlap", names[0])

    @property
    def length(self) -> dt.timedelta | None:
        return OVERLAPS[self.cleaned_data["overlap"]][1]


class TypedNameForm(forms.Form):
    """For what cannot be undone: the thing's name, typed."""

    confirmation = forms.CharField(max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}))

    def __init__(self, *args: Any, name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.name = name
        self.fields["confirmation"].label = f"Type “{name}” to confirm"

    def clean_confirmation(self) -> str:
        typed: str = self.cleaned_data["confirmation"]
        if " ".join(typed.split()) != " ".join(self.name.split()):
            raise forms.ValidationError("That is not its name.")
        return typed
