"""JSON out, through orjson."""

from typing import Any

import orjson
from rest_framework.renderers import BaseRenderer

PROBLEM = "application/problem+json"  # RFC 9457


class JSONRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return b"" if data is None else to_bytes(data)


def to_bytes(data: Any) -> bytes:
    return orjson.dumps(data, default=str)
