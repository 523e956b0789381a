"""What has happened, in the operators' admin."""

from django.contrib import admin

from common.admin import ReadOnlyAdmin
from webhooks.models import Event


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ("public_id", "organization", "type", "object_id", "object_version", "actor_type", "occurred_at")
    list_filter = ("type",)
    list_select_related = ("organization",)
    search_fields = ("public_id__exact", "object_id__exact", "request_id__exact", "organization__slug")
