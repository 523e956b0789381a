"""The few pages that belong to no app: the start page, the documents, the metrics, and what Django itself refuses."""

import functools

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from common.errors import DomainError, ErrorCode, NotFound
from developers.problems import django_response
from webhooks.metrics import metrics_text

DOCS = settings.BASE_DIR / "docs"


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    return render(request, "start.html", {"public_url": settings.PUBLIC_URL})


@require_safe
def docs_markdown(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_document("api.md"), content_type="text/markdown; charset=utf-8")


@require_safe
def openapi(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_document("openapi.json"), content_type="application/json")


@require_safe
def event_schemas(request: HttpRequest) -> HttpResponse:
    return HttpResponse(_document("events.json"), content_type="application/json")


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


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return django_response(DomainError(code=ErrorCode.BAD_REQUEST), request)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Outside the API, whose own catch-all answers in the same shape."""
    return django_response(NotFound("page"), request)


def server_error(request: HttpRequest) -> HttpResponse:
    return django_response(DomainError(code=ErrorCode.INTERNAL_ERROR), request)
