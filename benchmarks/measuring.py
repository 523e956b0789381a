"""How one call is timed, and the floor of one that reads."""

import statistics
import time
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

WARM_UP = 10


def measure(call: Callable[[], Any], rounds: int, *, share: int = 99) -> tuple[float, float]:
    """(median, that percentile) in milliseconds."""
    for _ in range(WARM_UP):
        call()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        call()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times), statistics.quantiles(times, n=100)[share - 1]


def floor_of(call: Callable[[], Any]) -> Callable[[], None]:
    """The statements that a call sends, sent again through psycopg alone."""
    with CaptureQueriesContext(connection) as captured:
        call()
    statements = [query["sql"] for query in captured if not query["sql"].startswith(("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT"))]
    raw = connection.connection

    def send() -> None:
        for statement in statements:
            raw.execute(statement).fetchall()

    return send
