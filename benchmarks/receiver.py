"""A receiver of webhooks that costs next to nothing, so that the engine is what is measured.

`python -m benchmarks.receiver` prints its port. It answers 200 to `POST /<n>` after n milliseconds, never to `POST /hang`,
and notes when each event arrived; `GET /` hands these notes over and forgets them.
"""

import asyncio
import http.client
import subprocess
import sys
import time
from types import TracebackType
from typing import Self

from bookingflow.embedded import die_with_parent

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
STOPPED_WITHIN = 5  # seconds

Arrivals = dict[str, float]  # when each event came first, by its id, as time.time() tells

_notes: list[str] = []


class Connection(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport, self.received = transport, b""

    def data_received(self, data: bytes) -> None:
        now = time.time()
        self.received += data
        head, blank, body = self.received.partition(b"\r\n\r\n")
        if not blank:
            return
        method, path, _ = head.split(b" ", 2)
        fields = head.lower()
        if len(body) < int(_field(fields, b"content-length") or 0):
            return
        self.received = b""
        if method == b"GET":
            text = "\n".join(_notes).encode()
            _notes.clear()
            self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(text) + text)
            return
        _notes.append(f"{_field(fields, b'webhook-id').decode()} {now}")
        if path == b"/0":
            self.transport.write(ANSWER)
        elif path != b"/hang":
            asyncio.get_running_loop().call_later(int(path[1:]) / 1000, self.transport.write, ANSWER)


def _field(head: bytes, name: bytes) -> bytes:
    return head.partition(b"\r\n" + name + b": ")[2].partition(b"\r\n")[0]


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0, backlog=1_024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class Receiver:
    """The same from outside: the process, its addresses and what arrived."""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "benchmarks.receiver"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait(STOPPED_WITHIN)
        assert self._process.stdout is not None
        self._process.stdout.close()

    def url(self, answers_after: int | str) -> str:
        """Milliseconds, or "hang"."""
        return f"http://127.0.0.1:{self.port}/{answers_after}"

    def arrivals(self) -> Arrivals:
        """Those since the last look."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("GET", "/")
        lines = connection.getresponse().read().decode().splitlines()
        connection.close()
        found: Arrivals = {}
        for event, at in (line.split() for line in lines):
            found.setdefault(event, float(at))
        return found

    def wait_for(self, events: set[str], seconds: float) -> Arrivals:
        """What arrived, once all of these did; AssertionError if they do not in time."""
        found, deadline = self.arrivals(), time.monotonic() + seconds
        while missing := events - found.keys():
            assert time.monotonic() < deadline, f"{len(missing)} of {len(events)} events have not arrived"
            time.sleep(0.1)
            found = {**self.arrivals(), **found}
        return found


if __name__ == "__main__":
    asyncio.run(serve())
