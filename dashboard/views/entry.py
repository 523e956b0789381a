"""Which organization one works in."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from common.errors import NotFound
from dashboard.access import PageRequest, page, remember
from dashboard.forms.entry import NewOrganizationForm
from organizations.models import User
from rooms.services import open_organization, sandbox_for


@page(methods=("POST",))
def switch(request: PageRequest) -> HttpResponse:
    """To another organization of one's own, or between live and test mode; a twin is made when it is first wanted."""
    wanted = request.POST.get("organization") or request.membership.organization.public_id
    membership = next((one for one in request.memberships if one.organization.public_id == wanted), None)
    if membership is None:
        raise NotFound("organization")
    mode = "test" if request.POST.get("mode") == "test" else "live"
    if mode == "test":
        sandbox_for(membership.organization)
    remember(request, membership.organization, mode)
    return redirect("dashboard:home")


@page()
def more(request: PageRequest) -> HttpResponse:
    """What the bar at the foot of a phone's screen has no place for."""
    return render(request, "dashboard/more.html")


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new_organization(request: HttpRequest) -> HttpResponse:
    """For those who belong to none, or want another."""
    form = NewOrganizationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        assert isinstance(request.user, User)
        organization = open_organization(owner=request.user, **form.cleaned_data)
        remember(request, organization)
        messages.success(request, f"{organization.name} is ready.")
        return redirect("dashboard:home")
    return render(request, "dashboard/new_organization.html", {"form": form}, status=422 if form.errors else 200)
