"""Pure rules: what a cancellation gives back, what a move costs, and until when.

A policy is the copy taken when the booking was made: `{"cancellation": {windows: [{hours_before, refund_percent}],
fee, deposit_refundable}, "reschedule": {windows: [{hours_before, allowed, fee}], max_times}}`. Of the windows, the one
with the most `hours_before` that is still ahead of the start counts; past all of them nothing is granted.
"""

import datetime as dt
from typing import Any

from bookings.errors import RescheduleNotAllowed
from common.money import percent_of


def refund_on_cancellation(
    policy: dict[str, Any], *, starts_at: dt.datetime, at: dt.datetime, paid: int, deposit: int
) -> tuple[int, int]:
    """(refund, fee kept) in minor units, of `paid`, which is what came minus what went back."""
    rules = policy["cancellation"]
    percent = refund_percent(policy, starts_at=starts_at, at=at)
    refundable = paid if rules["deposit_refundable"] else max(0, paid - deposit)
    granted = percent_of(refundable, percent)
    fee = min(granted, rules["fee"])
    return granted - fee, fee


def refund_on_lower_price(
    policy: dict[str, Any], *, starts_at: dt.datetime, at: dt.datetime, paid: int, deposit: int, old: int, new: int
) -> int:
    """What goes back, in minor units, when the price falls from `old` to `new` and `paid` is what came minus what went
    back: what was paid beyond the new price and the policy's part of the fall.

    The policy keeps its part of each fall in full. Were it a part of what is still overpaid, players who leave and
    come back unpaid would halve what it kept before, again and again.
    """
    fall, over = old - new, paid - new
    if fall <= 0 or over <= 0:
        return 0
    granted = percent_of(fall, refund_percent(policy, starts_at=starts_at, at=at))
    refund = min(granted, over - (fall - granted))
    if keeps_deposit(policy, deposit):
        refund = min(refund, paid - deposit)
    return max(0, refund)


def keeps_deposit(policy: dict[str, Any], deposit: int) -> bool:
    """Whether there is a deposit, and it never goes back."""
    return deposit > 0 and not policy["cancellation"]["deposit_refundable"]


def refund_percent(policy: dict[str, Any], *, starts_at: dt.datetime, at: dt.datetime) -> int:
    window = _window(policy["cancellation"]["windows"], starts_at=starts_at, at=at)
    return window["refund_percent"] if window else 0


def reschedule_fee(policy: dict[str, Any], *, starts_at: dt.datetime, at: dt.datetime, times_moved: int) -> int:
    """What a move costs, in minor units. Raises RescheduleNotAllowed."""
    rules = policy["reschedule"]
    if rules["max_times"] is not None and times_moved >= rules["max_times"]:
        raise RescheduleNotAllowed(f"This booking may be moved {rules['max_times']} times, and has been.")
    window = _window(rules["windows"], starts_at=starts_at, at=at)
    if window is None or not window["allowed"]:
        raise RescheduleNotAllowed("It is too close to the start to move this booking.")
    return int(window["fee"])


def deadlines(policy: dict[str, Any], *, starts_at: dt.datetime, deposit: int) -> dict[str, dt.datetime | None]:
    """Until when canceling is free of charge, and until when moving is allowed; None: never."""
    cancellation, reschedule = policy["cancellation"], policy["reschedule"]
    costs = cancellation["fee"] or keeps_deposit(policy, deposit)
    free = [w["hours_before"] for w in cancellation["windows"] if w["refund_percent"] == 100 and not costs]
    movable = [w["hours_before"] for w in reschedule["windows"] if w["allowed"]]
    return {
        "free_cancel_until": starts_at - dt.timedelta(hours=min(free)) if free else None,
        "reschedule_until": starts_at - dt.timedelta(hours=min(movable)) if movable else None,
    }


def _window(windows: list[dict[str, Any]], *, starts_at: dt.datetime, at: dt.datetime) -> dict[str, Any] | None:
    ahead = starts_at - at
    reached = [window for window in windows if ahead >= dt.timedelta(hours=window["hours_before"])]
    return max(reached, key=lambda window: window["hours_before"], default=None)
