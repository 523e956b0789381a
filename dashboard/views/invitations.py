"""Where an invitation's link leads."""

from allauth.account.models import EmailAddress
from allauth.account.utils import filter_users_by_email
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from common.errors import DomainError
from dashboard.access import remember
from dashboard.forms.members import ROLES
from dashboard.forms.signup import INVITATION
from organizations.invitations import accept_invitation, find_invitation
from organizations.models import Invitation, User
from organizations.permissions import Role


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Who has signed in with the invited address joins; others sign in or up first, and are told with which address."""
    try:
        found = find_invitation(token)
        if request.method == "POST" and isinstance(request.user, User):
            membership = accept_invitation(token=token, user=request.user)
            remember(request, membership.organization)
            messages.success(request, f"Welcome to {membership.organization.name}.")
            return redirect("dashboard:home")
    except DomainError as error:
        return render(request, "dashboard/invitation_closed.html", {"error": error}, status=error.code.status)
    context = {"invitation": found, "role": ROLES[Role(found.role)], **_next_step(request, found, token)}
    return render(request, "dashboard/invitation.html", context)


def _next_step(request: HttpRequest, found: Invitation, token: str) -> dict[str, object]:
    if isinstance(request.user, User):
        own = EmailAddress.objects.filter(user=request.user, email=found.email).exists()
        return {"is_theirs": own or request.user.email == found.email}
    if filter_users_by_email(found.email):
        return {"sign_in": f"{reverse('account_login')}?{urlencode({'next': request.path})}"}
    return {"sign_up": f"{reverse('account_signup')}?{urlencode({INVITATION: token})}"}
