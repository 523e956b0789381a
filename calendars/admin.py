"""Feeds and imports in the operators' admin: who reads and what is read, and how that goes."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from calendars.models import CalendarFeed, CalendarImport, ImportedTime
from calendars.services import pause_import, request_sync, resume_import
from common.admin import BigTableAdmin, ReadOnlyAdmin, operator, perform


@admin.register(CalendarFeed)
class CalendarFeedAdmin(ReadOnlyAdmin):
    hidden = ("digest",)
    list_display = ("__str__", "public_id", "organization", "room", "venue", "include_names", "prefix", "last_read_at")
    list_filter = ("include_names",)
    list_select_related = ("organization", "room", "venue")
    search_fields = ("public_id__exact", "name", "organization__slug")


@admin.register(CalendarImport)
class CalendarImportAdmin(ReadOnlyAdmin):
    hidden = ("url",)  # encrypted, and often all the secret that a calendar has
    list_display = ("name", "public_id", "organization", "host", "status", "failure", "synced_at", "next_sync_at")
    list_filter = ("status", "failure")
    list_select_related = ("organization",)
    search_fields = ("public_id__exact", "name", "host", "organization__slug")
    actions = ("sync", "pause", "resume")

    @admin.action(description="Read now", permissions=["act"])
    def sync(self, request: HttpRequest, queryset: QuerySet[CalendarImport]) -> HttpResponse | None:
        return perform(
            self,
            request,
            queryset,
            lambda source: request_sync(source=source, by=operator(request, source.organization)),
            done="To be read",
        )

    @admin.action(description="Pause", permissions=["act"])
    def pause(self, request: HttpRequest, queryset: QuerySet[CalendarImport]) -> HttpResponse | None:
        return perform(
            self,
            request,
            queryset,
            lambda source: pause_import(source=source, by=operator(request, source.organization)),
            done="Paused",
            question="Pause these imports? Their coming blocks go, and the time is on sale again.",
        )

    @admin.action(description="Resume", permissions=["act"])
    def resume(self, request: HttpRequest, queryset: QuerySet[CalendarImport]) -> HttpResponse | None:
        return perform(
            self,
            request,
            queryset,
            lambda source: resume_import(source=source, by=operator(request, source.organization)),
            done="Resumed",
        )


@admin.register(ImportedTime)
class ImportedTimeAdmin(BigTableAdmin):
    list_display = ("starts_at", "ends_at", "source", "organization", "block")
    list_select_related = ("source__organization", "block")
    search_fields = ("source__public_id", "block__public_id")

    @admin.display(ordering="source__organization")
    def organization(self, time: ImportedTime) -> str:
        return str(time.source.organization)
