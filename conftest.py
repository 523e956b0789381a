"""Fixtures for every test; the cast and the stage live in tests/."""

from tests.cast import alice, bob, charlie, plans
from tests.server import background, server
from tests.stage import group_room, paris, shared_room, upgrade_room

__all__ = ["alice", "background", "bob", "charlie", "group_room", "paris", "plans", "server", "shared_room", "upgrade_room"]
