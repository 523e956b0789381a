"""The network side of a worker: one event loop in a thread, many requests in flight, no database anywhere near it."""

import asyncio
import contextlib
import datetime as dt
import queue
import threading
import time
from concurrent.futures import Future
from types import TracebackType
from typing import NamedTuple, Self

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
    """`submit` claimed deliveries, `collect` their results; both from the thread that entered it."""

    def __init__(self) -> None:
        self.in_flight = 0
        self._results: queue.SimpleQueue[Result] = queue.SimpleQueue()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="webhook-sender", daemon=True)
        self._client = WebhookClient(
            allow_loopback=settings.WEBHOOK_ALLOW_LOOPBACK,
            connect_seconds=settings.WEBHOOK_CONNECT_SECONDS,
            total_seconds=settings.WEBHOOK_TOTAL_SECONDS,
        )

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._client.__aenter__()).result()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._run(self._stop()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def submit(self, claimed: Claimed) -> None:
        self.in_flight += 1
        self._run(self._send(claimed))

    def collect(self, limit: int, wait: float) -> list[Result]:
        """Results that are there, at most `limit`; waits up to `wait` seconds for the first and for company."""
        found: list[Result] = []
        deadline = time.monotonic() + wait
        with contextlib.suppress(queue.Empty):
            while len(found) < limit:
                found.append(self._results.get(timeout=max(0.0, deadline - time.monotonic())))
                self.in_flight -= 1
                if not self.in_flight:
                    break
        return found

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
        """Nothing is in flight unless the worker is failing; then what is left is given up, and its leases run out."""
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._client.__aexit__(None, None, None)

    def _run(self, coroutine: object) -> "Future[object]":
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)  # type: ignore[arg-type]


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
