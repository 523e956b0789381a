"""Fixtures for every test; the cast and the stage live in tests/."""

import pytest
from hypothesis import settings

from tests.cast import alice, bob, charlie, plans
from tests.server import background, folder, server
from tests.stage import group_room, paris, shared_room, upgrade_room
from tests.stripe.stand_in import stripe, stripe_stand_in

settings.register_profile("default", max_examples=60, deadline=None)  # a busy machine makes no test fail
settings.register_profile("soak", max_examples=2_000, deadline=None)
settings.load_profile("default")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Those that start whole products first: with a long one at the end, one process would work and the other wait."""
    items.sort(key=lambda item: not item.nodeid.startswith("tests/"))


__all__ = [
    "alice",
    "background",
    "bob",
    "charlie",
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
