"""The verbs on events, endpoints and deliveries."""

from webhooks.services.deliveries import cancel_replay, plan_replay, resend, start_replay
from webhooks.services.endpoints import (
    create_endpoint,
    delete_endpoint,
    enable_endpoint,
    held_deliveries,
    pause_endpoint,
    ping,
    rotate_secret,
    send_test_event,
    update_endpoint,
)
from webhooks.services.events import Change, changed_attributes, emit, emit_many, redact_events

__all__ = [
    "Change",
    "cancel_replay",
    "changed_attributes",
    "create_endpoint",
    "delete_endpoint",
    "emit",
    "emit_many",
    "enable_endpoint",
    "held_deliveries",
    "pause_endpoint",
    "ping",
    "plan_replay",
    "redact_events",
    "resend",
    "rotate_secret",
    "send_test_event",
    "start_replay",
    "update_endpoint",
]
