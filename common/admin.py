"""What every admin page of the domain shares: nothing is edited there; verbs are run there, through services."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin import display
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth import get_permission_codename
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin, TabularInline

from common import money
from common.errors import DomainError


class Unchangeable:
    """A row written here would skip the services: their locks, their events, their audit. So not even superusers may."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnlyAdmin(Unchangeable, ModelAdmin):  # type: ignore[misc]
    """Every field of a row, to be looked at. `computed` names methods shown above the fields; `hidden` names fields
    that no page shows and no filter reaches: `?digest__startswith=` would give a secret away letter by letter.
    """

    computed: ClassVar[tuple[str, ...]] = ()
    hidden: ClassVar[tuple[str, ...]] = ()
    ordering = ("-pk",)  # newest first, by the one index that every table has
    list_per_page = 50
    show_full_result_count = False
    list_disable_select_all = True  # a verb on rows that nobody has looked at is an accident

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        known = [*self.model._meta.fields, *self.model._meta.many_to_many]
        return [*self.computed, *(field.name for field in known if not field.primary_key and field.name not in self.hidden)]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return self.get_fields(request, obj)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup.split("__")[0] not in self.hidden and bool(super().lookup_allowed(lookup, value, request))

    def has_act_permission(self, request: HttpRequest) -> bool:
        """Looking takes the model's view permission; its actions take its change permission."""
        return may_change(request, self.model)


class ReadOnlyInline(Unchangeable, TabularInline):  # type: ignore[misc]
    """Rows of another model on a page, to be looked at."""

    extra = 0
    can_delete = False
    hide_title = True


def money_text(field: str, label: str, *, sortable: bool = True) -> Callable[[Any, Any], str]:
    """A column for people, of an amount in minor units in the row's currency."""

    @display(description=label, ordering=field if sortable else None)
    def show(admin: Any, row: Any) -> str:
        return money.text(getattr(row, field), row.currency)

    return show


def may_change(request: HttpRequest, model: type[Model]) -> bool:
    """Whether the user was given the model's change permission, whatever the admin lets anybody do."""
    return request.user.has_perm(f"{model._meta.app_label}.{get_permission_codename('change', model._meta)}")


def perform(
    admin: Any,
    request: HttpRequest,
    rows: QuerySet[Any],
    verb: Callable[[Any], object],
    *,
    done: str,
    question: str = "",
) -> HttpResponse | None:
    """Do the verb to each row, a transaction each: one refusal, told as a message, does not undo the others.

    With a `question` nothing happens until it is answered on a page of its own. The system acts; who told it to is kept
    in the admin's own log.
    """
    if question and request.POST.get("confirm") != "yes":
        context = {
            **admin.admin_site.each_context(request),
            "title": question,
            "opts": admin.opts,
            "rows": rows,
            "action": request.POST["action"],
            "checkbox_name": ACTION_CHECKBOX_NAME,
        }
        return TemplateResponse(request, "admin/confirm_action.html", context)
    for row in rows:
        try:
            verb(row)
        except DomainError as refusal:
            admin.message_user(request, f"{row}: {refusal.detail}", messages.ERROR)
            continue
        row.refresh_from_db()  # the log repeats the row's name, which an erasure has just emptied
        admin.log_change(request, row, done)
        admin.message_user(request, f"{row}: {done}.", messages.SUCCESS)
    return None
