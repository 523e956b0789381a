"""The policies that a room sells by. The rules that read them live with the bookings, which keep copies."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rooms.models import Room

DEFAULT_CANCELLATION: dict[str, Any] = {
    "windows": [{"hours_before": 48, "refund_percent": 100}, {"hours_before": 24, "refund_percent": 50}],
    "fee": 0,
    "deposit_refundable": True,
}
DEFAULT_RESCHEDULE: dict[str, Any] = {"windows": [{"hours_before": 2, "allowed": True, "fee": 0}], "max_times": None}


def default_cancellation() -> dict[str, Any]:
    return dict(DEFAULT_CANCELLATION)


def default_reschedule() -> dict[str, Any]:
    return dict(DEFAULT_RESCHEDULE)


def policies_of(room: "Room") -> dict[str, Any]:
    """{cancellation, reschedule} in force for a room: its own, else its venue's."""
    return {
        "cancellation": room.cancellation_policy or room.venue.cancellation_policy,
        "reschedule": room.reschedule_policy or room.venue.reschedule_policy,
    }
