"""Keyset pages: each begins after a row, not at a number, so that nothing is skipped or shown twice while rows come and go."""

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.core import signing
from django.db.models import Q, QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from common.errors import FieldError, ValidationFailed
from developers.errors import CursorMismatch

if TYPE_CHECKING:
    from developers.viewsets import ApiViewSet

DEFAULT_LIMIT, MAX_LIMIT = 25, 100
TOTAL = "total_count"
TOTAL_SCHEMA = {"type": "integer", "description": "Of all pages; with `include=total_count` only."}
TOTAL_HELP = (
    "`total_count` adds how many objects the filters leave. They are counted anew each time: ask once, not for every page."
)
_SALT = "cursor"
_OF_THE_PAGE = {"cursor", "limit", "expand", "include"}  # may differ between the pages of one list


class KeysetPagination(BasePagination):
    """DRF's door to the pages; also tells the OpenAPI document about `limit`, `cursor`, `sort` and `include`."""

    page: "Page"
    total: int | None
    request: Request

    def paginate_queryset(  # type: ignore[override]
        self, queryset: QuerySet[Any], request: Request, view: "ApiViewSet"
    ) -> list[Any]:
        self.request = request
        self.total = queryset.count() if wants_total(request) else None
        self.page = page(
            queryset,
            sort=_sort(request, view),
            limit=_limit(request),
            cursor=request.query_params.get("cursor", ""),
            bound_to=_binding(request, view),
        )
        return self.page.rows

    def get_paginated_response(self, data: Any) -> Response:
        response = Response(
            {
                "object": "list",
                "data": data,
                "has_more": self.page.next_cursor is not None,
                "next_cursor": self.page.next_cursor,
                "prev_cursor": self.page.prev_cursor,
                **({} if self.total is None else {"total_count": self.total}),
            }
        )
        if links := self._links():
            response["Link"] = links
        return response

    def _links(self) -> str:
        """RFC 8288, with the same filters."""
        params = {name: self.request.query_params.getlist(name) for name in self.request.query_params}
        url = self.request.build_absolute_uri(self.request.path)
        neighbours = (("next", self.page.next_cursor), ("prev", self.page.prev_cursor))
        return ", ".join(
            f'<{url}?{urlencode({**params, "cursor": cursor}, doseq=True)}>; rel="{relation}"'
            for relation, cursor in neighbours
            if cursor
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        cursor = {"type": ["string", "null"]}
        properties = {
            "object": {"type": "string", "enum": ["list"]},
            "data": schema,
            "has_more": {"type": "boolean"},
            "next_cursor": cursor,
            "prev_cursor": cursor,
        }
        required = list(properties)
        return {"type": "object", "properties": {**properties, TOTAL: TOTAL_SCHEMA}, "required": required}

    def get_schema_operation_parameters(self, view: "ApiViewSet") -> list[dict[str, Any]]:
        fields = [sort.lstrip("-") for sort in view.sorts]
        limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}
        sort = {"type": "string", "enum": [*fields, *(f"-{field}" for field in fields)], "default": view.sorts[0]}
        return [
            _parameter("limit", limit, "Objects on a page."),
            _parameter("cursor", {"type": "string"}, "`next_cursor` or `prev_cursor` of a page with the same filters."),
            _parameter("sort", sort, "The field to sort by; `-` for descending."),
            _parameter("include", {"type": "string", "enum": [TOTAL]}, TOTAL_HELP),
        ]


class UncountedPagination(KeysetPagination):
    """Of a table that nobody should count: `include` is unknown there."""

    def paginate_queryset(  # type: ignore[override]
        self, queryset: QuerySet[Any], request: Request, view: "ApiViewSet"
    ) -> list[Any]:
        if "include" in request.query_params:
            raise ValidationFailed(FieldError("This list is not counted.", "unknown_parameter", parameter="include"))
        return super().paginate_queryset(queryset, request, view)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        told = super().get_paginated_response_schema(schema)
        return {**told, "properties": {name: one for name, one in told["properties"].items() if name != TOTAL}}

    def get_schema_operation_parameters(self, view: "ApiViewSet") -> list[dict[str, Any]]:
        return [one for one in super().get_schema_operation_parameters(view) if one["name"] != "include"]


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


def wants_total(request: Request) -> bool:
    """Whether `include` asks for the total. Raises ValidationFailed where it asks for anything else."""
    asked = [name for item in request.query_params.getlist("include") for name in item.split(",")]
    if set(asked) - {TOTAL}:
        raise ValidationFailed(FieldError(f"Only {TOTAL} can be included here.", parameter="include"))
    return bool(asked)


def _limit(request: Request) -> int:
    asked = request.query_params.get("limit", str(DEFAULT_LIMIT))
    if not (asked.isascii() and asked.isdigit() and len(asked) < 4 and 1 <= int(asked) <= MAX_LIMIT):
        raise ValidationFailed(FieldError(f"A number from 1 to {MAX_LIMIT}.", parameter="limit"))
    return int(asked)


def _sort(request: Request, view: "ApiViewSet") -> str:
    asked: str = request.query_params.get("sort", view.sorts[0])
    fields = {sort.lstrip("-") for sort in view.sorts}
    if asked.removeprefix("-") not in fields:
        raise ValidationFailed(FieldError(f"Sort by one of: {', '.join(sorted(fields))}.", parameter="sort"))
    return asked


def _binding(request: Request, view: "ApiViewSet") -> str:
    """What a cursor belongs to: this list, this tenant, these filters."""
    params = request.query_params
    filters = sorted((name, sorted(params.getlist(name))) for name in params if name not in _OF_THE_PAGE)
    return f"{type(view).__name__}|{view.action}|{sorted(view.kwargs.items())}|{view.actor.organization.pk}|{filters}"


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of one page in the list's order, and the cursors to its neighbours."""

    rows: list[Any]
    next_cursor: str | None
    prev_cursor: str | None


def page(queryset: QuerySet[Any], *, sort: str, limit: int, cursor: str, bound_to: str) -> Page:
    """One page of `queryset` by `sort` (a field, with `-` for descending), ties broken by the key.

    `bound_to` is a text of the list, its tenant and its filters: a cursor of another one raises CursorMismatch.
    """
    descending, field = sort.startswith("-"), sort.lstrip("-")
    binding = hashlib.sha256(f"{bound_to}|{sort}".encode()).hexdigest()[:16]
    backwards, position = _read(cursor, binding) if cursor else (False, None)
    down = descending != backwards
    if position is not None:
        queryset = queryset.filter(_beyond(field, position, down))
    sign = "-" if down else ""
    rows = list(queryset.order_by(f"{sign}{field}", f"{sign}pk")[: limit + 1])
    more, rows = len(rows) > limit, rows[:limit]
    if backwards:
        rows.reverse()

    has_next = bool(rows) and (more or backwards)
    has_prev = bool(rows) and (more if backwards else position is not None)
    return Page(
        rows,
        _write(rows[-1], field, binding, backwards=False) if has_next else None,
        _write(rows[0], field, binding, backwards=True) if has_prev else None,
    )


def _beyond(field: str, position: tuple[Any, int], down: bool) -> Q:
    value, pk = position
    op = "lt" if down else "gt"
    # The first condition alone lets the index find the place; the second settles ties.
    return Q(**{f"{field}__{op}e": value}) & (Q(**{f"{field}__{op}": value}) | Q(**{f"pk__{op}": pk}))


def _write(row: Any, field: str, binding: str, *, backwards: bool) -> str:
    value = getattr(row, field)
    text = value.isoformat() if isinstance(value, dt.datetime) else value
    return signing.dumps([binding, backwards, text, row.pk, isinstance(value, dt.datetime)], salt=_SALT)


def _read(cursor: str, binding: str) -> tuple[bool, tuple[Any, int]]:
    try:
        bound, backwards, value, pk, is_time = signing.loads(cursor, salt=_SALT)
    except (signing.BadSignature, ValueError):
        raise CursorMismatch("Take the cursor from next_cursor or prev_cursor as it is.") from None
    if bound != binding:
        raise CursorMismatch("Repeat the filters and the sort order under which the cursor was given.")
    return backwards, (dt.datetime.fromisoformat(value) if is_time else value, pk)
