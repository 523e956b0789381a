"""Ending a process at a moment of the test's choice, in this process: nothing after it runs, not even what handles errors."""

import contextlib
import importlib
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

from developers.models import IdempotencyRecord
from tests.money.books import LONG_AGO


class Killed(BaseException):
    """No Exception: what catches those is gone too. Transactions that are open are rolled back, as PostgreSQL would."""


@contextlib.contextmanager
def kill(when: str, target: str) -> Iterator[None]:
    """The process ends `before` or `after` the first call of the function within; fails if it is never called."""
    module, _, path = target.partition(":")
    owner: Any = importlib.import_module(module)
    *parents, name = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    real: Callable[..., Any] = getattr(owner, name)

    def fatal(*arguments: Any, **options: Any) -> Any:
        if when == "after":
            real(*arguments, **options)
        raise Killed

    with mock.patch.object(owner, name, fatal):
        try:
            yield
        except Killed:
            return
    raise AssertionError(f"{target} was not reached")


def let_leases_run_out() -> None:
    """A killed request holds its Idempotency-Key for as long as a request may run; that time is over."""
    IdempotencyRecord.objects.filter(status=None).update(lease_expires_at=LONG_AGO)
