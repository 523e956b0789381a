"""The only way to queue work for later. A lost nudge costs time, never work: a sweep finds the rows."""

import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import redis
from celery import current_app
from django.conf import settings
from django.db import connection, transaction

EXPIRES_SECONDS = 600  # a nudge that nobody has taken by then has long been replaced by a sweep
BELL_SECONDS = 2  # a bell that nobody has heard by then is rung again
REDIS_SECONDS = 1  # a web request must not wait long for a Redis that is away

logger = logging.getLogger(__name__)


def after_commit(task: str, *args: Any) -> None:
    """Queue the task by name once the surrounding transaction commits; at once outside one.

    Asked for twice in one transaction it is queued once. That holds with savepoints too: whatever undoes the earlier
    request, which is still noted now, undoes this one with it.
    """
    _once_after_commit(_Nudge(task, args))


def ring_after_commit(task: str) -> None:
    """The same for a task that looks for all there is to do by itself and begins with `hear`: while one is queued that has not
    begun, it needs no second.
    """
    _once_after_commit(_Bell(task))


def hear(task: str) -> bool:
    """Whether its bell was rung since somebody last heard it; from now on it may be rung again. True where nobody can tell."""
    try:
        return bool(_redis().delete(_key(task)))
    except redis.RedisError:
        logger.debug("cannot hear %s", task, exc_info=True)
        return True


def send(task: str, *args: Any) -> None:
    """Queue now. A broker that is away is logged, not raised: the request that asked has done its work."""
    _quietly(task, lambda: current_app.send_task(task, args=args, retry=False, expires=EXPIRES_SECONDS))


def _ring(task: str) -> None:
    if _redis().set(_key(task), "rung", nx=True, ex=BELL_SECONDS):
        send(task)


@dataclass(frozen=True)
class _Nudge:
    """A callback that can be told from others."""

    task: str
    args: tuple[Any, ...]

    def __call__(self) -> None:
        send(self.task, *self.args)


@dataclass(frozen=True)
class _Bell:
    task: str

    def __call__(self) -> None:
        _quietly(self.task, lambda: _ring(self.task))


def _once_after_commit(callback: _Nudge | _Bell) -> None:
    if not any(entry[1] == callback for entry in connection.run_on_commit):
        transaction.on_commit(callback, robust=True)


def _quietly(task: str, act: Callable[[], object]) -> None:
    try:
        act()
    except Exception:  # kombu, redis and socket errors share no base class
        logger.warning("could not queue %s", task, exc_info=True)


def _key(task: str) -> str:
    return f"bell:{task}"


def _redis() -> redis.Redis:
    return _connections(settings.REDIS_URL)


@functools.cache
def _connections(url: str) -> redis.Redis:
    """A pool, which forks and threads share safely."""
    return redis.Redis.from_url(url, socket_connect_timeout=REDIS_SECONDS, socket_timeout=REDIS_SECONDS)
