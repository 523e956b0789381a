"""Refusals about calendars."""

from common.errors import DomainError, ErrorCode


class ImportPaused(DomainError):
    """It is paused: resume it first."""

    code = ErrorCode.INVALID_TRANSITION
