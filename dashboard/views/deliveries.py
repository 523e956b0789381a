"""What went out: events, their deliveries with request and answer, and sending again, one or a stretch of the past."""

import datetime as dt

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from common.errors import DomainError
from dashboard.access import PageRequest, page
from dashboard.forms.errors import refused
from dashboard.forms.webhooks import ReplayForm
from dashboard.paging import page_of
from dashboard.views.webhooks import find, is_resting
from organizations.permissions import Scope
from webhooks.engine.record import LEASE_EXPIRED
from webhooks.models import Attempt, Delivery, Event, Replay
from webhooks.sent import sent_headers
from webhooks.services import cancel_replay, plan_replay, resend, start_replay
from webhooks.types import EventType

WATCHED = dt.timedelta(minutes=2)  # for so long a page keeps looking whether something has arrived
MOST = 50  # rows beside one thing: an event's deliveries, a delivery's attempts
# What a receiver does.
VERIFY = """\
import os
from standardwebhooks import Webhook

receiver = Webhook(os.environ["BOOKINGFLOW_WEBHOOK_SECRET"])
event = receiver.verify(body, headers)  # the bytes as they came; raises when they are not from us\
"""
# The same by hand, for one request; `body.json` holds its exact bytes.
BY_HAND = """\
import base64, hashlib, hmac, os, pathlib

secret = base64.b64decode(os.environ["BOOKINGFLOW_WEBHOOK_SECRET"].removeprefix("whsec_"))
signed = b"{id}.{timestamp}." + pathlib.Path("body.json").read_bytes()
print("v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode())
# {signature}\
"""
_SETTLED = {Delivery.State.SUCCEEDED, Delivery.State.EXHAUSTED, Delivery.State.CANCELED, Delivery.State.HELD}


@page(Scope.EVENTS_READ)
def events(request: PageRequest) -> HttpResponse:
    """The numbered ones, the newest first: one that has no number yet has it in a moment."""
    ours = Event.objects.visible_to(request.actor).filter(sequence__isnull=False).defer("data", "body")
    type, object_id = request.GET.get("type", ""), request.GET.get("object", "").strip()[:64].replace("\0", "")
    ours = ours.filter(type=type) if type in EventType.values else ours
    ours = ours.filter(object_id=object_id) if object_id else ours
    context = {
        "pager": page_of(ours, request, sorts=("-sequence",)),
        "types": EventType.choices,
        "type": type,
        "object_id": object_id,
    }
    return render(request, "dashboard/developers/events.html", context)


@page(Scope.EVENTS_READ, Scope.WEBHOOKS_READ)
def event(request: PageRequest, public_id: str) -> HttpResponse:
    """Its body and its deliveries; fresh ones are watched until they have arrived."""
    found: Event = Event.objects.visible_to(request.actor).find(public_id)
    deliveries = list(Delivery.objects.filter(event=found).select_related("endpoint")[:MOST])
    is_settled = bool(deliveries) and all(delivery.state in _SETTLED or delivery.attempts for delivery in deliveries)
    newest = max([found.occurred_at, *(delivery.created_at for delivery in deliveries)])
    context = {
        "event": found,
        "deliveries": deliveries,
        "is_watched": not is_settled and newest > timezone.now() - WATCHED,
    }
    return render(request, "dashboard/developers/event.html", context)


@page(Scope.WEBHOOKS_READ, Scope.EVENTS_READ)
def delivery(request: PageRequest, public_id: str) -> HttpResponse:
    """Request, answers, and the means to check the signature oneself."""
    ours = Delivery.objects.visible_to(request.actor)
    found: Delivery = ours.select_related("endpoint", "event", "replay_of", "replay").find(public_id)
    attempts = list(Attempt.objects.filter(delivery=found)[:MOST])
    sent = next((attempt for attempt in attempts if attempt.failure != LEASE_EXPIRED), None)
    headers = sent_headers(found, sent) if sent and found.event.body else {}
    context = {
        "delivery": found,
        "event": found.event,
        "attempts": attempts,
        "sent": sent,
        "headers": headers,
        "verify": VERIFY,
        "by_hand": _by_hand(headers) if headers else "",
        "again": ours.filter(replay_of=found)[:MOST],
        "is_resting": is_resting(found.endpoint),
        "most_attempts": len(settings.WEBHOOK_RETRY_SECONDS) + 1,
        "is_watched": found.state not in _SETTLED and not attempts and found.created_at > timezone.now() - WATCHED,
    }
    return render(request, "dashboard/developers/delivery.html", context)


def _by_hand(headers: dict[str, str]) -> str:
    id, timestamp, signature = (headers[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
    return BY_HAND.format(id=id, timestamp=timestamp, signature=signature)


@page(Scope.WEBHOOKS_WRITE, methods=("POST",))
def send_again(request: PageRequest, public_id: str) -> HttpResponse:
    found: Delivery = Delivery.objects.visible_to(request.actor).find(public_id)
    again = resend(delivery=found, by=request.actor)
    messages.success(request, "Sent again, as a new delivery: this page.")
    return redirect("dashboard:delivery", again.public_id)


@page(Scope.WEBHOOKS_WRITE, methods=("GET", "POST"))
def new_replay(request: PageRequest, public_id: str) -> HttpResponse:
    """A stretch of the past: first how many events it is, then the start."""
    endpoint = find(request, public_id)
    asked = request.POST if request.method == "POST" else request.GET
    form = ReplayForm(
        asked if request.method == "POST" or "since" in asked else None,
        initial={"since": timezone.now() - dt.timedelta(hours=24)},
    )
    plan = None
    if form.is_valid():
        values = form.values() | {"until": form.cleaned_data["until"] or timezone.now()}
        try:
            if request.method == "POST":
                started = start_replay(endpoint=endpoint, by=request.actor, **values)
                return redirect("dashboard:replay", started.public_id)
            plan = plan_replay(endpoint=endpoint, by=request.actor, **values)
        except DomainError as error:
            refused(form, error)
    context = {"form": form, "endpoint": endpoint, "plan": plan}
    return render(request, "dashboard/developers/new_replay.html", context, status=422 if form.errors else 200)


@page(Scope.WEBHOOKS_READ)
def replay(request: PageRequest, public_id: str) -> HttpResponse:
    """How far it is, live."""
    found: Replay = Replay.objects.visible_to(request.actor).select_related("endpoint").find(public_id)
    made = Delivery.objects.filter(replay=found)
    arrived = made.filter(state=Delivery.State.SUCCEEDED).count()
    under_way = made.unfinished().exists()
    context = {
        "replay": found,
        "arrived": arrived,
        "is_over": found.state != Replay.State.RUNNING and not under_way,
    }
    return render(request, "dashboard/developers/replay.html", context)


@page(Scope.WEBHOOKS_WRITE, methods=("POST",))
def stop_replay(request: PageRequest, public_id: str) -> HttpResponse:
    found: Replay = Replay.objects.visible_to(request.actor).select_related("endpoint").find(public_id)
    stopped = cancel_replay(replay=found, by=request.actor)
    messages.success(request, f"Stopped: no more of it is sent. {stopped.queued} of {stopped.total} were on their way before.")
    return redirect("dashboard:replay", public_id)
