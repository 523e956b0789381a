"""The developers' first page: three steps to a working integration, then how it is doing today."""

from django.conf import settings
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render

from dashboard.access import PageRequest, page
from dashboard.views.keys import owner
from developers.models import ApiKey, ApiKeySecret
from developers.request_log import calls_lately
from organizations.permissions import Scope
from webhooks.health import delivered_lately, has_delivered
from webhooks.models import Endpoint

MOST = 100  # endpoints in trouble that are counted


@page(Scope.WEBHOOKS_READ)
def overview(request: PageRequest) -> HttpResponse:
    """What has been done is seen, not asked: a key that was used, a delivery that has arrived. Each mode has its own."""
    us, mode = owner(request), request.actor.organization.mode
    live = ApiKey.objects.visible_to(us).filter(mode=mode).live().count()
    used = ApiKeySecret.objects.visible_to(us).filter(key__mode=mode, last_used_at__isnull=False).exists()
    arrived, failed = delivered_lately(request.actor)
    calls, errors = calls_lately(by=request.actor) if Scope.LOGS_READ in request.actor.scopes else (0, 0)
    delivered = arrived > 0 or has_delivered(request.actor)
    trouble = Q(status=Endpoint.Status.DISABLED) | Q(status=Endpoint.Status.ACTIVE, failing_since__isnull=False)
    context = {
        "has_key": live > 0 or used,
        "has_called": used,
        "has_received": delivered,
        "keys": live,
        "calls": calls,
        "errors": errors,
        "arrived": arrived,
        "failed": failed,
        "endpoint": Endpoint.objects.visible_to(request.actor).first(),
        "troubled": Endpoint.objects.visible_to(request.actor).filter(trouble)[:MOST],
        "base": f"{settings.PUBLIC_URL}/api/v1/public",
    }
    return render(request, "dashboard/developers/overview.html", context)
