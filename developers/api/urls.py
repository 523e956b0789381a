from django.urls import path

from developers.api.logs import LogViewSet
from developers.api.views import MeViewSet, StatusViewSet

urlpatterns = [
    path("me", MeViewSet.as_view({"get": "retrieve"}), name="me"),
    path("status", StatusViewSet.as_view({"get": "retrieve"}), name="status"),
    path("logs", LogViewSet.as_view({"get": "list"}), name="logs"),
    path("logs/<slug:id>", LogViewSet.as_view({"get": "retrieve"}), name="log"),
]
