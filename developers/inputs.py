"""Incoming JSON, strictly: unknown fields are refused by name, a number is not a text, a text not a number.

These are DRF serializers and fields, so that the OpenAPI document describes exactly what is accepted.
"""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ValidationError as DjangoValidationError
from django.core.validators import validate_email
from django.db import models
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.fields import empty

from common.money import MAX_AMOUNT

FIRST_YEAR, LAST_YEAR = 2000, 2100
MAX_INTEGER = 2_147_483_647  # PostgreSQL's integer
# fromisoformat and strptime take more than RFC 3339 allows: weeks, missing zeros and colons, digits of other scripts.
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(_DAY.pattern + r"T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})?")
METADATA_KEYS, METADATA_KEY_LETTERS, METADATA_VALUE_LETTERS = 50, 40, 500


class Input(serializers.Serializer[Any]):
    """A JSON object in a request."""

    def to_internal_value(self, data: Any) -> Any:
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, dict) else []
        errors: dict[str, Any] = {name: [ErrorDetail("This field is unknown.", "unknown_field")] for name in unknown}
        try:
            values: Any = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**error.detail, **errors}) from None  # type: ignore[dict-item]
        if errors:
            raise serializers.ValidationError(errors)
        return values


def changes_of(created: type[Input]) -> type[Input]:
    """The input of the `PUT` beside a `POST`: the same fields, none required, no defaults; what is nested stays whole.

    (DRF's own `partial=True` would make nested fields optional too.)
    """

    class Changes(created):  # type: ignore[misc, valid-type]
        def get_fields(self) -> dict[str, Any]:
            fields: dict[str, Any] = super().get_fields()
            for field in fields.values():
                field.required, field.default = False, empty
            return fields

    Changes.__name__ = created.__name__.replace("Input", "ChangesInput")
    Changes.__doc__ = "The fields sent are changed, the others stay."
    return Changes


class Text(serializers.CharField):
    """A JSON string; no number is taken for one."""

    def __init__(self, *, max_length: int = 200, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Email(Text):
    """An e-mail address, lower-cased."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=254, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        value = super().to_internal_value(data).lower()
        try:
            validate_email(value)
        except DjangoValidationError:
            raise serializers.ValidationError("This is not an e-mail address.", code="invalid") from None
        return value


class Pattern(serializers.RegexField):
    """A JSON string of a given form."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Phone(Pattern):
    """E.164: `+33612345678`."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["error_messages"] = {"invalid": "Write the number in E.164: + and 7 to 15 digits, nothing else."}
        super().__init__(r"^\+[1-9][0-9]{6,14}$", max_length=16, **kwargs)


class Integer(serializers.IntegerField):
    """A JSON number without a fraction."""

    def __init__(self, *, min_value: int = 0, max_value: int = MAX_INTEGER, **kwargs: Any) -> None:
        super().__init__(min_value=min_value, max_value=max_value, **kwargs)

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return data


class Money(Integer):
    """An amount in minor units of the currency (cents for EUR, yen for JPY)."""

    def __init__(self, *, min_value: int = 0, **kwargs: Any) -> None:
        kwargs.setdefault("help_text", "In minor units of the currency.")
        super().__init__(min_value=min_value, max_value=MAX_AMOUNT, **kwargs)


class Flag(serializers.BooleanField):
    """true or false, not "true" or 1."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Included(serializers.ListField):
    """What an answer shows beyond its usual: any of the named, repeated or comma-separated."""

    def __init__(self, *names: str, **kwargs: Any) -> None:
        self.names = names
        super().__init__(child=serializers.ChoiceField(names), **kwargs)


class Instant(serializers.DateTimeField):
    """RFC 3339 with an offset or Z, years 2000 to 2100. The wall clock it was written in does not matter."""

    default_error_messages = {
        "naive": "Add the offset: 2026-12-05T17:30:00Z or 2026-12-05T18:30:00+01:00.",
        "range": f"The year must lie between {FIRST_YEAR} and {LAST_YEAR}.",
    }

    def to_internal_value(self, value: Any) -> dt.datetime:
        if not isinstance(value, str) or not _INSTANT.fullmatch(value.upper()):
            self.fail("invalid", format="RFC 3339")
        try:
            instant = dt.datetime.fromisoformat(value.upper())
        except ValueError:
            self.fail("invalid", format="RFC 3339")
        if instant.tzinfo is None:
            self.fail("naive")
        if not FIRST_YEAR <= instant.year <= LAST_YEAR:
            self.fail("range")
        return instant.astimezone(dt.UTC)


class Day(serializers.DateField):
    """A local calendar day, `2026-12-05`, years 2000 to 2100."""

    default_error_messages = {"range": f"The year must lie between {FIRST_YEAR} and {LAST_YEAR}."}

    def to_internal_value(self, value: Any) -> dt.date:
        if not isinstance(value, str) or not _DAY.fullmatch(value):
            self.fail("invalid", format="YYYY-MM-DD")
        try:
            day = dt.date.fromisoformat(value)
        except ValueError:
            self.fail("invalid", format="YYYY-MM-DD")
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            self.fail("range")
        return day


class WallTime(Pattern):
    """A time on the venue's clock, `18:30`; kept as that text."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["error_messages"] = {"invalid": "Write the time as HH:MM, from 00:00 to 23:59."}
        super().__init__(r"^([01][0-9]|2[0-3]):[0-5][0-9]$", **kwargs)


class TimeZone(Text):
    """An IANA zone, `Europe/Paris`."""

    def to_internal_value(self, data: Any) -> str:
        name = super().to_internal_value(data)
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise serializers.ValidationError("This is no IANA time zone.", code="invalid") from None
        return name


class Currency(Pattern):
    """ISO 4217, three capitals."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["error_messages"] = {"invalid": "Write the currency as three capitals, such as EUR."}
        super().__init__(r"^[A-Z]{3}$", **kwargs)


@extend_schema_field({"type": "string", "maxLength": 64})
class VisibleId(serializers.Field):  # type: ignore[type-arg]
    """The public id of an object that the caller can see; its value is the object. Another tenant's is unknown here."""

    default_error_messages = {"invalid": "This is no id.", "unknown": "There is no {kind} with this id."}

    def __init__(self, model: type[models.Model], **kwargs: Any) -> None:
        self.model = model
        self.prefix: str = model._meta.get_field("public_id").prefix  # type: ignore[union-attr]
        kwargs.setdefault("help_text", f"An id, `{self.prefix}_…`.")
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) or "\0" in data or len(data) > 64:
            self.fail("invalid")
        visible = self.model.objects.visible_to(self.context["actor"])  # type: ignore[attr-defined]
        found = visible.filter(public_id=data).first()
        if found is None:
            self.fail("unknown", kind=self.model._meta.verbose_name)
        return found


class VisibleIds(serializers.ListField):
    """Public ids of objects that the caller can see, looked up in one query. `prepare` refines that query."""

    default_error_messages = {"unknown": "There is no {kind} with the id {id}."}

    def __init__(
        self, model: type[models.Model], *, prepare: Callable[[Any], Any] = lambda queryset: queryset, **kwargs: Any
    ) -> None:
        self.model, self.prepare = model, prepare
        super().__init__(child=Text(max_length=64), **kwargs)

    def to_internal_value(self, data: Any) -> list[Any]:
        ids = super().to_internal_value(data)
        visible = self.model.objects.visible_to(self.context["actor"])  # type: ignore[attr-defined]
        found = {row.public_id: row for row in self.prepare(visible).filter(public_id__in=ids)}
        for public_id in ids:
            if public_id not in found:
                self.fail("unknown", kind=self.model._meta.verbose_name, id=public_id)
        return list(found.values())


@extend_schema_field({"type": "object", "additionalProperties": {"type": "string", "maxLength": METADATA_VALUE_LETTERS}})
class Metadata(serializers.DictField):
    """The integrator's own notes: up to 50 keys of 40 letters, values texts of up to 500."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=Text(max_length=METADATA_VALUE_LETTERS, allow_blank=True), **kwargs)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        values: dict[str, Any] = super().to_internal_value(data)
        if len(values) > METADATA_KEYS or any(len(key) > METADATA_KEY_LETTERS for key in values):
            raise serializers.ValidationError(
                f"At most {METADATA_KEYS} keys of at most {METADATA_KEY_LETTERS} letters.", code="too_large"
            )
        return values
