"""The few pages that belong to no app: the start page, the documents, and what Django itself refuses."""

import functools

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from common.errors import DomainError, ErrorCode, NotFound
from developers.problems import django_response

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
