"""Calls of the API from within, for other doors: the same middleware, routes and authentication as over the network."""

import functools
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from django.core.handlers.base import BaseHandler
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest
from django.http.response import HttpResponseBase

if TYPE_CHECKING:
    from developers.models import ApiKeySecret
    from organizations.actor import Actor

# No headers' names, so that nobody outside can set them: the agents' tool that makes the call, and the key's Actor and secret
# where the visitor's own request has been authenticated as theirs.
TOOL = "bookingflow.tool"
CALLER = "bookingflow.caller"
# What the visitor's own request tells of where it came from.
_CARRIED = (
    *("SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "REMOTE_ADDR", "HTTP_HOST", "HTTP_USER_AGENT"),
    *("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO"),
)


def ask(
    method: str,
    path: str,
    *,
    query: str = "",
    body: bytes = b"",
    headers: Mapping[str, str],
    visitor: HttpRequest,
    tool: str = "",
    caller: "tuple[Actor, ApiKeySecret] | None" = None,
) -> HttpResponseBase:
    """The API's answer, from where `visitor` came and in the name of whom the `headers` say; or of `caller`, whom `visitor` has
    just been found to be.
    """
    environ = {name: visitor.META[name] for name in _CARRIED if name in visitor.META}
    environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    environ |= {
        "REQUEST_METHOD": method,
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "CONTENT_TYPE": "application/json" if body else "",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": visitor.scheme or "http",
        TOOL: tool,
        CALLER: caller,
    }
    return _handler().get_response(WSGIRequest(environ))


@functools.cache
def _handler() -> BaseHandler:
    handler = BaseHandler()
    handler.load_middleware()
    return handler
