"""The verbs on feeds."""

from calendars.services.feeds import create_feed, revoke_feed, update_feed

__all__ = ["create_feed", "revoke_feed", "update_feed"]
