"""A call of the API as one pastes it into a shell."""

import json
from collections.abc import Callable, Mapping
from typing import Any


def literally(text: str) -> str:
    """One word of a shell's, whatever is in it."""
    return "'" + text.replace("'", "'\\''") + "'"


def with_variables(text: str) -> str:
    """One word in which the shell fills in its variables. For texts of our own."""
    return f'"{text}"'


def curl(method: str, url: str, headers: Mapping[str, str], body: Any = None, *, quote: Callable[[str], str] = literally) -> str:
    """The key is always `$BOOKINGFLOW_KEY`, so that no secret is shown or lands in a shell's history."""
    lines = [f"curl{'' if method.upper() == 'GET' else f' -X {method.upper()}'} {quote(url)}"]
    lines.append('-H "Authorization: Bearer $BOOKINGFLOW_KEY"')
    lines += [f"-H {quote(f'{name}: {value}')}" for name, value in headers.items()]
    if body is None:
        return " \\\n  ".join(lines)
    # JSON never has a line that says JSON alone, so nothing in it can end the document.
    mark = "JSON" if quote is with_variables else "'JSON'"
    lines += [f"-H {quote('Content-Type: application/json')}", f"-d @- <<{mark}"]
    return " \\\n  ".join(lines) + f"\n{json.dumps(body, indent=2, ensure_ascii=False)}\nJSON"
