"""All that is kept, for tests of what changes it and of what must not."""

import contextlib
from collections.abc import Iterator
from typing import Any

from django.db import connection, transaction

DJANGOS_OWN = {"django_migrations", "django_content_type", "auth_permission"}


def everything() -> list[Any]:
    """Every row of every table, with the table's name."""
    return sorted(in_every_table("SELECT '{name}', to_jsonb(kept)::text FROM {table} kept"))


def in_every_table(query: str) -> list[Any]:
    """The rows of a query that is asked of each table: {table}, whose {name} may stand in it as a text."""
    with connection.cursor() as cursor:
        names = connection.introspection.table_names(cursor)
        each = [query.format(name=name, table=connection.ops.quote_name(name)) for name in names]
        return cursor.execute(" UNION ALL ".join(each)).fetchall()


def forget_everything() -> None:
    """Empty every table but those that migrations and their signals filled for Django itself. Triggers would check each row's
    references, and keep what may only be added to; a replica runs none.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        kept = set(connection.introspection.table_names(cursor)) - DJANGOS_OWN
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("; ".join(f"DELETE FROM {connection.ops.quote_name(name)}" for name in sorted(kept)))


@contextlib.contextmanager
def undone() -> Iterator[None]:
    """What happens inside has not happened afterwards, so that many things can be tried on one stage."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
