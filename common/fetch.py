"""One GET of an address that a user gave, whatever the other side does: an Answer within bounds, or FetchFailed with its reason.

Redirects are followed by hand, each through the same checks as the first address; sockets open only to public addresses
(`common.http`). A body is bounded as it was sent and as it is once unpacked, so that neither an endless one nor a bomb fills
memory.
"""

import asyncio
import functools
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from common.addresses import RefusedAddress
from common.http import CONNECT_SECONDS, Failure, Lookup, classify, open_socket

MAX_REDIRECTS = 3
CHUNK_BYTES = 64 * 1024
HEADER_CHARACTERS = 500  # of a validator that is kept; a longer one is not worth a repeat
_REDIRECTS = (301, 302, 303, 307, 308)
_GZIP = 31  # zlib's window bits for gzip's own header and checksum
TOO_LARGE, BAD_ENCODING = "too_large", "bad_encoding"


@dataclass(frozen=True, slots=True)
class Answer:
    """200 with its body, or 304 without one."""

    status: int
    body: bytes = b""
    etag: str = ""
    last_modified: str = ""


class FetchFailed(Exception):
    """`reason` is a Failure, TOO_LARGE or BAD_ENCODING; `status` that of the answer, where one came."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        self.reason, self.status = str(reason), status
        super().__init__(self.reason)


async def fetch(
    url: str,
    *,
    check: Callable[[str], None],
    allow_loopback: bool,
    max_bytes: int,
    headers: Mapping[str, str],
    total_seconds: float,
    resolver: AbstractResolver | None = None,
) -> Answer:
    """`check` raises RefusedAddress for an address that must not be asked; `total_seconds` are wall clock, redirects included.

    Raises FetchFailed.
    """
    lookup = resolver or Lookup()
    try:
        async with asyncio.timeout(total_seconds), _session(allow_loopback, lookup) as session:
            return await _follow(session, url, check=check, max_bytes=max_bytes, headers=headers)
    except FetchFailed:
        raise
    except RefusedAddress as refusal:
        raise FetchFailed(Failure.BLOCKED_ADDRESS) from refusal
    except Exception as error:
        raise FetchFailed(classify(error)) from error
    finally:
        await lookup.close()


def _session(allow_loopback: bool, lookup: AbstractResolver) -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(
        socket_factory=functools.partial(open_socket, allow_loopback=allow_loopback),
        resolver=lookup,
        force_close=True,
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
        headers={"accept-encoding": "gzip"},
        timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS),
        read_bufsize=CHUNK_BYTES,
    )


async def _follow(
    session: aiohttp.ClientSession, url: str, *, check: Callable[[str], None], max_bytes: int, headers: Mapping[str, str]
) -> Answer:
    for _ in range(MAX_REDIRECTS + 1):
        check(url)
        async with session.get(url, headers=headers, allow_redirects=False) as answer:
            if answer.status in _REDIRECTS:
                if not (location := answer.headers.get("location")):
                    raise FetchFailed(Failure.PROTOCOL, answer.status)
                url = str(URL(url).join(URL(location)).with_fragment(None))
                continue
            if answer.status == 304:
                return Answer(304)
            if answer.status != 200:
                raise FetchFailed(Failure.HTTP, answer.status)
            body = await _body(answer, max_bytes)
            return Answer(200, body, _validator(answer, "etag"), _validator(answer, "last-modified"))
    raise FetchFailed(Failure.REDIRECT)


def _validator(answer: aiohttp.ClientResponse, name: str) -> str:
    value = answer.headers.get(name, "")
    return value if len(value) <= HEADER_CHARACTERS and value.isascii() and value.isprintable() else ""


async def _body(answer: aiohttp.ClientResponse, most: int) -> bytes:
    unpack = _unpacker(answer.headers.get("content-encoding", ""))
    if (answer.content_length or 0) > most:
        raise FetchFailed(TOO_LARGE, answer.status)
    content, received = bytearray(), 0
    async for chunk in answer.content.iter_chunked(CHUNK_BYTES):
        received += len(chunk)
        try:
            content += unpack.decompress(chunk, most + 1 - len(content)) if unpack else chunk
        except zlib.error:
            raise FetchFailed(BAD_ENCODING, answer.status) from None
        if max(received, len(content)) > most:
            raise FetchFailed(TOO_LARGE, answer.status)
    if unpack and not unpack.eof:
        raise FetchFailed(BAD_ENCODING, answer.status)
    return bytes(content)


def _unpacker(encoding: str) -> Any:
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return None
    if name in ("gzip", "x-gzip"):
        return zlib.decompressobj(_GZIP)
    raise FetchFailed(BAD_ENCODING, 200)
