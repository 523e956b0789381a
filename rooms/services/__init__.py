"""The verbs on venues, rooms and blocks."""

from rooms.services.blocks import (
    block_conflicts,
    create_block,
    create_blocks,
    delete_block,
    delete_blocks,
    update_block,
    update_blocks,
)
from rooms.services.rooms import archive_room, create_room, update_room
from rooms.services.sandbox import sandbox_for
from rooms.services.venues import create_venue, default_venue, delete_venue, open_organization, update_venue

__all__ = [
    "archive_room",
    "block_conflicts",
    "create_block",
    "create_blocks",
    "create_room",
    "create_venue",
    "default_venue",
    "delete_block",
    "delete_blocks",
    "delete_venue",
    "open_organization",
    "sandbox_for",
    "update_block",
    "update_blocks",
    "update_room",
    "update_venue",
]
