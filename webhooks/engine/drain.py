"""One worker at work: until nothing is due, or its time is up."""

import contextlib
import logging
import math
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

from common import jobs
from webhooks.engine.claim import claim
from webhooks.engine.record import reclaim, record
from webhooks.engine.relay import look_for_news, relay_some
from webhooks.engine.replays import advance
from webhooks.engine.send import Result, Sender

logger = logging.getLogger(__name__)

IN_FLIGHT = 200
BATCH, BATCH_SECONDS = 64, 0.02  # results are written when so many are there, or after so long
LOOK_EVERY = 0.1  # seconds between looks for more while requests are under way and nobody rings
LOOK_AGAIN = 0.05  # seconds, after one that found news and none to send: there may be a great many, and others want the processor
BACKLOG_EVERY = 0.2  # seconds between steps of at most 50 events of an organization: a worker moves a backlog by 250 a second
TIDY_EVERY = 1.0  # seconds between looks for leases that ran out and replays that have room
TAKES_NEW_FOR = 30.0  # seconds; then the task ends when its last request has, and the next bell starts another
BELL = "webhooks.tasks.deliver"
DATABASE_BACK_WITHIN = 60.0  # seconds

Answer = TypeVar("Answer")


def drain(*, sender: Sender | None = None, seconds: float = TAKES_NEW_FOR, lingers: float = 0.0) -> int:
    """Relay, claim, send and record until nothing is due. Answers how many attempts were made. Any number may run at once.

    Without a `sender` that lasts, it uses one of its own. With `lingers` it waits so many seconds for the bell before it leaves.
    """
    if sender is None:
        with contextlib.closing(Sender()) as own:
            return drain(sender=own, seconds=seconds, lingers=lingers)
    return _Shift(sender, seconds, lingers).work()


class _Shift:
    """What one worker does until nothing is due, and when each of it is to be done next."""

    def __init__(self, sender: Sender, seconds: float, lingers: float) -> None:
        self.sender, self.lingers = sender, lingers
        self.stop_at = time.monotonic() + seconds
        self.look_at = self.backlog_at = self.tidy_at = 0.0
        self.leave_at = math.inf  # but once there is nothing to do
        self.results: list[Result] = []
        self.record_at = 0.0
        self.sent = 0

    def work(self) -> int:
        while True:
            takes_new = time.monotonic() < self.stop_at
            if takes_new and self.look_at <= time.monotonic():
                self._look()
            if takes_new and self.tidy_at <= time.monotonic():
                self._tidy()
            if self.sender.in_flight or self.results:
                self._await(BATCH_SECONDS)
            elif not takes_new:
                jobs.send("webhooks.tasks.sweep")  # there may be more
                return self.sent
            elif self.leave_at <= time.monotonic():
                return self.sent  # what another worker's relay has in its hands, that worker looks for again
            else:
                self._await(min(self.look_at, self.leave_at, self.stop_at) - time.monotonic())

    def _look(self) -> None:
        """What is new is relayed and on its way before a backlog is moved on, in steps with pauses between them: nobody waits for
        its numbers, but others for the processor.
        """
        fresh, backlogs = _insist(look_for_news)
        relayed = _insist(lambda: relay_some(fresh))
        room = IN_FLIGHT - self.sender.in_flight
        claimed = _insist(lambda: claim(room)) if room > 0 else []
        self.sender.submit(claimed)
        if backlogs and self.backlog_at <= time.monotonic():
            _insist(lambda: relay_some(backlogs))
            self.backlog_at = time.monotonic() + BACKLOG_EVERY
        now = time.monotonic()
        if relayed or claimed or backlogs or self.sender.in_flight or _insist(advance):
            self.look_at = now + (LOOK_EVERY if not relayed else 0.0 if claimed else LOOK_AGAIN)
            self.leave_at = math.inf
        else:
            self.look_at, self.leave_at = math.inf, now + self.lingers

    def _tidy(self) -> None:
        if _insist(reclaim) + _insist(advance):
            self.look_at, self.leave_at = 0.0, math.inf
        self.tidy_at = time.monotonic() + TIDY_EVERY

    def _await(self, seconds: float) -> None:
        """Answers, which are recorded in batches, or the bell, which comes first: others' answers can wait that long."""
        found, is_called = self.sender.collect(BATCH - len(self.results), seconds)
        now = time.monotonic()
        if found and not self.results:
            self.record_at = now + BATCH_SECONDS
        self.results += found
        if is_called and now < self.stop_at and jobs.hear(BELL):  # one who looks no more leaves it to others
            self.look_at = 0.0
        if self.results and (not is_called or len(self.results) >= BATCH or self.record_at <= now):
            _insist(lambda: record(self.results))
            self.sent += len(self.results)
            self.results = []
            self.look_at = 0.0


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
