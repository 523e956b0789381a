"""CSV that spreadsheets open without harm, made in pieces."""

import csv
from collections.abc import Iterable, Iterator
from typing import Any

CHUNK = 500  # rows to fetch, and lines to send, at a time
# A spreadsheet takes a text that begins so for a formula, which can send what stands beside it elsewhere.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def lines(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[bytes]:
    """The head and the rows, as UTF-8 in pieces of many lines. What people wrote goes through `harmless` first."""
    waiting = _Lines()
    writer = csv.writer(waiting)
    writer.writerow(head)
    for row in rows:
        writer.writerow(row)
        if len(waiting) >= CHUNK:
            yield b"".join(waiting)
            waiting.clear()
    yield b"".join(waiting)


def harmless(text: str) -> str:
    """As a text in any spreadsheet, whoever wrote it."""
    return f"'{text}" if text.startswith(_FORMULA) else text


class _Lines(list[bytes]):
    """A file for `csv`, whose lines are taken away in pieces."""

    def write(self, line: str) -> None:
        self.append(line.encode())
