"""JSON out, through orjson."""

import json
from typing import Any

import orjson
from rest_framework.renderers import BaseRenderer
from rest_framework.response import Response

PROBLEM = "application/problem+json"  # RFC 9457


class JSONRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return b"" if data is None else data if isinstance(data, bytes) else to_bytes(data)


class CSVRenderer(JSONRenderer):
    """For views that answer with a file of their own making; what they refuse is JSON as everywhere."""

    media_type = "text/csv"
    format = "csv"


class CalendarRenderer(CSVRenderer):
    media_type = "text/calendar"
    format = "ics"


def to_bytes(data: Any) -> bytes:
    try:
        return orjson.dumps(data, default=str)
    except TypeError:  # an integer of more than 64 bits, which PostgreSQL's JSON keeps and orjson refuses
        return json.dumps(data, default=str, separators=(",", ":")).encode()


def rendered(response: Response) -> Response:
    """The response with its body as bytes already: what cannot be told fails here, before the commit of what was done."""
    if response.data is not None and not isinstance(response.data, bytes):
        response.data = to_bytes(response.data)
    return response
