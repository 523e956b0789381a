"""A calendar's host on loopback, which answers what a test says."""

import contextlib
import gzip
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Play = Callable[[BaseHTTPRequestHandler], None]
UNDISTURBED = (ConnectionError, TimeoutError)


@dataclass
class Host:
    """`play` answers every request; `asked` are the headers of each."""

    play: Play
    url: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)

    def serve(self, text: str | bytes, **headers: str) -> None:
        self.play = answering(text, status=200, **headers)


@contextlib.contextmanager
def listening() -> Iterator[Host]:
    host = Host(answering(""))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host.asked.append({name.lower(): value for name, value in self.headers.items()})
            with contextlib.suppress(*UNDISTURBED):  # the other side has seen enough
                host.play(self)

        def log_message(self, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    host.url = f"http://127.0.0.1:{server.server_port}/team.ics"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def answering(text: str | bytes, *, status: int = 200, **headers: str) -> Play:
    """With 304 for who has the `etag` or the `last_modified` that is given."""
    body = text.encode() if isinstance(text, str) else text
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    def play(request: BaseHTTPRequestHandler) -> None:
        known = (request.headers.get("if-none-match"), request.headers.get("if-modified-since"))
        current = (named.get("etag"), named.get("last-modified"))
        unchanged = any(one and one == other for one, other in zip(known, current, strict=True))
        request.send_response(304 if unchanged else status)
        for name, value in named.items():
            request.send_header(name, value)
        if not unchanged:
            request.send_header("content-length", str(len(body)))
        request.end_headers()
        if not unchanged:
            request.wfile.write(body)

    return play


def endless(start: bytes, piece: bytes, *, pause: float = 0, **headers: str) -> Play:
    def play(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(start)
        while True:
            request.wfile.write(piece)
            time.sleep(pause)

    return play


def bomb(megabytes: int) -> bytes:
    return gzip.compress(b"BEGIN:VCALENDAR\r\n" + b" " * megabytes * 1024 * 1024, compresslevel=1)
