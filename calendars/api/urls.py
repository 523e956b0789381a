from typing import Any

from django.urls import path

from calendars.api.views import BookingCalendarViewSet, CalendarFeedViewSet

MANY: dict[str, Any] = {"get": "list", "post": "create"}
ONE: dict[str, Any] = {"get": "retrieve", "put": "update", "patch": "update", "delete": "destroy"}

urlpatterns = [
    path("bookings/<slug:id>/calendar", BookingCalendarViewSet.as_view({"get": "retrieve"}), name="booking-calendar"),
    path("calendar_feeds", CalendarFeedViewSet.as_view(MANY), name="calendar-feeds"),
    path("calendar_feeds/<slug:id>", CalendarFeedViewSet.as_view(ONE), name="calendar-feed"),
]
