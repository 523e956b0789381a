"""The filters of the request log, as the API has them."""

from typing import Any

from django import forms

from dashboard.forms.widgets import DateTimeInput
from developers.log_filters import METHODS


class RequestLogForm(forms.Form):
    status = forms.CharField(required=False, widget=forms.TextInput(attrs={"placeholder": "404, 5xx", "size": 8}))
    method = forms.ChoiceField(required=False, choices=[("", "Any"), *((method, method) for method in METHODS[:5])])
    path = forms.CharField(
        label="Path begins with",
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "/bookings", "spellcheck": "false"}),
    )
    key = forms.ChoiceField(required=False)
    error_code = forms.CharField(
        label="Error code",
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "slot_unavailable", "spellcheck": "false"}),
    )
    tool = forms.CharField(
        label="Agent's tool",
        required=False,
        widget=forms.TextInput(attrs={"placeholder": "hold_booking", "spellcheck": "false"}),
    )
    request_id = forms.CharField(
        label="Request id", required=False, widget=forms.TextInput(attrs={"placeholder": "req_…", "spellcheck": "false"})
    )
    created_since = forms.DateTimeField(label="From (UTC)", required=False, widget=DateTimeInput())
    created_until = forms.DateTimeField(label="Until (UTC)", required=False, widget=DateTimeInput())

    def __init__(self, *, keys: list[tuple[str, str]], **kwargs: Any) -> None:
        """`keys` are (id, name)."""
        super().__init__(**kwargs)
        self.fields["key"].choices = [("", "Any"), *keys, ("playground", "Playground")]  # type: ignore[attr-defined]
        for field in self.fields.values():
            field.widget.attrs["autocomplete"] = "off"
