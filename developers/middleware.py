"""Around every request: its id, answered in the `Request-Id` header and written to audit, history and events; and its entry in
the request log.
"""

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from common import logs
from common.ids import new_id
from developers import request_log


class RequestIdMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.request_id = new_id("req")  # type: ignore[attr-defined]
        with logs.about(request_id=request.request_id):  # type: ignore[attr-defined]
            response = self.get_response(request)
        response["Request-Id"] = request.request_id  # type: ignore[attr-defined]
        return response


class RequestLogMiddleware:
    """Notes calls of the API, with all that the middleware further in adds to their answers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        came_at, started = timezone.now(), time.perf_counter()
        response = self.get_response(request)
        request_log.note(request, response, came_at=came_at, seconds=time.perf_counter() - started)
        return response
