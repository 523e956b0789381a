"""The secret in a feed's address: `bkc_` + 32 random letters, 190 bits, which need neither salt nor a slow hash."""

import hashlib
import re
import secrets
import string

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
_LETTERS = 32
PATTERN = re.compile(r"bkc_[0-9A-Za-z]{32}")
PREFIX_LETTERS = 8  # `bkc_` and four letters: enough to tell addresses apart, too few to guess one


def new_token() -> str:
    return "bkc_" + "".join(secrets.choice(_ALPHABET) for _ in range(_LETTERS))


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
