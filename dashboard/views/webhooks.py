"""Webhook endpoints: where news goes, how it is doing there, and everything that can be done about it."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone

from common.errors import DomainError
from common.signing import SECRET_PREFIX, decrypt
from dashboard import once
from dashboard.access import PageRequest, page
from dashboard.forms.errors import refused
from dashboard.forms.webhooks import EnableForm, EndpointForm, RotateSecretForm, SendTestForm
from dashboard.paging import page_of
from developers.renderers import to_bytes
from organizations.permissions import Scope
from webhooks import schedule
from webhooks.examples import example_envelope, example_object
from webhooks.filters import DeliveryFilters
from webhooks.health import Health, health_of
from webhooks.models import Delivery, Endpoint, EndpointSecret, Replay
from webhooks.serializers import EndpointShape
from webhooks.services import (
    create_endpoint,
    delete_endpoint,
    enable_endpoint,
    pause_endpoint,
    ping,
    rotate_secret,
    send_test_event,
    update_endpoint,
)
from webhooks.types import EventType

SHOWN_LETTERS = len(SECRET_PREFIX) + 4  # of a secret: enough to tell it, 24 of its 256 bits
REPLAYS = 5  # the newest, on an endpoint's page
FILTERS = ("state", "type", "failure")
STATES = {  # as people ask for them
    "All": "",
    "Arrived": "succeeded",
    "Failed": "scheduled,exhausted",
    "Waiting": "pending,leased",
    "Held": "held",
    "Canceled": "canceled",
}


def find(request: PageRequest, public_id: str) -> Endpoint:
    """Raises NotFound."""
    found: Endpoint = Endpoint.objects.visible_to(request.actor).find(public_id)
    return found


def is_resting(endpoint: Endpoint) -> bool:
    return endpoint.resting_until is not None and endpoint.resting_until > timezone.now()


def posted(request: HttpRequest) -> QueryDict | None:
    return request.POST if request.method == "POST" else None


@page(Scope.WEBHOOKS_READ)
def endpoints(request: PageRequest) -> HttpResponse:
    pager = page_of(Endpoint.objects.visible_to(request.actor), request)
    health = health_of(pager.rows)
    rows = [(endpoint, health.get(endpoint.pk, Health())) for endpoint in pager.rows]
    return render(request, "dashboard/developers/webhooks.html", {"rows": rows, "pager": pager})


@page(Scope.WEBHOOKS_READ)
def endpoint(request: PageRequest, public_id: str) -> HttpResponse:
    """Settings, health, deliveries; and the secret that was just made, this once."""
    found = find(request, public_id)
    deliveries = Delivery.objects.filter(endpoint=found).select_related("event").defer("event__data", "event__body")
    asked = {name: request.GET[name] for name in FILTERS if name in request.GET}
    filters = DeliveryFilters(asked, deliveries)
    health = health_of([found])[found.pk]
    context = {
        "endpoint": found,
        "health": health,
        "is_resting": is_resting(found),
        "header_names": EndpointShape.get_header_names(found),
        "disabled_at": found.failing_since and found.failing_since + schedule.DISABLED_AFTER,
        "secrets": [
            {"start": decrypt(secret.encrypted)[:SHOWN_LETTERS], "created_at": secret.created_at, "retires_at": secret.retires_at}
            for secret in EndpointSecret.objects.filter(endpoint=found).live(timezone.now())
        ],
        "replays": Replay.objects.filter(endpoint=found)[:REPLAYS],
        "pager": page_of(filters.qs if filters.form.is_valid() else deliveries, request),
        "chips": _chips(request.GET),
        "is_filtered": bool(asked),
        "state": asked.get("state", ""),
        "type": asked.get("type", ""),
        "types": EventType.choices,
        "secret": once.take(request, public_id),
    }
    return render(request, "dashboard/developers/endpoint.html", context)


def _chips(asked: QueryDict) -> list[dict[str, Any]]:
    """By state; other filters stay, the page's cursor goes."""
    kept = {name: asked[name] for name in FILTERS if asked.get(name)}
    chips = []
    for label, states in STATES.items():
        url = urlencode({name: value for name, value in {**kept, "state": states}.items() if value})
        chips.append({"label": label, "url": f"?{url}#deliveries", "active": kept.get("state", "") == states})
    if failure := kept.pop("failure", ""):
        chips.append({"label": f"Failure: {failure}", "url": f"?{urlencode(kept)}#deliveries", "remove": True})
    return chips


@page(Scope.WEBHOOKS_WRITE, methods=("GET", "POST"))
def new_endpoint(request: PageRequest) -> HttpResponse:
    form = EndpointForm(posted(request))
    if form.is_valid():
        try:
            made, secret = create_endpoint(by=request.actor, **form.values())
        except DomainError as error:
            form.refused(error)
        else:
            once.keep(request, made.public_id, secret)
            return redirect("dashboard:endpoint", made.public_id)
    return render(request, "dashboard/developers/new_endpoint.html", {"form": form}, status=422 if form.errors else 200)


@page(Scope.WEBHOOKS_WRITE, methods=("GET", "POST"))
def edit(request: PageRequest, public_id: str) -> HttpResponse:
    found = find(request, public_id)
    form = EndpointForm(posted(request), endpoint=found, header_names=EndpointShape.get_header_names(found))
    if form.is_valid():
        version = form.cleaned_data["version"]
        try:
            update_endpoint(endpoint=found, by=request.actor, expected_version=version, **form.values())
        except DomainError as error:
            form.refused(error)
        else:
            messages.success(request, "Saved. What is under way goes by it from its next attempt on.")
            return redirect("dashboard:endpoint", public_id)
    context = {"form": form, "endpoint": found}
    return render(request, "dashboard/developers/edit_endpoint.html", context, status=422 if form.errors else 200)


@page(Scope.WEBHOOKS_WRITE, methods=("GET", "POST"))
def rotate(request: PageRequest, public_id: str) -> HttpResponse:
    found = find(request, public_id)
    form = RotateSecretForm(posted(request))
    if form.is_valid():
        try:
            _, secret = rotate_secret(endpoint=found, by=request.actor, overlap=form.length)
        except DomainError as error:
            refused(form, error)
        else:
            once.keep(request, public_id, secret)
            return redirect("dashboard:endpoint", public_id)
    context = {"form": form, "endpoint": found}
    return render(request, "dashboard/developers/rotate_endpoint.html", context, status=422 if form.errors else 200)


@page(Scope.WEBHOOKS_WRITE, methods=("POST",))
def pause(request: PageRequest, public_id: str) -> HttpResponse:
    pause_endpoint(endpoint=find(request, public_id), by=request.actor)
    messages.success(request, "Paused. What happens now is held until you enable it.")
    return redirect("dashboard:endpoint", public_id)


@page(Scope.WEBHOOKS_WRITE, methods=("GET", "POST"))
def enable(request: PageRequest, public_id: str) -> HttpResponse:
    """With a say in what becomes of the deliveries that were held."""
    found = find(request, public_id)
    health = health_of([found])[found.pk]
    form = EnableForm(posted(request), held=health.held > 0)
    if form.is_valid():
        since = form.release_held_since(health.oldest_held_at)
        _, released = enable_endpoint(endpoint=found, by=request.actor, release_held_since=since)
        messages.success(request, f"Enabled. {released} held deliveries are on their way." if released else "Enabled.")
        return redirect("dashboard:endpoint", public_id)
    context = {"form": form, "endpoint": found, "health": health}
    return render(request, "dashboard/developers/enable_endpoint.html", context, status=422 if form.errors else 200)


@page(Scope.WEBHOOKS_WRITE, methods=("GET", "POST"))
def delete(request: PageRequest, public_id: str) -> HttpResponse:
    found = find(request, public_id)
    if request.method == "POST":
        delete_endpoint(endpoint=found, by=request.actor)
        messages.success(request, f"{found.url} is deleted.")
        return redirect("dashboard:developers_webhooks")
    context = {"endpoint": found, "health": health_of([found])[found.pk]}
    return render(request, "dashboard/developers/delete_endpoint.html", context)


@page(Scope.WEBHOOKS_WRITE, methods=("POST",))
def send_ping(request: PageRequest, public_id: str) -> HttpResponse:
    event = ping(endpoint=find(request, public_id), by=request.actor)
    return redirect("dashboard:developers_event", event.public_id)


@page(Scope.WEBHOOKS_WRITE, methods=("GET", "POST"))
def send_test(request: PageRequest, public_id: str) -> HttpResponse:
    """An event of any type about a made-up object; `?type=` shows it first."""
    found = find(request, public_id)
    form = SendTestForm(posted(request) or {"type": request.GET.get("type", EventType.BOOKING_CREATED)})
    context: dict[str, Any] = {"form": form, "endpoint": found}
    if form.is_valid():
        type = EventType(form.cleaned_data["type"])
        if request.method == "POST":
            event = send_test_event(endpoint=found, by=request.actor, type=type, object=example_object(type))
            return redirect("dashboard:developers_event", event.public_id)
        context["example"] = to_bytes(example_envelope(type)).decode()
    return render(request, "dashboard/developers/send_test.html", context, status=422 if form.errors else 200)
