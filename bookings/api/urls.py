from typing import Any

from django.urls import path

from bookings.api.views import BookingHistoryViewSet, BookingViewSet

ONE = "bookings/<slug:id>"
CHANGES: dict[str, Any] = {"get": "retrieve", "put": "update", "patch": "update", "delete": "destroy"}

urlpatterns = [
    path("bookings", BookingViewSet.as_view({"get": "list", "post": "create"}), name="bookings"),
    path("bookings/quote", BookingViewSet.as_view({"post": "quote_creation"}), name="booking-quote-creation"),
    path(ONE, BookingViewSet.as_view(CHANGES), name="booking"),
    path(f"{ONE}/quote", BookingViewSet.as_view({"post": "quote"}), name="booking-quote"),
    path(f"{ONE}/confirm", BookingViewSet.as_view({"post": "confirm"}), name="booking-confirm"),
    path(f"{ONE}/extend", BookingViewSet.as_view({"post": "extend"}), name="booking-extend"),
    path(f"{ONE}/check-in", BookingViewSet.as_view({"post": "check_in"}), name="booking-check-in"),
    path(f"{ONE}/no-show", BookingViewSet.as_view({"post": "no_show"}), name="booking-no-show"),
    path(f"{ONE}/refunds", BookingViewSet.as_view({"post": "refund"}), name="booking-refunds"),
    path(f"{ONE}/events", BookingHistoryViewSet.as_view({"get": "list"}), name="booking-events"),
]
