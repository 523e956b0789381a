"""The way out for webhooks: one POST, one Outcome, whatever the other side does.

Every socket, of `common.fetch` too, is made by `open_socket`, which sees literal and looked-up addresses alike, just before the
first packet, and refuses those that are not public: so neither DNS rebinding nor an odd spelling of an address leads inside.
"""

import asyncio
import logging
import re
import socket
import ssl
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from common.addresses import is_allowed

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 4.0  # name, connection and TLS together
TOTAL_SECONDS = 15.0  # wall clock, the answer's body included
READ_BYTES = 16 * 1024  # of an answer's body, then the connection is closed
KEEP_BYTES = 4 * 1024  # of what was read
HEADER_CHARACTERS = 200  # kept of an answer's header
KEEP_ALIVE_SECONDS = 2.0  # well below the 5 s of common servers: a POST into a connection just closed there counts as a failure
LOOKUP_THREADS = 64
MAX_RETRY_AFTER_SECONDS = 6 * 3600.0

_KEPT_HEADERS = ("content-type", "content-length", "content-encoding", "retry-after", "request-id", "x-request-id")


class Failure(StrEnum):
    """Why an attempt failed, in the words that its owner sees. Empty after a 2xx."""

    NONE = ""
    DNS = "dns"
    REFUSED = "refused"
    RESET = "reset"  # also: closed without an answer
    TLS = "tls"
    TIMEOUT = "timeout"
    BLOCKED_ADDRESS = "blocked_address"
    REDIRECT = "redirect"
    HTTP = "http"  # any other answer than 2xx and 3xx
    PROTOCOL = "protocol"  # what came is not HTTP, not a whole answer, or headers without end
    CONNECTION = "connection"  # no route and other rarities


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt. Texts can be stored: they hold no NUL and no lone surrogate.

    `status` is known as soon as headers came, even where a 2xx failed because its body then hung (`timeout`) or broke off.
    """

    seconds: float  # from the start to the end of reading
    first_byte_seconds: float | None = None  # to the answer's headers; None if none came
    status: int | None = None
    failure: Failure = Failure.NONE
    body: str = ""  # the first 4 KiB; empty if encoded
    retry_after: str | None = None  # as sent; see parse_retry_after
    headers: Mapping[str, str] = field(default_factory=dict)  # a few, by lower-case name

    @property
    def is_success(self) -> bool:
        return self.failure is Failure.NONE


class BlockedAddress(OSError):
    """The address is not public. It names none: the text could reach the endpoint's owner.

    An OSError, so that aiohttp goes on to the name's other addresses: a public one among them may be used.
    """

    def __init__(self) -> None:
        super().__init__("the address is not public")


class Lookup(AbstractResolver):
    """Name look-ups in threads of its own. The loop's default pool has six on two cores: a few names with silent name servers
    would keep every other receiver waiting."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(LOOKUP_THREADS, thread_name_prefix="lookup")

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, socket.getaddrinfo, host, port, family, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG
        )
        return [
            ResolveResult(hostname=host, host=str(address[0]), port=port, family=kind, proto=proto, flags=socket.AI_NUMERICHOST)
            for kind, _, proto, _, address in found
        ]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


class WebhookClient:
    """Posts to receivers. Enter it with `async with`, in the loop that uses it; the caller limits how many run at once.

    No redirects, cookies, proxies or decompression; TLS is verified against the system's authorities, or against `tls`.
    """

    def __init__(
        self,
        *,
        allow_loopback: bool,
        connect_seconds: float = CONNECT_SECONDS,
        total_seconds: float = TOTAL_SECONDS,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.allow_loopback = allow_loopback
        self.connect_seconds = connect_seconds
        self.total_seconds = total_seconds
        self._resolver = resolver
        self._tls = tls

    async def __aenter__(self) -> Self:
        self._resolver = self._resolver or Lookup()
        connector = aiohttp.TCPConnector(
            socket_factory=self._open_socket,
            resolver=self._resolver,
            ttl_dns_cache=0,  # look up for every connection; look-ups of one name at the same time are shared
            limit=0,
            limit_per_host=0,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            ssl=self._tls or True,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,  # a bomb stays as small as it was sent
            headers={"accept-encoding": "identity"},
            skip_auto_headers=("user-agent", "content-type"),
            timeout=aiohttp.ClientTimeout(total=None, connect=self.connect_seconds),
            read_bufsize=READ_BYTES,
        )
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._session.close()
        if self._resolver is not None:
            await self._resolver.close()

    async def post(self, url: str, *, body: bytes, headers: Mapping[str, str]) -> Outcome:
        """Send the bytes as they are and tell what came of it, within `total_seconds`. Only being canceled raises."""
        started = time.monotonic()
        answer: aiohttp.ClientResponse | None = None
        first_byte_seconds: float | None = None
        content = bytearray()
        failure = Failure.NONE
        try:
            async with asyncio.timeout(self.total_seconds):
                answer = await self._session.post(url, data=body, headers=headers, allow_redirects=False)
                first_byte_seconds = time.monotonic() - started
                await _read(answer, content)
        except Exception as error:  # our own mistakes too: one bad row must not stop all the others
            failure = classify(error)
        finally:
            if answer is not None:
                answer.close()  # changes nothing after a body read to its end: its connection is in the pool again
        seconds = time.monotonic() - started
        if answer is None:
            return Outcome(seconds, failure=failure)
        kept = {name: _clean(answer.headers[name]) for name in _KEPT_HEADERS if name in answer.headers}
        return Outcome(
            seconds,
            first_byte_seconds,
            answer.status,
            _judge(answer.status) or failure,
            _clean(content[:KEEP_BYTES]) if kept.get("content-encoding", "identity") == "identity" else "",
            kept.get("retry-after"),
            kept,
        )

    def _open_socket(self, found: aiohttp.AddrInfoType) -> socket.socket:
        return open_socket(found, allow_loopback=self.allow_loopback)


def open_socket(found: aiohttp.AddrInfoType, *, allow_loopback: bool) -> socket.socket:
    """The one place where sockets are made. `found` is as getaddrinfo answers, with the address that comes next."""
    family, kind, proto, _, address = found
    if not is_allowed(address[0], allow_loopback=allow_loopback):
        raise BlockedAddress
    return socket.socket(family, kind, proto)


def parse_retry_after(value: str | None, *, now: datetime) -> float | None:
    """Seconds to wait by a Retry-After header (seconds or an HTTP date), at most 6 h; None for none, junk and the past."""
    text = (value or "").strip()
    if re.fullmatch("[0-9]{1,10}", text):
        return min(float(text), MAX_RETRY_AFTER_SECONDS)
    try:
        date = parsedate_to_datetime(text)
        seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now.timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(seconds, MAX_RETRY_AFTER_SECONDS) if seconds >= 0 else None


async def _read(answer: aiohttp.ClientResponse, content: bytearray) -> None:
    """Fill `content` with the body, so that what came before a timeout is kept; an endless one is left at the limit."""
    while len(content) < READ_BYTES and (chunk := await answer.content.read(READ_BYTES - len(content))):
        content += chunk


def _judge(status: int) -> Failure:
    if status < 200:  # 101: a switch that nobody asked for
        return Failure.PROTOCOL
    if status < 300:
        return Failure.NONE
    return Failure.REDIRECT if status < 400 else Failure.HTTP


# In this order: aiohttp's classes inherit from several.
_CLASSES: tuple[tuple[Failure, tuple[type[BaseException], ...]], ...] = (
    (Failure.BLOCKED_ADDRESS, (BlockedAddress, aiohttp.InvalidURL)),
    (Failure.DNS, (aiohttp.ClientConnectorDNSError, UnicodeError)),  # a name too long to be looked up is a UnicodeError
    (Failure.TLS, (aiohttp.ClientSSLError, ssl.SSLError)),
    (Failure.TIMEOUT, (TimeoutError,)),
    (Failure.REFUSED, (ConnectionRefusedError,)),
    (Failure.RESET, (ConnectionError, aiohttp.ServerDisconnectedError)),
    (Failure.PROTOCOL, (aiohttp.ClientResponseError, aiohttp.ClientPayloadError)),
    (Failure.CONNECTION, (aiohttp.ClientError, OSError)),
)


def classify(error: Exception) -> Failure:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error.__cause__
    for failure, kinds in _CLASSES:
        if isinstance(error, kinds) or isinstance(cause, kinds):
            return failure
    logger.error("a request failed for a reason of our own", exc_info=error)
    return Failure.CONNECTION


def _clean(text: str | bytes | bytearray) -> str:
    """As storable text: PostgreSQL takes no NUL, and aiohttp writes bytes that are not UTF-8 as lone surrogates."""
    if isinstance(text, str):
        text = text[:HEADER_CHARACTERS].encode(errors="surrogateescape")
    return text.decode(errors="replace").replace("\x00", "\ufffd")
