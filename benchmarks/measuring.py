"""How one call is timed."""

import statistics
import time
from collections.abc import Callable
from typing import Any

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
