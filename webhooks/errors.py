"""Refusals about webhooks."""

from common.errors import DomainError, ErrorCode


class EndpointNotListening(DomainError):
    """It is paused or disabled: enable it first."""

    code = ErrorCode.ENDPOINT_NOT_LISTENING
