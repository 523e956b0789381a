"""The list in Redis on which records of requests wait for a worker to write them into the log.

Redis holds at most `MOST_WAITING`, the newest. A worker takes a batch off it into a list of its own, noted with the time, and
removes that when its rows are committed: of a worker that was killed, another finds the batch and writes it again. That may
write a record twice; the log's unique key lets one of them in.
"""

import functools
import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

WAITING, TAKEN = "request_log:waiting", "request_log:taken"
MOST_WAITING = 10_000  # records, mostly of 1 to 3 kB, 45 kB at most
BATCH = 250
GIVEN_UP_SECONDS = 60.0  # after which the worker that took a batch is taken for dead
WAIT_SECONDS = 0.1  # for a Redis that hangs
REST_SECONDS = 5.0  # before a Redis that did not answer is tried again
COMPLAIN_SECONDS = 60.0

logger = logging.getLogger(__name__)

_TAKE = """
local records = redis.call('LRANGE', KEYS[1], -tonumber(ARGV[1]), -1)
if #records > 0 then
  redis.call('LTRIM', KEYS[1], 0, -#records - 1)
  redis.call('RPUSH', KEYS[3], unpack(records))
  redis.call('ZADD', KEYS[2], ARGV[2], KEYS[3])
end
return records
"""


@dataclass
class _Rest:
    """What this process remembers of a Redis that is away: until when it is left alone, and when that was last told."""

    until: float = 0.0
    told_at: float = -COMPLAIN_SECONDS
    dropped: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


_rest = _Rest()


@dataclass(frozen=True, slots=True)
class Batch:
    name: str
    records: list[bytes]


def put(make: Callable[[], bytes]) -> None:
    """Lay a record on the list. Whatever goes wrong the record is dropped, and one line a minute tells so: the request that
    it is about must neither fail nor wait for its log.
    """
    if time.monotonic() < _rest.until:
        _drop(None)
        return
    try:
        client = _client(settings.REDIS_URL)
        if client.lpush(WAITING, make()) > MOST_WAITING:
            client.ltrim(WAITING, 0, MOST_WAITING - 1)
    except redis.RedisError as error:
        _rest.until = time.monotonic() + REST_SECONDS
        _drop(error)
    except Exception as error:
        _drop(error)


def _drop(error: Exception | None) -> None:
    with _rest.lock:
        _rest.dropped += 1
        now = time.monotonic()
        if now - _rest.told_at < COMPLAIN_SECONDS:
            return
        _rest.told_at, dropped, _rest.dropped = now, _rest.dropped, 0
    logger.warning("requests that do not get into the request log: %d", dropped, exc_info=error)


def batches() -> Iterator[Batch]:
    """Those of workers that have died, then what waits, until nothing does. Each has to be `done`. Raises RedisError."""
    client = _client(settings.REDIS_URL, patient=True)
    given_up: Any = client.zrangebyscore(TAKEN, "-inf", time.time() - GIVEN_UP_SECONDS)
    for taken in given_up:
        left: Any = client.lrange(taken, 0, -1)
        yield Batch(taken.decode(), left)
    while True:
        name = f"request_log:{uuid.uuid4()}"
        records: Any = client.eval(_TAKE, 3, WAITING, TAKEN, name, BATCH, time.time())
        if not records:
            return
        yield Batch(name, records)


def done(batch: Batch) -> None:
    """Its rows are committed."""
    with _client(settings.REDIS_URL, patient=True).pipeline() as pipeline:
        pipeline.delete(batch.name)
        pipeline.zrem(TAKEN, batch.name)
        pipeline.execute()


@functools.cache
def _client(url: str, patient: bool = False) -> redis.Redis:
    """A pool, which forks and threads share safely."""
    seconds = 5.0 if patient else WAIT_SECONDS
    retry = Retry(NoBackoff(), 1)  # at once, on a new connection: the kept one may be of a Redis that was restarted
    return redis.Redis.from_url(url, socket_connect_timeout=seconds, socket_timeout=seconds, retry=retry)
