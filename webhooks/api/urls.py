from typing import Any

from django.urls import path

from webhooks.api.views import DeliveryViewSet, EndpointViewSet, EventViewSet, ReplayViewSet

ENDPOINT = "webhook_endpoints/<slug:id>"
MANY: dict[str, Any] = {"get": "list", "post": "create"}
ONE: dict[str, Any] = {"get": "retrieve", "put": "update", "patch": "update", "delete": "destroy"}

urlpatterns = [
    path("webhook_endpoints", EndpointViewSet.as_view(MANY), name="webhook-endpoints"),
    path(ENDPOINT, EndpointViewSet.as_view(ONE), name="webhook-endpoint"),
    path(f"{ENDPOINT}/rotate-secret", EndpointViewSet.as_view({"post": "rotate_secret"}), name="webhook-endpoint-rotate-secret"),
    path(f"{ENDPOINT}/pause", EndpointViewSet.as_view({"post": "pause"}), name="webhook-endpoint-pause"),
    path(f"{ENDPOINT}/enable", EndpointViewSet.as_view({"post": "enable"}), name="webhook-endpoint-enable"),
    path(f"{ENDPOINT}/ping", EndpointViewSet.as_view({"post": "ping"}), name="webhook-endpoint-ping"),
    path(f"{ENDPOINT}/test", EndpointViewSet.as_view({"post": "test"}), name="webhook-endpoint-test"),
    path(f"{ENDPOINT}/replay", EndpointViewSet.as_view({"post": "replay"}), name="webhook-endpoint-replay"),
    path("replays", ReplayViewSet.as_view({"get": "list"}), name="replays"),
    path("replays/<slug:id>", ReplayViewSet.as_view({"get": "retrieve", "delete": "destroy"}), name="replay"),
    path("deliveries", DeliveryViewSet.as_view({"get": "list"}), name="deliveries"),
    path("deliveries/<slug:id>", DeliveryViewSet.as_view({"get": "retrieve"}), name="delivery"),
    path("deliveries/<slug:id>/resend", DeliveryViewSet.as_view({"post": "resend"}), name="delivery-resend"),
    path("events", EventViewSet.as_view({"get": "list"}), name="events"),
    path("events/<slug:id>", EventViewSet.as_view({"get": "retrieve"}), name="event"),
]
