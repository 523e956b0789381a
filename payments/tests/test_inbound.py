"""`POST /webhooks/stripe`: Stripe tells that something happened, and it is looked up; nothing else is believed."""

import itertools
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bookings.models import Booking, BookingHistory
from bookings.services import work_off_payments
from common import jobs
from payments.gateway import TOLERANCE_SECONDS
from payments.models import Payment, Refund, StripeAccount
from payments.services import set_stripe_account
from rooms.models import Room
from tests.cast import Player
from tests.crowd import at_once
from tests.stage import booking_body, slot_at
from tests.stripe.stand_in import StandIn
from webhooks.models import Event

pytestmark = pytest.mark.django_db

PLATFORM = "/webhooks/stripe"
ALPHAS, BETAS = "whsec_alphas_own", "whsec_betas_own"


def post(body: bytes, headers: dict[str, str], path: str = PLATFORM) -> Any:
    client = Client(raise_request_exception=False)
    return client.post(path, body, content_type="application/json", headers=headers)


def tell(stripe: StandIn, event: dict[str, Any], path: str = PLATFORM, **how: Any) -> Any:
    return post(*stripe.signed(event, **how), path=path)


def news(type: str, id: str = "pi_1", **more: Any) -> dict[str, Any]:
    """As much of an event as anybody reads."""
    return {"id": "evt_1", "object": "event", "type": type, "data": {"object": {"id": id, **more}}}


def order(player: Player, intent: str = "pi_1", **more: Any) -> Payment:
    """An open payment whose next look at Stripe is far away."""
    fields = {"subject": "bkg_1", "mode": "stripe", "status": "pending", "amount": 100, "currency": "EUR", "checks": 5}
    return Payment.objects.create(organization=player.organization, intent=intent, **{**fields, **more})


def refund_of(payment: Payment, **more: Any) -> Refund:
    fields = {"subject": payment.subject, "status": "pending", "amount": 100, "currency": "EUR", "checks": 5}
    return Refund.objects.create(payment=payment, organization=payment.organization, **{**fields, **more})


def is_due(row: Payment | Refund) -> bool:
    row.refresh_from_db()
    assert (row.check_at is None) == (row.checks == 5)
    return row.check_at is not None


def held(alice: Player, room: Room) -> tuple[str, str]:
    """A booking that waits for the payer's browser, and the intent."""
    made = alice.api.post("/bookings", booking_body(room, slot_at(10), payment={"mode": "stripe"})).json()
    return made["id"], made["payment"]["stripe"]["payment_intent"]


def require_paid_once(stripe: StandIn, booking: str, intent: str) -> None:
    found = Booking.objects.get(public_id=booking)
    assert (found.status, found.payment_status, found.amount_paid, found.amount_refunded) == ("confirmed", "paid", 10_000, 0)
    assert (stripe.charged(intent), stripe.refunded(intent), len(stripe.intents())) == (10_000, 0, 1)
    assert Event.objects.filter(type="payment.succeeded").count() == 1
    assert Event.objects.filter(type="booking.created").count() == 1
    assert BookingHistory.objects.filter(booking=found, action="confirmed").count() == 1
    assert Payment.objects.get(intent=intent).check_at is None


def test_an_event_is_a_hint_to_look_and_answers_before_anybody_looks(
    alice: Player, group_room: Room, stripe: StandIn, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking, intent = held(alice, group_room)
    stripe.pay(intent)
    rung: list[str] = []
    monkeypatch.setattr(jobs, "_ring", rung.append)
    asked = len(stripe.requests())
    body, headers = stripe.signed(stripe.events("payment_intent.succeeded")[0])

    with django_capture_on_commit_callbacks(execute=True), CaptureQueriesContext(connection) as queries:
        answer = post(body, headers)

    assert (answer.status_code, answer.json()) == (200, {"received": True})
    assert len(queries) == 2  # the payment; its refunds on the way
    assert (len(stripe.requests()), rung) == (asked, ["bookings.tasks.work_off_payments"])
    assert Booking.objects.get().status == "held"

    work_off_payments()
    require_paid_once(stripe, booking, intent)


def test_what_is_settled_is_not_looked_at_again(alice: Player, group_room: Room, stripe: StandIn) -> None:
    """News of a card that was charged at once comes when all is written down."""
    made = alice.api.post("/bookings", booking_body(group_room, slot_at(10), payment={"payment_method": "pm_card_visa"}))
    assert made.status_code == 201, made.content

    for event in stripe.events():
        assert tell(stripe, event).status_code == 200

    assert Payment.objects.get().check_at is None


# Who may tell


def test_only_what_stripe_has_signed_a_short_while_ago_is_heard(alice: Player, stripe: StandIn) -> None:
    payment, event = order(alice), news("payment_intent.succeeded")
    body, headers = stripe.signed(event)
    signature = headers["Stripe-Signature"]
    stale = stripe.signed(event, at=time.time() - TOLERANCE_SECONDS - 2)[1]
    another = stripe.signed(event, secret=ALPHAS)[1]
    empty = stripe.signed(event, secret="")[1]
    forged = [stale, another, empty, {}]
    forged += [{"Stripe-Signature": text} for text in ("", "nonsense", "t=1", "t=x,v1=y", f"{signature}é", signature.upper())]

    answers = [post(body, headers) for headers in forged]
    answers += [post(body + b" ", headers), post(b"", headers), post(body[:-1] + b"\xff", headers)]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(400, "bad_request")}
    assert {answer["Content-Type"] for answer in answers} == {"application/problem+json"}
    assert not is_due(payment)
    assert post(body, stripe.signed(event, at=time.time() - TOLERANCE_SECONDS + 30)[1]).status_code == 200
    assert is_due(payment)


def test_without_a_secret_nobody_is_heard(alice: Player, stripe: StandIn, settings: Any) -> None:
    settings.STRIPE_WEBHOOK_SECRET = ""

    assert tell(stripe, news("payment_intent.succeeded"), secret="").status_code == 400


def test_an_organization_with_its_own_secret_hears_at_its_own_address_only(
    alice: Player, charlie: Player, stripe: StandIn
) -> None:
    """Charlie is the platform's; each tells of the other's payment too, and changes nothing."""
    set_stripe_account(by=alice.actor, webhook_secret=ALPHAS)
    alphas, betas = order(alice, "pi_a"), order(charlie, "pi_b")
    own = f"{PLATFORM}/{alice.organization.public_id}"
    told_of_alphas, told_of_betas = (news("payment_intent.succeeded", id) for id in ("pi_a", "pi_b"))

    assert tell(stripe, told_of_alphas).status_code == 200
    assert tell(stripe, told_of_betas, own, secret=ALPHAS).status_code == 200
    assert (is_due(alphas), is_due(betas)) == (False, False)

    with CaptureQueriesContext(connection) as queries:
        assert tell(stripe, told_of_alphas, own, secret=ALPHAS).status_code == 200
    assert len(queries) == 3  # its secret, the payment, its refunds
    assert tell(stripe, told_of_betas).status_code == 200
    assert (is_due(alphas), is_due(betas)) == (True, True)


def test_another_organizations_secret_opens_nothing(alice: Player, charlie: Player, stripe: StandIn) -> None:
    set_stripe_account(by=alice.actor, webhook_secret=ALPHAS)
    set_stripe_account(by=charlie.actor, webhook_secret=BETAS)
    payment, own = order(alice), f"{PLATFORM}/{alice.organization.public_id}"
    event = news("payment_intent.succeeded")

    for secret in (BETAS, stripe.environment["STRIPE_WEBHOOK_SECRET"], ""):
        assert tell(stripe, event, own, secret=secret).status_code == 400
    assert not is_due(payment)


def test_an_unknown_organization_answers_like_a_bad_signature(alice: Player, charlie: Player, stripe: StandIn) -> None:
    """So does one without a secret of its own: the platform's opens only the platform's address."""
    set_stripe_account(by=alice.actor, webhook_secret=ALPHAS)
    set_stripe_account(by=charlie.actor, publishable_key="pk_test_beta")
    event = news("payment_intent.succeeded")

    def told(organization: str, **how: Any) -> Any:
        answer = tell(stripe, event, f"{PLATFORM}/{organization}", **how)
        return answer.status_code, {**answer.json(), "request_id": ""}

    bad = told(alice.organization.public_id, secret=BETAS)
    assert bad[0] == 400
    for organization in (charlie.organization.public_id, "org_00000000000000000000000000", "x"):
        assert told(organization) == told(organization, secret="") == told(organization, secret=ALPHAS) == bad


def test_an_account_that_is_connected_is_told_of_by_its_name(alice: Player, charlie: Player, stripe: StandIn) -> None:
    set_stripe_account(by=alice.actor, connected_account="acct_alpha")
    alphas, betas = order(alice, "pi_a"), order(charlie, "pi_b")
    told_of_alphas, told_of_betas = (news("payment_intent.succeeded", id) for id in ("pi_a", "pi_b"))

    for event in (told_of_alphas, {**told_of_alphas, "account": "acct_other"}, {**told_of_betas, "account": "acct_alpha"}):
        assert tell(stripe, event).status_code == 200
    assert (is_due(alphas), is_due(betas)) == (False, False)

    assert tell(stripe, {**told_of_alphas, "account": "acct_alpha"}).status_code == 200
    assert (is_due(alphas), is_due(betas)) == (True, False)


# How often, and in which order


@pytest.mark.django_db(transaction=True)
def test_fifty_deliveries_at_the_same_moment_and_four_workers_have_one_effect(
    alice: Player, group_room: Room, stripe: StandIn
) -> None:
    booking, intent = held(alice, group_room)
    stripe.pay(intent)
    body, headers = stripe.signed(stripe.events("payment_intent.succeeded")[0])

    answers = at_once([lambda: post(body, headers).status_code] * 50 + [lambda: work_off_payments() or 200] * 4)
    assert set(answers) == {200}
    post(body, headers)
    at_once([work_off_payments] * 4)

    require_paid_once(stripe, booking, intent)


STORY = ("payment_intent.payment_failed", "payment_intent.requires_action", "payment_intent.succeeded")


@pytest.mark.parametrize("types", list(itertools.permutations(STORY)), ids=lambda types: "-".join(type[15:] for type in types))
@pytest.mark.parametrize("times", [1, 2])
def test_every_order_comes_to_the_same(
    alice: Player, group_room: Room, stripe: StandIn, types: tuple[str, ...], times: int
) -> None:
    """A decline, the bank's question and its yes have all happened before the first word of them arrives."""
    booking, intent = held(alice, group_room)
    stripe.pay(intent, "pm_card_chargeDeclined")
    stripe.pay(intent, "pm_card_authenticationRequired")
    stripe.authenticate(intent)

    for type in types * times:
        (event,) = stripe.events(type)
        assert tell(stripe, event).status_code == 200
        work_off_payments()

    require_paid_once(stripe, booking, intent)
    assert not Event.objects.filter(type="payment.failed").exists()


def test_told_as_it_happens_each_step_shows_once(alice: Player, group_room: Room, stripe: StandIn) -> None:
    booking, intent = held(alice, group_room)
    steps: list[tuple[Callable[[], Any], str]] = [
        (lambda: stripe.pay(intent, "pm_card_chargeDeclined"), "failed"),
        (lambda: stripe.pay(intent, "pm_card_authenticationRequired"), "pending"),
        (lambda: stripe.authenticate(intent), "paid"),
    ]
    told: list[str] = []
    for step, expected in steps:
        step()
        for event in [event for event in stripe.events() if event["id"] not in told] * 2:
            tell(stripe, event)
            told.append(event["id"])
            work_off_payments()
        assert Booking.objects.get(public_id=booking).payment_status == expected

    require_paid_once(stripe, booking, intent)
    assert Event.objects.filter(type="payment.failed").count() == 1


# Refunds


@pytest.mark.parametrize(
    "event",
    [
        news("refund.updated", "re_1", payment_intent="pi_1"),
        news("refund.failed", "re_1", payment_intent=None),
        news("charge.refund.updated", "re_1"),
        news("charge.refunded", "ch_1", payment_intent="pi_1"),
    ],
    ids=lambda event: event["type"],
)
def test_a_refund_is_looked_at_when_stripe_tells_of_it(alice: Player, stripe: StandIn, event: dict[str, Any]) -> None:
    known = refund_of(order(alice, status="succeeded"), stripe_id="re_1")

    assert tell(stripe, event).status_code == 200

    assert is_due(known)
    assert not is_due(known.payment)


def test_a_refund_whose_answer_was_lost_is_found_by_its_payment(alice: Player, stripe: StandIn) -> None:
    payment = order(alice, status="succeeded")
    ours, done, failed = refund_of(payment), refund_of(payment, status="succeeded"), refund_of(payment, status="failed")

    assert tell(stripe, news("refund.created", "re_unheard_of", payment_intent="pi_1")).status_code == 200

    assert [is_due(row) for row in (ours, done, failed)] == [True, False, False]


def test_a_refund_that_had_succeeded_is_looked_at_too(alice: Player, stripe: StandIn) -> None:
    refund = refund_of(order(alice, status="succeeded"), status="succeeded", stripe_id="re_1")

    assert tell(stripe, news("refund.failed", "re_1", payment_intent="pi_1")).status_code == 200

    assert is_due(refund)


# What else may come


@pytest.mark.parametrize("type", ["customer.created", "payout.paid", "v2.core.event", "payment_intents.succeeded", ""])
def test_other_news_is_accepted_and_ignored(alice: Player, stripe: StandIn, type: str, django_assert_num_queries: Any) -> None:
    payment = order(alice)

    with django_assert_num_queries(0):
        assert tell(stripe, news(type)).status_code == 200

    assert not is_due(payment)


@pytest.mark.parametrize("type", ["charge.succeeded", "charge.dispute.created", "payment_intent.a_type_of_tomorrow"])
def test_whatever_happens_to_a_payment_is_a_hint(alice: Player, stripe: StandIn, type: str) -> None:
    payment = order(alice)

    assert tell(stripe, news(type, payment_intent="pi_1")).status_code == 200

    assert is_due(payment)


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        "text",
        7,
        {},
        {"type": "payment_intent.succeeded"},
        {"type": "payment_intent.succeeded", "data": []},
        {"type": "payment_intent.succeeded", "data": {"object": "pi_1"}},
        {"type": "payment_intent.succeeded", "data": {"object": {}}},
        {"type": ["payment_intent.succeeded"], "data": {"object": {"id": "pi_1"}}},
        {"type": "payment_intent.succeeded", "data": {"object": {"id": ["pi_1"]}}},
        {"type": "payment_intent.succeeded", "data": {"object": {"id": ""}}},
        {"type": "payment_intent.succeeded", "data": {"object": {"id": "pi_\x00"}}},
        {"type": "payment_intent.succeeded", "data": {"object": {"id": "pi_\ud800"}}},
        {"type": "payment_intent.succeeded", "data": {"object": {"id": "p" * 256}}},
        {"type": "payment_intent.succeeded", "data": {"object": {"id": "pi_1"}}, "account": {"id": "acct_1"}},
        {"type": "refund.updated", "data": {"object": {"payment_intent": "pi_1"}}},
        {"type": "charge.refunded", "data": {"object": {"payment_intent": {"id": "pi_1"}}}},
    ],
    ids=lambda event: json.dumps(event)[:60],
)
def test_garbage_that_is_signed_is_refused_and_breaks_nothing(alice: Player, stripe: StandIn, event: Any) -> None:
    payment = order(alice)

    answer = tell(stripe, event)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert not is_due(payment)


@pytest.mark.parametrize(
    "text", ["", "{", "[" * 100_000, '{"a": ' * 40_000, "1" * 5_000, "NaN", "\x00"], ids=lambda text: repr(text[:6])
)
def test_what_is_no_json_is_refused(stripe: StandIn, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as context:
        context.setattr("json.dumps", lambda event, indent: event)
        body, headers = stripe.signed(text)  # type: ignore[arg-type]

    assert post(body, headers).status_code == 400


def test_a_body_beyond_the_limit_is_refused_unread(stripe: StandIn, settings: Any) -> None:
    event = {**news("payment_intent.succeeded"), "more": "x" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE}

    answer = tell(stripe, event)

    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_refused(alice: Player, method: str) -> None:
    for path in (PLATFORM, f"{PLATFORM}/{alice.organization.public_id}"):
        answer = Client().generic(method, path)
        assert (answer.status_code, answer["Allow"]) == (405, "POST")


def test_while_another_holds_the_row_stripe_is_asked_to_come_back(
    alice: Player, stripe: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_long(**about: Any) -> None:
        cause = Exception()
        cause.sqlstate = "55P03"  # type: ignore[attr-defined]
        raise OperationalError from cause

    monkeypatch.setattr("payments.api.inbound.look_soon", too_long)

    answer = tell(stripe, news("payment_intent.succeeded"))

    assert (answer.status_code, answer.json()["code"]) == (503, "busy_retry")


def test_no_browser_s_guard_stands_in_the_way(alice: Player, stripe: StandIn) -> None:
    body, headers = stripe.signed(news("payment_intent.succeeded"))

    answer = Client(enforce_csrf_checks=True).post(PLATFORM, body, content_type="application/json", headers=headers)

    assert answer.status_code == 200
    assert not StripeAccount.objects.exists()
