"""The system checks refuse settings that would only hurt later, and what they refuse does not run."""

import os
import subprocess
import sys
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.conf import settings as product
from django.core.checks import run_checks
from django.urls import get_resolver

KEY = Fernet.generate_key().decode()
WEB = ("-c", "import bookingflow.wsgi")
WORKER = ("-m", "celery", "-A", "bookingflow", "worker", "--concurrency", "1")


def found() -> set[str]:
    assert get_resolver().url_patterns  # with them come the admin's pages, which Django's own checks look at
    ids = {message.id or "" for message in run_checks(include_deployment_checks=True)}
    return {id for id in ids if id.startswith("bookingflow.")}


@pytest.fixture(autouse=True)
def a_server(settings: Any) -> None:
    settings.DEVELOPMENT, settings.PUBLIC_URL = False, "https://bookings.example"


def test_a_server_as_it_should_be_passes(settings: Any) -> None:
    assert found() == set()
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = "sk_live_key", "whsec_secret"
    assert found() == set()


@pytest.mark.parametrize(
    ("name", "value", "id"),
    [
        ("DEVELOPMENT", True, "bookingflow.E001"),
        ("PUBLIC_URL", "http://bookings.example", "bookingflow.E002"),
        ("IDEMPOTENCY_LEASE_SECONDS", 1.0, "bookingflow.E003"),
        ("WEBHOOK_ALLOW_LOOPBACK", True, "bookingflow.E004"),
        ("SECRET_ENCRYPTION_KEYS", [], "bookingflow.E006"),
        ("SECRET_ENCRYPTION_KEYS", ["no key"], "bookingflow.E006"),
        ("SECRET_ENCRYPTION_KEYS", [KEY, KEY[:-8]], "bookingflow.E006"),
        ("STRIPE_API_BASE", "http://stripe.example", "bookingflow.E007"),
        ("STRIPE_SECRET_KEY", "sk_live_without_a_webhook", "bookingflow.W008"),
    ],
)
def test_what_would_hurt_later_is_refused_by_number(settings: Any, name: str, value: object, id: str) -> None:
    setattr(settings, name, value)

    assert found() == {id}


@pytest.mark.parametrize(
    ("lease", "ids"), [(14.0, {"bookingflow.E005"}), (15.0, {"bookingflow.E005"}), (29.0, {"bookingflow.E005"}), (30.0, set())]
)
def test_a_lease_shorter_than_the_deadline_is_refused(settings: Any, lease: float, ids: set[str]) -> None:
    """Nor may it be so little longer that an answer cannot be written down in time."""
    settings.WEBHOOK_TOTAL_SECONDS, settings.WEBHOOK_LEASE_SECONDS = 15.0, lease

    assert found() == ids


def start(*command: str, **environment: str) -> tuple[int, str]:
    """The exit code and the output of a process as a server has it."""
    server = {**os.environ, "DEVELOPMENT": "0", "PUBLIC_URL": "https://bookings.example", **environment}
    done = subprocess.run(
        [sys.executable, *command], cwd=product.BASE_DIR, env=server, capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("command", "name", "value", "id"),
    [(WEB, "PUBLIC_URL", "http://x", "E002"), (WORKER, "WEBHOOK_LEASE_SECONDS", "14", "E005")],
    ids=["web", "worker"],
)
def test_web_server_and_worker_refuse_to_start_as_the_checks_say(
    command: tuple[str, ...], name: str, value: str, id: str
) -> None:
    """Without the fault a web server starts, and so do the workers of every test that has any."""
    code, output = start(*command, **{name: value})

    assert code == 1
    assert f"(bookingflow.{id})" in output


@pytest.mark.soak
@pytest.mark.parametrize("environment", [{}, {"DEVELOPMENT": "1", "PUBLIC_URL": "http://x"}], ids=["server", "development"])
def test_what_passes_the_checks_starts(environment: dict[str, str]) -> None:
    code, output = start(*WEB, **environment)

    assert (code, "will not start" in output) == (0, False), output
