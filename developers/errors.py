"""Refusals of the API's frame."""

from common.errors import DomainError, ErrorCode


class AuthenticationRequired(DomainError):
    code = ErrorCode.AUTHENTICATION_REQUIRED


class ApiKeyMalformed(DomainError):
    code = ErrorCode.API_KEY_MALFORMED


class ApiKeyInvalid(DomainError):
    code = ErrorCode.API_KEY_INVALID


class ApiKeyExpired(DomainError):
    code = ErrorCode.API_KEY_EXPIRED


class ApiKeyRevoked(DomainError):
    code = ErrorCode.API_KEY_REVOKED


class CursorMismatch(DomainError):
    code = ErrorCode.CURSOR_MISMATCH


class IdempotencyInProgress(DomainError):
    code = ErrorCode.IDEMPOTENCY_IN_PROGRESS


class IdempotencyKeyReused(DomainError):
    code = ErrorCode.IDEMPOTENCY_KEY_REUSED


class MalformedJSON(DomainError):
    code = ErrorCode.MALFORMED_JSON
