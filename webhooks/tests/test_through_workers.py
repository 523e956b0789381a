"""Each event after the API call that causes it: over HTTP, through Redis and Celery worker processes, to a real receiver, where
two published libraries verify it.
"""

import datetime as dt
from typing import Any

import pytest
import requests
from django.utils import timezone
from standardwebhooks import Webhook
from svix.webhooks import Webhook as SvixWebhook

from bookings.models import Booking
from common.walltime import utc_text
from rooms.models import Room
from tests.cast import Player
from tests.server import Server, eventually
from tests.stage import booking_body, slot_at
from webhooks.tests.conftest import Receiver, Request
from webhooks.types import EventType

pytestmark = pytest.mark.django_db(transaction=True)
WITH_STRIPE = {EventType.PAYMENT_SUCCEEDED, EventType.PAYMENT_FAILED, EventType.PAYMENT_REFUNDED}


class Caller:
    """The API over HTTP, insisting on success."""

    def __init__(self, server: Server, player: Player) -> None:
        self.server, self.session = server, server.session(player.secret)

    def __call__(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        answer: requests.Response = self.session.request(method, self.server.path(path), json=body, timeout=30)
        assert answer.ok, answer.text
        found: dict[str, Any] = answer.json()
        return found


def live_a_little(call: Caller, room: Room) -> None:
    """Whatever makes an event."""
    customer = call("POST", "/customers", {"name": "Grace"})["id"]
    call("PUT", f"/customers/{customer}", {"notes": "VIP"})
    call("DELETE", f"/customers/{customer}")
    spare = call("POST", "/rooms", {"name": "Spare"})["id"]
    call("PUT", f"/rooms/{spare}", {"description": "New"})
    call("PUT", f"/rooms/{spare}", {"schedule": {"rules": [{"weekdays": [1], "start_times": ["18:00"]}]}})
    times = {"starts_at": utc_text(slot_at(30)), "ends_at": utc_text(slot_at(30, 14))}
    block = call("POST", "/schedules/block", {"rooms": [spare], **times})["id"]
    call("DELETE", f"/schedules/block/{block}")
    call("DELETE", f"/rooms/{spare}")
    booking = call("POST", "/bookings", booking_body(room, slot_at(10)))["id"]
    call("PUT", f"/bookings/{booking}", {"starts_at": utc_text(slot_at(11))})
    call("DELETE", f"/bookings/{booking}")
    missed = _begun(call("POST", "/bookings", booking_body(room, slot_at(12)))["id"])
    call("POST", f"/bookings/{missed}/no-show", {})
    played = _begun(call("POST", "/bookings", booking_body(room, slot_at(13)))["id"])
    call("POST", f"/bookings/{played}/check-in", {})
    Booking.objects.filter(public_id=played).update(ends_at=timezone.now() - dt.timedelta(seconds=1))


def _begun(public_id: str) -> str:
    now = timezone.now()
    Booking.objects.filter(public_id=public_id).update(
        starts_at=now - dt.timedelta(minutes=30), ends_at=now + dt.timedelta(minutes=30)
    )
    return public_id


def test_every_event_follows_its_call_and_verifies(
    server: Server, background: None, alice: Player, group_room: Room, receiver: Receiver
) -> None:
    call = Caller(server, alice)
    endpoint = call("POST", "/webhook_endpoints", {"url": receiver.url()})
    call("POST", f"/webhook_endpoints/{endpoint['id']}/ping", {})
    live_a_little(call, group_room)

    expected = set(EventType) - WITH_STRIPE
    eventually(lambda: set(receiver.types) >= expected)

    assert set(receiver.types) == expected
    for request in receiver.requests:
        verify(request, endpoint["secret"])
    ids = [request.headers["webhook-id"] for request in receiver.requests]
    assert len(ids) == len(set(ids))


def verify(request: Request, secret: str) -> None:
    Webhook(secret).verify(request.body, request.headers)
    svix = {name.replace("webhook-", "svix-"): value for name, value in request.headers.items()}
    SvixWebhook(secret).verify(request.body, svix)
    with pytest.raises(Exception, match="signature"):
        Webhook(secret).verify(request.body.replace(b"{", b"{ ", 1), request.headers)
