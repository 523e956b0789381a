"""The only way to queue work for later. A lost nudge costs time, never work: a sweep finds the rows."""

import logging
from typing import Any

from celery import current_app
from django.db import transaction

EXPIRES_SECONDS = 600  # a nudge that nobody has taken by then has long been replaced by a sweep

logger = logging.getLogger(__name__)


def after_commit(task: str, *args: Any) -> None:
    """Queue the task by name once the surrounding transaction commits; at once outside one."""
    transaction.on_commit(lambda: send(task, *args), robust=True)


def send(task: str, *args: Any) -> None:
    """Queue now. A broker that is away is logged, not raised: the request that asked has done its work."""
    try:
        current_app.send_task(task, args=args, retry=False, expires=EXPIRES_SECONDS)
    except Exception:  # kombu, redis and socket errors share no base class
        logger.warning("could not queue %s", task, exc_info=True)
