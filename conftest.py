"""Fixtures for every test; the cast and the stage live in tests/."""

from collections.abc import Iterator

import pytest
from django.test import TransactionTestCase
from hypothesis import settings

from tests.cast import alice, bob, charlie, plans
from tests.database import django_db_modify_db_settings
from tests.server import background, folder, server
from tests.stage import group_room, paris, shared_room, upgrade_room
from tests.state import forget_everything
from tests.stripe.stand_in import stripe, stripe_stand_in

settings.register_profile("default", max_examples=30, deadline=None)  # a busy machine makes no test fail
settings.register_profile("soak", max_examples=2_000, deadline=None)
settings.load_profile("default")


__all__ = [
    "alice",
    "background",
    "bob",
    "charlie",
    "django_db_modify_db_settings",
    "folder",
    "group_room",
    "paris",
    "plans",
    "server",
    "shared_room",
    "stripe",
    "stripe_stand_in",
    "upgrade_room",
]


@pytest.fixture(scope="session", autouse=True)
def quickly_emptied() -> Iterator[None]:
    """Django would empty eighty tables after each test that commits, and write down all permissions once more."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: forget_everything())
        yield
