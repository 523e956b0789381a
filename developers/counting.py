"""Where requests are counted: in Redis for all processes together, and in each process while Redis is away.

Counters and scripts are those of `limits`, its sliding window: a window's own count, and of the one before it the share that
is not yet over. Several windows are asked in one round trip.
"""

import functools
import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import redis
from django.conf import settings
from limits.storage import MemoryStorage, RedisStorage
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError
from redis.retry import Retry

WAIT_SECONDS = 0.2  # for a Redis that hangs: longer than it ever takes, shorter than a caller notices
REST_SECONDS = 2.0  # before a Redis that did not answer is asked again, by one request

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Window:
    """So many requests of one subject within so many seconds; `name` is the one in the headers."""

    name: str
    subject: str
    quota: int
    seconds: int

    @property
    def key(self) -> str:
        return f"{self.subject}/{self.seconds}"


@dataclass(frozen=True, slots=True)
class Reading:
    """A window as it stands: its count and that of the one before, which fades until it is gone in `left` seconds."""

    window: Window
    previous: int
    left: float
    current: int

    @property
    def remaining(self) -> int:
        return max(0, self.window.quota - self.current - math.floor(self.previous * self.left / self.window.seconds))

    @property
    def reset_seconds(self) -> int:
        """Whole seconds: while something remains until the present window ends, else until one request can succeed."""
        if self.remaining or not self.window.quota:
            return max(1, math.ceil(self.left))
        room = self.window.quota - self.current  # what the window before may still weigh, less than which lets one pass
        faded = self.left - room * self.window.seconds / self.previous if room > 0 else self.left
        return max(1, math.floor(faded) + 1)


class RedisCounters(RedisStorage):
    """Any URL that the redis client reads. Raises RedisError soon."""

    def __init__(self, url: str) -> None:
        patience = {"socket_connect_timeout": WAIT_SECONDS, "socket_timeout": WAIT_SECONDS, "retry": Retry(NoBackoff(), 0)}
        super().__init__(url, connection_pool=redis.ConnectionPool.from_url(url, **patience), key_prefix="limits")

    def read(self, windows: Sequence[Window]) -> list[Reading]:
        return self._readings(windows, self._run([self._reading(window) for window in windows]))

    def take(self, windows: Sequence[Window]) -> tuple[list[Window], list[Reading]]:
        count = len(windows)
        answers = self._run([*(self._taking(window, 1) for window in windows), *(self._reading(window) for window in windows)])
        refused = [window for window, taken in zip(windows, answers[:count], strict=True) if not taken]
        if refused and len(refused) < count:
            back = [self._taking(window, -1) for window in windows if window not in refused]
            answers = self._run([*back, *(self._reading(window) for window in windows)])
        return refused, self._readings(windows, answers[-count:])

    def _taking(self, window: Window, requests: int) -> tuple[Any, Window, tuple[int, ...]]:
        return self.lua_acquire_sliding_window, window, (window.quota, window.seconds, requests)

    def _reading(self, window: Window) -> tuple[Any, Window, tuple[int, ...]]:
        return self.lua_sliding_window, window, (window.seconds,)

    def _run(self, calls: list[tuple[Any, Window, tuple[int, ...]]]) -> list[Any]:
        """The library runs a script at a time; here all go in one pipeline, and are loaded where Redis has lost them."""
        pipeline = self.storage.pipeline(transaction=False)
        for script, window, arguments in calls:
            keys = (self._previous_window_key(window.key), self._current_window_key(window.key))
            pipeline.evalsha(script.sha, 2, *map(self.prefixed_key, keys), *arguments)
        try:
            return pipeline.execute()
        except NoScriptError:
            for script in (self.lua_acquire_sliding_window, self.lua_sliding_window):
                self.storage.script_load(script.script)
            return self._run(calls)

    @staticmethod
    def _readings(windows: Sequence[Window], answers: list[Any]) -> list[Reading]:
        found = []
        for window, (previous, _, current, milliseconds) in zip(windows, answers, strict=True):
            left = max(0.0, int(milliseconds) / 1000 - window.seconds)  # the counter lives on for a second window
            found.append(Reading(window, int(previous or 0), left, int(current or 0)))
        return found


class LocalCounters(MemoryStorage):
    """The same within one process. The library counts without a lock; behind ours nobody passes twice."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()

    def read(self, windows: Sequence[Window]) -> list[Reading]:
        with self._lock:
            return [self._read(window) for window in windows]

    def take(self, windows: Sequence[Window]) -> tuple[list[Window], list[Reading]]:
        with self._lock:
            refused = [reading.window for reading in map(self._read, windows) if not reading.remaining]
            if not refused:
                for window in windows:
                    self.acquire_sliding_window_entry(window.key, window.quota, window.seconds)
            return refused, [self._read(window) for window in windows]

    def _read(self, window: Window) -> Reading:
        previous, _, current, left = self.get_sliding_window(window.key, window.seconds)
        return Reading(window, previous, left - window.seconds, current)


class Breaker:
    """Whether to ask Redis. After a failure everybody leaves it alone for a while; then one request tries."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rests_until = 0.0  # by the monotonic clock; 0: it answers

    def may_ask(self) -> bool:
        with self._lock:
            now = time.monotonic()
            if now < self._rests_until:
                return False
            if self._rests_until:
                self._rests_until = now + REST_SECONDS
            return True

    @property
    def is_open(self) -> bool:
        """Whether the last that was heard of Redis is that it does not answer."""
        return self._rests_until > 0

    def failed(self, error: Exception) -> None:
        with self._lock:
            if not self._rests_until:
                logger.warning("Redis does not answer: requests are counted in this process", exc_info=error)
            self._rests_until = time.monotonic() + REST_SECONDS

    def answered(self) -> None:
        self._rests_until = 0.0


def read(windows: Sequence[Window]) -> list[Reading]:
    """How the windows stand; takes nothing."""
    return _ask(lambda counters: counters.read(windows))


def take(windows: Sequence[Window]) -> tuple[list[Window], list[Reading]]:
    """Count one request in all of the windows, or in none: those that are full, and how all of them stand after it."""
    return _ask(lambda counters: counters.take(windows))


def redis_is_away() -> bool:
    return _breaker(settings.REDIS_URL).is_open


def _ask(question: Callable[[RedisCounters | LocalCounters], Answer]) -> Answer:
    breaker = _breaker(settings.REDIS_URL)
    if breaker.may_ask():
        try:
            answer = question(_redis(settings.REDIS_URL))
        except redis.RedisError as error:
            breaker.failed(error)
        else:
            breaker.answered()
            return answer
    return question(_local())


@functools.cache
def _redis(url: str) -> RedisCounters:
    """A pool, which forks and threads share safely."""
    return RedisCounters(url)


@functools.cache
def _breaker(url: str) -> Breaker:
    return Breaker()


@functools.cache
def _local() -> LocalCounters:
    return LocalCounters()
