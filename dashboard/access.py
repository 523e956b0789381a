"""Who may open a page. Every view of the dashboard is wrapped by `page`, which makes the Actor that services receive."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

from allauth.account.decorators import reauthentication_required
from allauth.account.internal.flows.reauthentication import is_reauthentication_required
from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_http_methods
from django_htmx.middleware import HtmxDetails

from common import logs
from common.errors import DomainError, ErrorCode, NotFound
from developers.problems import headers_for, to_domain_error
from organizations.actor import Actor
from organizations.models import Membership, Organization, User
from organizations.permissions import Scope
from organizations.services import require_administrator

ORGANIZATION, MODE = "organization", "mode"  # what the session remembers: a public id, and `test` for the sandbox twin


class PageRequest(HttpRequest):
    """A signed-in member's request."""

    user: User
    htmx: HtmxDetails
    request_id: str
    actor: Actor  # acts on the current organization: the live one or its sandbox twin
    membership: Membership  # of the live one
    memberships: list[Membership]  # all that the person has, by the organization's name


@dataclass(frozen=True)
class Access:
    """What a page asks of its visitor."""

    scopes: tuple[Scope, ...] = ()
    administrators: bool = False

    def require(self, actor: Actor) -> None:
        """Raise NotAllowed or NotAdministrator."""
        actor.require(*self.scopes)
        if self.administrators:
            require_administrator(actor)


View = Callable[..., HttpResponseBase]


def page(
    *scopes: Scope,
    administrators: bool = False,
    recent: bool = False,
    secret: bool = False,
    methods: tuple[str, ...] = ("GET",),
) -> Callable[[View], Callable[..., HttpResponseBase]]:
    """For members who have all of the scopes (and are owners or managers; and have just proved who they are, where `recent`).

    What was sent goes on after that proof, except for a `secret`, which is never laid by meanwhile.
    Others are asked to sign in, or see why not. A DomainError that the view does not catch becomes a page with its status.
    Nothing is kept by browsers or proxies.
    """
    access = Access(scopes, administrators)
    allowed = [*methods, "HEAD"] if "GET" in methods else [*methods]

    def decorate(view: View) -> Callable[..., HttpResponseBase]:
        inner = reauthentication_required(view) if recent and not secret else view

        @functools.wraps(view)
        @require_http_methods(allowed)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not request.user.is_authenticated:
                return redirect_to_login(_way_back(request))
            ours = cast(PageRequest, request)
            if not _enter(ours):
                return redirect("dashboard:new_organization")
            try:
                _refuse_nul(kwargs)
                access.require(ours.actor)
                if recent and secret and is_reauthentication_required(request, app=""):
                    return redirect_to_login(_way_back(request), reverse("account_reauthenticate"))
                response = inner(ours, *args, **kwargs)
            except (DomainError, Http404, OperationalError, InterfaceError, IntegrityError) as error:
                response = refusal(request, to_domain_error(error))
            add_never_cache_headers(response)
            return response

        return wrapped

    return decorate


def _way_back(request: HttpRequest) -> str:
    """Where to go on after signing in: here, or for what was sent from a form to the page that the form stands on."""
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    here = urlsplit(request.headers.get("Referer", ""))
    return here.path if here.netloc == request.get_host() and here.path.startswith("/dashboard") else reverse("dashboard:home")


def _refuse_nul(kwargs: dict[str, Any]) -> None:
    """No id has that letter, and PostgreSQL takes no text with it."""
    if any("\0" in str(value) for value in kwargs.values()):
        raise NotFound("page")


def _enter(request: PageRequest) -> bool:
    """Which organization the person is in: the one that the session remembers, else the first. False without any."""
    found = Membership.objects.of(request.user).select_related("organization__plan", "organization__sandbox__plan")
    request.memberships = list(found.order_by("organization__name", "pk"))
    if not request.memberships:
        return False
    remembered = request.session.get(ORGANIZATION)
    by_id = {membership.organization.public_id: membership for membership in request.memberships}
    request.membership = by_id.get(remembered, request.memberships[0])
    request.membership.user = request.user
    twin = _twin(request.membership.organization) if request.session.get(MODE) == "test" else None
    request.actor = Actor.member(request.membership, request_id=request.request_id, organization=twin)
    logs.note(organization=request.actor.organization.public_id, user=request.user.public_id)
    return True


def _twin(organization: Organization) -> Organization | None:
    return getattr(organization, "sandbox", None)


def remember(request: HttpRequest, organization: Organization, mode: str = "live") -> None:
    """The organization that the person works in from now on."""
    request.session[ORGANIZATION] = organization.public_id
    request.session[MODE] = mode


def refusal(request: HttpRequest, error: DomainError) -> HttpResponse:
    """The refusal as a page: what is in the way, and where to go from here."""
    context = {"error": error, "gone": isinstance(error, NotFound), "public_url": settings.PUBLIC_URL, "request": request}
    # While the database is away nobody knows who is signed in: the page is drawn without asking.
    who = None if error.code is ErrorCode.SERVICE_UNAVAILABLE else request
    page = render_to_string("refused.html", context, who)
    return HttpResponse(page, status=error.code.status, headers=headers_for(error))
