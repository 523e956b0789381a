"""Public ids: a prefix that names the kind, then a UUIDv7 in 26 letters of Crockford's base 32.

They sort by creation time, give no count away, and are never the primary key.
"""

import functools
from collections.abc import Callable

import uuid_utils
from django.db import models

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
ID_PATTERN = r"[0-9a-z]{26}"


def new_id(prefix: str) -> str:
    """A fresh id such as `bkg_01j9…`; 128 bits, the first 48 the time in milliseconds."""
    number = uuid_utils.uuid7().int
    letters = [_ALPHABET[(number >> shift) & 31] for shift in range(125, -5, -5)]
    return f"{prefix}_{''.join(letters)}"


class PublicIdField(models.CharField):  # type: ignore[type-arg]
    """The unique public id of a row, filled in when the row is made. `prefix` comes without its underscore."""

    def __init__(self, prefix: str = "", **kwargs: object) -> None:
        self.prefix = prefix
        default: Callable[[], str] = functools.partial(new_id, prefix)
        kwargs |= {"max_length": 32, "unique": True, "editable": False, "default": default}
        super().__init__(**kwargs)  # type: ignore[arg-type]

    def deconstruct(self) -> tuple[str, str, list[object], dict[str, object]]:
        name, path, args, kwargs = super().deconstruct()
        for implied in ("max_length", "unique", "editable", "default"):
            kwargs.pop(implied, None)
        return name, path, [*args], kwargs | {"prefix": self.prefix}
