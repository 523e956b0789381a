"""The stand-in answers the official library as Stripe does: what the payments' tests rest on."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from stripe import (
    APIConnectionError,
    APIError,
    AuthenticationError,
    CardError,
    IdempotencyError,
    InvalidRequestError,
    RateLimitError,
    RequestsClient,
    StripeClient,
    Webhook,
)

from tests.server import eventually
from tests.stripe.stand_in import WEBHOOK_SECRET, StandIn

INTENTS, REFUNDS = "POST /v1/payment_intents$", "POST /v1/refunds$"


def client_of(stand_in: StandIn, *, key: str = "sk_test_any", retries: int = 0, timeout: float = 20) -> StripeClient:
    return StripeClient(
        key, base_addresses={"api": stand_in.url}, max_network_retries=retries, http_client=RequestsClient(timeout=timeout)
    )


@pytest.fixture
def client(stripe: StandIn) -> StripeClient:
    return client_of(stripe)


def create(client: StripeClient, *, key: str = "", amount: int = 4200, **more: Any) -> Any:
    options: Any = {"idempotency_key": key} if key else {}
    params: Any = {"amount": amount, "currency": "eur", "metadata": {"payment": "pay_1"}, **more}
    return client.v1.payment_intents.create(params, options)


def refund(client: StripeClient, intent: str, amount: int, *, key: str = "", **more: Any) -> Any:
    options: Any = {"idempotency_key": key} if key else {}
    params: Any = {"payment_intent": intent, "amount": amount, "metadata": {"refund": "ref_1"}, **more}
    return client.v1.refunds.create(params, options)


def types(stand_in: StandIn) -> list[str]:
    return [event["type"] for event in stand_in.events()]


# Payments


def test_a_payment_from_creation_to_the_payers_card(stripe: StandIn, client: StripeClient) -> None:
    intent = create(client, description="Escape", automatic_payment_methods={"enabled": True, "allow_redirects": "never"})
    assert (intent.status, intent.amount, intent.metadata.payment) == ("requires_payment_method", 4200, "pay_1")
    assert (intent.description, intent.automatic_payment_methods.enabled) == ("Escape", True)

    stripe.pay(intent.id)

    paid = client.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]})
    assert (paid.status, paid.amount_received, paid.latest_charge.status) == ("succeeded", 4200, "succeeded")
    assert (stripe.charged(intent.id), stripe.refunded(intent.id), len(stripe.intents())) == (4200, 0, 1)
    assert types(stripe) == ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded"]


def test_a_charge_is_an_id_unless_it_is_asked_for(client: StripeClient) -> None:
    intent = create(client, payment_method="pm_card_visa", confirm=True)

    assert intent.latest_charge.startswith("ch_")
    assert client.v1.charges.retrieve(intent.latest_charge).payment_intent == intent.id


@pytest.mark.parametrize("currency", ["eur", "jpy", "kwd", "chf"])
def test_any_currency(client: StripeClient, currency: str) -> None:
    assert create(client, currency=currency, payment_method="pm_card_visa", confirm=True).currency == currency


def test_metadata_and_amount_change_until_it_is_paid(client: StripeClient) -> None:
    intent = create(client)

    changed = client.v1.payment_intents.update(intent.id, {"amount": 100, "metadata": {"booking": "bkg_1"}})

    assert (changed.amount, changed.metadata.to_dict()) == (100, {"payment": "pay_1", "booking": "bkg_1"})
    client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa", "return_url": "https://b.example"})
    with pytest.raises(InvalidRequestError) as refused:
        client.v1.payment_intents.update(intent.id, {"amount": 200})
    assert refused.value.code == "payment_intent_unexpected_state"


@pytest.mark.parametrize(
    ("card", "why"),
    [
        ("pm_card_chargeDeclined", "generic_decline"),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds"),
        ("pm_card_chargeCustomerFail", "generic_decline"),
    ],
)
def test_a_declined_card_and_then_a_good_one(stripe: StandIn, client: StripeClient, card: str, why: str) -> None:
    intent = create(client)

    with pytest.raises(CardError) as declined:
        client.v1.payment_intents.confirm(intent.id, {"payment_method": card})

    error = declined.value.error
    assert error is not None
    assert (error.code, error.decline_code, error.payment_intent.id) == ("card_declined", why, intent.id)
    left = client.v1.payment_intents.retrieve(intent.id)
    assert (left.status, left.payment_method, left.last_payment_error.decline_code) == ("requires_payment_method", None, why)
    assert types(stripe)[1:] == ["charge.failed", "payment_intent.payment_failed"]
    client.v1.payment_intents.update(intent.id, {"payment_method": "pm_card_visa"})
    again = client.v1.payment_intents.confirm(intent.id)
    assert (again.status, again.last_payment_error, stripe.charged(intent.id)) == ("succeeded", None, 4200)


def test_a_decline_at_creation_names_the_intent(client: StripeClient) -> None:
    with pytest.raises(CardError) as declined:
        create(client, payment_method="pm_card_chargeDeclined", confirm=True)

    assert declined.value.error is not None
    assert client.v1.payment_intents.retrieve(declined.value.error.payment_intent.id).status == "requires_payment_method"


@pytest.mark.parametrize(("success", "status", "charged"), [(True, "succeeded", 4200), (False, "requires_payment_method", 0)])
def test_a_card_that_needs_authentication(
    stripe: StandIn, client: StripeClient, success: bool, status: str, charged: int
) -> None:
    intent = create(client, payment_method="pm_card_authenticationRequired", confirm=True)
    assert (intent.status, intent.next_action.type) == ("requires_action", "use_stripe_sdk")

    after = stripe.authenticate(intent.id, success=success)

    assert (after["status"], stripe.charged()) == (status, charged)
    last = "payment_intent.succeeded" if success else "payment_intent.payment_failed"
    assert types(stripe)[1:2] + types(stripe)[-1:] == ["payment_intent.requires_action", last]
    if not success:
        assert after["last_payment_error"]["code"] == "payment_intent_authentication_failure"
        assert stripe.pay(intent.id)["status"] == "succeeded"


def test_a_canceled_intent_takes_no_money(stripe: StandIn, client: StripeClient) -> None:
    intent = create(client)

    canceled = client.v1.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})

    assert (canceled.status, canceled.cancellation_reason) == ("canceled", "abandoned")
    assert stripe.pay(intent.id)["status"] == "canceled"
    with pytest.raises(InvalidRequestError) as refused:
        client.v1.payment_intents.cancel(intent.id)
    assert refused.value.code == "payment_intent_unexpected_state"
    assert types(stripe) == ["payment_intent.created", "payment_intent.canceled"]


def test_refusals_in_stripes_words(stripe: StandIn, client: StripeClient) -> None:
    with pytest.raises(InvalidRequestError) as unknown:
        client.v1.payment_intents.retrieve("pi_nothing")
    assert (unknown.value.http_status, unknown.value.code) == (404, "resource_missing")
    with pytest.raises(InvalidRequestError):
        create(client, nonsense="1")
    with pytest.raises(InvalidRequestError):
        client.v1.payment_intents.retrieve(create(client).id, {"expand": ["nonsense"]})
    with pytest.raises(AuthenticationError):
        client_of(stripe, key="nobody").v1.payment_intents.retrieve("pi_nothing")


@pytest.mark.parametrize("plain", [False, True], ids=["stand-in", "plain localstripe"])
def test_one_way_to_pay_and_refund_works_in_make_run_too(stripe: StandIn, plain: bool) -> None:
    """These parameters and no others: localstripe knows fewer than Stripe."""
    stripe.intents()  # which starts it
    url = stripe.plain_url if plain else stripe.url
    client = StripeClient("sk_test_any", base_addresses={"api": url})
    intents, refunds = client.v1.payment_intents, client.v1.refunds

    intent = create(client, key="1", payment_method_types=["card"], expand=["latest_charge"])
    intents.update(intent.id, {"payment_method": "pm_card_chargeCustomerFail"})
    with pytest.raises(CardError):
        intents.confirm(intent.id)
    declined = intents.retrieve(intent.id, {"expand": ["latest_charge"]})
    assert (declined.status, declined.last_payment_error.code) == ("requires_payment_method", "card_declined")
    assert intents.cancel(intent.id).status == "canceled"

    intent = create(client, key="2", payment_method_types=["card"])
    intents.update(intent.id, {"payment_method": "pm_card_visa"})
    paid = intents.confirm(intent.id, {"expand": ["latest_charge"]})
    assert (paid.status, paid.latest_charge.status, paid.latest_charge.amount) == ("succeeded", "succeeded", 4200)
    part = refund(client, intent.id, 200, key="3")
    assert (part.status, part.amount, part.metadata.refund) == ("succeeded", 200, "ref_1")
    assert [row.id for row in refunds.list({"payment_intent": intent.id, "limit": 100}).data] == [part.id]
    assert intents.retrieve(intent.id, {"expand": ["latest_charge"]}).latest_charge.amount_refunded == 200


# Refunds


def test_refunds_in_parts_and_never_more_than_was_paid(stripe: StandIn, client: StripeClient) -> None:
    intent = create(client, payment_method="pm_card_visa", confirm=True)

    part = refund(client, intent.id, 4000, reason="requested_by_customer")
    assert (part.status, part.payment_intent, part.reason, part.metadata.refund) == (
        *("succeeded", intent.id, "requested_by_customer"),
        "ref_1",
    )
    with pytest.raises(InvalidRequestError, match="greater than unrefunded amount"):
        refund(client, intent.id, 201)
    refund(client, intent.id, 200)
    with pytest.raises(InvalidRequestError) as refused:
        refund(client, intent.id, 1)

    assert refused.value.code == "charge_already_refunded"
    charge = client.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]}).latest_charge
    assert (charge.amount_refunded, charge.refunded, stripe.refunded(intent.id)) == (4200, True, 4200)
    assert types(stripe)[-2:] == ["refund.created", "charge.refunded"]


def test_what_was_never_paid_cannot_be_refunded(client: StripeClient) -> None:
    intent = create(client)

    with pytest.raises(InvalidRequestError, match="successful charge"):
        refund(client, intent.id, 100)

    assert client.v1.refunds.list({"payment_intent": intent.id}).data == []


def test_a_refund_that_pends_and_fails_leaves_the_money(stripe: StandIn, client: StripeClient) -> None:
    intent = create(client, payment_method="pm_card_visa", confirm=True)
    stripe.let_refunds_pend()
    pending = refund(client, intent.id, 4200)
    assert (pending.status, stripe.refunded()) == ("pending", 4200)

    stripe.fail_refund(pending.id)

    failed = client.v1.refunds.retrieve(pending.id)
    assert (failed.status, failed.failure_reason, stripe.refunded()) == ("failed", "expired_or_canceled_card", 0)
    assert types(stripe)[-3:] == ["refund.failed", "refund.updated", "charge.refund.updated"]
    assert refund(client, intent.id, 4200).status == "succeeded"


def test_a_pending_refund_succeeds_later(stripe: StandIn, client: StripeClient) -> None:
    intent = create(client, payment_method="pm_card_visa", confirm=True)
    stripe.let_refunds_pend()
    pending = refund(client, intent.id, 100)

    stripe.succeed_refund(pending.id)

    assert client.v1.refunds.retrieve(pending.id).status == "succeeded"
    assert stripe.events("refund.updated")[0]["data"]["object"]["status"] == "succeeded"


def test_lists_by_payment_and_time_in_pages(client: StripeClient) -> None:
    intent = create(client, payment_method="pm_card_visa", confirm=True)
    made = [refund(client, intent.id, 100).id for _ in range(5)]
    create(client)

    found = [row.id for row in client.v1.refunds.list({"payment_intent": intent.id, "limit": 2}).auto_paging_iter()]

    assert found == made[::-1]
    assert len(client.v1.payment_intents.list({"created": {"gte": int(time.time()) - 60}}).data) == 2
    assert client.v1.payment_intents.list({"created": {"gt": int(time.time()) + 60}}).data == []


# Idempotency


def test_the_same_key_gets_the_same_answer_and_charges_once(stripe: StandIn, client: StripeClient) -> None:
    first = create(client, key="k", payment_method="pm_card_visa", confirm=True)

    second = create(client, key="k", payment_method="pm_card_visa", confirm=True)

    assert second.id == first.id
    assert second.last_response.headers["idempotent-replayed"] == "true"
    assert (len(stripe.intents()), stripe.charged()) == (1, 4200)
    assert [request.replayed for request in stripe.requests("payment_intents")] == [False, True]


def test_the_same_key_for_something_else_is_refused(client: StripeClient) -> None:
    create(client, key="k")

    with pytest.raises(IdempotencyError):
        create(client, key="k", amount=1)


def test_a_decline_is_replayed_too(stripe: StandIn, client: StripeClient) -> None:
    for _ in range(2):
        with pytest.raises(CardError):
            create(client, key="k", payment_method="pm_card_chargeDeclined", confirm=True)

    assert len(stripe.intents()) == 1


def test_the_same_key_at_the_same_time_is_a_conflict(stripe: StandIn, client: StripeClient) -> None:
    held = stripe.hold(INTENTS)
    with ThreadPoolExecutor() as pool:
        first = pool.submit(create, client, key="k")
        assert held.arrived.wait(20)
        with pytest.raises(APIError) as refused:
            create(client_of(stripe), key="k")
        held.let_go()

        assert refused.value.error is not None
        assert (refused.value.http_status, refused.value.error.code) == (409, "idempotency_key_in_use")
        done = first.result(20)
        assert create(client, key="k").id == done.id


# Faults


def test_a_lost_request_never_arrived(stripe: StandIn, client: StripeClient) -> None:
    stripe.lose_request(INTENTS)

    with pytest.raises(APIConnectionError):
        create(client, key="k")

    assert stripe.intents() == []
    assert create(client, key="k").last_response.headers.get("idempotent-replayed") is None
    assert [(request.key, request.status) for request in stripe.requests()] == [("k", 0), ("k", 200)]


def test_a_lost_answer_was_work_all_the_same(stripe: StandIn, client: StripeClient) -> None:
    intent = create(client, payment_method="pm_card_visa", confirm=True)
    stripe.lose_answer(REFUNDS)

    with pytest.raises(APIConnectionError):
        refund(client, intent.id, 100, key="k")

    assert stripe.refunded() == 100
    assert refund(client, intent.id, 100, key="k").id == stripe.refunds(intent.id)[0]["id"]
    assert stripe.refunded() == 100


def test_the_librarys_own_retry_heals_a_lost_answer(stripe: StandIn) -> None:
    stripe.lose_answer(INTENTS)

    create(client_of(stripe, retries=1), key="k")

    assert len(stripe.intents()) == 1


def test_a_500_before_the_work_after_it_and_for_good(stripe: StandIn, client: StripeClient) -> None:
    stripe.fail(500, INTENTS)
    stripe.fail(500, INTENTS, done=True)
    for made in (0, 1):
        with pytest.raises(APIError):
            create(client, key="k")
        assert len(stripe.intents()) == made
    assert create(client, key="k").id == stripe.intents()[0]["id"]

    stripe.fail(500, INTENTS, saved=True)
    for _ in range(2):
        with pytest.raises(APIError):
            create(client, key="other")


def test_too_many_requests(stripe: StandIn, client: StripeClient) -> None:
    stripe.fail(429, times=2)

    for _ in range(2):
        with pytest.raises(RateLimitError):
            create(client, key="k")

    assert create(client, key="k").status == "requires_payment_method"


@pytest.mark.parametrize("done", [False, True])
def test_an_answer_slower_than_the_client_waits(stripe: StandIn, done: bool) -> None:
    stripe.delay(1.0, INTENTS, done=done)

    with pytest.raises(APIConnectionError):
        create(client_of(stripe, timeout=0.3), key="k")

    assert len(stripe.intents()) == (1 if done else 0)
    eventually(lambda: len(stripe.intents()) == 1, within=10)


# News


def test_a_signed_event_is_what_the_library_accepts(stripe: StandIn, client: StripeClient) -> None:
    intent = create(client, key="k", payment_method="pm_card_visa", confirm=True)

    body, headers = stripe.signed(stripe.events("payment_intent.succeeded")[0])

    event = Webhook.construct_event(body, headers["Stripe-Signature"], WEBHOOK_SECRET)
    assert (event.type, event.data.object["id"], event.request.idempotency_key) == ("payment_intent.succeeded", intent.id, "k")
    for wrong in (stripe.signed(stripe.events()[0], secret="whsec_x"), stripe.signed(stripe.events()[0], at=time.time() - 400)):
        with pytest.raises(Exception, match=r"signature|Timestamp"):
            Webhook.construct_event(wrong[0], wrong[1]["Stripe-Signature"], WEBHOOK_SECRET)


def test_delivery_in_the_tests_order_and_by_itself(stripe: StandIn, client: StripeClient) -> None:
    arrived: list[str] = []
    refusals = [500]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            status = refusals.pop() if refusals else 200
            if status == 200:
                arrived.append(Webhook.construct_event(body, self.headers["stripe-signature"], WEBHOOK_SECRET).type)
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    url = f"http://127.0.0.1:{server.server_address[1]}/webhooks/stripe"
    try:
        create(client, payment_method="pm_card_visa", confirm=True)
        assert arrived == []
        events = stripe.events()[::-1]
        assert stripe.deliver(*events, to=url, times=2) == [500, 200, 200, 200, 200, 200]
        assert arrived == [event["type"] for event in [*events, *events][1:]]
        arrived.clear()
        refusals.append(500)

        stripe.deliver_to(url)
        client.v1.payment_intents.cancel(create(client).id)

        eventually(lambda: sorted(arrived) == ["payment_intent.canceled", "payment_intent.created"], within=10)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_each_test_begins_with_nothing(stripe: StandIn) -> None:
    assert (stripe.intents(), stripe.events(), stripe.requests(), stripe.charged()) == ([], [], [], 0)
