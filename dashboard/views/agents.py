"""Settings → Developers → Agents: how an assistant is let in, and what it did lately."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from dashboard.access import PageRequest, page
from dashboard.agent_clients import CLIENTS
from dashboard.highlight import highlighted
from developers.models import RequestLogEntry
from organizations.permissions import Scope

MOST = 20  # calls that are shown


@page()
def developers_agents(request: PageRequest) -> HttpResponse:
    client = CLIENTS.get(request.GET.get("client", "")) or CLIENTS["claude-code"]
    here = reverse("dashboard:developers_agents")
    url = f"{settings.PUBLIC_URL}/mcp"
    logs = RequestLogEntry.objects.without_what_was_said().visible_to(request.actor)
    context = {
        "url": url,
        "client": client,
        "code": highlighted(client.code(url), client.language),
        "clients": [
            {"label": one.label, "url": f"{here}?client={one.slug}", "active": one is client} for one in CLIENTS.values()
        ],
        "calls": list(logs.by_tools()[:MOST]) if Scope.LOGS_READ in request.actor.scopes else [],
    }
    return render(request, "dashboard/developers/agents.html", context)
