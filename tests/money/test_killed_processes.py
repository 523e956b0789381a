"""kill -9 of whole processes while Stripe is at work: it finishes what it was asked for, and nobody of us hears of it."""

import contextlib
import subprocess
import threading
from collections.abc import Iterator

import pytest
import requests

from bookings.models import Booking
from payments.models import Refund
from rooms.models import Room
from tests.cast import Player
from tests.money.books import CARD, let_time_pass, require_equal_books, work_off
from tests.money.killing import let_leases_run_out
from tests.server import Server, eventually, free_port, kill, running, test_environment, wait_until_ready, worker
from tests.stage import booking_body, slot_at
from tests.stripe.stand_in import StandIn

pytestmark = pytest.mark.django_db(transaction=True)
SOON = 60  # seconds, on a busy machine


@contextlib.contextmanager
def web_server(environment: dict[str, str]) -> "Iterator[tuple[Server, subprocess.Popen[bytes]]]":
    port = free_port()
    server = Server(f"http://127.0.0.1:{port}", {**environment, "PUBLIC_URL": f"http://127.0.0.1:{port}"})
    options = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--no-access-log"]
    with running(["granian", *options, "bookingflow.wsgi:application"], server.environment) as process:
        wait_until_ready(server)
        yield server, process


def post_and_forget(server: Server, player: Player, body: dict[str, object], key: str) -> threading.Thread:
    def post() -> None:
        with contextlib.suppress(requests.RequestException), server.session(player.secret) as session:
            session.post(server.path("/bookings"), json=body, headers={"Idempotency-Key": key}, timeout=SOON)

    thread = threading.Thread(target=post)
    thread.start()
    return thread


@pytest.mark.parametrize(
    "done",
    [
        pytest.param(False, id="before Stripe has charged", marks=pytest.mark.soak),
        pytest.param(True, id="after Stripe has charged"),
    ],
)
def test_a_web_server_that_is_killed_while_stripe_charges(
    alice: Player, group_room: Room, stripe: StandIn, *, done: bool
) -> None:
    bodies = {f"key-{day}": booking_body(group_room, slot_at(day), payment=CARD) for day in (10, 11)}
    held = stripe.hold("POST /v1/payment_intents/.*/confirm", times=2, done=done)
    with web_server(test_environment(**stripe.environment)) as (server, process):
        clients = [post_and_forget(server, alice, body, key) for key, body in bodies.items()]
        eventually(lambda: len(stripe.requests("/confirm")) == 2)
        kill(process)
    held.let_go()
    for client in clients:
        client.join()
    eventually(lambda: all(intent["status"] == "succeeded" for intent in stripe.intents()))
    assert stripe.charged() == 20_000
    assert set(Booking.objects.values_list("status", "amount_paid")) == {("held", 0)}

    let_leases_run_out()
    answer = alice.api.post("/bookings", bodies["key-10"], idempotency_key="key-10")  # of the other nobody comes back
    assert (answer.status_code, answer.json()["status"]) == (201, "confirmed"), answer.content
    work_off()

    assert list(Booking.objects.values_list("status", "payment_status")) == [("confirmed", "paid")] * 2
    assert stripe.charged() == 20_000
    require_equal_books(stripe)


def test_a_worker_that_is_killed_while_stripe_gives_back(alice: Player, group_room: Room, stripe: StandIn) -> None:
    """The next one goes on from there; and is killed itself, after Stripe has done the next refund."""
    paths = []
    for day in (10, 11):
        made = alice.api.post("/bookings", booking_body(group_room, slot_at(day), payment=CARD))
        paths.append(f"/bookings/{made.json()['id']}")

    environment = test_environment(**stripe.environment)
    before = stripe.hold("POST /v1/refunds")
    with worker(environment) as victim:
        alice.api.delete(paths[0])
        assert before.arrived.wait(SOON)
        kill(victim)
    before.let_go()
    eventually(lambda: stripe.refunded() == 10_000)
    assert Refund.objects.get().status == "pending"

    with worker(environment) as victim:
        let_time_pass()
        eventually(lambda: Refund.objects.get().status == "succeeded")
        after = stripe.hold("POST /v1/refunds", done=True)
        alice.api.delete(paths[1])
        assert after.arrived.wait(SOON)
        kill(victim)
    after.let_go()
    work_off()

    assert list(Refund.objects.values_list("status", "amount")) == [("succeeded", 10_000)] * 2
    assert (stripe.refunded(), len(stripe.refunds())) == (20_000, 2)
    require_equal_books(stripe)
