"""The verbs on feeds and imports."""

from calendars.services.feeds import create_feed, revoke_feed, update_feed
from calendars.services.imports import (
    create_import,
    delete_import,
    pause_import,
    request_sync,
    resume_import,
    update_import,
)
from calendars.services.sync import sync_due

__all__ = [
    "create_feed",
    "create_import",
    "delete_import",
    "pause_import",
    "request_sync",
    "resume_import",
    "revoke_feed",
    "sync_due",
    "update_feed",
    "update_import",
]
