from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from allauth.mfa.models import Authenticator
from django.core.management.base import BaseCommand, CommandError
from django.db import models

from calendars.models import CalendarImport
from common.signing import Undecipherable, renewed
from developers.models import IdempotencyRecord, RequestLogEntry
from payments.models import StripeAccount
from webhooks.models import Endpoint, EndpointSecret

# Every column with something encrypted in it. What the session keeps of a new key for ten minutes is not worth it.
COLUMNS: tuple[tuple[type[models.Model], str], ...] = (
    (EndpointSecret, "encrypted"),
    (Endpoint, "headers"),
    (CalendarImport, "url"),
    (StripeAccount, "secret_key"),
    (StripeAccount, "webhook_secret"),
    (Authenticator, "data"),
    (IdempotencyRecord, "body"),
    (RequestLogEntry, "content"),
)
BATCH = 500  # rows in memory at once
TOKEN = "gAAAA"  # noqa: S105 - how everything begins that is encrypted


class Command(BaseCommand):
    help = (
        "Put everything encrypted under the first of SECRET_ENCRYPTION_KEYS, so that the others can be taken out. "
        "It may be interrupted and run again; the product goes on meanwhile."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--batch", type=int, default=BATCH, help="Rows that are read at once.")

    def handle(self, *args: Any, **options: Any) -> None:
        lost = 0
        for model, name in COLUMNS:
            done, unreadable = self._column(model, name, options["batch"])
            lost += unreadable
            self.stdout.write(
                f"{model._meta.db_table}.{name}: {done} renewed" + (f", {unreadable} unreadable" * bool(unreadable))
            )
        if lost:
            raise CommandError(f"{lost} values are under none of the keys; they were left as they are.")

    def _column(self, model: type[models.Model], name: str, batch: int) -> tuple[int, int]:
        """How many were renewed, and how many nobody can read."""
        done = unreadable = 0
        for pk, old in _rows(model, name, batch):
            try:
                new = _renewed(old)
            except Undecipherable:
                unreadable += 1
                continue
            if new != old:  # who has changed it since has done so under the first key
                done += model._base_manager.filter(pk=pk, **{name: old}).update(**{name: new})
        return done, unreadable


def _rows(model: type[models.Model], name: str, batch: int) -> Iterator[tuple[Any, Any]]:
    """Each row that has something there, in the order of their keys; those that come later are under the first key."""
    last, more = None, True
    while more:
        rows = model._base_manager.exclude(**{name: None}).order_by("pk")
        found = list((rows if last is None else rows.filter(pk__gt=last)).values_list("pk", name)[:batch])
        for pk, value in found:
            yield pk, bytes(value) if isinstance(value, memoryview) else value
            last = pk
        more = len(found) == batch


def _renewed(value: Any) -> Any:
    """Bytes, a text, or JSON with such texts somewhere in it."""
    if isinstance(value, bytes):
        return _renewed(value.decode()).encode()
    if isinstance(value, dict):
        return {name: _renewed(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_renewed(item) for item in value]
    return renewed(value) if isinstance(value, str) and value.startswith(TOKEN) else value
