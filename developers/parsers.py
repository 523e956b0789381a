"""JSON in, strictly: UTF-8, an object at the top, no NaN, no NUL character, nothing deeper than any input needs."""

from typing import IO, Any

import orjson
from rest_framework.parsers import BaseParser

from developers.errors import MalformedJSON

MAX_DEPTH = 20


class StrictJSONParser(BaseParser):
    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        body = stream.read()
        try:
            data = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise MalformedJSON(str(error)) from None
        if not isinstance(data, dict):
            raise MalformedJSON("The body must be a JSON object.")
        _check(data, MAX_DEPTH)
        return data


def _check(value: Any, depth: int) -> None:
    """PostgreSQL stores no NUL character, and no input of ours nests deeply."""
    if depth == 0:
        raise MalformedJSON(f"The body nests deeper than {MAX_DEPTH} levels.")
    if isinstance(value, str):
        if "\0" in value:
            raise MalformedJSON("A text contains the NUL character (\\u0000).")
    elif isinstance(value, dict):
        for key, item in value.items():
            _check(key, depth)
            _check(item, depth - 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth - 1)
