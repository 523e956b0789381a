from typing import Any

from django.urls import path

from rooms.api.views import BlockViewSet, RoomViewSet, ScheduleViewSet, VenueViewSet

MANY: dict[str, Any] = {"get": "list", "post": "create"}
ONE: dict[str, Any] = {"get": "retrieve", "put": "update", "patch": "update", "delete": "destroy"}

urlpatterns = [
    path("venues", VenueViewSet.as_view(MANY), name="venues"),
    path("venues/<slug:id>", VenueViewSet.as_view(ONE), name="venue"),
    path("rooms", RoomViewSet.as_view(MANY), name="rooms"),
    path("rooms/<slug:id>", RoomViewSet.as_view(ONE), name="room"),
    path("schedules", ScheduleViewSet.as_view({"get": "list"}), name="schedules"),
    path("schedules/block", BlockViewSet.as_view(MANY), name="blocks"),
    path("schedules/block/<slug:id>", BlockViewSet.as_view(ONE), name="block"),
]
