"""Pages of long lists: the API's keyset pages, behind the links of `components/pager.html`."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, QueryDict

from developers.errors import CursorMismatch
from developers.pagination import Page, page

ROWS = 25  # on a page
CURSOR, SORT = "cursor", "sort"  # parameters of the URL, as in the API


@dataclass(frozen=True, slots=True)
class Pager:
    """The rows in the list's order, the sort they are in, and cursors to the neighbours, None where there are none."""

    rows: list[Any]
    sort: str
    next_cursor: str | None
    prev_cursor: str | None


def page_of(
    queryset: QuerySet[Any], request: HttpRequest, *, sorts: tuple[str, ...] = ("-created_at",), rows: int = ROWS
) -> Pager:
    """The page that the URL asks for, by `?sort=` where it is one of `sorts`, either way round, else by the first of them.

    One query, whatever the list's length. A cursor of other filters, of another organization or made up begins at the first
    page, since people cut and paste addresses. Links that change a filter leave the cursor out: `{% query cursor=None … %}`.
    """
    sort = _sort(request.GET, sorts)
    try:
        found = _page(queryset, request, sort, rows, request.GET.get(CURSOR, ""))
    except CursorMismatch:
        found = _page(queryset, request, sort, rows, "")
    return Pager(found.rows, sort, found.next_cursor, found.prev_cursor)


def _page(queryset: QuerySet[Any], request: HttpRequest, sort: str, rows: int, cursor: str) -> Page:
    return page(queryset, sort=sort, limit=rows, cursor=cursor, bound_to=_binding(request))


def _sort(asked: QueryDict, sorts: tuple[str, ...]) -> str:
    sort = asked.get(SORT, "")
    return sort if sort.removeprefix("-") in {one.removeprefix("-") for one in sorts} else sorts[0]


def _binding(request: HttpRequest) -> str:
    """What a cursor belongs to: this page, this tenant, these filters."""
    organization = request.actor.organization.pk  # type: ignore[attr-defined]
    filters = sorted((name, sorted(request.GET.getlist(name))) for name in request.GET if name != CURSOR)
    return f"{request.path}|{organization}|{filters}"
