"""A call of the API from within: the same middleware, routes and authentication as one that comes over the network."""

import functools
import io
import json
import time
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice
from urllib.parse import unquote_to_bytes

from django.core.handlers.base import BaseHandler
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.safestring import SafeString

from dashboard.forms.playground import Call
from dashboard.highlight import highlighted

MOST_SHOWN = 100_000  # letters of an answer; more would make the page slow
# What the visitor's own request tells of where it came from, the session's cookie among it.
_CARRIED = (
    *("SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "REMOTE_ADDR", "HTTP_HOST", "HTTP_COOKIE", "HTTP_USER_AGENT"),
    *("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    milliseconds: int
    headers: list[tuple[str, str]]
    text: str
    is_json: bool
    is_cut: bool

    @property
    def reason(self) -> str:
        return HTTPStatus(self.status).phrase

    @property
    def request_id(self) -> str:
        return dict(self.headers).get("Request-Id", "")

    @property
    def code(self) -> SafeString:
        return highlighted(self.text, "json" if self.is_json else "text")


def ask(call: Call, token: str, *, visitor: HttpRequest) -> Answer:
    """The API's answer to the call, with the playground's token of the visitor."""
    body = (call.body_text or "").encode()
    path, _, query = call.path.partition("?")
    environ = {name: visitor.META[name] for name in _CARRIED if name in visitor.META}
    environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in call.headers.items()}
    environ |= {
        "REQUEST_METHOD": call.method,
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "CONTENT_TYPE": "application/json" if body else "",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_AUTHORIZATION": f"Bearer {token}",
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": visitor.scheme or "http",
    }
    started = time.perf_counter()
    response = _handler().get_response(WSGIRequest(environ))
    content = _content(response)
    return _answer(response, content, round((time.perf_counter() - started) * 1000))


@functools.cache
def _handler() -> BaseHandler:
    handler = BaseHandler()
    handler.load_middleware()
    return handler


def _content(response: HttpResponseBase) -> str:
    pieces = response.streaming_content if response.streaming else [response.content]  # type: ignore[attr-defined]
    return b"".join(islice(pieces, 1_000)).decode(errors="replace")


def _answer(response: HttpResponseBase, text: str, milliseconds: int) -> Answer:
    is_json = response.headers.get("Content-Type", "").partition(";")[0].endswith("json")
    if is_json and text:
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return Answer(
        status=response.status_code,
        milliseconds=milliseconds,
        headers=sorted(response.headers.items()),
        text=text[:MOST_SHOWN],
        is_json=is_json,
        is_cut=len(text) > MOST_SHOWN,
    )
