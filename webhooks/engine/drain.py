"""One worker at work: until nothing is due, or its time is up."""

import logging
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

from webhooks.engine.claim import claim
from webhooks.engine.record import reclaim, record
from webhooks.engine.relay import relay
from webhooks.engine.replays import advance
from webhooks.engine.send import Sender

logger = logging.getLogger(__name__)

IN_FLIGHT = 200
BATCH, BATCH_SECONDS = 64, 0.02  # results are written when so many are there, or after so long
LOOK_EVERY = 0.1  # seconds between looks for more while requests are under way
TIDY_EVERY = 1.0  # seconds between looks for leases that ran out and replays that have room
TAKES_NEW_FOR = 30.0  # seconds; then the task ends when its last request has, and the next bell starts another
DATABASE_BACK_WITHIN = 60.0  # seconds

Answer = TypeVar("Answer")


def drain(*, seconds: float = TAKES_NEW_FOR) -> int:
    """Relay, claim, send and record until nothing is due. Answers how many attempts were made. Any number may run at once."""
    sent, stop_at, look_at = 0, time.monotonic() + seconds, 0.0
    tidy_at = 0.0
    sender: Sender | None = None
    with ExitStack() as stack:
        while True:
            claimed = []
            if tidy_at <= time.monotonic() < stop_at:
                _insist(reclaim)
                _insist(advance)
                tidy_at = time.monotonic() + TIDY_EVERY
            if look_at <= time.monotonic() < stop_at:
                claimed = _look_for_work(IN_FLIGHT - (sender.in_flight if sender else 0))
                look_at = time.monotonic() + LOOK_EVERY
            if not claimed and (sender is None or not sender.in_flight):
                if time.monotonic() >= stop_at or not _insist(advance):
                    return sent
                look_at = 0.0
                continue
            sender = sender or stack.enter_context(Sender())
            for delivery in claimed:
                sender.submit(delivery)
            results = sender.collect(BATCH, BATCH_SECONDS)
            if results:
                _insist(lambda: record(results))  # noqa: B023 - called at once
                sent += len(results)
                look_at = 0.0


def _look_for_work(room: int) -> list:  # type: ignore[type-arg]
    while _insist(relay):
        pass
    return _insist(lambda: claim(room)) if room > 0 else []


def _insist(step: Callable[[], Answer]) -> Answer:
    """Through a restart of the database: answers that are already here must be written, or they would be sent again."""
    give_up_at = time.monotonic() + DATABASE_BACK_WITHIN
    while True:
        try:
            return step()
        except (OperationalError, InterfaceError):
            if connection.in_atomic_block or time.monotonic() > give_up_at:
                raise
            logger.warning("the database is away, trying again", exc_info=True)
            connection.close()
            time.sleep(0.5)
