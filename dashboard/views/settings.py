"""Settings of the organization itself: its name, its plan, its way to Stripe, and who did what."""

from typing import Any

from django.conf import settings as product
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from common.errors import DomainError
from dashboard.access import PageRequest, page
from dashboard.forms.settings import OrganizationForm, StripeForm
from dashboard.paging import page_of
from developers.models import ApiKey
from organizations.actor import Actor
from organizations.models import AuditEntry, Membership, User
from organizations.services import rename_organization
from payments.errors import PaymentModeUnavailable
from payments.gateway import Gateway, account_of
from payments.models import StripeAccount
from payments.services import set_stripe_account
from webhooks.models import Endpoint

SECRETS = ("secret_key", "webhook_secret")


@page()
def settings(request: PageRequest) -> HttpResponse:
    """The menu's first page."""
    return redirect("dashboard:settings_organization")


@page(methods=("GET", "POST"))
def settings_organization(request: PageRequest) -> HttpResponse:
    form = OrganizationForm(request.POST if request.method == "POST" else None, initial={"name": request.actor.organization.name})
    if request.method == "POST" and form.is_valid():
        organization = rename_organization(name=form.cleaned_data["name"], by=request.actor)
        messages.success(request, f"The organization is called {organization.name}.")
        return redirect("dashboard:settings_organization")
    status = 422 if form.errors else 200
    return render(request, "dashboard/settings/organization.html", {"form": form}, status=status)


@page()
def settings_plan(request: PageRequest) -> HttpResponse:
    """What the plan includes, and how much of it is used; a sandbox twin's keys and members are those of the live one."""
    live = request.membership.organization
    keys = ApiKey.objects.filter(organization=live).live().count()
    endpoints = Endpoint.objects.visible_to(request.actor).count()
    plan = live.plan
    used = [("API keys", keys, plan.max_api_keys), ("Webhook endpoints", endpoints, plan.max_webhook_endpoints)]
    context = {
        "plan": plan,
        "used": used,
        "members": Membership.objects.filter(organization=live).count(),
        "facts": [
            ("API keys may write", "Yes" if plan.keys_may_write else "No: they only read"),
            ("API requests", f"{plan.rate_per_minute:,} a minute and {plan.rate_burst:,} a second with one key"),
            (
                "API requests of all keys",
                f"{plan.organization_rate_per_minute:,} a minute and {plan.organization_rate_burst:,} a second together",
            ),
        ],
    }
    return render(request, "dashboard/settings/plan.html", context)


@page(administrators=True, recent=True, secret=True, methods=("GET", "POST"))
def settings_payments(request: PageRequest) -> HttpResponse:
    row = StripeAccount.objects.visible_to(request.actor).first() or StripeAccount()
    kept = {name for name in SECRETS if getattr(row, name)}
    initial = {"publishable_key": row.publishable_key}
    form = StripeForm(request.POST if request.method == "POST" else None, initial=initial, kept=kept)
    if request.method == "POST" and form.is_valid():
        set_stripe_account(by=request.actor, **form.changes())
        messages.success(request, "The way to Stripe is saved. Test the connection now.")
        return redirect("dashboard:settings_payments")
    context = {
        "form": form,
        "kept": kept,
        "own": bool(row.secret_key),
        "connected_account": row.connected_account,
        "ready": _ready(request.actor),
        "webhook_url": f"{product.PUBLIC_URL}/webhooks/stripe/{request.actor.organization.public_id}",
    }
    return render(request, "dashboard/settings/payments.html", context, status=422 if form.errors else 200)


@page(administrators=True, recent=True, methods=("POST",))
def settings_payments_test(request: PageRequest) -> HttpResponse:
    """Ask Stripe something, and say what it answered."""
    try:
        Gateway(account_of(request.actor.organization)).try_out()
    except DomainError as error:
        messages.error(request, f"Stripe did not take it: {error.detail}")
    else:
        messages.success(request, "Stripe answered: the connection works.")
    return redirect("dashboard:settings_payments")


@page(administrators=True, recent=True, methods=("POST",))
def settings_payments_forget(request: PageRequest) -> HttpResponse:
    """Back to the platform's own account."""
    set_stripe_account(by=request.actor, secret_key="", webhook_secret="", publishable_key="")
    messages.success(request, "Your own keys are removed.")
    return redirect("dashboard:settings_payments")


def _ready(actor: Actor) -> bool:
    try:
        account_of(actor.organization)
    except PaymentModeUnavailable:
        return False
    return True


@page(administrators=True)
def settings_audit(request: PageRequest) -> HttpResponse:
    pager = page_of(AuditEntry.objects.visible_to(request.actor), request, sorts=("-at",))
    people = User.objects.filter(public_id__in={entry.actor_id for entry in pager.rows if entry.actor_type == "user"})
    names = {user.public_id: user.name or user.email for user in people}
    keys = ApiKey.objects.filter(public_id__in={entry.actor_id for entry in pager.rows if entry.actor_type == "api_key"})
    names |= {key.public_id: f"API key {key.name}" for key in keys}
    for entry in pager.rows:
        entry.who = names.get(entry.actor_id, "BookingFlow" if entry.actor_type == "system" else entry.actor_id)
        entry.what = _words(entry)
        entry.facts = [(name.replace("_", " ").capitalize(), _fact(value)) for name, value in entry.details.items()]
    return render(request, "dashboard/settings/audit.html", {"pager": pager})


def _words(entry: AuditEntry) -> str:
    """`webhook_endpoint.secret_rotated` reads Webhook endpoint: secret rotated."""
    noun, _, verb = entry.action.partition(".")
    return f"{noun.replace('_', ' ').capitalize().replace('Api', 'API')}: {verb.replace('_', ' ')}"


def _fact(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
