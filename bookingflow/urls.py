"""The whole URL map."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path

from bookingflow import pages
from developers.api.views import UnknownView
from payments.api import inbound

api: list[URLPattern | URLResolver] = [
    path("", include("developers.api.urls")),
    path("", include("rooms.api.urls")),
    path("", include("customers.api.urls")),
    path("", include("bookings.api.urls")),
    path("", include("payments.api.urls")),
    path("", include("webhooks.api.urls")),
    path("openapi.json", pages.openapi),
    re_path(r"^.*$", UnknownView.as_view()),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.start, name="start"),
    path("api/v1/public/", include(api)),
    path("v1/", include(api)),
    path("backend/docs/api.md", pages.docs_markdown, name="docs"),
    path("backend/docs/events.json", pages.event_schemas),
    path("metrics", pages.metrics),
    path("webhooks/stripe", inbound.platform),
    path("webhooks/stripe/<slug:organization>", inbound.own),
    path("admin/", admin.site.urls),
]

handler400 = "bookingflow.pages.bad_request"
handler404 = "bookingflow.pages.not_found"
handler500 = "bookingflow.pages.server_error"
