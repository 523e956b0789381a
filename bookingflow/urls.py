"""The whole URL map."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView

from agents.views import mcp
from bookingflow import mailbox, pages
from calendars.views import calendar_feed
from dashboard.views.components import components
from developers.api.views import UnknownView
from payments.api import inbound

admin.autodiscover()
# One way in for everybody: the admin's own sign-in knows no second factor.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

api: list[URLPattern | URLResolver] = [
    path("", include("developers.api.urls")),
    path("", include("rooms.api.urls")),
    path("", include("customers.api.urls")),
    path("", include("bookings.api.urls")),
    path("", include("payments.api.urls")),
    path("", include("calendars.api.urls")),
    path("", include("webhooks.api.urls")),
    path("openapi.json", pages.openapi),
    re_path(r"^.*$", UnknownView.as_view()),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", pages.start, name="start"),
    path("developers", pages.developers_public, name="developers_public"),
    path("developers/status", pages.status, name="status"),
    path("api/v1/public/", include(api)),
    path("v1/", include(api)),
    path("mcp", mcp, name="mcp"),
    path("backend/docs", RedirectView.as_view(pattern_name="docs")),
    path("backend/docs/", pages.docs_page, name="docs"),
    path("backend/docs/api.md", pages.docs_markdown, name="docs_markdown"),
    path("backend/docs/events.json", pages.event_schemas),
    path("backend/docs/search", pages.docs_search, name="docs_search"),
    path("backend/docs/<path:slug>.md", pages.docs_page_markdown, name="docs_page_markdown"),
    path("backend/docs/<path:slug>", pages.docs_page, name="docs_page"),
    path("calendars/<str:token>.ics", calendar_feed, name="calendar_feed"),
    path("llms.txt", pages.llms),
    path(".well-known/api-catalog", pages.api_catalog),
    path("metrics", pages.metrics),
    path("webhooks/stripe", inbound.platform),
    path("webhooks/stripe/<slug:organization>", inbound.own),
    path("dashboard", include("dashboard.urls")),
    path("components", components, name="components"),  # in development only
    path("accounts/", include("allauth.urls")),
    path("mail", mailbox.mailbox, name="mail"),
    path("admin/", admin.site.urls),
]

handler400 = "bookingflow.pages.bad_request"
handler403 = "bookingflow.pages.not_allowed"
handler404 = "bookingflow.pages.not_found"
handler500 = "bookingflow.pages.server_error"
