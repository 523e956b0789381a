"""Windows close to the second, and count real hours: over a clock change their deadline moves on the clock."""

import datetime as dt
from typing import Any

import pytest

from bookings import policies
from bookings.errors import RescheduleNotAllowed
from bookings.models import Booking
from common.walltime import to_instant, utc_text, zone
from payments.models import Refund
from rooms import claims
from rooms.models import Room
from tests import standing
from tests.cast import Player
from tests.stage import book, booking_body, make_room, make_venue, slot_at

house, alice, group_room, paris = standing.house, standing.owner, standing.group_room, standing.paris

SECOND, DAY = dt.timedelta(seconds=1), dt.timedelta(days=1)
ZONES = ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"]
CANCELLATION: dict[str, Any] = {
    "windows": [{"hours_before": 48, "refund_percent": 100}, {"hours_before": 24, "refund_percent": 50}],
    "fee": 0,
    "deposit_refundable": True,
}
RESCHEDULE: dict[str, Any] = {
    "windows": [{"hours_before": 48, "allowed": True, "fee": 0}, {"hours_before": 24, "allowed": True, "fee": 700}],
    "max_times": None,
}
POLICY = {"cancellation": CANCELLATION, "reschedule": RESCHEDULE}

# Zone, the game's day at 18:30, hours before it, and the wall time that it then is. Clocks change in the night to Sunday.
GAMES = [
    # Spring: the night is an hour short, so that 48 hours before 18:30 it is 17:30.
    ("Europe/Paris", "2027-03-29", 48, "2027-03-27T17:30:00+01:00"),
    ("Europe/Paris", "2027-03-28", 24, "2027-03-27T17:30:00+01:00"),
    ("Europe/Paris", "2027-03-29", 24, "2027-03-28T18:30:00+02:00"),
    # Autumn: it is an hour longer.
    ("Europe/Paris", "2026-10-26", 48, "2026-10-24T19:30:00+02:00"),
    ("Europe/Paris", "2026-10-25", 24, "2026-10-24T19:30:00+02:00"),
    ("Europe/Paris", "2026-10-26", 24, "2026-10-25T18:30:00+01:00"),
    ("America/New_York", "2027-03-15", 48, "2027-03-13T17:30:00-05:00"),
    ("America/New_York", "2027-03-15", 24, "2027-03-14T18:30:00-04:00"),
    ("America/New_York", "2026-11-02", 48, "2026-10-31T19:30:00-04:00"),
    ("America/New_York", "2026-11-01", 24, "2026-10-31T19:30:00-04:00"),
    # Lord Howe's clocks change by half an hour; its spring is in October.
    ("Australia/Lord_Howe", "2026-10-05", 48, "2026-10-03T18:00:00+10:30"),
    ("Australia/Lord_Howe", "2026-10-04", 24, "2026-10-03T18:00:00+10:30"),
    ("Australia/Lord_Howe", "2027-04-05", 48, "2027-04-03T19:00:00+11:00"),
    ("Australia/Lord_Howe", "2027-04-04", 24, "2027-04-03T19:00:00+11:00"),
    # India's never do.
    ("Asia/Kolkata", "2027-03-29", 48, "2027-03-27T18:30:00+05:30"),
    ("Asia/Kolkata", "2026-10-26", 24, "2026-10-25T18:30:00+05:30"),
]


def half_past_six(zone_name: str, day: dt.date) -> dt.datetime:
    instant = to_instant(day, dt.time(18, 30), zone(zone_name))
    assert instant is not None
    return instant


@pytest.mark.parametrize(("zone_name", "day", "hours", "deadline"), GAMES)
def test_a_window_closes_a_second_after_its_deadline(zone_name: str, day: str, hours: int, deadline: str) -> None:
    starts_at, closes_at = half_past_six(zone_name, dt.date.fromisoformat(day)), dt.datetime.fromisoformat(deadline)

    def refund(at: dt.datetime) -> int:
        return policies.refund_on_cancellation(POLICY, starts_at=starts_at, at=at, paid=10_001, deposit=0)[0]

    def fall(at: dt.datetime) -> int:
        paid = {"paid": 10_001, "deposit": 0, "old": 10_001, "new": 0}
        return policies.refund_on_lower_price(POLICY, starts_at=starts_at, at=at, **paid)

    def fee(at: dt.datetime) -> int | None:
        try:
            return policies.reschedule_fee(POLICY, starts_at=starts_at, at=at, times_moved=0)
        except RescheduleNotAllowed:
            return None

    # Half of 10,001 is 5,000.5.
    before, after = {48: ((10_001, 0), (5_001, 700)), 24: ((5_001, 700), (0, None))}[hours]
    around = [closes_at - SECOND, closes_at, closes_at + dt.timedelta(microseconds=1), closes_at + SECOND]
    assert [(refund(at), fee(at)) for at in around] == [before, before, after, after]
    assert [fall(at) for at in around] == [refund(at) for at in around]


@pytest.mark.parametrize(("zone_name", "day", "hours", "deadline"), GAMES)
def test_deadlines_are_shown_as_the_moments_at_which_windows_close(zone_name: str, day: str, hours: int, deadline: str) -> None:
    last = {48: "free_cancel_until", 24: "reschedule_until"}[hours]

    until = policies.deadlines(POLICY, starts_at=half_past_six(zone_name, dt.date.fromisoformat(day)), deposit=0)[last]

    assert until is not None
    assert until.astimezone(zone(zone_name)).isoformat() == deadline


def clock_change(zone_name: str, *, forward: bool) -> tuple[dt.date, dt.timedelta]:
    """The next day, a week ahead or more, on whose morning the zone's clocks go forward (back), and by how much; any day,
    and nothing, where they never do.
    """
    tz, day = zone(zone_name), dt.datetime.now(dt.UTC).date() + dt.timedelta(days=8)
    for _ in range(370):
        noons = [dt.datetime.combine(when, dt.time(12), tzinfo=tz).utcoffset() for when in (day - DAY, day)]
        assert noons[0] is not None
        assert noons[1] is not None
        change = noons[1] - noons[0]
        if change > dt.timedelta(0) if forward else change < dt.timedelta(0):
            return day, change
        day += DAY
    return day, dt.timedelta(0)


@pytest.mark.parametrize("forward", [True, False], ids=["forward", "back"])
@pytest.mark.parametrize("zone_name", ZONES)
def test_a_booking_beyond_the_next_clock_change_tells_its_deadlines_in_real_hours(
    alice: Player, zone_name: str, forward: bool
) -> None:
    changes_on, change = clock_change(zone_name, forward=forward)
    assert abs(change) == {"Australia/Lord_Howe": dt.timedelta(minutes=30), "Asia/Kolkata": dt.timedelta(0)}.get(
        zone_name, dt.timedelta(hours=1)
    )
    half_hourly = {
        "rules": [{"weekdays": [1, 2, 3, 4, 5, 6, 7], "first_start": "08:00", "last_start": "22:00", "interval_minutes": 30}]
    }
    policy = {"schedule": half_hourly, "cancellation_policy": CANCELLATION, "reschedule_policy": RESCHEDULE}
    room = make_room(alice.actor, make_venue(alice.actor, timezone=zone_name), horizon_days=400, **policy)
    starts_at = half_past_six(zone_name, changes_on + DAY)

    quoted = {"room": room.public_id, "starts_at": utc_text(starts_at), "party_size": 4}
    quote = alice.api.post("/bookings/quote", quoted).json()
    booking = alice.api.post("/bookings", booking_body(room, starts_at)).json()

    def local(text: str) -> dt.datetime:
        return dt.datetime.fromisoformat(text).astimezone(zone(zone_name)).replace(tzinfo=None)

    day_before = dt.datetime.combine(changes_on, dt.time(18, 30))
    assert local(booking["starts_at"]) == local(booking["starts_at_local"]) == day_before + DAY
    assert local(booking["deadlines"]["free_cancel_until"]) == day_before - DAY - change
    assert local(booking["deadlines"]["reschedule_until"]) == day_before
    assert quote["deadlines"] == booking["deadlines"]
    spoken = day_before - DAY - change
    assert quote["sentence"].endswith(f"free cancellation until {spoken:%a} {spoken.day} {spoken:%b %Y, %H:%M}.")


def paid_booking(alice: Player, room: Room, *, hours: int, seconds: int, **policy: Any) -> str:
    """Paid 10,001 in two parts, of a game whose window of so many hours closes in so many seconds, or closed then."""
    booking = book(alice.actor, room, slot_at(10), payment={"mode": "pos", "amount": 4_000})
    path = f"/bookings/{booking.public_id}"
    assert alice.api.put(path, {"payment": {"mode": "external", "amount": 6_001}}).status_code == 200
    starts_at = claims.database_now() + dt.timedelta(hours=hours, seconds=seconds)
    moved = {"starts_at": starts_at, "ends_at": starts_at + dt.timedelta(minutes=50)}
    Booking.objects.update(**moved, policy={**POLICY, "cancellation": {**CANCELLATION, **policy}})
    return path


AHEAD = 60  # seconds that even a busy machine has left


@pytest.mark.parametrize(
    ("hours", "seconds", "policy", "refund"),
    [
        (48, AHEAD, {}, 10_001),
        (48, -1, {}, 5_001),  # half of 10,001 = 5,000.5
        (24, AHEAD, {}, 5_001),
        (24, -1, {}, 0),
        (48, AHEAD, {"fee": 500}, 9_501),
        (48, -1, {"fee": 500}, 4_501),
        (24, -1, {"fee": 500}, 0),
    ],
)
def test_canceling_refunds_what_was_quoted_on_either_side_of_a_deadline(
    alice: Player, group_room: Room, hours: int, seconds: int, policy: dict[str, int], refund: int
) -> None:
    path = paid_booking(alice, group_room, hours=hours, seconds=seconds, **policy)

    quote = alice.api.post(f"{path}/quote", {"kind": "cancel"}).json()
    canceled = alice.api.delete(path).json()

    assert (quote["refund"], quote["fee"]) == (refund, 10_001 - refund)
    assert (canceled["refund"] or {"amount": 0})["amount"] == canceled["amount_refunded"] == refund
    parts = list(Refund.objects.order_by("pk").values_list("amount", flat=True))
    assert parts == [part for part in (min(refund, 6_001), max(0, refund - 6_001)) if part]
    assert canceled["payment_status"] == {0: "paid", 10_001: "refunded"}.get(refund, "partially_refunded")


@pytest.mark.parametrize(("hours", "seconds", "fee"), [(48, AHEAD, 0), (48, -1, 700), (24, AHEAD, 700), (24, -1, None)])
def test_moving_costs_what_was_quoted_on_either_side_of_a_deadline(
    alice: Player, group_room: Room, hours: int, seconds: int, fee: int | None
) -> None:
    path, change = paid_booking(alice, group_room, hours=hours, seconds=seconds), {"starts_at": utc_text(slot_at(12))}

    quote = alice.api.post(f"{path}/quote", change)
    moved = alice.api.put(path, change)

    if fee is None:
        assert (quote.json()["code"], moved.json()["code"]) == ("reschedule_not_allowed", "reschedule_not_allowed")
    else:
        due = max(0, 10_000 + fee - 10_001)
        assert (quote.json()["fee"], quote.json()["due"]) == (fee, due)
        assert (moved.json()["price_change"]["fee"], moved.json()["amount_due"]) == (fee, due)
