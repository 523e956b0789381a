"""The playground's calls of the API from within, and their answers as the page shows them."""

import json
import time
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.safestring import SafeString

from dashboard.forms.playground import Call
from dashboard.highlight import highlighted
from developers import inside

MOST_SHOWN = 100_000  # letters of an answer; more would make the page slow


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
    path, _, query = call.path.partition("?")
    headers = {**call.headers, "Authorization": f"Bearer {token}"}
    if cookie := visitor.META.get("HTTP_COOKIE"):  # the session's, without which the token opens nothing
        headers["Cookie"] = cookie
    started = time.perf_counter()
    response = inside.ask(call.method, path, query=query, body=(call.body_text or "").encode(), headers=headers, visitor=visitor)
    content = _content(response)
    return _answer(response, content, round((time.perf_counter() - started) * 1000))


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
