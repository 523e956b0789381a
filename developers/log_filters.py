"""The filters of the request log, for the API and for pages."""

from typing import Any, ClassVar

import django_filters
from django.db.models import Q, QuerySet
from drf_spectacular.drainage import set_override

from common.errors import ErrorCode
from developers.filters import AnyOf, InstantFilter, TextFilter
from developers.idempotency import BASES
from developers.models import RequestLogEntry

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
CLASSES = ("2xx", "3xx", "4xx", "5xx")
STATUSES = (*CLASSES, *map(str, sorted({200, 201, 202, 304} | {error.status for error in ErrorCode})))


class StatusFilter(AnyOf):
    def __init__(self, *args: Any, help_text: str = "", **kwargs: Any) -> None:
        super().__init__(*args, choices=[(status, status) for status in STATUSES], **kwargs)
        set_override(
            self, "field", {"type": "string", "enum": list(STATUSES), "description": help_text}
        )  # the column has numbers


class RequestLogFilters(django_filters.FilterSet):
    status = StatusFilter(method="answered", help_text="Statuses, or classes of them: `404`, `5xx`; repeated or comma-separated.")
    method = AnyOf(choices=[(method, method) for method in METHODS], field_name="method")
    path = TextFilter(method="below", help_text="What the path begins with: `/bookings`.")
    key = AnyOf(field_name="key", help_text="Ids of keys; `playground` for calls from the playground.")
    error_code = AnyOf(choices=[(error.code, error.code) for error in ErrorCode], field_name="error_code")
    tool = AnyOf(field_name="tool", help_text="Names of tools of `/mcp`: `hold_booking`.")
    request_id = AnyOf(field_name="request_id", help_text="What `Request-Id` said: `req_…`.")
    created_since = InstantFilter(field_name="created_at", lookup_expr="gte", help_text="RFC 3339.")
    created_until = InstantFilter(field_name="created_at", lookup_expr="lt", help_text="RFC 3339, itself not included.")

    class Meta:
        model = RequestLogEntry
        fields: ClassVar[list[str]] = []

    def answered(self, entries: QuerySet[RequestLogEntry], name: str, values: list[str]) -> QuerySet[RequestLogEntry]:
        wanted = Q(status__in=[int(value) for value in values if value not in CLASSES])
        for value in set(values) & set(CLASSES):
            first = int(value[0]) * 100
            wanted |= Q(status__gte=first, status__lt=first + 100)
        return entries.filter(wanted)

    def below(self, entries: QuerySet[RequestLogEntry], name: str, text: str) -> QuerySet[RequestLogEntry]:
        for base in BASES:
            text = text.removeprefix(base)
        return entries.filter(path__startswith=text)
