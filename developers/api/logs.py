"""`/logs`."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from developers.log_filters import RequestLogFilters
from developers.models import RequestLogEntry
from developers.pagination import UncountedPagination
from developers.request_log import find_entry
from developers.serializers import LogEntryShape, LogEntryWithBodiesShape, SaidShape
from developers.viewsets import ApiViewSet
from organizations.permissions import Scope


class LogViewSet(ApiViewSet):
    queryset = RequestLogEntry.objects.without_what_was_said()
    shape = LogEntryShape
    filterset_class = RequestLogFilters
    pagination_class = UncountedPagination
    sorts: ClassVar = ("-created_at",)
    scopes: ClassVar = {"list": Scope.LOGS_READ, "retrieve": Scope.LOGS_READ}

    @extend_schema(operation_id="list_logs", summary="List requests", tags=["Logs"])
    def list(self, request: Request) -> Response:
        """Calls of the last 30 days, of every key that acts on the organization, the newest first. An entry appears within about
        two seconds of its call. Calls whose key was not known are not logged.
        """
        return self.answer_list(self.get_queryset())

    @extend_schema(operation_id="get_log", summary="Get a request", tags=["Logs"], responses=LogEntryWithBodiesShape)
    def retrieve(self, request: Request, id: str) -> Response:
        """By its id or by its `Request-Id`, with headers and bodies. Keys, cookies and other secrets are masked in them. Bodies
        are cut at 16 KiB and kept for 7 days; those that mention a customer are emptied when that customer is erased.
        """
        entry = find_entry(by=self.actor, id=id)
        return self.answer(entry, **SaidShape.json(entry))
