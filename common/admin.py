"""What every admin page of the domain shares: nothing is edited there; verbs are run there, through services. No page
counts a table: it would take the longer the more there is.
"""

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin import ShowFacets, display
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth import get_permission_codename
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin, TabularInline
from unfold.paginator import InfinitePaginator

from common import money
from common.errors import DomainError
from organizations.actor import Actor
from organizations.models import Organization

LOOKED_AT = 5_000  # rows of a big table among which a list filters, sorts and leafs: the newest of what is searched for


class UncountedAdmin(ModelAdmin):  # type: ignore[misc]
    """Lists that lead to a next page without knowing how many there are."""

    paginator = InfinitePaginator
    show_full_result_count = False
    show_facets = ShowFacets.NEVER  # numbers beside the filters are counts too
    list_per_page = 50

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """PostgreSQL takes no text with a NUL, not even to compare."""
        return "\0" not in value and bool(super().lookup_allowed(lookup, value, request))

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        found: tuple[QuerySet[Any], bool] = super().get_search_results(request, queryset, search_term.replace("\0", ""))
        return found


class Unchangeable:
    """A row written here would skip the services: their locks, their events, their audit. So not even superusers may."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnlyAdmin(Unchangeable, UncountedAdmin):
    """Every field of a row, to be looked at. `computed` names methods shown above the fields; `hidden` names fields
    that no page shows and no filter reaches: `?digest__startswith=` would give a secret away letter by letter.
    """

    computed: ClassVar[tuple[str, ...]] = ()
    hidden: ClassVar[tuple[str, ...]] = ()
    ordering = ("-pk",)  # newest first, by the one index that every table has
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


class BigTableAdmin(ReadOnlyAdmin):
    """Of a table that grows with every booking. A search looks each of `search_fields` up by itself, through its index, for
    exactly what was typed, in any case; filters and sorting choose among the newest `LOOKED_AT` of what it finds.
    """

    list_before_template = "admin/newest_only.html"
    looked_at = LOOKED_AT

    @property
    def searched_by(self) -> str:
        """The search's fields for people: `customer__public_id` is a customer public id."""
        return ", ".join(path.replace("_", " ").replace("  ", " ") for path in self.search_fields)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> tuple[QuerySet[Any], bool]:
        rows = self.model._default_manager.all()
        found = list(self._found(rows, search_term.strip(), request)) if search_term else [rows]
        newest = [part.order_by("-pk").values("pk")[:LOOKED_AT] for part in found]
        return queryset.filter(pk__in=newest[0].union(*newest[1:]) if newest else []), False

    def _found(self, rows: QuerySet[Any], text: str, request: HttpRequest) -> Iterator[QuerySet[Any]]:
        """The rows found by each field. What another table knows of is looked up there first: told the keys themselves, the
        planner knows how many rows they have, and by which index to go.
        """
        typed = {text, text.lower(), text.upper()}
        for path in self.get_search_fields(request):
            name, _, rest = path.partition("__")
            if not rest:
                yield rows.filter(**{f"{name}__in": typed})
                continue
            related = self.model._meta.get_field(name).related_model
            keys = list(related._default_manager.filter(**{f"{rest}__in": typed}).values_list("pk", flat=True)[:LOOKED_AT])
            if keys:
                yield rows.filter(**{f"{name}__in": keys})


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


def operator(request: HttpRequest, organization: Organization) -> Actor:
    """Who works in the admin, acting on that organization."""
    return Actor.operator(request.user, organization, request_id=request.request_id)  # type: ignore[arg-type,attr-defined]


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

    With a `question` nothing happens until it is answered on a page of its own. What was done stands in the admin's own log
    too, beside what the services record of it.
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
