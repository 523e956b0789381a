"""Many rows written by one statement, handed over as one JSON text. Django's own bulk_update writes a CASE for every row and
field, its bulk_create a placeholder for every value, and psycopg escapes arrays in Python: building those took more of a
worker's time than everything else it does.
"""

from collections.abc import Sequence
from typing import Any

import orjson
from django.db import connection, models


def update_rows(model: type[models.Model], rows: Sequence[Any], fields: Sequence[str]) -> None:
    """Write `fields` of every row, by its key."""
    meta = model._meta
    columns: list[Any] = [meta.pk, *(meta.get_field(name) for name in fields)]
    names = [_quote(field.column) for field in columns]
    table = _quote(meta.db_table)
    changes = ", ".join(f"{name} = fresh.{name}" for name in names[1:])
    _write(f"UPDATE {table} SET {changes} FROM {{fresh}} WHERE {table}.{names[0]} = fresh.{names[0]}", columns, rows)  # noqa: S608


def insert_rows(model: type[models.Model], rows: Sequence[Any]) -> None:
    """Insert all that are not there yet; the rows do not learn their keys."""
    meta = model._meta
    columns: list[Any] = [field for field in meta.concrete_fields if not field.primary_key]
    names = ", ".join(_quote(field.column) for field in columns)
    table = _quote(meta.db_table)
    _write(f"INSERT INTO {table} ({names}) SELECT {names} FROM {{fresh}} ON CONFLICT DO NOTHING", columns, rows)  # noqa: S608


def _write(statement: str, columns: Sequence[Any], rows: Sequence[Any]) -> None:
    """Run it with the rows as the table `fresh`. Names in it are our own; values travel as a parameter."""
    if not rows:
        return
    types = ", ".join(f"{_quote(field.column)} {field.db_type(connection)}" for field in columns)
    names = [(field.column, field.attname) for field in columns]
    values = [{column: getattr(row, attribute) for column, attribute in names} for row in rows]
    with connection.cursor() as cursor:
        fresh = f"json_to_recordset(%s::json) AS fresh({types})"
        cursor.execute(statement.format(fresh=fresh), [orjson.dumps(values).decode()])


def _quote(name: str) -> str:
    return connection.ops.quote_name(name)
