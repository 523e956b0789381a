"""A Stripe for the tests: it answers the official library over HTTP as Stripe would, and breaks when it is told to.

The money is localstripe's, a process of its own (see account.py for what is added); nothing is shared with the product, so
`charged` and `refunded` say what really was moved. News is kept until the test delivers it, unless `deliver_to` was called.

    def test_a_lost_answer_charges_once(stripe):
        stripe.lose_answer("POST /v1/payment_intents$")
        ...
        stripe.pay(payment.stripe_id, "pm_card_visa")
        body, headers = stripe.signed(stripe.events("payment_intent.succeeded")[0])
        client.post("/webhooks/stripe", body, content_type="application/json", headers=headers)
        assert stripe.charged(payment.stripe_id) == 4200
"""

import contextlib
import hashlib
import hmac
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.server import free_port, start, stop
from tests.stripe.account import FAILED_REFUNDS, Account, Refused, Row
from tests.stripe.door import Door, Fault, Request

SECRET_KEY, PUBLISHABLE_KEY, WEBHOOK_SECRET = "sk_test_stand_in", "pk_test_stand_in", "whsec_stand_in"
READY_WITHIN = 60  # seconds, on a busy machine
DELIVERY_RETRY_SECONDS = (0.2, 0.5, 1, 2, 4)
HOLD_SECONDS = 120.0  # longer than a test may wait


class StandIn:
    """Its address is known at once; localstripe starts when it is first asked for."""

    def __init__(self) -> None:
        self._account: Account | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._port = free_port()
        self._events: list[Row] = []
        self._target = ""
        self._starting = threading.Lock()
        self._door = Door(lambda *call, **about: self.account.perform(*call, **about))
        self.url = self._door.url

    @property
    def environment(self) -> dict[str, str]:
        """For the product's own processes."""
        return {
            "STRIPE_API_BASE": self.url,
            "STRIPE_SECRET_KEY": SECRET_KEY,
            "STRIPE_PUBLISHABLE_KEY": PUBLISHABLE_KEY,
            "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        }

    @property
    def plain_url(self) -> str:
        """localstripe itself, as in `make run`: what the product calls must work there too."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def account(self) -> Account:
        with self._starting:
            if not self._account:
                environment = {name: value for name, value in os.environ.items() if name != "STRIPE_WEBHOOK_SECRET"}
                self._process = start(["bookingflow.local_stripe", str(self._port)], environment)
                _wait_for(self._port)
                self._account = Account(self.plain_url, self._publish)
            return self._account

    def reset(self) -> None:
        """As after a new start: no money, no faults, no news, no keys."""
        self._door.reset()
        self._events, self._target = [], ""
        if self._account:
            with self._door.work:
                self._account.reset()

    def close(self) -> None:
        self.reset()
        self._door.close()
        if self._account:
            self._account.close()
        if self._process:
            stop(self._process)

    # What was asked, and what it came to

    def requests(self, on: str = "") -> list[Request]:
        """All that arrived, or those whose "METHOD /path" contains the text."""
        return [request for request in self._door.requests if on in f"{request.method} {request.path}"]

    def intents(self) -> list[Row]:
        """Every PaymentIntent, the oldest first, as localstripe has it."""
        return self._rows("payment_intents")

    def refunds(self, intent: str = "") -> list[Row]:
        return [row for row in self._rows("refunds") if intent in ("", row["payment_intent"])]

    def charged(self, intent: str = "") -> int:
        """Taken from cards, refunded or not; without an intent, of all."""
        charges = (row for row in self._rows("charges") if intent in ("", row["payment_intent"]))
        return sum(row["amount"] for row in charges if row["status"] == "succeeded" and row["captured"])

    def refunded(self, intent: str = "") -> int:
        """Given back or on its way; failed refunds are not."""
        return sum(row["amount"] for row in self.refunds(intent) if row["status"] not in FAILED_REFUNDS)

    def _rows(self, kind: str) -> list[Row]:
        with self._door.work:
            return self.account.rows(kind)

    # The payer and the bank

    def pay(self, intent: str, card: str = "pm_card_visa") -> Row:
        """What the payer's browser does; answers the intent, also when the card is declined."""
        return self._browser("confirm", intent, {"payment_method": card})

    def authenticate(self, intent: str, *, success: bool = True) -> Row:
        """What the payer does in the bank's window when the intent requires action."""
        secret = next(row["client_secret"] for row in self.intents() if row["id"] == intent)
        return self._browser("_authenticate", intent, {"client_secret": secret, "success": str(success).lower()})

    def let_refunds_pend(self, times: int = 1) -> None:
        """The next refunds begin as `pending`."""
        self.account.refunds_to_pend = times

    def succeed_refund(self, refund: str) -> None:
        with self._door.work:
            self.account.end_refund(refund, "succeeded")

    def fail_refund(self, refund: str, reason: str = "expired_or_canceled_card") -> None:
        """Also one that had succeeded: banks do that, days later."""
        with self._door.work:
            self.account.end_refund(refund, "failed", reason)

    def _browser(self, step: str, intent: str, params: Row) -> Row:
        about = {"id": None, "idempotency_key": None}
        with self._door.work:
            with contextlib.suppress(Refused):
                self.account.perform("POST", f"/v1/payment_intents/{intent}/{step}", params, request=about)
            return self.account.perform("GET", f"/v1/payment_intents/{intent}", {}, request=about)

    # Faults: `on` is an expression for "METHOD /path"

    def lose_request(self, on: str = "POST", times: int = 1) -> Fault:
        """The connection breaks before Stripe hears of it."""
        return self._add(Fault(on, times, status=0))

    def lose_answer(self, on: str = "POST", times: int = 1) -> Fault:
        """Stripe does it; the connection breaks before the answer."""
        return self._add(Fault(on, times, status=0, done=True))

    def fail(self, status: int = 500, on: str = "POST", times: int = 1, *, done: bool = False, saved: bool = False) -> Fault:
        """Answer 500 or 429. `saved`: the same key gets the same 500 for good, as Stripe does once it has begun."""
        return self._add(Fault(on, times, status=status, done=done, saved=saved))

    def delay(self, seconds: float, on: str = "POST", times: int = 1, *, done: bool = False) -> Fault:
        """Wait before the work, or with `done` between the work and the answer."""
        return self._add(Fault(on, times, delay=seconds, done=done))

    def hold(self, on: str = "POST", times: int = 1, *, done: bool = False) -> Fault:
        """Wait until the test calls `let_go()` on the answer; its `arrived` is set when a request waits."""
        return self._add(Fault(on, times, delay=HOLD_SECONDS, done=done))

    def _add(self, fault: Fault) -> Fault:
        self._door.faults.append(fault)
        return fault

    # News

    def events(self, type: str = "") -> list[Row]:
        """What has happened, the oldest first, delivered or not."""
        return [event for event in self._events if type in ("", event["type"])]

    def signed(self, event: Row, *, secret: str = WEBHOOK_SECRET, at: float | None = None) -> tuple[bytes, dict[str, str]]:
        """Body and headers of a delivery."""
        body, moment = json.dumps(event, indent=2).encode(), int(at or time.time())
        signature = hmac.new(secret.encode(), b"%d.%s" % (moment, body), hashlib.sha256).hexdigest()
        return body, {"Stripe-Signature": f"t={moment},v1={signature}"}

    def deliver(self, *events: Row, to: str, times: int = 1) -> list[int]:
        """Post them in this order, all of it `times` times; answers the status of each."""
        return [self._post(event, to) for _ in range(times) for event in events]

    def deliver_to(self, url: str) -> None:
        """From now on post each event as it happens, again until it is accepted; "" stops that."""
        self._target = url

    def _publish(self, event: Row) -> None:
        self._events.append(event)
        if self._target:
            threading.Thread(target=self._keep_posting, args=[event, self._target, self._events], daemon=True).start()

    def _keep_posting(self, event: Row, url: str, events: list[Row]) -> None:
        for pause in (0, *DELIVERY_RETRY_SECONDS):
            time.sleep(pause)
            if events is not self._events:  # another test's
                return
            with contextlib.suppress(requests.RequestException):
                if 200 <= self._post(event, url) < 300:
                    return

    def _post(self, event: Row, url: str) -> int:
        body, headers = self.signed(event)
        return requests.post(url, body, headers={**headers, "content-type": "application/json"}, timeout=20).status_code


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert time.monotonic() < deadline, "localstripe did not start"
        time.sleep(0.02)


@pytest.fixture(scope="session")
def stripe_stand_in() -> Iterator[StandIn]:
    """For fixtures that start processes: its `environment`. Tests take `stripe`."""
    stand_in = StandIn()
    yield stand_in
    stand_in.close()


@pytest.fixture
def stripe(stripe_stand_in: StandIn, settings: Any) -> Iterator[StandIn]:
    """An empty Stripe that the product's settings point to."""
    stripe_stand_in.reset()  # of what a process of the test before may have asked in its last moments
    for name, value in stripe_stand_in.environment.items():
        setattr(settings, name, value)
    yield stripe_stand_in
    stripe_stand_in.reset()
