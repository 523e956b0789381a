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


# Words of 8 bytes. CPython keeps the frames of a thread in pieces of 16 kB, and gives a piece back as soon as nothing stands on
# it: a loop that calls over an edge has the system map and clear a new one each time. Where the edges fall into a request, some
# hundred frames deep, is chance, and has cost up to a third of its time. A frame that asks for so much room as this gets a piece
# of 256 kB, on whose other half the rest of the request stands. It never uses it, so that none of it becomes memory: some 20 µs.
FRAME = 16_000
RequestIdMiddleware.__call__.__code__ = RequestIdMiddleware.__call__.__code__.replace(co_stacksize=FRAME)


class RequestLogMiddleware:
    """Notes calls of the API, with all that the middleware further in adds to their answers."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        came_at, started = timezone.now(), time.perf_counter()
        response = self.get_response(request)
        request_log.note(request, response, came_at=came_at, seconds=time.perf_counter() - started)
        return response
