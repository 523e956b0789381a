"""Events and how they go out, in the operators' admin: what was sent, what came back, and sending it again."""

import datetime as dt

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from common.admin import BigTableAdmin, ReadOnlyAdmin, ReadOnlyInline, operator, perform
from webhooks.models import Attempt, Delivery, Endpoint, EndpointSecret, Event, EventCounter, Replay
from webhooks.services import cancel_replay, enable_endpoint, pause_endpoint, resend, start_replay

REPLAYED = dt.timedelta(hours=24)


class SecretInline(ReadOnlyInline):
    model = EndpointSecret
    fields = readonly_fields = ("created_at", "retires_at")


class AttemptInline(ReadOnlyInline):
    model = Attempt
    ordering = ("number", "pk")
    fields = readonly_fields = ("number", "started_at", "seconds", "status_code", "failure", "answer", "answer_headers", "late")


@admin.register(Endpoint)
class EndpointAdmin(ReadOnlyAdmin):
    hidden = ("headers",)  # encrypted, and the owner's own secrets
    list_display = ("url", "public_id", "organization", "status", "failing_since", "resting_until", "created_at")
    list_filter = ("status", "disabled_reason")
    list_select_related = ("organization",)
    search_fields = ("public_id__exact", "url", "organization__slug")
    inlines = (SecretInline,)
    actions = ("pause", "enable", "replay")

    @admin.action(description="Pause", permissions=["act"])
    def pause(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> HttpResponse | None:
        return perform(
            self,
            request,
            queryset,
            lambda endpoint: pause_endpoint(endpoint=endpoint, by=operator(request, endpoint.organization)),
            done="Paused",
            question="Pause these endpoints? They get nothing until they are enabled; their events are held.",
        )

    @admin.action(description="Enable", permissions=["act"])
    def enable(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> HttpResponse | None:
        return perform(
            self,
            request,
            queryset,
            lambda endpoint: enable_endpoint(endpoint=endpoint, by=operator(request, endpoint.organization)),
            done="Enabled",
            question="Enable these endpoints? They get their events again; what was held stays held.",
        )

    @admin.action(description="Replay the last 24 hours", permissions=["act"])
    def replay(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> HttpResponse | None:
        since = timezone.now() - REPLAYED
        return perform(
            self,
            request,
            queryset,
            lambda endpoint: start_replay(endpoint=endpoint, by=operator(request, endpoint.organization), since=since),
            done="Replay started",
            question="Send these endpoints every event of the last 24 hours again?",
        )


@admin.register(EndpointSecret)
class EndpointSecretAdmin(ReadOnlyAdmin):
    hidden = ("encrypted",)
    list_display = ("__str__", "endpoint", "organization", "created_at", "retires_at")
    list_select_related = ("endpoint__organization",)
    search_fields = ("endpoint__public_id__exact", "endpoint__organization__slug")

    @admin.display(ordering="endpoint__organization")
    def organization(self, secret: EndpointSecret) -> str:
        return str(secret.endpoint.organization)


@admin.register(Event)
class EventAdmin(BigTableAdmin):
    hidden = ("body",)  # the same as data, once more
    list_display = ("public_id", "organization", "sequence", "type", "object_id", "object_version", "actor_type", "occurred_at")
    list_filter = ("type",)
    list_select_related = ("organization",)
    search_fields = ("public_id", "object_id", "organization__slug")


@admin.register(EventCounter)
class EventCounterAdmin(ReadOnlyAdmin):
    list_display = ("organization", "last")
    list_select_related = ("organization",)
    search_fields = ("organization__slug",)


@admin.register(Delivery)
class DeliveryAdmin(BigTableAdmin):
    list_display = ("public_id", "organization", "endpoint", "event", "state", "lane", "attempts", "failure", "due_at")
    list_filter = ("state", "lane")
    list_select_related = ("organization", "endpoint", "event")
    search_fields = ("public_id", "event__public_id", "event__object_id", "endpoint__public_id", "organization__slug")
    inlines = (AttemptInline,)
    actions = ("resend",)

    @admin.action(description="Resend", permissions=["act"])
    def resend(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> HttpResponse | None:
        return perform(
            self,
            request,
            queryset,
            lambda delivery: resend(delivery=delivery, by=operator(request, delivery.organization)),
            done="Sent again",
            question="Send these deliveries again?",
        )


@admin.register(Attempt)
class AttemptAdmin(BigTableAdmin):
    list_display = ("__str__", "endpoint", "started_at", "seconds", "status_code", "failure", "late")
    list_filter = ("late",)
    list_select_related = ("delivery", "endpoint")
    search_fields = ("delivery__public_id", "endpoint__public_id")


@admin.register(Replay)
class ReplayAdmin(ReadOnlyAdmin):
    list_display = ("public_id", "organization", "endpoint", "since", "until", "state", "queued", "total", "created_at")
    list_filter = ("state",)
    list_select_related = ("organization", "endpoint")
    search_fields = ("public_id__exact", "endpoint__public_id__exact", "organization__slug")
    actions = ("cancel",)

    @admin.action(description="Cancel", permissions=["act"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Replay]) -> HttpResponse | None:
        return perform(
            self,
            request,
            queryset,
            lambda replay: cancel_replay(replay=replay, by=operator(request, replay.organization)),
            done="Canceled",
            question="Cancel these replays? What waits to be sent again is not sent.",
        )
