"""For tests of the request log: what waits for it in Redis, and what a worker makes of it."""

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from developers import log_queue, request_log
from developers.models import RequestLogEntry
from developers.tasks import drain_request_log
from tests.cast import Api
from tests.server import redis_url


@pytest.fixture
def queue(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Redis with nothing waiting: a database of this test process's own."""
    settings.REDIS_URL = redis_url()
    monkeypatch.setattr(log_queue, "_rest", log_queue._Rest())
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        _empty(client)
        yield client
        _empty(client)


def _empty(client: Any) -> None:
    if names := client.keys("request_log:*"):
        client.delete(*names)


def entry_of(answer: Any) -> RequestLogEntry:
    """Of that answer's request, after a worker has been there."""
    drain_request_log()
    return RequestLogEntry.objects.get(request_id=answer["Request-Id"])


def said(answer: Any) -> tuple[str, str]:
    """The bodies that are kept of the request and of its answer."""
    kept = request_log.bodies(entry_of(answer))
    return kept["request"]["text"], kept["answer"]["text"]


def listed(api: Api, query: str = "") -> list[str]:
    return [f"{one['method']} {one['path']} {one['status']}" for one in api.get(f"/logs{query}").json()["data"]]
