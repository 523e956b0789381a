"""A place with a clock, a currency and a tax."""

from typing import Any

from django import forms
from django.http import QueryDict

from dashboard.forms.fields import WallTimeField, WeekdaysField
from dashboard.forms.timezones import TimeZoneField, choices
from dashboard.forms.typed import Row, Rows, TypedForm
from organizations.actor import Actor
from rooms.inputs import VenueChangesInput, VenueInput
from rooms.models import Venue

COMMON_CURRENCIES = ("EUR", "USD", "GBP", "CHF", "CAD", "AUD", "NZD", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "JPY")


class CurrencyInput(forms.TextInput):
    """Three letters, with the common ones offered (`<datalist id="currencies">`)."""

    def __init__(self) -> None:
        super().__init__(attrs={"list": "currencies", "autocapitalize": "characters", "autocomplete": "off"})


class Hours(Row):
    weekdays = WeekdaysField(label="On")
    opens = WallTimeField(label="from")
    closes = WallTimeField(label="to")

    def body(self) -> dict[str, Any]:
        return dict(self.cleaned_data)


class WeeklyHours(Rows):
    """Days with the same hours share a line; the API has an entry for each day."""

    row, noun, most, spare = Hours, "line", 20, 1

    def bodies(self) -> list[dict[str, Any]]:
        return [
            {"weekday": weekday, "opens": body["opens"], "closes": body["closes"]}
            for body in super().bodies()
            for weekday in body["weekdays"]
        ]

    @staticmethod
    def lines(hours: list[dict[str, Any]]) -> list[dict[str, Any]]:
        lines: dict[tuple[str, str], list[int]] = {}
        for entry in hours:
            lines.setdefault((entry["opens"], entry["closes"]), []).append(entry["weekday"])
        return [{"weekdays": days, "opens": opens, "closes": closes} for (opens, closes), days in lines.items()]


class VenueForm(TypedForm):
    tables = {"weekly_hours": WeeklyHours}

    name = forms.CharField(max_length=120, help_text="As your guests know it.")
    timezone = TimeZoneField(help_text="All times of its rooms are by this clock.")
    currency = forms.CharField(max_length=3, widget=CurrencyInput, help_text="Three letters, such as EUR.")
    tax_rate = forms.CharField(
        label="Tax (percent)",
        max_length=7,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal"}),
        help_text="Empty: none.",
    )
    tax_inclusive = forms.TypedChoiceField(
        label="Your prices are",
        choices=[("yes", "with the tax in them"), ("no", "without it: it is added")],
        coerce=lambda value: value == "yes",
        widget=forms.RadioSelect,
        initial="yes",
    )
    tax_label = forms.CharField(label="What the tax is called", max_length=40, required=False, help_text="Such as VAT or TVA.")

    def __init__(self, venue: Venue | None, data: QueryDict | None = None, *, by: Actor, fixed: bool = False) -> None:
        """`fixed`: its bookings hang on its clock."""
        self.reader = VenueChangesInput if venue else VenueInput  # type: ignore[misc]
        hours = WeeklyHours.lines(venue.weekly_hours) if venue else []
        super().__init__(data, by=by, initial=_values(venue) if venue else None, rows={"weekly_hours": hours})
        zones = self.fields["timezone"]
        if venue:
            del zones.widget.attrs["data-timezone"]  # it has one; the browser's own is no better guess
            if venue.timezone not in dict(choices()):
                zones.choices = [*choices(), (venue.timezone, venue.timezone)]  # type: ignore[attr-defined]
        if fixed:
            zones.disabled = True
            zones.help_text = "Fixed: bookings were made by this clock. Make another venue for another time zone."

    def body(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        rate = cleaned["tax_rate"].replace(",", ".").removesuffix("%").strip() or "0"
        return {
            "name": cleaned["name"],
            "timezone": cleaned["timezone"],
            "currency": cleaned["currency"].upper(),
            "tax": {"rate": rate, "inclusive": cleaned["tax_inclusive"], "label": cleaned["tax_label"]},
            "weekly_hours": self.rows["weekly_hours"].bodies(),
        }

    def refuse(self, errors: Any) -> None:
        """The API's entries are one a day: whichever is refused, its line is not known, its table is."""
        for error in errors:
            parts = (error.pointer or "").split("/")
            pointer = "/weekly_hours" if "weekly_hours" in parts else error.pointer
            super().refuse([type(error)(error.detail, error.code, pointer=pointer)])


def _values(venue: Venue) -> dict[str, Any]:
    return {
        "version": venue.version,
        "name": venue.name,
        "timezone": venue.timezone,
        "currency": venue.currency,
        "tax_rate": venue.tax["rate"],
        "tax_inclusive": "yes" if venue.tax_inclusive else "no",
        "tax_label": venue.tax_label,
    }
