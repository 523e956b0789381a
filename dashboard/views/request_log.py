"""Settings → Developers → Request log: what was asked, and what was answered."""

import datetime as dt
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django_htmx.http import HttpResponseClientRefresh

from common.errors import NotFound
from common.walltime import utc_text
from dashboard.access import PageRequest, page
from dashboard.forms.request_log import RequestLogForm
from dashboard.highlight import highlighted
from dashboard.paging import CURSOR, SORT, page_of
from dashboard.templatetags.developers import pretty
from dashboard.views.keys import owner
from developers.log_filters import RequestLogFilters
from developers.models import ApiKey, RequestLogEntry
from developers.operations import operation_of
from developers.request_log import bodies, find_entry, is_coming
from organizations.actor import Actor
from organizations.permissions import Scope

MOST_KEYS = 200  # to choose from
FILTERS = ("status", "method", "path", "key", "error_code", "tool", "request_id", "created_since", "created_until")
FOLDED = FILTERS[4:]  # rarer ones
TIMES = ("created_since", "created_until")
VIEWS = {"": "All", "2xx": "Succeeded", "4xx": "Refused", "5xx": "Failed"}


@page(Scope.LOGS_READ)
def request_log(request: PageRequest) -> HttpResponse:
    """The API's filters, under their own names in the address."""
    times = {name: _instant(request.GET[name]) for name in TIMES if request.GET.get(name)}
    given = {name: ",".join(filter(None, request.GET.getlist(name))) for name in FILTERS}
    asked = {name: value for name, value in given.items() if value} | {
        name: utc_text(when) or "" if when else given[name] for name, when in times.items()
    }
    entries = RequestLogEntry.objects.without_what_was_said().visible_to(request.actor)
    filters = RequestLogFilters(asked, queryset=entries)
    errors = [f"{name}: {error}" for name, found in filters.errors.items() for error in found]
    keys = ApiKey.objects.visible_to(owner(request)).filter(mode=request.actor.organization.mode)
    context = {
        "pager": page_of(entries.none() if errors else filters.qs, request),
        "errors": errors,
        "chips": _chips(request, asked.get("status", "")),
        "form": RequestLogForm(initial={**given, **times}, keys=list(keys.values_list("public_id", "name")[:MOST_KEYS])),
        "more": bool(asked.keys() & set(FOLDED)),
        "sort": request.GET.get(SORT, ""),
        "filtered": bool(asked),
    }
    return render(request, "dashboard/developers/request_log.html", context, status=422 if errors else 200)


@page(Scope.LOGS_READ)
def log_entry(request: PageRequest, public_id: str) -> HttpResponse:
    """By its id or the request's, of `?mode=`. One that is not there yet is waited for: a worker writes it down in a moment."""
    actor = _actor(request)
    try:
        entry = find_entry(by=actor, id=public_id)
    except NotFound:
        if not is_coming(public_id):
            raise
        return render(request, "dashboard/developers/log_entry_coming.html", {"request_id": public_id})
    if request.htmx.target == "coming":
        return HttpResponseClientRefresh()
    kept = bodies(entry)
    operation, _ = operation_of(entry.method, entry.path)
    context = {
        "entry": entry,
        "entry_mode": actor.organization.mode,
        "operation": operation,
        "request_body": _shown(kept.get("request")),
        "answer_body": _shown(kept.get("answer")),
        "kept": kept,
    }
    return render(request, "dashboard/developers/log_entry.html", context)


def _actor(request: PageRequest) -> Actor:
    """The member on the organization of `?mode=`: calls from the playground are in its sandbox's log, whatever one looks at."""
    live, mode = request.membership.organization, request.GET.get("mode")
    on = {"live": live, "test": getattr(live, "sandbox", None)}.get(mode or "") or request.actor.organization
    return Actor.member(request.membership, request_id=request.request_id, organization=on)


def _shown(body: dict[str, Any] | None) -> Any:
    return highlighted(pretty(body["text"]), "json") if body and body["text"] else ""


def _instant(text: str) -> dt.datetime | None:
    """As the browser's picker writes it, which is UTC here, or as the API has it."""
    try:
        found = parse_datetime(text.replace(" ", "+"))
    except ValueError:
        return None
    return found.replace(tzinfo=dt.UTC) if found and found.tzinfo is None else found


def _chips(request: PageRequest, status: str) -> list[dict[str, Any]]:
    links = request.GET.copy()
    links.pop(CURSOR, None)
    chips = []
    for value, label in VIEWS.items():
        links["status"] = value
        chips.append({"label": label, "url": f"?{links.urlencode()}", "active": status == value})
    return chips
