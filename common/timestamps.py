"""Instants read quickly. Django's own reader of timestamptz stands on psycopg's Python one, not on the compiled one, and costs
more than all else of a list's rows; Python's parser of ISO dates is compiled.
"""

import datetime as dt
from typing import Any

from django.db.backends.postgresql.psycopg_any import BaseTzLoader


class InstantLoader(BaseTzLoader):  # type: ignore[misc]
    """For connections whose time zone is UTC, as Django sets it with USE_TZ."""

    timezone = dt.UTC

    def load(self, data: Any) -> dt.datetime:
        try:
            instant = dt.datetime.fromisoformat(bytes(data).decode())
        except ValueError:  # `infinity`, a year of five digits: refused by name there
            return super().load(data)
        return instant if instant.tzinfo is dt.UTC else instant.astimezone(dt.UTC)


def read_instants_quickly(connection: Any, **kwargs: Any) -> None:
    """Of each new connection; receives `connection_created`."""
    connection.connection.adapters.register_loader("timestamptz", InstantLoader)
