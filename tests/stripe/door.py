"""The HTTP of the stand-in: parameters in Stripe's spelling, idempotency keys, faults on command, a record of all requests."""

import contextlib
import json
import re
import socket
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.stripe.account import Refused, Row

NEVER_SAVED = (401, 409, 429)  # Stripe refuses these before it looks at the key


@dataclass
class Fault:
    """What goes wrong with the next `times` requests whose "METHOD /path" the expression finds.

    `done` says whether Stripe does the work before. A fault waits (`delay` seconds, or until `let_go()`), then answers
    `status`, drops the connection (status 0), or, when status is None, answers as if nothing had been.
    """

    on: str
    times: int = 1
    status: int | None = None
    done: bool = False
    saved: bool = False  # under the idempotency key, as Stripe saves its own 500
    delay: float = 0.0
    arrived: threading.Event = field(default_factory=threading.Event)
    _gate: threading.Event = field(default_factory=threading.Event)

    def let_go(self) -> None:
        self._gate.set()

    def wait(self) -> None:
        self.arrived.set()
        if self.delay:
            self._gate.wait(self.delay)


@dataclass
class Request:
    method: str
    path: str
    params: Row
    key: str  # Idempotency-Key
    secret_key: str = ""
    account: str = ""  # Stripe-Account: the connected account that is meant
    status: int = 0  # of the answer; 0 while there is none
    replayed: bool = False


@dataclass
class Answer:
    status: int  # 0: the connection is dropped
    body: Row
    replayed: bool = False


@dataclass
class _Saved:
    request: tuple[str, str, Row]
    answer: Answer | None = None


class Door:
    """`perform` does the work, one call at a time."""

    def __init__(self, perform: Callable[..., Row]) -> None:
        self._perform, self.work, self._book = perform, threading.Lock(), threading.Lock()
        self.requests: list[Request] = []
        self.faults: list[Fault] = []
        self._keys: dict[str, _Saved] = {}
        self._server = _Quiet(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def reset(self) -> None:
        """Requests that still wait come to nothing."""
        with self._book:
            for fault in self.faults:
                fault.let_go()
            self.requests, self.faults, self._keys = [], [], {}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, method: str, path: str, params: Row, *, key: str, secret_key: str, account: str) -> Answer:
        with self._book:
            record = self.requests  # of this test: the next one has another
            request = Request(method, path, params, key, secret_key, account)
            record.append(request)
            found = next((fault for fault in self.faults if fault.times and re.search(fault.on, f"{method} {path}")), None)
            if found:
                found.times -= 1
        if not secret_key.startswith(("sk_", "rk_")):
            answer = _error(401, "Invalid API Key provided", "invalid_request_error")
        elif key and method == "POST":
            answer = self._once(request, found, record)
        else:
            answer = self._answer(request, found, record)[0]
        request.status, request.replayed = answer.status, answer.replayed
        return answer

    def _once(self, request: Request, fault: Fault | None, record: list[Request]) -> Answer:
        """The first answer under a key is the answer for good; other parameters under it are refused."""
        asked = (request.method, request.path, request.params)
        with self._book:
            saved = self._keys.get(request.key)
            if not saved:
                self._keys[request.key] = saved = _Saved(asked)
                first = True
            else:
                first = False
        if not first:
            if saved.request != asked:
                message = "Keys for idempotent requests can only be used with the same parameters they were first used with."
                return _error(400, message, "idempotency_error")
            if saved.answer:
                return Answer(saved.answer.status, saved.answer.body, replayed=True)
            message = "There is currently another in-progress request using this Idempotent Key."
            return _error(409, message, "idempotency_error", code="idempotency_key_in_use")
        answer, kept = self._answer(request, fault, record)
        with self._book:
            if kept is None or kept.status in NEVER_SAVED:
                self._keys.pop(request.key, None)
            else:
                saved.answer = kept
        return answer

    def _answer(self, request: Request, fault: Fault | None, record: list[Request]) -> tuple[Answer, Answer | None]:
        """What the caller gets, and what is saved under its key: None if Stripe did nothing."""
        if fault and not fault.done:
            fault.wait()
            if fault.status is not None:
                broken = _broken(fault.status)
                return broken, (broken if fault.saved else None)
        with self.work:
            if record is not self.requests:
                return Answer(0, {}), None
            about = {"id": f"req_{uuid.uuid4().hex[:14]}", "idempotency_key": request.key or None}
            try:
                answer = Answer(200, self._perform(request.method, request.path, request.params, request=about))
            except Refused as refused:
                answer = Answer(refused.status, refused.body)
        if fault and fault.done:
            fault.wait()
            if fault.status is not None:
                broken = _broken(fault.status)
                return broken, (broken if fault.saved else answer)
        return answer, answer


def _broken(status: int) -> Answer:
    if status == 429:
        return _error(429, "Too many requests hit the API too quickly.", "invalid_request_error", code="rate_limit")
    return _error(status, "Something went wrong on Stripe's end.", "api_error")


def _error(status: int, message: str, type: str, **more: Any) -> Answer:
    return Answer(status, {"error": {"message": message, "type": type, **more}})


def parse(text: str) -> Row:
    """`metadata[a]=1&expand[0]=x` as {"metadata": {"a": "1"}, "expand": ["x"]}."""
    tree: Row = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        first, *deeper = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", name)
        path, branch = [first, *deeper], tree
        for step in path[:-1]:
            branch = branch.setdefault(step, {})
        branch[path[-1] or str(len(branch))] = value
    return {name: _lists(value) for name, value in tree.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if all(name.isdigit() for name in value):
        return [_lists(item) for item in value.values()]
    return {name: _lists(item) for name, item in value.items()}


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed leaves its connection in the middle."""


def _handler(door: Door) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._handle()

        def do_POST(self) -> None:
            self._handle()

        def do_DELETE(self) -> None:
            self._handle()

        def _handle(self) -> None:
            url = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
            answer = door.answer(
                self.command,
                url.path,
                parse(f"{url.query}&{body}"),
                key=self.headers.get("idempotency-key") or "",
                secret_key=(self.headers.get("authorization") or "").removeprefix("Bearer "),
                account=self.headers.get("stripe-account") or "",
            )
            with contextlib.suppress(ConnectionError):
                self._send(answer) if answer.status else self._drop()

        def _send(self, answer: Answer) -> None:
            body = json.dumps(answer.body).encode()
            self.send_response(answer.status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.send_header("request-id", f"req_{uuid.uuid4().hex[:14]}")
            if self.headers.get("idempotency-key"):
                self.send_header("idempotency-key", self.headers["idempotency-key"])
            if answer.replayed:
                self.send_header("idempotent-replayed", "true")
            self.end_headers()
            self.wfile.write(body)

        def _drop(self) -> None:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

        def log_message(self, format: str, *arguments: object) -> None:
            """The record of requests is enough."""

    return Handler
