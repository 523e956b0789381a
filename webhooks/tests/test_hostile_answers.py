"""Receivers that answer to do harm, through the whole engine: what is written down, and that others do not wait."""

import asyncio
import contextlib
import datetime as dt
import gzip
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from common.http import KEEP_BYTES
from common.tests.receiver import Receiver as Script
from common.tests.receiver import answering, forever, http
from tests.cast import Player
from webhooks.engine import drain
from webhooks.models import Attempt, Delivery
from webhooks.services import create_endpoint
from webhooks.tests.conftest import Receiver, emit_some

EVENTS = 3
HEAD = b"HTTP/1.1 200 OK\r\n"
# What they do, and the class and status that their owner sees.
ANSWERS = {
    "silent": (forever(b"", b"", 0.05), "timeout", None),
    "trickled": (forever(HEAD + b"content-length: 9999\r\n\r\n", b"x", 0.05), "timeout", 200),
    "endless": (forever(HEAD + b"\r\n", b"x" * 65536), "", 200),
    "gzip-bomb": (answering(http(200, "content-encoding: gzip", body=gzip.compress(bytes(50_000_000)))), "", 200),
    "header-bomb": (forever(HEAD, b"a: b\r\n" * 1000), "protocol", None),
}


@pytest.fixture
def hostile() -> Iterator[dict[str, str]]:
    """The URLs of those receivers."""
    loop, open_ones = asyncio.new_event_loop(), contextlib.AsyncExitStack()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def listen() -> dict[str, str]:
        scripts = {name: Script(script) for name, (script, _, _) in ANSWERS.items()}
        return {name: (await open_ones.enter_async_context(one.listening())).url() for name, one in scripts.items()}

    yield asyncio.run_coroutine_threadsafe(listen(), loop).result()
    asyncio.run_coroutine_threadsafe(open_ones.aclose(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_silent_trickled_endless_and_bomb_answers_are_told_apart_and_delay_nobody(
    alice: Player, receiver: Receiver, hostile: dict[str, str], settings: Any
) -> None:
    settings.WEBHOOK_TOTAL_SECONDS = 1.0
    endpoints = {name: create_endpoint(by=alice.actor, url=url)[0] for name, url in {**hostile, "good": receiver.url()}.items()}
    emit_some(alice.actor, EVENTS)

    drain()

    for name, (_, failure, status) in ANSWERS.items():
        attempts = Attempt.objects.filter(endpoint=endpoints[name])
        assert list(attempts.values_list("failure", "status_code")) == [(failure, status)] * EVENTS, name
        assert max(len(attempt.answer) for attempt in attempts) <= KEEP_BYTES
    good = Attempt.objects.filter(endpoint=endpoints["good"])
    assert [delivery.state for delivery in Delivery.objects.filter(endpoint=endpoints["good"])] == ["succeeded"] * EVENTS
    assert max(map(ended_at, good)) < min(map(ended_at, Attempt.objects.filter(failure="timeout")))


def ended_at(attempt: Attempt) -> dt.datetime:
    return attempt.started_at + dt.timedelta(seconds=attempt.seconds)
