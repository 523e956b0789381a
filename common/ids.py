"""Public ids: a prefix that names the kind, then a UUIDv7 in 26 letters of Crockford's base 32.

They sort by creation time, give no count away, and are never the primary key.
"""

import datetime as dt
import functools
from collections.abc import Callable

import uuid_utils
from django.db import models

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_LAST_MILLISECOND = 253_402_300_800_000  # of the year 9999
ID_PATTERN = r"[0-9a-z]{26}"


def new_id(prefix: str) -> str:
    """A fresh id such as `bkg_01j9…`; 128 bits, the first 48 the time in milliseconds."""
    number = uuid_utils.uuid7().int
    letters = [_ALPHABET[(number >> shift) & 31] for shift in range(125, -5, -5)]
    return f"{prefix}_{''.join(letters)}"


def made_at(public_id: str) -> dt.datetime | None:
    """When an id was made, by its first letters; None for what is no id."""
    letters = public_id.partition("_")[2]
    if len(letters) != 26 or not set(letters) <= set(_ALPHABET):
        return None
    number = functools.reduce(lambda sum_, letter: sum_ << 5 | _ALPHABET.index(letter), letters, 0)
    milliseconds = number >> 80
    return dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC) if milliseconds < _LAST_MILLISECOND else None


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
