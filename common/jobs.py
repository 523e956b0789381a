"""The only way to queue work for later. A lost nudge costs time, never work: a sweep finds the rows."""

import logging
from dataclasses import dataclass
from typing import Any

from celery import current_app
from django.db import connection, transaction

EXPIRES_SECONDS = 600  # a nudge that nobody has taken by then has long been replaced by a sweep

logger = logging.getLogger(__name__)


def after_commit(task: str, *args: Any) -> None:
    """Queue the task by name once the surrounding transaction commits; at once outside one.

    Asked for twice in one transaction it is queued once. That holds with savepoints too: whatever undoes the earlier
    request, which is still noted now, undoes this one with it.
    """
    nudge = _Nudge(task, args)
    if not any(entry[1] == nudge for entry in connection.run_on_commit):
        transaction.on_commit(nudge, robust=True)


def send(task: str, *args: Any) -> None:
    """Queue now. A broker that is away is logged, not raised: the request that asked has done its work."""
    try:
        current_app.send_task(task, args=args, retry=False, expires=EXPIRES_SECONDS)
    except Exception:  # kombu, redis and socket errors share no base class
        logger.warning("could not queue %s", task, exc_info=True)


@dataclass(frozen=True)
class _Nudge:
    """A callback that can be told from others."""

    task: str
    args: tuple[Any, ...]

    def __call__(self) -> None:
        send(self.task, *self.args)
