"""The only way to queue work for later. A lost nudge costs time, never work: a sweep finds the rows."""

import functools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

import redis
from celery import current_app
from django.conf import settings
from django.db import connection, transaction

EXPIRES_SECONDS = 600  # a nudge that nobody has taken by then has long been replaced by a sweep
BELL_SECONDS = 2  # a bell that nobody has heard by then is rung again
REDIS_SECONDS = 1  # a web request must not wait long for a Redis that is away
LISTEN_SECONDS = 30  # after which one who listens asks whether Redis is still there

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


def listen(task: str, wake: Callable[[], None]) -> None:
    """From now on call `wake`, in a thread of its own, whenever the task's bell rings: for a process that is at work already,
    which then asks `hear`. It is called once to begin with, and when Redis is back: the bell may have been rung meanwhile, and no
    task come to those who are all at work.
    """
    threading.Thread(target=_listen, args=(task, wake), name=f"listens for {task}", daemon=True).start()


def send(task: str, *args: Any, expires: float = EXPIRES_SECONDS) -> None:
    """Queue now. A broker that is away is logged, not raised: the request that asked has done its work."""
    _quietly(task, lambda: current_app.send_task(task, args=args, retry=False, expires=expires))


def _ring(task: str) -> None:
    """Those at work hear it at once, an idle worker by the task, which is worth nothing once the bell may be rung again."""
    if _redis().set(_key(task), "rung", nx=True, ex=BELL_SECONDS):
        _redis().publish(_key(task), "rung")
        send(task, expires=BELL_SECONDS)


def _listen(task: str, wake: Callable[[], None]) -> None:
    while True:
        try:
            _wake_at_each_ring(task, wake)
        except redis.RedisError:
            logger.debug("cannot listen for %s", task, exc_info=True)
            time.sleep(REDIS_SECONDS)


def _wake_at_each_ring(task: str, wake: Callable[[], None]) -> NoReturn:
    url = settings.REDIS_URL
    with redis.Redis.from_url(url, socket_connect_timeout=REDIS_SECONDS, health_check_interval=LISTEN_SECONDS) as client:
        rings = client.pubsub()
        rings.subscribe(_key(task))
        while True:
            if rings.get_message(timeout=LISTEN_SECONDS):  # the first one says that it is listening now
                wake()


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
