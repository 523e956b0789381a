"""The network side of a worker: one event loop in a thread, many requests in flight, no database anywhere near it."""

import asyncio
import contextlib
import datetime as dt
import queue
import threading
import time
from collections.abc import Coroutine
from typing import Any, NamedTuple

from django.conf import settings

from common.http import Failure, Outcome, WebhookClient
from common.signing import sign
from webhooks.engine.claim import Claimed

USER_AGENT = "BookingFlow-Webhooks/1"


class Result(NamedTuple):
    """What came of a claimed delivery's attempt."""

    claimed: Claimed
    started_at: dt.datetime
    outcome: Outcome


class Sender:
    """`submit` claimed deliveries, `collect` their results; both from one thread. Close it, or let it end with its process."""

    def __init__(self) -> None:
        self.in_flight = 0
        self._results: queue.SimpleQueue[Result | None] = queue.SimpleQueue()  # None: somebody calls
        self._is_called = False
        self._tasks: set[asyncio.Task[None]] = set()  # the loop itself holds them but weakly
        self._loop = asyncio.new_event_loop()
        self._client = WebhookClient(
            allow_loopback=settings.WEBHOOK_ALLOW_LOOPBACK,
            connect_seconds=settings.WEBHOOK_CONNECT_SECONDS,
            total_seconds=settings.WEBHOOK_TOTAL_SECONDS,
        )
        self._thread = threading.Thread(target=self._loop.run_forever, name="webhook-sender", daemon=True)
        self._thread.start()
        self._finish(self._client.__aenter__())

    def close(self) -> None:
        """What is in flight is given up, and its leases run out."""
        self._finish(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def submit(self, claimed: list[Claimed]) -> None:
        if not claimed:
            return
        self.in_flight += len(claimed)
        self._loop.call_soon_threadsafe(self._start, claimed)

    def wake(self) -> None:
        """End the `collect` that waits, or the next one. From any thread."""
        if not self._is_called:
            self._is_called = True
            self._results.put(None)

    def collect(self, enough: int, wait: float) -> tuple[list[Result], bool]:
        """Results that are there, and whether `wake` was called. Waits up to `wait` seconds for that, for `enough` results or for
        all that are under way.
        """
        found: list[Result] = []
        deadline = time.monotonic() + wait
        with contextlib.suppress(queue.Empty):
            while self.in_flight or not found:
                left = deadline - time.monotonic() if len(found) < enough else 0.0
                result = self._results.get(timeout=left) if left > 0 else self._results.get_nowait()
                if result is None:
                    self._is_called = False
                    return found, True
                found.append(result)
                self.in_flight -= 1
        return found, False

    def _start(self, claimed: list[Claimed]) -> None:
        for delivery in claimed:
            task = self._loop.create_task(self._send(delivery))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _send(self, claimed: Claimed) -> None:
        now = dt.datetime.now(dt.UTC)
        try:
            headers = request_headers(claimed, now=now)
        except ValueError:  # no secret is live: unsigned news must not leave
            outcome = Outcome(0.0, failure=Failure.CONNECTION)
        else:
            outcome = await self._client.post(claimed.url, body=claimed.body, headers=headers)
        self._results.put(Result(claimed, now, outcome))

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.__aexit__(None, None, None)

    def _finish(self, coroutine: Coroutine[Any, Any, object]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()


def request_headers(claimed: Claimed, *, now: dt.datetime) -> dict[str, str]:
    """Standard Webhooks, unsigned hints of ours, and the owner's own headers."""
    return {
        **claimed.headers,
        "user-agent": f"{USER_AGENT} (+{settings.PUBLIC_URL}/backend/docs/api.md#webhooks)",
        "content-type": "application/json",
        "webhook-id": claimed.event_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": sign(claimed.secrets, message_id=claimed.event_id, timestamp=now, body=claimed.body),
        "bookingflow-event-type": claimed.event_type,
        "bookingflow-delivery-id": claimed.delivery_id,
        "bookingflow-attempt": str(claimed.attempt),
        "bookingflow-redelivery": str(claimed.is_redelivery).lower(),
    }
