"""A receiver on loopback that answers what a test says, byte by byte."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from common.http import Outcome, WebhookClient

BODY = '{"id":"evt_1","name":"Zoë"}'.encode()

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Receiver:
    """A server on loopback: `script` plays every connection."""

    script: Script
    port: int = 0
    connections: int = 0

    def url(self, host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}/hooks"

    async def play(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await self.script(reader, writer)
        writer.transport.abort() if writer.transport.get_write_buffer_size() else writer.close()

    @contextlib.asynccontextmanager
    async def listening(self, tls: ssl.SSLContext | None = None) -> AsyncIterator["Receiver"]:
        playing: set[asyncio.Task[None]] = set()

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            playing.add(task)
            with contextlib.suppress(asyncio.CancelledError):  # the test is over
                await self.play(reader, writer)
            writer.close()

        server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
            await asyncio.sleep(0.02)  # a connection opened last is counted too
        finally:
            server.close()
            for task in playing:
                task.cancel()
            await asyncio.gather(*playing, return_exceptions=True)
            await server.wait_closed()


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    return head + await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))


def answering(answer: bytes) -> Script:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(answer)
        await writer.drain()

    return script


def forever(start: bytes, piece: bytes, pause: float = 0) -> Script:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        writer.write(start)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return script


def http(status: int, *head: str, body: bytes = b"") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status} Said", *head, f"content-length: {len(body)}", "", ""]).encode() + body


async def send(url: str, *, body: bytes = BODY, headers: dict[str, str] | None = None, **options: Any) -> Outcome:
    async with WebhookClient(**{"allow_loopback": True, "total_seconds": 5, **options}) as client:
        return await client.post(url, body=body, headers=headers or {"user-agent": "BookingFlow-Webhooks/1"})


def deliver(script: Script, **options: Any) -> tuple[Outcome, Receiver]:
    async def run() -> tuple[Outcome, Receiver]:
        async with Receiver(script).listening() as receiver:
            return await send(receiver.url(), **options), receiver

    return asyncio.run(run())
