"""Many callers at the same moment."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

Result = TypeVar("Result")


def at_once(calls: Sequence[Callable[[], Result]]) -> list[Result]:
    """Run every call in a thread of its own, all released by one barrier; their results in order."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], Result]) -> Result:
        barrier.wait(30)
        try:
            return call()
        finally:
            connections.close_all()  # a thread that used the ORM leaves a connection behind

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))
