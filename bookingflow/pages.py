"""The few pages that belong to no app: the start page, the documents, the metrics, and what Django itself refuses."""

import functools
import json
import logging
import sys
from collections.abc import Callable

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.crypto import constant_time_compare
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import conditional_page, require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from bookingflow.documents import CATALOG, CATALOG_PROFILE, PUBLIC_URL
from bookingflow.handbook import DOCS, FIRST, handbook
from common.errors import DomainError, ErrorCode, NotFound
from dashboard.access import refusal
from dashboard.highlight import highlighted
from developers import shell
from developers.api.views import service_status
from developers.operations import TAGS, operations
from developers.problems import django_response, to_domain_error
from webhooks.examples import example_envelope
from webhooks.metrics import metrics_text
from webhooks.types import EventType

logger = logging.getLogger(__name__)

FOR_PROGRAMS = ("/api/", "/v1/", "/mcp", "/webhooks/", "/calendars/", "/metrics")
MARKDOWN = "text/markdown; charset=utf-8"

# The drawing of the start page: a Saturday in three rooms, half an hour to 25 units of height.
DAY = {
    "hours": [(50 + 50 * hour, f"{14 + hour}:00") for hour in range(5)],
    "rooms": [(50, "The Vault"), (176, "Catacombs"), (302, "Time Machine")],
    "games": [
        {"x": 50, "y": 37, "height": 46, "kind": "booked", "name": "Ada", "more": "4 players"},
        {"x": 50, "y": 112, "height": 46, "kind": "booked", "name": "Bilal", "more": "6 players"},
        {"x": 50, "y": 187, "height": 46, "kind": "free", "name": "Free", "more": "from €90.00"},
        {"x": 176, "y": 62, "height": 46, "kind": "booked", "name": "Chen", "more": "2 players"},
        {"x": 176, "y": 137, "height": 46, "kind": "held", "name": "Held", "more": "6 minutes left"},
        {"x": 176, "y": 212, "height": 46, "kind": "booked", "name": "Freya", "more": "5 players"},
        {"x": 302, "y": 37, "height": 121, "kind": "blocked", "name": "Blocked", "more": "New locks"},
        {"x": 302, "y": 187, "height": 46, "kind": "booked", "name": "Hana", "more": "3 players"},
    ],
}


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    return render(request, "start.html", DAY)


@require_safe
def developers_public(request: HttpRequest) -> HttpResponse:
    """What one can build on BookingFlow, each claim with the page that keeps it."""
    booked = example_envelope(EventType.BOOKING_CREATED)["data"]["object"]
    path = operations()["get_booking"].path.replace("{id}", booked["id"])
    answer = json.dumps(booked, indent=2, ensure_ascii=False)
    context = {
        "groups": [(tag, [one for one in operations().values() if one.tag == tag]) for tag in TAGS],
        "call": shell.curl("GET", settings.PUBLIC_URL + path, {}),
        "answer": highlighted(answer, "json"),
        "count": len(operations()),
        "status": service_status(),
    }
    return render(request, "developers.html", context)


@require_safe
def status(request: HttpRequest) -> HttpResponse:
    """For a page that keeps it up to date."""
    response = render(request, "status.html", {"status": service_status()})
    response["Cache-Control"] = "no-store"
    return response


@require_safe
@conditional_page
def docs_page(request: HttpRequest, slug: str = FIRST) -> HttpResponse:
    book = handbook()
    page = book.pages.get(slug)
    if page is None:
        raise Http404
    return _kept(render(request, "docs/page.html", {"page": page, "groups": book.groups()}))


@require_safe
@conditional_page
def docs_page_markdown(request: HttpRequest, slug: str) -> HttpResponse:
    page = handbook().pages.get(slug)
    if page is None:
        raise Http404
    return _kept(HttpResponse(page.markdown, content_type=MARKDOWN))


@require_safe
def docs_search(request: HttpRequest) -> HttpResponse:
    """Also as one types: htmx gets what was found alone; and for programs, as JSON."""
    book, query = handbook(), request.GET.get("q", "").strip()[:100]
    if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        return _kept(JsonResponse({"object": "list", "data": [one.as_json() for one in book.search(query)]}), "Accept")
    context = {"query": query, "found": book.search(query), "groups": book.groups()}
    template = "docs/found.html" if request.headers.get("HX-Request") else "docs/search.html"
    return _kept(render(request, template, context), "HX-Request", "Accept")


def _kept(response: HttpResponse, *vary: str) -> HttpResponse:
    """By the browser, which asks each time whether it has changed; the header shows who is signed in."""
    response["Cache-Control"] = "private, no-cache"
    patch_vary_headers(response, ["Cookie", *vary])
    return response


@require_safe
@conditional_page
def docs_markdown(request: HttpRequest) -> HttpResponse:
    """All chapters in one: what problems link to, and what agents read."""
    return HttpResponse(_document("api.md"), content_type=MARKDOWN)


@csrf_exempt  # another method is refused as such, as everywhere below the API
@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_addressed("openapi.json"), content_type="application/json")


@require_safe
def event_schemas(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_document("events.json"), content_type="application/json")


@require_safe
def llms(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_addressed("llms.txt"), content_type="text/plain; charset=utf-8")


@require_safe
def api_catalog(request: HttpRequest) -> HttpResponse:
    """RFC 9727. Whoever asks with HEAD learns from the header that this is it."""
    link = f'<{settings.PUBLIC_URL}{CATALOG}>; rel="api-catalog", <{CATALOG_PROFILE}>; rel="profile"'
    kind = f'application/linkset+json; profile="{CATALOG_PROFILE}"'
    return HttpResponse(_addressed("api-catalog.json"), content_type=kind, headers={"Link": link})


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For a monitor that has the token. Nobody else learns whether there is one."""
    token = settings.METRICS_TOKEN
    if not token or not constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {token}"):
        raise Http404
    return HttpResponse(metrics_text(), content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})


@functools.cache
def _document(name: str) -> bytes:
    return (DOCS / name).read_bytes()


def _addressed(name: str) -> bytes:
    """The document with this server's address in it."""
    return _document(name).replace(PUBLIC_URL.encode(), settings.PUBLIC_URL.encode())


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _refused(to_domain_error(exception), request)


def not_allowed(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The admin, for whoever does not run the product."""
    return _refused(DomainError("This part is for BookingFlow's own operators.", code=ErrorCode.INSUFFICIENT_SCOPE), request)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Mostly a page that stood open over a sign-out or a sign-in elsewhere."""
    return _refused(DomainError(code=ErrorCode.FORM_EXPIRED), request)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Outside the API, whose own catch-all answers in the same shape."""
    return _refused(NotFound("page"), request)


def server_error(request: HttpRequest) -> HttpResponse:
    """What no view has caught, from middleware too: mostly nobody's fault but the database's, where it is away."""
    error = sys.exc_info()[1]
    if isinstance(error, OperationalError | InterfaceError):
        return _refused(to_domain_error(error), request)
    return _refused(DomainError(code=ErrorCode.INTERNAL_ERROR), request)


class MethodRefusals:
    """Middleware: where a view only says 405, the page or the problem that says what that means."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not isinstance(response, HttpResponseNotAllowed) or response.content:
            return response
        refused = _refused(DomainError(code=ErrorCode.METHOD_NOT_ALLOWED), request)
        refused["Allow"] = response["Allow"]
        return refused


def _refused(error: DomainError, request: HttpRequest) -> HttpResponse:
    """A page for people, a problem for programs; a problem for everybody where not even the page can be made."""
    if request.path.startswith(FOR_PROGRAMS) or "text/html" not in request.headers.get("Accept", ""):
        return django_response(error, request)
    try:
        return refusal(request, error)
    except Exception:
        logger.exception("the page of a refusal failed")
        return django_response(error, request)
