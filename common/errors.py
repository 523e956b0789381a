"""Every refusal the product can give: one catalogue of codes, and the exception that carries one.

Codes are permanent: integrators branch on them. `docs/api.md`, the OpenAPI document and the tests read this enum.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any


class ErrorCode(Enum):
    """code = (HTTP status, title, whether the same request may succeed later without a change)."""

    MALFORMED_JSON = (400, "The body is not valid JSON", False)
    CURSOR_MISMATCH = (400, "The cursor belongs to another list or other filters", False)
    BAD_REQUEST = (400, "The request could not be understood", False)
    AUTHENTICATION_REQUIRED = (401, "An API key is needed", False)
    API_KEY_MALFORMED = (401, "The API key is incomplete or mistyped", False)
    API_KEY_INVALID = (401, "The API key is unknown", False)
    API_KEY_EXPIRED = (401, "The API key has expired", False)
    API_KEY_REVOKED = (401, "The API key has been revoked", False)
    PAYMENT_REQUIRED = (402, "A payment is needed first", False)
    PAYMENT_FAILED = (402, "The payment failed", False)
    FORM_EXPIRED = (403, "The form has expired", False)
    INSUFFICIENT_SCOPE = (403, "The caller lacks a permission", False)
    SECRET_KEY_IN_BROWSER = (403, "An API key has no place in a browser", False)
    ADDRESS_NOT_ALLOWED = (403, "The API key may not be used from this address", False)
    KEY_CAP_EXCEEDED = (403, "The API key's own limits do not allow this", False)
    PLAN_LIMIT = (403, "The organization's plan does not include this", False)
    NOT_FOUND = (404, "Nothing is here", False)
    METHOD_NOT_ALLOWED = (405, "This method is not supported here", False)
    NOT_ACCEPTABLE = (406, "Only application/json can be answered", False)
    SLOT_UNAVAILABLE = (409, "The slot is not available", False)
    INSUFFICIENT_SEATS = (409, "Not enough seats are left", False)
    INVALID_TRANSITION = (409, "The object's state does not allow this", False)
    CANCELLATION_NOT_ALLOWED = (409, "The booking can no longer be canceled", False)
    RESCHEDULE_NOT_ALLOWED = (409, "The booking can no longer be moved", False)
    HOLD_LIMIT_REACHED = (409, "The hold cannot be extended further", False)
    BLOCK_CONFLICTS_BOOKINGS = (409, "The block hits bookings", False)
    ROOM_HAS_FUTURE_BOOKINGS = (409, "The room has future bookings", False)
    VENUE_HAS_ROOMS = (409, "The venue still has rooms", False)
    VENUE_HAS_BOOKINGS = (409, "The venue has bookings", False)
    CUSTOMER_HAS_FUTURE_BOOKINGS = (409, "The customer has future bookings", False)
    CAPACITY_BELOW_SOLD = (409, "More seats are sold than the new capacity", False)
    DUPLICATE_EXTERNAL_ID = (409, "Another object has this external_id", False)
    DUPLICATE_CUSTOMER = (409, "Another customer has this e-mail address", False)
    PRICE_CHANGED = (409, "The price is no longer the quoted one", False)
    ENDPOINT_NOT_LISTENING = (409, "The endpoint is paused or disabled", False)
    IDEMPOTENCY_IN_PROGRESS = (409, "The first request with this key is still running", True)
    HOLD_EXPIRED = (410, "The hold has expired", False)
    VERSION_CONFLICT = (412, "The object has changed since it was read", False)
    PAYLOAD_TOO_LARGE = (413, "The body is too large", False)
    UNSUPPORTED_MEDIA_TYPE = (415, "Only application/json can be read", False)
    VALIDATION_FAILED = (422, "The request has invalid fields", False)
    PARTY_TOO_SMALL = (422, "The party is too small for the room", False)
    PARTY_TOO_LARGE = (422, "The party is too large for the room", False)
    OUTSIDE_SCHEDULE = (422, "The room has no game at that time", False)
    LEAD_TIME = (422, "The start is too soon to be booked", False)
    BEYOND_HORIZON = (422, "The start is too far ahead to be booked", False)
    PAST_START = (422, "The start lies in the past", False)
    ROOM_INACTIVE = (422, "The room is not bookable", False)
    PRIVATE_UNAVAILABLE = (422, "The room cannot be booked privately", False)
    NONEXISTENT_LOCAL_TIME = (422, "That wall time does not exist on that day", False)
    REFUND_EXCEEDS_PAID = (422, "The refund is more than was paid", False)
    RANGE_TOO_LARGE = (422, "The date range is too long", False)
    IDEMPOTENCY_KEY_REUSED = (422, "The idempotency key was used for another request", False)
    PAYMENT_MODE_UNAVAILABLE = (422, "This payment mode is not available yet", False)
    RATE_LIMITED = (429, "Too many requests", True)
    INTERNAL_ERROR = (500, "Something went wrong on our side", True)
    BUSY_RETRY = (503, "Too many writers at once", True)
    SERVICE_UNAVAILABLE = (503, "The service is interrupted", True)
    PAYMENT_PROVIDER_UNAVAILABLE = (503, "The payment provider does not answer", True)

    def __init__(self, status: int, title: str, retryable: bool) -> None:
        self.status = status
        self.title = title
        self.retryable = retryable

    @property
    def code(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class FieldError:
    """One refused field (`pointer`, a JSON pointer into the body) or query parameter (`parameter`)."""

    detail: str
    code: str = "invalid"
    pointer: str | None = None
    parameter: str | None = None

    def as_json(self) -> dict[str, str]:
        place = {"pointer": self.pointer} if self.pointer is not None else {"parameter": self.parameter or ""}
        return {**place, "code": self.code, "detail": self.detail}


class DomainError(Exception):
    """A refusal with a stable code. `extra` is what helps the caller on: alternatives, reasons, scopes, versions."""

    code: ErrorCode = ErrorCode.BAD_REQUEST

    def __init__(self, detail: str = "", *, code: ErrorCode | None = None, **extra: Any) -> None:
        self.code = code or type(self).code
        self.detail = detail or self.code.title + "."
        self.extra = extra
        super().__init__(self.detail)


class ValidationFailed(DomainError):
    """Input that no rule of the domain can accept; names every refused field."""

    code = ErrorCode.VALIDATION_FAILED

    def __init__(self, *errors: FieldError) -> None:
        self.errors = list(errors)
        super().__init__(
            "; ".join(f"{error.pointer or error.parameter or 'body'}: {error.detail}" for error in errors),
            errors=[error.as_json() for error in errors],
        )


class NotFound(DomainError):
    """Absent, or another tenant's: the answer is the same for both."""

    code = ErrorCode.NOT_FOUND

    def __init__(self, kind: str = "object") -> None:
        super().__init__(f"There is no such {kind}.")


class VersionConflict(DomainError):
    """The caller's If-Match names a version that is no longer the current one."""

    code = ErrorCode.VERSION_CONFLICT

    def __init__(self, *, current: int) -> None:
        super().__init__("Read the object again and repeat the change.", current_version=current)
        self.etag = f'"{current}"'
