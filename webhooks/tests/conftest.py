"""A receiver on loopback for webhooks, and endpoints that point to it."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson
import pytest
from django.db import transaction
from django.utils import timezone

from common.ids import new_id
from organizations.actor import Actor
from tests.cast import Player
from webhooks.models import Delivery, Endpoint
from webhooks.services import create_endpoint, emit
from webhooks.types import EventType


@dataclass
class Request:
    """One request as it came, byte by byte."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(self.body)
        return found


@dataclass
class Receiver:
    """Keeps what arrives; `answer(request)` says (status, headers, body), 200 by default."""

    server: ThreadingHTTPServer
    requests: list[Request] = field(default_factory=list)
    answer: Callable[[Request], tuple[int, dict[str, str], bytes]] = lambda request: (200, {}, b"ok")

    def url(self, path: str = "/hook") -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}{path}"

    @property
    def types(self) -> list[str]:
        return [request.event["type"] for request in self.requests]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            request = Request(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            found.requests.append(request)
            status, headers, content = found.answer(request)
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found = Receiver(server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join()


def emit_some(by: Actor, count: int = 1) -> None:
    """So many events of customers that exist in their events alone."""
    with transaction.atomic():
        for _ in range(count):
            customer = {"object": "customer", "id": new_id("cus"), "name": "Ada"}
            emit(EventType.CUSTOMER_CREATED, by=by, object=customer, version=1)


def make_due() -> None:
    """Let the waiting time of everything pass."""
    Delivery.objects.waiting().update(due_at=timezone.now())
    Endpoint.objects.update(resting_until=None, tokens_at=None)


@pytest.fixture(autouse=True)
def loopback(settings: Any) -> None:
    settings.WEBHOOK_ALLOW_LOOPBACK = True


@pytest.fixture
def endpoint(alice: Player, receiver: Receiver) -> Endpoint:
    """Alice's, for everything, at the receiver; `endpoint.secret_text` is what it signs with."""
    made, secret = create_endpoint(by=alice.actor, url=receiver.url())
    made.secret_text = secret  # type: ignore[attr-defined]
    return made
