"""One database with the product's tables, made by the first process of a run; whatever else needs one is a copy of it."""

import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

TEMPLATE = "bookingflow_template"


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: Any) -> None:
    """pytest-django's, before it makes the test's own database."""
    with django_db_blocker.unblock():
        _make_template()
    connection.settings_dict["TEST"]["TEMPLATE"] = TEMPLATE


def _make_template() -> None:
    with psycopg.connect(_url(connection.settings_dict["NAME"]), autocommit=True) as maintenance:
        maintenance.execute("SELECT pg_advisory_lock(1)")  # until the block is left: others wait here, and find it made
        if not maintenance.execute("SELECT 1 FROM pg_database WHERE datname = %s", [TEMPLATE]).fetchone():
            maintenance.execute(f"CREATE DATABASE {TEMPLATE}".encode())
        own = connection.settings_dict["NAME"]
        connection.settings_dict["NAME"] = TEMPLATE
        try:
            call_command("migrate", verbosity=0)
        finally:
            connection.close()
            connection.settings_dict["NAME"] = own


def copy_to(url: str, *, programs: Path) -> None:
    """The template's tables and rows into an empty database of another server, by PostgreSQL's own programs in that folder."""
    dump = [str(programs / "pg_dump"), "--no-owner", "--no-privileges", "--dbname", _url(TEMPLATE)]
    load = [str(programs / "psql"), "--quiet", "--set", "ON_ERROR_STOP=1", "--dbname", url]
    with subprocess.Popen(dump, stdout=subprocess.PIPE) as dumping:
        subprocess.run(load, stdin=dumping.stdout, stdout=subprocess.DEVNULL, check=True)
    assert dumping.returncode == 0


def _url(database: str) -> str:
    parameters: dict[str, Any] = connection.get_connection_params()
    keep = {name: parameters[name] for name in ("user", "password", "host", "port") if parameters.get(name)}
    return psycopg.conninfo.make_conninfo(dbname=database, **keep)
