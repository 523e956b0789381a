"""ETags: `"<version>"` for an object as it is, `"<version>-<hash>"` where the answer is composed of more."""

import hashlib
import re

from common.errors import FieldError, ValidationFailed
from developers.renderers import to_bytes

_IF_MATCH = re.compile(r'"(\d{1,9})(?:-[0-9a-f]+)?"')


def etag(version: int, composite_body: object = None) -> str:
    """`composite_body` is the whole answer when it shows more than the object itself."""
    if composite_body is None:
        return f'"{version}"'
    return f'"{version}-{hashlib.sha256(to_bytes(composite_body)).hexdigest()[:16]}"'


def expected_version(if_match: str | None) -> int | None:
    """The version that an `If-Match` header demands; None without the header or for `*`.

    Raises ValidationFailed for a header that is not one of our ETags.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    match = _IF_MATCH.fullmatch(if_match.strip())
    if match is None:
        raise ValidationFailed(FieldError("Send one ETag as it was answered.", parameter="If-Match"))
    return int(match[1])


def is_unchanged(if_none_match: str | None, tag: str) -> bool:
    """Whether the caller's copy, by its `If-None-Match` header, is the current one."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or tag in (item.strip().removeprefix("W/") for item in if_none_match.split(","))
