from typing import Any

from django.urls import path

from calendars.api.views import BookingCalendarViewSet, CalendarFeedViewSet, CalendarImportViewSet

IMPORT = "calendar_imports/<slug:id>"
MANY: dict[str, Any] = {"get": "list", "post": "create"}
ONE: dict[str, Any] = {"get": "retrieve", "put": "update", "patch": "update", "delete": "destroy"}

urlpatterns = [
    path("bookings/<slug:id>/calendar", BookingCalendarViewSet.as_view({"get": "retrieve"}), name="booking-calendar"),
    path("calendar_feeds", CalendarFeedViewSet.as_view(MANY), name="calendar-feeds"),
    path("calendar_feeds/<slug:id>", CalendarFeedViewSet.as_view(ONE), name="calendar-feed"),
    path("calendar_imports", CalendarImportViewSet.as_view(MANY), name="calendar-imports"),
    path(IMPORT, CalendarImportViewSet.as_view(ONE), name="calendar-import"),
    path(f"{IMPORT}/sync", CalendarImportViewSet.as_view({"post": "sync"}), name="calendar-import-sync"),
    path(f"{IMPORT}/pause", CalendarImportViewSet.as_view({"post": "pause"}), name="calendar-import-pause"),
    path(f"{IMPORT}/resume", CalendarImportViewSet.as_view({"post": "resume"}), name="calendar-import-resume"),
]
