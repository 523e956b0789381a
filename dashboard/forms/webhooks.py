"""What one types about webhooks. Times are UTC, as in the requests themselves."""

import datetime as dt
from typing import Any

from django import forms

from common.addresses import MAX_URL_LENGTH
from common.errors import DomainError, FieldError, ValidationFailed, VersionConflict
from dashboard.forms.errors import refused
from dashboard.forms.fields import PairsField
from dashboard.forms.widgets import DateTimeInput
from webhooks.models import Endpoint
from webhooks.services.endpoints import MAX_HEADERS
from webhooks.types import EventType

EVERYTHING, CHOSEN = "everything", "chosen"
KEEP, REPLACE = "keep", "replace"
ALL_HELD, NO_HELD, HELD_SINCE = "all", "none", "since"
OVERLAPS = {"24h": "24 hours", "1h": "1 hour", "7d": "7 days", "now": "Not at all: they stop signing now"}
_OVERLAPS = {"24h": dt.timedelta(hours=24), "1h": dt.timedelta(hours=1), "7d": dt.timedelta(days=7), "now": dt.timedelta()}


class EventTypesForm(forms.Form):
    event_types = forms.MultipleChoiceField(
        label="Events", choices=EventType.choices, required=False, widget=forms.CheckboxSelectMultiple
    )

    @property
    def groups(self) -> list[dict[str, Any]]:
        """The types by what they are about."""
        chosen = self["event_types"].value() or []
        groups: dict[str, list[dict[str, Any]]] = {}
        for type in EventType:
            choice = {"value": type.value, "label": type.label, "chosen": type.value in chosen}
            groups.setdefault(type.partition(".")[0].title(), []).append(choice)
        return [{"name": name, "choices": choices} for name, choices in groups.items()]


class EndpointForm(EventTypesForm):
    url = forms.CharField(
        label="Address",
        max_length=MAX_URL_LENGTH,
        widget=forms.TextInput(
            attrs={"inputmode": "url", "autocomplete": "off", "placeholder": "https://example.com/bookingflow"}
        ),
        help_text="Begins with https:// and can be reached from the internet.",
    )
    description = forms.CharField(max_length=200, required=False, help_text="What listens there: Till, CRM, mail list.")
    events = forms.ChoiceField(
        label="What it hears of",
        choices=[(EVERYTHING, "All events, those to come included"), (CHOSEN, "Only these")],
        initial=EVERYTHING,
        widget=forms.RadioSelect,
    )
    headers_now = forms.ChoiceField(
        label="Custom headers",
        choices=[(KEEP, "Keep them as they are"), (REPLACE, "Replace them all by what stands below")],
        initial=KEEP,
        required=False,
        widget=forms.RadioSelect,
    )
    headers = PairsField(
        label="Custom headers",
        required=False,
        help_text=f"Name: value, one a line, at most {MAX_HEADERS}; sent with every request. Values are never shown again.",
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, endpoint: Endpoint | None = None, header_names: list[str] | None = None, **kwargs: Any
    ) -> None:
        if endpoint is not None:
            kwargs["initial"] = {
                "url": endpoint.url,
                "description": endpoint.description,
                "events": CHOSEN if endpoint.event_types else EVERYTHING,
                "event_types": endpoint.event_types,
                "version": endpoint.version,
            }
        super().__init__(*args, **kwargs)
        self.header_names = header_names or []
        if self.header_names:
            self.fields["headers"].label = "New headers"
            self.fields["headers_now"].help_text = f"Now: {', '.join(self.header_names)}."
        else:
            del self.fields["headers_now"]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        if found.get("events") == CHOSEN and not found.get("event_types") and "event_types" not in self.errors:
            self.add_error("event_types", "Choose at least one.")
        return found

    def values(self) -> dict[str, Any]:
        """What the services take."""
        found = self.cleaned_data
        values = {"url": found["url"], "description": found["description"]}
        values["event_types"] = found["event_types"] if found["events"] == CHOSEN else []
        if found.get("headers_now", REPLACE) == REPLACE:
            values["headers"] = found["headers"]
        return values

    def refused(self, error: DomainError) -> None:
        """Where it was typed; a header's refusal names it. After another's change one may save knowingly."""
        if isinstance(error, VersionConflict):
            self.data = self.data.copy()  # type: ignore[attr-defined]
            self.data["version"] = error.extra["current_version"]  # type: ignore[index]
            self.add_error(None, "Somebody else has changed this endpoint meanwhile. Save again to put yours in place of theirs.")
        elif isinstance(error, ValidationFailed):
            refused(self, ValidationFailed(*map(_named, error.errors)))
        else:
            refused(self, error)


def _named(error: FieldError) -> FieldError:
    _, _, header = (error.pointer or "").partition("/headers/")
    if not header:
        return error
    return FieldError(f"{header.replace('~1', '/').replace('~0', '~')}: {error.detail}", error.code, pointer="/headers")


class RotateSecretForm(forms.Form):
    overlap = forms.ChoiceField(
        label="How much longer do the present secrets sign, too?",
        choices=[*OVERLAPS.items()],
        initial="24h",
        widget=forms.RadioSelect,
    )

    @property
    def length(self) -> dt.timedelta:
        return _OVERLAPS[self.cleaned_data["overlap"]]


class EnableForm(forms.Form):
    release = forms.ChoiceField(
        label="What was held meanwhile",
        choices=[(ALL_HELD, "Send all of it now"), (HELD_SINCE, "Send what happened since"), (NO_HELD, "Keep holding it")],
        initial=ALL_HELD,
        widget=forms.RadioSelect,
    )
    since = forms.DateTimeField(label="Since (UTC)", required=False, widget=DateTimeInput())

    def __init__(self, *args: Any, held: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not held:
            self.fields.clear()

    def clean(self) -> dict[str, Any]:
        found = super().clean() or self.cleaned_data
        if found.get("release") == HELD_SINCE and not found.get("since") and "since" not in self.errors:
            self.add_error("since", "Say since when.")
        return found

    def release_held_since(self, oldest: dt.datetime | None) -> dt.datetime | None:
        """None: nothing is released."""
        choice = self.cleaned_data.get("release", NO_HELD)
        return {ALL_HELD: oldest, HELD_SINCE: self.cleaned_data.get("since"), NO_HELD: None}[choice]


class SendTestForm(forms.Form):
    type = forms.ChoiceField(label="Event", choices=[(type.value, f"{type.value} · {type.label}") for type in EventType])


class ReplayForm(EventTypesForm):
    since = forms.DateTimeField(label="From (UTC)", widget=DateTimeInput())
    until = forms.DateTimeField(label="To (UTC)", required=False, widget=DateTimeInput(), help_text="Empty: until now.")
    only_failed = forms.BooleanField(label="Only what never arrived at this endpoint", required=False, initial=True)

    def values(self) -> dict[str, Any]:
        """What the services take."""
        found = self.cleaned_data
        return {
            "since": found["since"],
            "until": found["until"],
            "types": found["event_types"],
            "only_failed": found["only_failed"],
        }
