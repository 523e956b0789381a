"""Refusals about bookings."""

from common.errors import DomainError, ErrorCode


class InvalidTransition(DomainError):
    """The state machine does not lead there; `booking_status` is where it stands."""

    code = ErrorCode.INVALID_TRANSITION


class CancellationNotAllowed(DomainError):
    code = ErrorCode.CANCELLATION_NOT_ALLOWED


class RescheduleNotAllowed(DomainError):
    code = ErrorCode.RESCHEDULE_NOT_ALLOWED


class HoldExpired(DomainError):
    code = ErrorCode.HOLD_EXPIRED


class HoldLimitReached(DomainError):
    code = ErrorCode.HOLD_LIMIT_REACHED


class DuplicateExternalId(DomainError):
    """`booking` names the one that has it."""

    code = ErrorCode.DUPLICATE_EXTERNAL_ID


class PriceChanged(DomainError):
    """The quote has run out and the price is another now; `price` tells it."""

    code = ErrorCode.PRICE_CHANGED


class KeyCapExceeded(DomainError):
    """`cap` is the rule of the key, `limit` its value, `asked` what this would have been."""

    code = ErrorCode.KEY_CAP_EXCEEDED


class Busy(DomainError):
    code = ErrorCode.BUSY_RETRY
