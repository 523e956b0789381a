"""The system checks refuse settings that would only hurt later."""

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.checks import run_checks

KEY = Fernet.generate_key().decode()


def found() -> set[str]:
    ids = {message.id or "" for message in run_checks(include_deployment_checks=True)}
    return {id for id in ids if id.startswith("bookingflow.")}


@pytest.fixture(autouse=True)
def a_server(settings: Any) -> None:
    settings.DEVELOPMENT, settings.PUBLIC_URL = False, "https://bookings.example"


def test_a_server_as_it_should_be_passes() -> None:
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
