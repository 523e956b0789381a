"""Outgoing JSON, fast: one list of declared fields gives both the answer and its OpenAPI schema.

DRF's ModelSerializer spends most of a list's time in per-field machinery (20-fold against plain attribute reads), so
a Shape compiles its fields to getters once and writes a flat dict.
"""

import datetime as dt
from collections.abc import Callable
from operator import attrgetter
from typing import Any, ClassVar

from rest_framework import serializers

from common.walltime import utc_text

Getter = Callable[[Any], Any]


class Shape(serializers.Serializer[Any]):
    """A read-only object shape. A field's value is the method `get_<name>(obj)` where there is one, else the
    attribute of that name (or of the field's `source`); instants become RFC 3339 in UTC, a nested Shape its own JSON.

    `expand` names the fields whose id may be swapped for the object: {field: Shape class}; the attribute of the
    field's name then holds the object, with `public_id`.
    """

    expandable: ClassVar[dict[str, "type[Shape]"]] = {}
    _getters: ClassVar[list[tuple[str, Getter]]]

    def __init__(self, *args: Any, expand: frozenset[str] = frozenset(), **kwargs: Any) -> None:
        self.expand = expand
        super().__init__(*args, **kwargs)

    @classmethod
    def getters(cls) -> list[tuple[str, Getter]]:
        if "_getters" not in cls.__dict__:
            cls._getters = [(name, _getter(cls, name, field)) for name, field in cls._declared_fields.items()]
        return cls._getters

    @classmethod
    def json(cls, obj: Any) -> dict[str, Any]:
        """The base shape of one object, as events and answers carry it."""
        return {name: get(obj) for name, get in cls.getters()}

    def to_representation(self, instance: Any) -> dict[str, Any]:
        data = self.json(instance)
        for name in self.expand:
            related = getattr(instance, name)
            data[name] = None if related is None else self.expandable[name].json(related)
        return data


def _getter(cls: type[Shape], name: str, field: serializers.Field[Any, Any, Any, Any]) -> Getter:
    method = getattr(cls, f"get_{name}", None)
    if method is not None:
        return lambda obj: method(obj)
    read: Getter = attrgetter(str(field.source or name).replace("__", "."))
    if isinstance(field, Literal):
        value = field.value
        return lambda obj: value
    if isinstance(field, Reference):
        return lambda obj: None if (related := getattr(obj, name)) is None else related.public_id
    if isinstance(field, serializers.DateTimeField):
        return lambda obj: utc_text(read(obj))
    if isinstance(field, serializers.DateField):
        return lambda obj: _date_text(read(obj))
    if isinstance(field, serializers.DecimalField):
        return lambda obj: None if (value := read(obj)) is None else str(value)
    if isinstance(field, Shape):
        return lambda obj: None if (value := read(obj)) is None else field.json(value)
    return read


def _date_text(day: dt.date | None) -> str | None:
    return None if day is None else day.isoformat()


class Literal(serializers.ChoiceField):
    """A constant, such as the `object` that every object names itself with."""

    def __init__(self, value: str, **kwargs: Any) -> None:
        self.value = value
        super().__init__(choices=[value], **kwargs)


class Reference(serializers.CharField):
    """The public id of a related object, null when there is none. `kind` is the id's prefix."""

    def __init__(self, kind: str, **kwargs: Any) -> None:
        self.kind = kind
        kwargs.setdefault("help_text", f"The id, `{kind}_…`.")
        super().__init__(**kwargs)
