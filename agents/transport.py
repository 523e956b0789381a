"""The SDK's side of a request to /mcp. Loaded by the first of them, or before it by a web server (bookingflow/wsgi.py): the SDK
takes more than a second of a processor to load, which workers and commands have no use for.
"""

import asyncio
from contextlib import closing
from io import BytesIO
from typing import Any

import anyio
import orjson
from django.conf import settings
from django.http import HttpResponse
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from mcp_types import PARSE_ERROR

from agents.caller import Caller
from agents.server import EXCHANGE, SERVER, Exchange
from developers.errors import MalformedJSON
from developers.parsers import StrictJSONParser

JSON = "application/json"


def answer(caller: Caller) -> HttpResponse:
    """What the SDK answers to the request that the caller came with, whose body is read."""
    request = caller.request
    try:
        StrictJSONParser().parse(BytesIO(request.body))
    except MalformedJSON as error:
        told = {"code": PARSE_ERROR, "message": error.detail, "data": caller.problem(error)}
        return HttpResponse(orjson.dumps({"jsonrpc": "2.0", "id": None, "error": told}), status=400, content_type=JSON)
    with closing(asyncio.new_event_loop()) as loop:  # a loop for one request: nothing is left for another's
        exchange = Exchange(caller, loop)
        answering = loop.create_task(_answer(exchange))
        either: tuple[asyncio.Future[Any], ...] = (answering, exchange.work)
        loop.run_until_complete(asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED))
        if exchange.work.done():
            exchange.result.set_result(exchange.work.result()())
        return loop.run_until_complete(answering)


def _scope(exchange: Exchange) -> dict[str, Any]:
    """The request as ASGI has it."""
    request = exchange.caller.request
    headers = {name.lower(): value for name, value in request.headers.items()} | {"host": request.get_host()}
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": request.scheme,
        "path": request.path,
        "raw_path": request.path.encode(),
        "query_string": b"",
        "headers": [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers.items()],
        EXCHANGE: exchange,
    }


async def _answer(exchange: Exchange) -> HttpResponse:
    """The SDK's, by a manager for this request alone."""
    request = exchange.caller.request
    incoming = [{"type": "http.request", "body": request.body, "more_body": False}]
    started: dict[str, Any] = {}
    pieces: list[bytes] = []

    async def receive() -> dict[str, Any]:
        if not incoming:
            await anyio.sleep_forever()  # nobody tells us that the client has gone: it is answered all the same
        return incoming.pop()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            started.update(message)
        else:
            pieces.append(message.get("body", b""))

    manager = StreamableHTTPSessionManager(
        SERVER,
        json_response=True,
        stateless=True,
        # Django holds the host against ALLOWED_HOSTS, whose patterns the SDK does not know.
        security_settings=TransportSecuritySettings(
            allowed_hosts=[request.get_host()], allowed_origins=settings.MCP_ALLOWED_ORIGINS
        ),
        max_request_body_size=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
    )
    async with manager.run():
        await manager.handle_request(_scope(exchange), receive, send)
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in started["headers"]}
    headers.pop("content-length", None)
    return HttpResponse(b"".join(pieces), status=started["status"], headers=headers)
