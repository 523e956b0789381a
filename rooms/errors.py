"""Refusals about rooms, their calendar and blocks."""

from common.errors import DomainError, ErrorCode


class SlotUnavailable(DomainError):
    """Taken, held or blocked. `reasons` as availability tells them, up to five `alternatives`."""

    code = ErrorCode.SLOT_UNAVAILABLE


class InsufficientSeats(DomainError):
    """`seats_left` tells how many there are."""

    code = ErrorCode.INSUFFICIENT_SEATS


class RoomHasFutureBookings(DomainError):
    code = ErrorCode.ROOM_HAS_FUTURE_BOOKINGS


class VenueHasRooms(DomainError):
    code = ErrorCode.VENUE_HAS_ROOMS


class VenueHasBookings(DomainError):
    code = ErrorCode.VENUE_HAS_BOOKINGS


class CapacityBelowSold(DomainError):
    """`sold` is the largest number of seats sold in a coming game."""

    code = ErrorCode.CAPACITY_BELOW_SOLD


class BlockConflictsBookings(DomainError):
    """`conflicts` names the bookings that the block hits."""

    code = ErrorCode.BLOCK_CONFLICTS_BOOKINGS


class DuplicateRoomExternalId(DomainError):
    code = ErrorCode.DUPLICATE_EXTERNAL_ID


class ClaimIsDead(DomainError):
    code = ErrorCode.HOLD_EXPIRED
