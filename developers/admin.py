"""API keys in the operators' admin. No page shows a digest or a kept answer."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from common.admin import BigTableAdmin, ReadOnlyAdmin, ReadOnlyInline, operator, perform
from developers.models import ApiKey, ApiKeySecret, IdempotencyRecord, LogErasure, RequestLogEntry
from developers.services import revoke_key


class SecretInline(ReadOnlyInline):
    model = ApiKeySecret
    show_change_link = True
    fields = readonly_fields = ("prefix", "last4", "created_at", "last_used_at", "last_used_ip", "retires_at", "revoked_at")


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = ("name", "public_id", "organization", "mode", "preset", "expires_at", "created_at")
    list_filter = ("mode", "preset")
    list_select_related = ("organization",)
    search_fields = ("public_id__exact", "name", "organization__slug")
    inlines = (SecretInline,)
    actions = ("revoke",)

    @admin.action(description="Revoke with all their secrets", permissions=["act"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> HttpResponse | None:
        return perform(
            self,
            request,
            queryset,
            lambda key: revoke_key(by=operator(request, key.organization), key=key),
            done="Revoked",
            question="Revoke these keys? The next request with one of their secrets is refused.",
        )


@admin.register(ApiKeySecret)
class ApiKeySecretAdmin(ReadOnlyAdmin):
    hidden = ("digest",)
    list_display = ("__str__", "key", "organization", "last_used_at", "retires_at", "revoked_at")
    list_select_related = ("key__organization",)
    search_fields = ("prefix__exact", "key__public_id__exact", "key__name", "key__organization__slug")
    actions = ("revoke",)

    @admin.action(description="Revoke", permissions=["act"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKeySecret]) -> HttpResponse | None:
        return perform(
            self,
            request,
            queryset,
            lambda secret: revoke_key(by=operator(request, secret.key.organization), key=secret.key, prefix=secret.prefix),
            done="Revoked",
            question="Revoke these secrets? The next request with one of them is refused; another secret of its key still works.",
        )

    @admin.display(ordering="key__organization")
    def organization(self, secret: ApiKeySecret) -> str:
        return str(secret.key.organization)


@admin.register(IdempotencyRecord)
class IdempotencyRecordAdmin(BigTableAdmin):
    hidden = ("body",)  # a kept answer holds personal data
    list_display = ("key", "organization", "status", "resource", "created_at")
    list_select_related = ("organization",)
    search_fields = ("key", "organization__slug")


@admin.register(RequestLogEntry)
class RequestLogEntryAdmin(BigTableAdmin):
    hidden = ("content", "query", "request_headers", "answer_headers")  # they hold personal data
    list_display = ("__str__", "organization", "key", "error_code", "duration_ms", "request_id", "created_at")
    list_select_related = ("organization",)
    list_filter = ("mode", "is_dry_run")
    search_fields = ("public_id", "organization__slug")


@admin.register(LogErasure)
class LogErasureAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "organization", "created_at")
    list_select_related = ("organization",)
