"""What must hold between the fields of a room. Raises ValidationFailed naming each field that is off."""

import datetime as dt
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from common.errors import DomainError, ErrorCode, FieldError, ValidationFailed
from common.walltime import to_instant, zone
from rooms.models import Room

# With set-up and turnaround a session stays within calendar.LONGEST_PERIOD.
LONGEST_GAME_MINUTES, LONGEST_BUFFER_MINUTES = 24 * 60, 12 * 60


def check_room(room: Room, *, repriced: bool = True) -> None:
    """`repriced`: its prices are new. Old ones may be in a currency that its venue has left since."""
    errors = [*_party(room), *_prices(room)]
    if repriced and room.pricing["currency"] != room.venue.currency:
        errors.append(FieldError(f"Its venue takes {room.venue.currency}.", "mismatch", pointer="/pricing/currency"))
    if errors:
        raise ValidationFailed(*errors)
    _wall_times_exist(room, zone(room.venue.timezone))


def _party(room: Room) -> Iterator[FieldError]:
    if room.min_party > room.max_party:
        yield FieldError("It is more than max_party.", "range", pointer="/min_party")
    if room.max_party > room.capacity:
        yield FieldError("It is more than capacity.", "range", pointer="/max_party")


def _prices(room: Room) -> Iterator[FieldError]:
    tiers = room.pricing.get("tiers")
    if tiers and not tiers[0]["min"] <= room.min_party <= room.max_party <= tiers[-1]["max"]:
        detail = f"They must cover parties of {room.min_party} to {room.max_party}."
        yield FieldError(detail, "gap", pointer="/pricing/tiers")
    upgrade_offered = room.booking_mode == Room.BookingMode.SHARED_WITH_PRIVATE_UPGRADE
    if room.pricing.get("private_upgrade") and not upgrade_offered:
        detail = "It goes with booking_mode shared_with_private_upgrade only."
        yield FieldError(detail, "mismatch", pointer="/pricing/private_upgrade")


def _wall_times_exist(room: Room, tz: ZoneInfo) -> None:
    """A start named for one day must exist on it; in weekly rules it is merely skipped on such a day."""
    for override in room.schedule.get("overrides", ()):
        for time in override.get("start_times", ()):
            day = dt.date.fromisoformat(override["date"])
            if to_instant(day, dt.time.fromisoformat(time), tz) is None:
                raise DomainError(
                    f"On {override['date']} clocks skip {time} in {room.venue.timezone}.",
                    code=ErrorCode.NONEXISTENT_LOCAL_TIME,
                )
