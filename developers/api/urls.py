from django.urls import path

from developers.api.views import MeViewSet, StatusViewSet

urlpatterns = [
    path("me", MeViewSet.as_view({"get": "retrieve"}), name="me"),
    path("status", StatusViewSet.as_view({"get": "retrieve"}), name="status"),
]
