"""The text of an API key: `bkf_<live|test>_` + 32 random letters + 6 letters of checksum.

190 random bits need neither salt nor a slow hash, so the database keeps `sha256(key)` and finds it by one index look-up.
The checksum tells a truncated paste from an unknown key without asking the database.
"""

import hashlib
import re
import secrets
import string
import zlib
from dataclasses import dataclass

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM_LETTERS = 32  # 32 * log2(62) = 190 bits
_CHECKSUM_LETTERS = 6
PATTERN = re.compile(r"bkf_(live|test)_[0-9A-Za-z]{38}")
PREFIX_LETTERS = 13  # `bkf_live_` and four letters: enough to tell keys apart, too few to guess one


@dataclass(frozen=True, slots=True)
class MintedKey:
    """A new key: `text` is shown once, the rest is kept."""

    text: str
    digest: str
    prefix: str
    last4: str


def mint(mode: str) -> MintedKey:
    """A fresh key for mode `live` or `test`."""
    body = f"bkf_{mode}_" + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_LETTERS))
    text = body + _checksum(body)
    return MintedKey(text, digest(text), text[:PREFIX_LETTERS], text[-4:])


def is_well_formed(text: str) -> bool:
    """Whether the pattern and the checksum hold; costs no query."""
    if PATTERN.fullmatch(text) is None:
        return False
    return text[-_CHECKSUM_LETTERS:] == _checksum(text[:-_CHECKSUM_LETTERS])


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _checksum(body: str) -> str:
    number = zlib.crc32(body.encode())
    letters = ""
    for _ in range(_CHECKSUM_LETTERS):
        number, rest = divmod(number, 62)
        letters = _ALPHABET[rest] + letters
    return letters
