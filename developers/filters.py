"""Filters of lists: django-filter, with refusals that name the parameter, and values that repeat or stand between commas."""

from typing import Any

import django_filters
from django import forms
from django.db import models
from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.drainage import set_override
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

from common.errors import FieldError, ValidationFailed
from developers.inputs import Day, Instant


class StrictFilterBackend(DjangoFilterBackend):
    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        filterset = self.get_filterset(request, queryset, view)
        if filterset is None:
            return queryset
        _refuse_empty(request, filterset)
        if not filterset.is_valid():
            raise ValidationFailed(
                *(FieldError(str(error), parameter=name) for name, errors in filterset.errors.items() for error in errors)
            )
        found: QuerySet[Any] = filterset.qs
        return found


def _refuse_empty(request: Request, filterset: django_filters.FilterSet) -> None:
    """`updated_since=` comes of a variable that was never set: taken for no filter, it would answer everything. In a page's form
    an empty field is no filter, and no text is a text.
    """
    given = {name: values for name, values in request.query_params.lists() if not any(values)}
    empty = [name for name, one in filterset.filters.items() if name in given and not isinstance(one, TextFilter)]
    if empty:
        raise ValidationFailed(*(FieldError("Give it a value, or leave it out.", parameter=name) for name in empty))


class _ManyValues(forms.Widget):
    """`?status=held,confirmed` and `?status=held&status=confirmed` are the same."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        given = data.getlist(name) if hasattr(data, "getlist") else [data[name]] if name in data else []
        return [value for item in given for value in item.split(",") if value]


class _ManyField(forms.MultipleChoiceField):
    widget = _ManyValues

    def valid_value(self, value: str) -> bool:
        return not self.choices or super().valid_value(value)

    def to_python(self, value: Any) -> list[str]:
        values = super().to_python(value)
        if any("\0" in item or len(item) > 64 for item in values):
            raise forms.ValidationError("A value is no id.")
        return values


class AnyOf(django_filters.MultipleChoiceFilter):
    """Rows whose field is one of the values, repeated or comma-separated. Without `choices` any text is a value."""

    field_class = _ManyField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("distinct", False)
        super().__init__(*args, **kwargs)

    def filter(self, qs: QuerySet[Any], value: list[str]) -> QuerySet[Any]:
        if not value:
            return qs
        if self.method is not None:
            return super().filter(qs, value)
        return qs.filter(**{f"{self.field_name}__in": value})


class _StrictInstantField(forms.CharField):
    def clean(self, value: Any) -> Any:
        return _through(Instant(), super().clean(value))


class _StrictDayField(forms.CharField):
    def clean(self, value: Any) -> Any:
        return _through(Day(), super().clean(value))


def _through(field: Instant | Day, value: str) -> Any:
    if not value:
        return None
    try:
        return field.run_validation(value.replace(" ", "+") if isinstance(field, Instant) else value)
    except ValidationError as error:
        raise forms.ValidationError([str(detail) for detail in error.detail]) from None  # type: ignore[union-attr]


class InstantFilter(django_filters.Filter):
    """An RFC 3339 instant; a `+` that arrived as a space is read as the plus it was."""

    field_class = _StrictInstantField

    def __init__(self, *args: Any, help_text: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_override(self, "field", {"type": "string", "format": "date-time", "description": help_text})


class DayFilter(django_filters.Filter):
    """A calendar day, `2026-12-05`."""

    field_class = _StrictDayField

    def __init__(self, *args: Any, help_text: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_override(self, "field", {"type": "string", "format": "date", "description": help_text})


class TextFilter(django_filters.CharFilter):
    """A text of at most 200 letters."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, max_length=200, **kwargs)


class VisibleIds(AnyOf):
    """Rows that belong to one of the named objects. An id that the caller cannot see is refused, not ignored.

    `by` is what of the object the rows know it by.
    """

    def __init__(self, of: type[models.Model], *, by: str = "pk", **kwargs: Any) -> None:
        self.of, self.by = of, by
        super().__init__(**kwargs)
        set_override(
            self, "field", {"type": "string", "description": self.extra.get("help_text", "")}
        )  # of each; a list is made of it

    def filter(self, qs: QuerySet[Any], value: list[str]) -> QuerySet[Any]:
        if not value:
            return qs
        visible = self.of.objects.visible_to(self.parent.request.user)  # type: ignore[attr-defined]
        found = dict(visible.filter(public_id__in=value).values_list("public_id", self.by))
        if unknown := sorted(set(value) - set(found)):
            kind, name = self.of._meta.verbose_name, self.parent_name
            raise ValidationFailed(
                *(FieldError(f"There is no {kind} with the id {item}.", "unknown", parameter=name) for item in unknown)
            )
        return qs.filter(**{f"{self.field_name}__in": found.values()})

    @property
    def parent_name(self) -> str:
        """The parameter's name."""
        return next(name for name, item in self.parent.filters.items() if item is self)
