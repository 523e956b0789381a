"""The time zone of a place, chosen from a list; static/js/timezone.js preselects the browser's own."""

import functools
from typing import Any
from zoneinfo import available_timezones

from django import forms

REGIONS = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific", "Arctic")


@functools.cache
def choices() -> list[tuple[str, str]]:
    places = sorted(name for name in available_timezones() if name.split("/")[0] in REGIONS)
    return [("", "Choose…"), *((name, name.replace("_", " ")) for name in [*places, "UTC"])]


class TimeZoneField(forms.ChoiceField):
    def __init__(self, **kwargs: Any) -> None:
        widget = forms.Select(attrs={"data-timezone": ""})
        super().__init__(**{"choices": choices, "label": "Time zone", "widget": widget, **kwargs})
