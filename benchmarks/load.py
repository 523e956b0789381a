"""Clients that ask a server as fast as it answers, each on a connection of its own, and cost the machine next to nothing."""

import re
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

WARM_UP = 10  # requests of each client
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Figures:
    """Milliseconds, and requests a second of all clients together."""

    p50: float
    p95: float
    p99: float
    rate: float


class Connection:
    """HTTP/1.1, kept alive; answers come with their length."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """(Status, body)."""
        self._socket.sendall(request)
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._more()
        head, _, body = received.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        wanted = int(length[1]) if length else 0
        while len(body) < wanted:
            body += self._more()
        return int(head[9:12]), body

    def _more(self) -> bytes:
        received = self._socket.recv(1 << 20)
        if not received:
            raise ConnectionError("The server has hung up.")
        return received


def request(path: str, *, secret: str = "", body: bytes = b"") -> bytes:
    lines = [f"{'POST' if body else 'GET'} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json"]
    lines += [f"Authorization: Bearer {secret}"] if secret else []
    lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"] if body else []
    return "\r\n".join([*lines, "", ""]).encode() + body


def asking(port: int, requests: Iterator[bytes], expected: set[int], answered: list[int]) -> Callable[[], None]:
    """The next request, on a connection of its own, each time it is called; notes the status."""
    connection = Connection(port)

    def ask() -> None:
        status, body = connection.ask(next(requests))
        answered.append(status)
        assert status in expected, (status, body[:500])

    return ask


def run(client: Callable[[int], Callable[[], None]], *, clients: int, rounds: int) -> Figures:
    """Each client, made by its number, acts so often after warming up; all begin together."""
    times: list[float] = []
    ready = threading.Barrier(clients + 1)
    failures: list[BaseException] = []

    def live(number: int) -> None:
        try:
            act = client(number)
            for _ in range(WARM_UP):
                act()
            ready.wait()
            for _ in range(rounds):
                began = time.perf_counter()
                act()
                times.append((time.perf_counter() - began) * 1000)
        except BaseException as error:
            failures.append(error)
            ready.abort()

    threads = [threading.Thread(target=live, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    try:
        ready.wait()
    except threading.BrokenBarrierError:
        raise failures[0] from None
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    if failures:
        raise failures[0]
    shares = statistics.quantiles(times, n=100, method="inclusive")
    return Figures(statistics.median(times), shares[94], shares[98], len(times) / took)
