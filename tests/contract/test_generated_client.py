"""A client that a generator makes of the OpenAPI document books and cancels, without a line written for it by hand."""

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from bookings.models import Booking
from rooms.models import Room
from tests.cast import Player
from tests.contract.schema import document
from tests.server import Server
from tests.stage import slot_at

PACKAGE = "generated_bookingflow_client"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def generated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Any warning is a failure: the generator warns of operations that it leaves out."""
    config = tmp_path / "config.yml"
    config.write_text("post_hooks: []\n")  # its own formatting of what it has made
    made = tmp_path / PACKAGE
    command = [str(Path(sys.executable).parent / "openapi-python-client"), "generate", "--fail-on-warning", "--meta", "none"]
    files = ["--path", str(settings.BASE_DIR / "docs" / "openapi.json"), "--output-path", str(made), "--config", str(config)]
    done = subprocess.run([*command, *files], capture_output=True, text=True)
    assert (done.returncode, "warning" in (done.stdout + done.stderr).lower()) == (0, False), done.stdout + done.stderr
    monkeypatch.syspath_prepend(str(tmp_path))
    return made


def module(name: str) -> Any:
    return importlib.import_module(f"{PACKAGE}.{name}")


@pytest.mark.soak
def test_a_generated_client_has_every_operation_and_books_and_cancels(
    generated: Path, server: Server, alice: Player, group_room: Room
) -> None:
    operations = {operation["operationId"] for methods in document()["paths"].values() for operation in methods.values()}
    assert {path.stem for path in (generated / "api").glob("*/*.py") if path.stem != "__init__"} == operations

    models, start = module("models"), slot_at(10)
    client = module("client").AuthenticatedClient(base_url=server.url, token=alice.secret)
    with client:
        body = models.CreateBookingRequest(
            room=group_room.public_id,
            starts_at=start,
            party_size=4,
            customer=models.CustomerRequest(name="Ada", email="ada@example.com"),
            payment=models.PaymentRequest(mode=models.PaymentRequestMode.POS, amount=10_000),
        )
        booked = module("api.bookings.create_booking").sync(client=client, body=body, idempotency_key="order-1")
        again = module("api.bookings.create_booking").sync(client=client, body=body, idempotency_key="order-1")
        listed = module("api.bookings.list_bookings").sync(client=client, status=[models.ListBookingsStatusItem.CONFIRMED])
        canceled = module("api.bookings.cancel_booking").sync(booked.id, client=client, reason="Ill")
        refused = module("api.bookings.create_booking").sync_detailed(
            client=client,
            body=models.CreateBookingRequest(room=group_room.public_id, starts_at=start, party_size=40, customer="cus_unknown"),
        )

    assert (booked.starts_at, booked.price.total, booked.status.value) == (start, 10_000, "confirmed")
    assert again == booked
    assert [booking.id for booking in listed.data] == [booked.id]
    assert (canceled.status.value, canceled.refund.amount, canceled.canceled.reason) == ("canceled", 10_000, "Ill")
    assert (refused.status_code, refused.parsed.code.value) == (422, "validation_failed")
    assert isinstance(refused.parsed, models.Problem)
    assert Booking.objects.get().status == Booking.Status.CANCELED
