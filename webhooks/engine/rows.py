"""Many rows changed by one statement. Django's own bulk_update writes a CASE for every row and field, and building that took more
of a worker's time than everything else it does.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection, models


def update_rows(model: type[models.Model], rows: Sequence[Any], fields: Sequence[str]) -> None:
    """Write `fields`, none of them an array, of every row, by its key: `UPDATE … FROM unnest(one array a column)`."""
    if not rows:
        return
    meta = model._meta
    columns = [meta.pk, *(meta.get_field(name) for name in fields)]
    names = [connection.ops.quote_name(str(field.column)) for field in columns]  # type: ignore[union-attr]
    arrays = ", ".join(f"%s::{field.db_type(connection)}[]" for field in columns)
    table = connection.ops.quote_name(meta.db_table)
    changes = ", ".join(f"{name} = fresh.{name}" for name in names[1:])
    values = [
        [field.get_db_prep_save(getattr(row, field.attname), connection) for row in rows]  # type: ignore[union-attr]
        for field in columns
    ]
    fresh = f"unnest({arrays}) AS fresh({', '.join(names)})"
    statement = f"UPDATE {table} SET {changes} FROM {fresh} WHERE {table}.{names[0]} = fresh.{names[0]}"  # noqa: S608 - names only
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
