"""People and tenants in the operators' admin: the only rows that are edited there."""

from typing import Any

import allauth.account.admin
import allauth.mfa.admin
import allauth.usersessions.admin  # noqa: F401  these three register what is unregistered below
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from common.admin import ReadOnlyAdmin, UncountedAdmin, operator
from organizations.models import AuditEntry, Invitation, Membership, Organization, Plan, User
from organizations.permissions import Role
from organizations.services import add_member, record

admin.site.unregister(Group)  # what people may do comes from their memberships
# Keys of sessions and of second factors are nobody's to see, addresses nobody's to confirm but their owners'.
admin.site.unregister([EmailAddress, Authenticator, UserSession])


class LowerCaseEmail:
    """As UserManager keeps it: two cases of one address are one person."""

    cleaned_data: dict[str, Any]

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()


class NewUserForm(LowerCaseEmail, UserCreationForm):  # type: ignore[misc]
    class Meta:
        model = User
        fields = ("email", "name")
        field_classes: dict[str, type[forms.Field]] = {}


class UserForm(LowerCaseEmail, UserChangeForm):  # type: ignore[misc]
    class Meta:
        model = User
        fields = ("email", "name")
        field_classes: dict[str, type[forms.Field]] = {}


@admin.register(User)
class UserAdmin(DjangoUserAdmin, UncountedAdmin):  # type: ignore[type-arg]
    """Without deletion: the audit trail names people by their id. Who leaves becomes inactive."""

    form = UserForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("email", "name", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("email", "name", "public_id__exact")
    ordering = ("email",)
    filter_horizontal = ("user_permissions",)
    readonly_fields = ("public_id", "password_link", "last_login", "created_at")
    fieldsets = (
        (None, {"fields": ("email", "name", "public_id", "password_link")}),
        ("What they may do here", {"fields": ("is_active", "is_staff", "is_superuser", "user_permissions")}),
        ("Times", {"fields": ("last_login", "created_at")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),)

    @admin.display(description="password")
    def password_link(self, user: User) -> SafeString:
        """Django's own widget prints parts of the hash."""
        return format_html('<a href="{}" class="text-link">Set another password</a>', "../password/")

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Another address must be confirmed by its owner; the old one signs nobody in."""
        super().save_model(request, obj, form, change)
        EmailAddress.objects.filter(user=obj).exclude(email=obj.email).delete()

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Only a superuser makes operators; else an operator could make a superuser of themselves."""
        powers = () if request.user.is_superuser else ("is_staff", "is_superuser", "user_permissions")
        return (*self.readonly_fields, *powers)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nor may they set a superuser's password or address and so become one."""
        above = obj is not None and obj.is_superuser and not request.user.is_superuser
        return not above and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False


@admin.register(Plan)
class PlanAdmin(UncountedAdmin):
    list_display = ("name", "slug", "max_api_keys", "max_webhook_endpoints", "keys_may_write", "rate_per_minute", "rate_burst")
    search_fields = ("name", "slug")


@admin.register(Organization)
class OrganizationAdmin(UncountedAdmin):
    list_display = ("name", "slug", "plan", "mode", "created_at")
    list_filter = ("plan",)  # a handful of rows
    list_select_related = ("plan",)
    search_fields = ("name", "slug", "public_id__exact")
    ordering = ("-pk",)
    autocomplete_fields = ("plan",)
    fields = ("name", "slug", "plan", "public_id", "sandbox_of", "created_at")
    readonly_fields = ("public_id", "sandbox_of", "created_at")

    def has_delete_permission(self, request: HttpRequest, obj: Organization | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Organization, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        action = "organization.changed" if change else "organization.created"
        record(operator(request, obj), action, obj.public_id, fields=form.changed_data)


@admin.register(Membership)
class MembershipAdmin(UncountedAdmin):
    list_display = ("user", "organization", "role", "joined_at")
    list_filter = ("role",)
    list_select_related = ("user", "organization")
    search_fields = ("user__email", "user__name", "organization__slug", "organization__name")
    ordering = ("-pk",)
    autocomplete_fields = ("user", "organization")
    fields = ("user", "organization", "role", "joined_at")

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> tuple[str, ...]:
        """The role may change; another person or organization is another membership."""
        return ("user", "organization", "joined_at") if obj else ("joined_at",)

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        by = operator(request, obj.organization)
        obj.pk = add_member(organization=obj.organization, user=obj.user, role=Role(obj.role), by=by).pk

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        record(operator(request, obj.organization), "member.removed", obj.user.public_id)
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        for membership in queryset:
            self.delete_model(request, membership)


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    hidden = ("digest",)
    list_display = ("email", "organization", "role", "state", "sent_at", "expires_at")
    list_select_related = ("organization",)
    search_fields = ("email", "public_id__exact", "organization__slug")


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    list_display = ("at", "organization", "action", "subject", "actor_type", "actor_id")
    list_select_related = ("organization",)
    search_fields = ("action", "subject__exact", "actor_id__exact", "request_id__exact", "organization__slug")
