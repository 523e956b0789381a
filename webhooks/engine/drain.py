"""One worker at work: until nothing is due, or its time is up."""

import contextlib
import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

from common import jobs
from webhooks.engine.claim import claim
from webhooks.engine.record import reclaim, record
from webhooks.engine.relay import relay
from webhooks.engine.replays import advance
from webhooks.engine.send import Sender

logger = logging.getLogger(__name__)

IN_FLIGHT = 200
BATCH, BATCH_SECONDS = 64, 0.02  # results are written when so many are there, or after so long
LOOK_EVERY = 0.1  # seconds between looks for more while requests are under way and nobody rings
LOOK_AGAIN = 0.05  # seconds, after one that found news and none to send: there may be a great many, and others want the processor
TIDY_EVERY = 1.0  # seconds between looks for leases that ran out and replays that have room
TAKES_NEW_FOR = 30.0  # seconds; then the task ends when its last request has, and the next bell starts another
BELL = "webhooks.tasks.deliver"
DATABASE_BACK_WITHIN = 60.0  # seconds

Answer = TypeVar("Answer")


def drain(*, sender: Sender | None = None, seconds: float = TAKES_NEW_FOR) -> int:
    """Relay, claim, send and record until nothing is due. Answers how many attempts were made. Any number may run at once.

    Without a `sender` that lasts, it uses one of its own.
    """
    if sender is None:
        with contextlib.closing(Sender()) as own:
            return drain(sender=own, seconds=seconds)
    sent, relayed = 0, 0
    stop_at, look_at, tidy_at = time.monotonic() + seconds, 0.0, 0.0
    while True:
        if look_at <= time.monotonic() < stop_at:
            relayed = _insist(relay)
            room = IN_FLIGHT - sender.in_flight
            claimed = _insist(lambda: claim(room)) if room > 0 else []  # noqa: B023 - called at once
            sender.submit(claimed)
            look_at = time.monotonic() + (LOOK_EVERY if not relayed else 0.0 if claimed else LOOK_AGAIN)
        if tidy_at <= time.monotonic() < stop_at:
            if _insist(reclaim) + _insist(advance):
                look_at = 0.0
            tidy_at = time.monotonic() + TIDY_EVERY
        if sender.in_flight:
            results = sender.collect(BATCH, BATCH_SECONDS)
            if results:
                _insist(lambda: record(results))  # noqa: B023 - called at once
                sent += len(results)
            if results or (sender.in_flight < IN_FLIGHT and jobs.hear(BELL)):
                look_at = 0.0
        elif time.monotonic() >= stop_at:
            jobs.send("webhooks.tasks.sweep")  # there may be more
            return sent
        elif relayed or look_at == 0.0 or _insist(advance):
            look_at = 0.0
        else:
            return sent  # what another worker's relay has in its hands, that worker looks for again


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
