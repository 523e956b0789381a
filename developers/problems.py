"""Every refusal as RFC 9457 `application/problem+json`, whoever raised it: domain, DRF, Django or the database."""

import logging
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.serializers import as_serializer_error

from common.errors import DomainError, ErrorCode, FieldError, ValidationFailed, VersionConflict
from developers.errors import RateLimited
from developers.renderers import PROBLEM, to_bytes

logger = logging.getLogger(__name__)

# Lock and serialization trouble: the same request may well succeed a moment later.
_BUSY_SQLSTATES = {"40001", "40P01", "55P03", "57014"}
# No connection, no room for one more, a server that stops or starts. Without any, nothing has come back from a server at all.
_AWAY_SQLSTATES = ("08", "53", "57P")
_AWAY = "The database does not answer at the moment. A write may or may not have taken effect."
VARY = "Authorization, Accept"  # whatever stores answers must tell callers, and what they accept, apart
AWAY_SECONDS = 5  # about as long as a restart takes
_OVERLAP = "23P01"  # the exclusion constraint, behind every other guard of a slot
# A foreign, a unique or a checked value that no service has refused: another request came in between.
_RACE_SQLSTATES = {"23503", "23505", "23514"}
_FRAMEWORK: tuple[tuple[type[Exception], ErrorCode], ...] = (
    (Http404, ErrorCode.NOT_FOUND),
    (exceptions.NotFound, ErrorCode.NOT_FOUND),
    (exceptions.MethodNotAllowed, ErrorCode.METHOD_NOT_ALLOWED),
    (exceptions.NotAcceptable, ErrorCode.NOT_ACCEPTABLE),
    (exceptions.UnsupportedMediaType, ErrorCode.UNSUPPORTED_MEDIA_TYPE),
    (exceptions.ParseError, ErrorCode.MALFORMED_JSON),
    (exceptions.NotAuthenticated, ErrorCode.AUTHENTICATION_REQUIRED),
    (exceptions.PermissionDenied, ErrorCode.INSUFFICIENT_SCOPE),
    (PermissionDenied, ErrorCode.INSUFFICIENT_SCOPE),
    (RequestDataTooBig, ErrorCode.PAYLOAD_TOO_LARGE),
    (SuspiciousOperation, ErrorCode.BAD_REQUEST),
    (UnreadablePostError, ErrorCode.BAD_REQUEST),
)


def exception_handler(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's hook: any exception of an API view becomes a problem."""
    return respond(to_domain_error(error), context["request"])


def to_domain_error(error: Exception) -> DomainError:
    """The refusal that an exception stands for; INTERNAL_ERROR, logged, for what nobody expected."""
    if isinstance(error, DomainError):
        return error
    if isinstance(error, exceptions.ValidationError):
        return ValidationFailed(*field_errors(error))
    for kind, code in _FRAMEWORK:
        if isinstance(error, kind):
            return DomainError(code=code)
    sqlstate = getattr(error.__cause__, "sqlstate", None)
    if isinstance(error, OperationalError) and sqlstate in _BUSY_SQLSTATES:
        return DomainError("Another writer holds what this request needs. Repeat it.", code=ErrorCode.BUSY_RETRY)
    if isinstance(error, OperationalError | InterfaceError) and (sqlstate is None or sqlstate.startswith(_AWAY_SQLSTATES)):
        logger.warning("the database is away: %s", error)
        return DomainError(_AWAY, code=ErrorCode.SERVICE_UNAVAILABLE)
    if isinstance(error, IntegrityError) and sqlstate == _OVERLAP:
        return DomainError("Another game holds the space at that time.", code=ErrorCode.SLOT_UNAVAILABLE, reasons=["booked"])
    if isinstance(error, IntegrityError) and sqlstate in _RACE_SQLSTATES:
        logger.error("a constraint refused what no service did", exc_info=error)
        return DomainError("Another request changed what this one is about. Repeat it.", code=ErrorCode.BUSY_RETRY)
    logger.error("unexpected error", exc_info=error)
    return DomainError("The error is logged under the request's id.", code=ErrorCode.INTERNAL_ERROR)


def problem(error: DomainError, request_id: str) -> dict[str, Any]:
    """The body: what happened, where it is documented, and what helps on."""
    code = error.code
    return {
        "type": f"{settings.PUBLIC_URL}/backend/docs/api.md#error-{code.code}",
        "title": code.title,
        "status": code.status,
        "code": code.code,
        "detail": error.detail,
        "request_id": request_id,
        "retryable": code.retryable,
        **error.extra,
    }


def headers_for(error: DomainError) -> dict[str, str]:
    headers = {}
    if error.code.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="BookingFlow"'
    if error.code.status in (429, 503) or error.code is ErrorCode.IDEMPOTENCY_IN_PROGRESS:
        headers["Retry-After"] = str(_seconds_to_wait(error))
    if isinstance(error, VersionConflict):
        headers["ETag"] = error.etag
    return headers


def _seconds_to_wait(error: DomainError) -> int:
    if isinstance(error, RateLimited):
        return error.retry_after
    return AWAY_SECONDS if error.code is ErrorCode.SERVICE_UNAVAILABLE else 1


def respond(error: DomainError, request: HttpRequest) -> Response:
    """The answer to a request that reached an API view."""
    body = problem(error, getattr(request, "request_id", ""))
    return Response(body, status=error.code.status, headers=headers_for(error), content_type=PROBLEM)


def django_response(error: DomainError, request: HttpRequest) -> HttpResponse:
    """The same for what never reaches an API view: an unknown URL, a crash in a middleware."""
    body = problem(error, getattr(request, "request_id", ""))
    headers = {**headers_for(error), "Vary": VARY}
    return HttpResponse(to_bytes(body), status=error.code.status, headers=headers, content_type=PROBLEM)


def field_errors(error: exceptions.ValidationError) -> list[FieldError]:
    """DRF's nested details, flat: one entry a message, each with its JSON pointer."""
    return list(_walk(as_serializer_error(error), ""))


def _walk(detail: Any, pointer: str) -> Iterator[FieldError]:
    if isinstance(detail, dict):
        for name, item in detail.items():
            whole = name == "non_field_errors"
            yield from _walk(item, pointer if whole else f"{pointer}/{_escaped(str(name))}")
    elif isinstance(detail, list):
        for index, item in enumerate(detail):
            yield from _walk(item, f"{pointer}/{index}" if isinstance(item, dict | list) else pointer)
    else:
        yield FieldError(str(detail), code=getattr(detail, "code", None) or "invalid", pointer=pointer)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
