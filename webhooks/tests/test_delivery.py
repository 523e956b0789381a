"""From a change to a signed request at a real receiver, through the engine itself."""

import pytest
from standardwebhooks import Webhook

from rooms.models import Room
from tests.cast import Player
from tests.stage import booking_body, slot_at
from webhooks.engine import drain
from webhooks.models import Delivery, Endpoint, Event
from webhooks.tests.conftest import Receiver


@pytest.fixture(autouse=True)
def loopback(settings: object) -> None:
    settings.WEBHOOK_ALLOW_LOOPBACK = True  # type: ignore[attr-defined]


def test_a_booking_arrives_signed_as_the_api_shows_it(alice: Player, group_room: Room, endpoint: Endpoint, receiver: Receiver) -> None:
    booking = alice.api.post("/bookings", booking_body(group_room, slot_at(10)), idempotency_key="order-1").json()

    drain()

    request = next(request for request in receiver.requests if request.event["type"] == "booking.created")
    Webhook(endpoint.secret_text).verify(request.body, request.headers)  # type: ignore[attr-defined]
    event = request.event
    assert event["data"]["object"] == booking
    assert event["request"]["idempotency_key"] == "order-1"
    assert (event["organization"], event["mode"]) == (alice.organization.public_id, "live")
    assert {delivery.state for delivery in Delivery.objects.all()} == {Delivery.State.SUCCEEDED}
    sequences = sorted(Event.objects.values_list("sequence", flat=True))
    assert sequences == list(range(1, len(sequences) + 1))
