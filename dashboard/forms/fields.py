"""Form fields for what rooms are described by: money, wall times, weekdays, stretches of time, lists on one line."""

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms

from common.money import MAX_AMOUNT, exponent
from dashboard.forms.widgets import DateInput

WEEKDAYS = [(1, "Mon"), (2, "Tue"), (3, "Wed"), (4, "Thu"), (5, "Fri"), (6, "Sat"), (7, "Sun")]
# 9, 9:30, 09.30, 9h30, 930, 9:30 pm
_TIME = re.compile(r"([01]?[0-9]|2[0-3])(?:[:.h]?([0-5][0-9]))?h?(?: ?([ap])m)?")
# Minutes of each unit that a stretch of time may be typed in, the largest first.
UNITS = {"days": 1_440, "hours": 60, "minutes": 1}


def minor_units(value: Decimal, currency: str) -> int:
    """An amount as people write it, in minor units. Raises forms.ValidationError for pennies that do not exist,
    and for more than a price may be."""
    scaled = value.scaleb(exponent(currency))
    if scaled != scaled.to_integral_value():
        digits = exponent(currency)
        raise forms.ValidationError(f"{currency} has {digits or 'no'} digits after the point.")
    if abs(scaled) > MAX_AMOUNT:
        raise forms.ValidationError("This is more than can be charged.")
    return int(scaled)


def plain_amount(amount: int, currency: str) -> str:
    """Minor units as a number to be typed over: `90.00`."""
    return f"{Decimal(amount).scaleb(-exponent(currency)):f}"


class ReadText(forms.CharField):
    """A text that stands for something else."""

    def clean(self, value: Any) -> Any:
        return self.read(super().clean(value))

    def read(self, text: str) -> Any:
        """What the text, which fits the field and may be empty, stands for. Raises forms.ValidationError."""
        raise NotImplementedError


class AmountField(ReadText):
    """`90`, `90.50` or `90,50`; a Decimal. With a currency: whole minor units."""

    needed_at_times = False  # true: what else is typed decides, so that the label does not call it optional

    def __init__(self, *, currency: str = "", signed: bool = False, **kwargs: Any) -> None:
        self.currency, self.signed = currency, signed
        kwargs.setdefault("widget", forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}))
        super().__init__(max_length=20, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return plain_amount(value, self.currency) if isinstance(value, int) else value

    def read(self, text: str) -> Any:
        text = text.replace(" ", "").replace("\u00a0", "").replace(",", ".")
        if not text:
            return None
        if not re.fullmatch(r"-?[0-9]{1,12}(\.[0-9]{1,4})?", text):
            raise forms.ValidationError("Write an amount such as 90 or 90.50.")
        if text.startswith("-") and not self.signed:
            raise forms.ValidationError("Less than nothing is not possible here.")
        return minor_units(Decimal(text), self.currency) if self.currency else Decimal(text)


class PercentField(ReadText):
    """`20`, `12.5` or `-20`; a number as the API takes it."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}))
        super().__init__(max_length=20, **kwargs)

    def read(self, text: str) -> Any:
        text = text.replace(",", ".").removesuffix("%").strip()
        if not text:
            return None
        try:
            number = float(Decimal(text))
        except InvalidOperation:
            raise forms.ValidationError("Write a number such as 20 or 12.5.") from None
        return int(number) if number.is_integer() else number


class WallTimeField(ReadText):
    """One time on the venue's clock, as `HH:MM`: typed, since browsers' own pickers may write it unlike the rest of the page."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.TextInput(attrs={"class": "clock", "placeholder": "hh:mm", "autocomplete": "off"}))
        super().__init__(max_length=8, **kwargs)

    def read(self, text: str) -> str:
        return wall_time(text) if text else ""


class TimesField(ReadText):
    """Several times, `17:00, 18:30`; each once, as they were typed."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", forms.TextInput(attrs={"autocomplete": "off", "placeholder": "17:00, 18:30, 20:00"}))
        super().__init__(max_length=2_000, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def read(self, text: str) -> list[str]:
        parts = re.split(r"[,;]|\s(?!\s*[apAP][mM])", text)
        return list(dict.fromkeys(wall_time(part) for part in parts if part.strip()))


def wall_time(text: str) -> str:
    """`9`, `9:30`, `09.30`, `9h30`, `930` or `9:30 am` as `09:30`. Raises forms.ValidationError."""
    found = _TIME.fullmatch(" ".join(text.lower().split()))
    hour = int(found[1]) if found else 24
    if found and found[3] and 1 <= hour <= 12:
        hour = hour % 12 + (12 if found[3] == "p" else 0)
    elif found is None or found[3]:
        raise forms.ValidationError("“%(text)s” is no time. Write it as 17:30.", params={"text": text.strip()})
    return f"{hour:02}:{found[2] or '00'}"


class WeekdaysField(forms.TypedMultipleChoiceField):
    """Days of the week, as the API counts them: 1 is Monday."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.CheckboxSelectMultiple(attrs={"class": "weekday"})
        super().__init__(choices=WEEKDAYS, coerce=int, widget=widget, **kwargs)


class DayField(forms.DateField):
    """A calendar day, with the browser's own picker; a text as the API takes it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=DateInput(), **kwargs)

    def to_python(self, value: Any) -> Any:
        day = super().to_python(value)
        if day and not 2000 <= day.year <= 2100:
            raise forms.ValidationError("The year must lie between 2000 and 2100.")
        return day


class ListField(ReadText):
    """Several texts, one a line, or on one line with commas between them."""

    def __init__(self, *, lines: bool = False, **kwargs: Any) -> None:
        self.separator = "\n" if lines else ","
        widget = forms.Textarea(attrs={"rows": 3}) if lines else forms.TextInput()
        super().__init__(widget=widget, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        glue = "\n" if self.separator == "\n" else ", "
        return glue.join(value) if isinstance(value, list) else value

    def read(self, text: str) -> list[str]:
        return [part.strip() for part in text.split(self.separator) if part.strip()]


class PairsField(ReadText):
    """`key: value`, one a line."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(f"{key}: {text}" for key, text in value.items()) if isinstance(value, dict) else value

    def read(self, text: str) -> dict[str, str]:
        lines = [line for line in text.splitlines() if line.strip()]
        if wrong := next((line for line in lines if ":" not in line), None):
            raise forms.ValidationError("“%(line)s” has no colon. Write key: value.", params={"line": wrong})
        pairs = (line.split(":", 1) for line in lines)
        return {key.strip(): text.strip() for key, text in pairs}


class StretchWidget(forms.MultiWidget):
    template_name = "dashboard/rooms/_stretch.html"
    use_fieldset = False  # the label is the number's

    def __init__(self, units: dict[str, int]) -> None:
        self.units = units
        number = forms.NumberInput(attrs={"min": 0, "step": 1, "inputmode": "numeric"})
        unit = forms.Select(choices=[(unit, unit) for unit in reversed(units)], attrs={"aria-label": "Unit"})
        super().__init__({"": number, "unit": unit})

    def decompress(self, value: Any) -> list[Any]:
        """In the largest unit that holds it whole."""
        smallest = next(reversed(self.units))
        if value is None:
            return [None, smallest]
        unit = next(unit for unit, size in self.units.items() if value % size == 0 and (value or unit == smallest))
        return [value // self.units[unit], unit]

    def id_for_label(self, id_: str) -> str:
        return f"{id_}_0"


class StretchField(forms.MultiValueField):
    """A number of minutes, hours or days; in the smallest of the units."""

    def __init__(self, units: dict[str, int] = UNITS, **kwargs: Any) -> None:
        self.units = units
        choice = forms.ChoiceField(choices=[(unit, unit) for unit in units])
        fields = (forms.IntegerField(min_value=0, max_value=1_000_000), choice)
        super().__init__(fields, widget=StretchWidget(units), require_all_fields=False, **kwargs)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """A unit without a number says nothing."""
        return super().has_changed(initial, data) if initial is not None else bool(data and data[0])

    def compress(self, data_list: list[Any]) -> int | None:
        if not data_list or data_list[0] is None:
            return None
        return data_list[0] * self.units[data_list[1]]


def given(**fields: Any) -> dict[str, Any]:
    """Only what was typed: an empty box means that the API is not told of it."""
    return {name: value for name, value in fields.items() if value not in (None, "", [], {})}
