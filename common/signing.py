"""Webhook secrets: made, used to sign (Standard Webhooks, symmetric v1) and kept encrypted."""

import base64
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from secrets import token_bytes

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from standardwebhooks import Webhook

SECRET_PREFIX = "whsec_"  # noqa: S105
SECRET_BYTES = 32  # as many as HMAC-SHA256 puts out; more would add nothing


class Undecipherable(Exception):
    """The stored text was not encrypted by us, was altered, or its key is no longer in SECRET_ENCRYPTION_KEYS."""


def new_secret() -> str:
    """A fresh secret: `whsec_` + base64 of 32 random bytes."""
    return SECRET_PREFIX + base64.b64encode(token_bytes(SECRET_BYTES)).decode()


def sign(secrets: Iterable[str], *, message_id: str, timestamp: datetime, body: bytes) -> str:
    """The `webhook-signature` header: `v1,<base64>` for each live secret, in their order, separated by spaces.

    `timestamp` is aware UTC and counts in whole seconds; send it as `int(timestamp.timestamp())`. `body` is UTF-8.
    Raises ValueError for another zone, another encoding, or no secret at all: unsigned news must not leave.
    """
    if timestamp.utcoffset() != timedelta(0):  # the library would sign the wall time of another zone as if it were UTC
        raise ValueError("the timestamp must be in UTC")
    if "." in message_id:  # id, time and body are joined by dots: a dot in the id would make two messages sign alike
        raise ValueError("the message id must not contain a dot")
    text = body.decode()  # strict, so that the library's encode() gives back exactly these bytes
    signatures = [Webhook(secret).sign(message_id, timestamp, text) for secret in secrets]
    if not signatures:
        raise ValueError("there is no secret to sign with")
    return " ".join(signatures)


def encrypt(text: str) -> str:
    """The text for storage, under the first of SECRET_ENCRYPTION_KEYS; 100 characters and more, other ones every time."""
    return _fernet(tuple(settings.SECRET_ENCRYPTION_KEYS)).encrypt(text.encode()).decode()


def decrypt(encrypted: str) -> str:
    """What `encrypt` was given. Any of SECRET_ENCRYPTION_KEYS will do, so a new first key can be added. Raises Undecipherable."""
    try:
        return _decrypt(encrypted, tuple(settings.SECRET_ENCRYPTION_KEYS))
    except InvalidToken as error:
        raise Undecipherable from error


def renewed(encrypted: str) -> str:
    """The same text under the first of SECRET_ENCRYPTION_KEYS; unchanged where it is already. Raises Undecipherable."""
    keys = tuple(settings.SECRET_ENCRYPTION_KEYS)
    try:
        _fernet(keys[:1]).decrypt(encrypted.encode())
    except InvalidToken:
        try:
            return _fernet(keys).rotate(encrypted.encode()).decode()
        except InvalidToken as error:
            raise Undecipherable from error
    return encrypted


@lru_cache(1_024)  # what signs every request is asked for many times a second
def _decrypt(encrypted: str, keys: tuple[str, ...]) -> str:
    return _fernet(keys).decrypt(encrypted.encode()).decode()


@lru_cache(4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
