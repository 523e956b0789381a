"""What every line of the log tells beside its message: the request, the organization and the key or person, where known."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

_known: ContextVar[Mapping[str, str]] = ContextVar("known", default=MappingProxyType({}))


@contextmanager
def about(**values: str) -> Iterator[None]:
    """What is logged until the end of the block, by this thread, tells of these, and of what `note` adds."""
    token = _known.set({**_known.get(), **values})
    try:
        yield
    finally:
        _known.reset(token)


def note(**values: str) -> None:
    """Add what has become known, for the rest of the surrounding `about`."""
    _known.set({**_known.get(), **values})


class Known(logging.Filter):
    """Writes it onto each record; formatters for programs print what they find there."""

    def filter(self, record: logging.LogRecord) -> bool:
        for name, value in _known.get().items():
            setattr(record, name, value)
        return True
