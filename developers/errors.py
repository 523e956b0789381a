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


class SecretKeyInBrowser(DomainError):
    code = ErrorCode.SECRET_KEY_IN_BROWSER


class AddressNotAllowed(DomainError):
    code = ErrorCode.ADDRESS_NOT_ALLOWED


class RateLimited(DomainError):
    """`limit` is the policy, by its name in the headers, whose window is full; `retry_after` the whole seconds to wait; `whose`
    says who may ask no more where no key does.
    """

    code = ErrorCode.RATE_LIMITED

    def __init__(self, *, limit: str, quota: int, seconds: int, retry_after: int, whose: str = "") -> None:
        whose = whose or ("All keys of this organization together" if limit.startswith("organization") else "This key")
        within = "a second" if seconds == 1 else "a minute"
        super().__init__(
            f"{whose} may ask {quota} times within {within}. Repeat the request in {retry_after} s.",
            limit=limit,
            retry_after=retry_after,
        )
        self.retry_after = retry_after


class CursorMismatch(DomainError):
    code = ErrorCode.CURSOR_MISMATCH


class IdempotencyInProgress(DomainError):
    code = ErrorCode.IDEMPOTENCY_IN_PROGRESS


class IdempotencyKeyReused(DomainError):
    code = ErrorCode.IDEMPOTENCY_KEY_REUSED


class MalformedJSON(DomainError):
    code = ErrorCode.MALFORMED_JSON
