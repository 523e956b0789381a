"""What of a request no log keeps: keys, signing secrets, cookies, and what is named like them."""

import re
from collections.abc import Iterable
from typing import Any

import orjson

MASK = "••••••••"
KEPT_BYTES = 16 * 1024  # of a body; more would make the log the biggest table of all
_MOST_LETTERS = 500  # of a header's value

# Secrets that are known by how they look: our keys and tokens, signing secrets, Stripe's keys and what its payers' browsers hold.
_SECRET = re.compile(
    r"\b(bkf_(?:live|test|play)_|bkc_|whsec_|[rs]k_(?:live|test)_|(?:pi|seti)_[0-9A-Za-z]+_secret_|client_secret=)[\w+/=:.-]+"
)
# Those known by their name; the values of an endpoint's own headers among them, which no page shows either.
_NAME = re.compile(r"secret|password|token|api[_-]?key|authorization|cookie|^headers$", re.IGNORECASE)
_IN_QUERY = re.compile(r"((?:^|&)[^=&]*(?:secret|password|token|api[_-]?key|authorization)[^=&]*=)[^&]+", re.IGNORECASE)
# Without any of these a body holds none, and need not be read.
_SIGNS = (
    *(b"secret", b"Secret", b"password", b"Password", b"token", b"Token", b'api_key":', b"apiKey", b"uthorization", b"ookie"),
    *(b'"headers"', b"bkf_", b"bkc_", b"whsec_", b"k_live_", b"k_test_"),
)


def masked_text(text: str) -> str:
    return _SECRET.sub(rf"\1{MASK}", text)


def masked_query(text: str) -> str:
    return masked_text(_IN_QUERY.sub(rf"\1{MASK}", text))


def masked_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name: MASK if _NAME.search(name) else masked_text(value[:_MOST_LETTERS]) for name, value in headers}


def masked_body(body: bytes) -> tuple[str, bool]:
    """What is kept of a body, and whether it was cut. Nothing of one that may hold a secret and cannot be read as JSON."""
    head = body[:KEPT_BYTES]
    if any(sign in head for sign in _SIGNS):
        try:
            body = orjson.dumps(_masked(orjson.loads(body)))
        except (ValueError, RecursionError):
            return "", bool(body)
        head = body[:KEPT_BYTES]
    return head.decode(errors="replace"), len(body) > KEPT_BYTES


def _masked(value: Any, *, is_secret: bool = False) -> Any:
    if isinstance(value, dict):
        return {name: _masked(item, is_secret=is_secret or bool(_NAME.search(name))) for name, item in value.items()}
    if isinstance(value, list):
        return [_masked(item, is_secret=is_secret) for item in value]
    if is_secret and value is not None:
        return MASK
    return masked_text(value) if isinstance(value, str) else value
