"""What an order becomes at Stripe: once, at the right account, and each answer in one of our words."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from common.signing import decrypt
from organizations.actor import Actor
from organizations.models import AuditEntry
from payments import gateway
from payments.errors import PaymentModeUnavailable, PaymentRefused, ProviderUnavailable
from payments.gateway import RETRIES, GivenBack, Intent, account_of
from payments.models import Payment, Refund, StripeAccount
from payments.services import KEYS_LAST, advance_payment, advance_refund, begin_payment, set_stripe_account
from rooms.claims import database_now
from rooms.services import sandbox_for
from tests.cast import Player
from tests.server import eventually
from tests.stripe.stand_in import PUBLISHABLE_KEY, SECRET_KEY, StandIn

pytestmark = pytest.mark.django_db

CREATE, CONFIRM, REFUNDS = "POST /v1/payment_intents$", "POST /v1/payment_intents/[^/]+/confirm$", "POST /v1/refunds$"
VISA, DECLINED = "pm_card_visa", "pm_card_chargeDeclinedInsufficientFunds"
LIVE = "sk_live_the_platforms"


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between its tries the library waits half a second and more."""
    monkeypatch.setattr("stripe.HTTPClient._sleep_time_seconds", lambda *args, **kwargs: 0.05)


def order(by: Actor, method: str = "", **more: Any) -> Payment:
    fields = {"subject": "bkg_1", "amount": 4_200, "currency": "EUR", "purpose": {}, "now": database_now()}
    return begin_payment(by=by, payment_method=method, **{**fields, **more})


def advance(payment: Payment) -> Intent:
    """As the services do, who have written the answer of a first call down by the second."""
    found = advance_payment(payment)
    payment.refresh_from_db()
    assert payment.intent == found.id
    return found


def give_back(payment: Payment, amount: int, **more: Any) -> GivenBack:
    refund = Refund(payment=payment, organization=payment.organization, subject="bkg_1", amount=amount, currency="EUR")
    for name, value in more.items():
        setattr(refund, name, value)
    return advance_refund(refund)


# Answers


def test_a_card_is_charged_by_an_order_that_names_our_row(alice: Player, stripe: StandIn) -> None:
    payment = order(alice.actor, VISA)

    found = advance(payment)

    (intent,) = stripe.intents()
    assert (found.id, found.status, found.failure_code) == (intent["id"], "succeeded", "")
    assert found.charge == intent["latest_charge"]["id"]
    assert stripe.charged(found.id) == 4_200
    (created,) = stripe.requests("POST /v1/payment_intents")[:1]
    assert (created.key, created.params["amount"], created.params["currency"]) == (payment.public_id, "4200", "eur")
    assert created.params["metadata"] == {"payment": payment.public_id, "booking": "bkg_1"}


def test_without_a_method_the_intent_waits_for_the_payer_s_browser(alice: Player, stripe: StandIn) -> None:
    found = advance(order(alice.actor))

    assert (found.status, found.charge, stripe.charged()) == ("pending", "", 0)
    assert found.client_secret.startswith(found.id)


def test_a_declined_card_is_an_answer(alice: Player, stripe: StandIn) -> None:
    found = advance(order(alice.actor, DECLINED))

    assert (found.status, found.charge, found.failure_code) == ("failed", "", "insufficient_funds")
    assert found.failure_message
    assert found.failed_charge.startswith("ch_")
    assert stripe.charged() == 0


def test_what_the_bank_asks_for_is_passed_on(alice: Player, stripe: StandIn) -> None:
    found = advance(order(alice.actor, "pm_card_authenticationRequired"))

    assert found.status == "requires_action"
    assert found.next_action is not None
    assert found.next_action["type"] == "use_stripe_sdk"


def test_a_payment_method_that_stripe_does_not_know_is_answered_as_a_declined_one_is(alice: Player, stripe: StandIn) -> None:
    found = advance(order(alice.actor, "pm_nobody_has_seen"))

    assert (found.status, found.failure_code, found.charge) == ("failed", "resource_missing", "")
    assert "pm_nobody_has_seen" in found.failure_message
    assert stripe.charged() == 0


@pytest.mark.parametrize(("currency", "amount", "asked"), [("JPY", 500, "500"), ("KWD", 1_500, "1500"), ("ISK", 500, "50000")])
def test_amounts_are_in_stripe_s_own_units(alice: Player, stripe: StandIn, currency: str, amount: int, asked: str) -> None:
    payment = order(alice.actor, VISA, currency=currency, amount=amount)
    advance(payment)
    give_back(payment, amount, currency=currency)

    amounts = [request.params["amount"] for request in stripe.requests("POST") if "amount" in request.params]
    assert amounts == [asked, asked]
    assert stripe.refunded() == int(asked)


def test_what_stripe_takes_in_no_units_of_its_own_is_refused_before_it_is_asked(alice: Player, stripe: StandIn) -> None:
    with pytest.raises(PaymentRefused):
        advance(order(alice.actor, VISA, currency="MGA", amount=150))

    assert stripe.requests() == []


def test_what_is_no_longer_wanted_is_canceled_unless_the_payer_was_quicker(alice: Player, stripe: StandIn) -> None:
    payments = [order(alice.actor, subject=f"bkg_{number}") for number in range(2)]
    for payment in payments:
        advance(payment)
        payment.unwanted = True
    stripe.pay(payments[1].intent)

    assert [advance(payment).status for payment in payments] == ["canceled", "succeeded"]
    assert [advance(payment).status for payment in payments] == ["canceled", "succeeded"]


# Refunds


def test_a_refund_is_ordered_and_looked_at(alice: Player, stripe: StandIn) -> None:
    payment = order(alice.actor, VISA)
    advance(payment)
    stripe.let_refunds_pend()

    pending = give_back(payment, 1_000, public_id="ref_1")
    assert (pending.status, pending.failure, stripe.refunded(payment.intent)) == ("pending", "", 1_000)
    assert stripe.requests("POST /v1/refunds")[0].key == "ref_1"

    stripe.succeed_refund(pending.id)
    assert give_back(payment, 1_000, stripe_id=pending.id) == GivenBack(pending.id, Refund.Status.SUCCEEDED)
    stripe.fail_refund(pending.id, "lost_or_stolen_card")
    assert give_back(payment, 1_000, stripe_id=pending.id) == GivenBack(pending.id, Refund.Status.FAILED, "lost_or_stolen_card")
    assert len(stripe.requests("POST /v1/refunds")) == 1


def test_more_than_was_paid_is_refused_by_stripe_too(alice: Player, stripe: StandIn) -> None:
    payment = order(alice.actor, VISA)
    advance(payment)

    with pytest.raises(PaymentRefused, match="greater than unrefunded amount"):
        give_back(payment, 4_201)
    give_back(payment, 4_200)
    with pytest.raises(PaymentRefused) as refused:
        give_back(payment, 1)

    assert refused.value.extra["provider_code"] == "charge_already_refunded"
    assert stripe.refunded() == 4_200


def test_an_order_older_than_stripe_s_memory_is_looked_for_not_given_again(alice: Player, stripe: StandIn) -> None:
    long_ago = timezone.now() - KEYS_LAST - dt.timedelta(minutes=1)
    payment = order(alice.actor, VISA)
    advance(payment)
    given = give_back(payment, 1_000, public_id="ref_1")

    assert give_back(payment, 1_000, public_id="ref_1", created_at=long_ago).id == given.id
    with pytest.raises(PaymentRefused) as refused:
        give_back(payment, 500, public_id="ref_2", created_at=long_ago)
    assert refused.value.extra["provider_code"] == "unanswered"
    assert stripe.refunded() == 1_000

    unheard = order(alice.actor, VISA, subject="bkg_2")
    unheard.created_at = long_ago
    with pytest.raises(PaymentRefused):
        advance(unheard)
    assert len(stripe.intents()) == 1


# Troubles


@pytest.mark.parametrize("on", [CREATE, CONFIRM])
def test_what_comes_late_counts_as_not_known_and_the_same_order_finds_out(
    alice: Player, stripe: StandIn, monkeypatch: pytest.MonkeyPatch, on: str
) -> None:
    """Stripe works on, after we have given up."""
    payment = order(alice.actor, VISA)
    held = stripe.hold(on, times=1 + RETRIES, done=True)
    with monkeypatch.context() as context:
        context.setattr(gateway, "TIMEOUT_SECONDS", 0.3)
        with pytest.raises(ProviderUnavailable):
            advance(payment)
    held.let_go()
    eventually(lambda: all(request.status for request in stripe.requests("POST")))

    assert advance(payment).status == "succeeded"
    assert (len(stripe.intents()), stripe.charged()) == (1, 4_200)


@pytest.mark.parametrize("on", [CREATE, CONFIRM])
@pytest.mark.parametrize("trouble", ["500", "no answer", "nobody there"])
def test_the_library_tries_again_under_the_same_key(alice: Player, stripe: StandIn, on: str, trouble: str) -> None:
    payment = order(alice.actor, VISA)
    break_it = {
        "500": lambda: stripe.fail(500, on, times=RETRIES),
        "no answer": lambda: stripe.lose_answer(on, times=RETRIES),
        "nobody there": lambda: stripe.lose_request(on, times=RETRIES),
    }
    break_it[trouble]()

    assert advance(payment).status == "succeeded"

    kind = "/confirm" if on == CONFIRM else "/v1/payment_intents"
    tries = [request for request in stripe.requests("POST") if request.path.endswith(kind)]
    asked = 2 if trouble == "no answer" else 1 + RETRIES  # the second time Stripe repeats its answer
    assert (len(tries), len({request.key for request in tries})) == (asked, 1)
    assert (len(stripe.intents()), stripe.charged()) == (1, 4_200)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_stripe_that_stays_overloaded_can_be_asked_later(alice: Player, stripe: StandIn, status: int) -> None:
    payment = order(alice.actor, VISA)
    stripe.fail(status, times=1 + RETRIES)

    with pytest.raises(ProviderUnavailable):
        advance(payment)
    stripe.reset()

    assert advance(payment).status == "succeeded"


def test_a_key_that_stripe_does_not_know_is_for_an_operator_to_mend(
    alice: Player, stripe: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No refusal of the payment: that would be for good."""
    set_stripe_account(by=alice.actor, secret_key="rubbish")

    with pytest.raises(ProviderUnavailable):
        advance(order(alice.actor, VISA))


def test_where_nobody_listens_nothing_is_known(alice: Player, stripe: StandIn, settings: Any) -> None:
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"

    with pytest.raises(ProviderUnavailable):
        advance(order(alice.actor, VISA))


# Accounts


def test_each_organization_s_own_key_and_address_are_used(alice: Player, charlie: Player, stripe: StandIn, settings: Any) -> None:
    """Charlie's come from the platform, whose Stripe is elsewhere."""
    set_stripe_account(by=alice.actor, secret_key="sk_test_alphas", publishable_key="pk_test_alphas", api_base=stripe.url)
    settings.STRIPE_API_BASE, settings.STRIPE_SECRET_KEY = stripe.url, SECRET_KEY

    advance(order(charlie.actor, VISA))
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    payment = order(alice.actor, VISA)
    advance(payment)
    give_back(payment, 4_200)

    keys = [request.secret_key for request in stripe.requests("POST")]
    assert set(keys) == {SECRET_KEY, "sk_test_alphas"}
    assert keys == sorted(keys, key=[SECRET_KEY, "sk_test_alphas"].index)
    assert {request.account for request in stripe.requests()} == {""}
    assert account_of(alice.organization).publishable_key == "pk_test_alphas"
    assert account_of(charlie.organization).publishable_key == PUBLISHABLE_KEY


def test_every_call_for_a_connected_account_says_so(alice: Player, stripe: StandIn) -> None:
    set_stripe_account(by=alice.actor, connected_account="acct_alpha")
    payment = order(alice.actor, VISA)
    advance(payment)
    refund = give_back(payment, 4_200)
    give_back(payment, 4_200, stripe_id=refund.id)
    unwanted = order(alice.actor, subject="bkg_2")
    advance(unwanted)
    unwanted.unwanted = True
    assert advance(unwanted).status == "canceled"

    assert {(request.account, request.secret_key) for request in stripe.requests()} == {("acct_alpha", SECRET_KEY)}


@pytest.mark.parametrize("key", [LIVE, "rk_live_the_platforms", ""])
def test_a_sandbox_never_reaches_a_live_account(alice: Player, stripe: StandIn, settings: Any, key: str) -> None:
    """Neither the platform's, nor its organization's, nor one that was set for it by mistake."""
    settings.STRIPE_SECRET_KEY = key
    set_stripe_account(by=alice.actor, secret_key=LIVE)
    by = Actor.system(sandbox_for(alice.organization))

    for own in (None, key, LIVE):
        if own is not None:
            set_stripe_account(by=by, secret_key=own)
        with pytest.raises(PaymentModeUnavailable):
            order(by, VISA)
    assert stripe.requests() == []
    assert not Payment.objects.exists()

    set_stripe_account(by=by, secret_key="rk_test_the_sandboxes")
    assert advance(order(by, VISA)).status == "succeeded"


def test_a_sandbox_may_use_the_platform_s_test_account(alice: Player, stripe: StandIn) -> None:
    assert advance(order(Actor.system(sandbox_for(alice.organization)), VISA)).status == "succeeded"


def test_an_account_is_kept_encrypted_changed_in_part_and_audited_without_its_secrets(alice: Player, settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = SECRET_KEY
    set_stripe_account(by=alice.actor, secret_key="sk_test_alphas", webhook_secret="whsec_alphas", publishable_key="pk_test_a")
    set_stripe_account(by=alice.actor, webhook_secret="whsec_newer")

    row, found = StripeAccount.objects.get(), account_of(alice.organization)
    assert (found.secret_key, found.publishable_key) == ("sk_test_alphas", "pk_test_a")
    assert (decrypt(row.secret_key), decrypt(row.webhook_secret)) == ("sk_test_alphas", "whsec_newer")
    assert "alphas" not in row.secret_key

    set_stripe_account(by=alice.actor, secret_key="", webhook_secret="")
    found, row = account_of(alice.organization), StripeAccount.objects.get()
    assert (found.secret_key, found.publishable_key, row.webhook_secret) == (SECRET_KEY, "pk_test_a", "")
    lines = AuditEntry.objects.filter(action="stripe_account.changed").order_by("pk")
    assert [line.details for line in lines] == [
        {"fields": ["publishable_key", "secret_key", "webhook_secret"]},
        {"fields": ["webhook_secret"]},
        {"fields": ["secret_key", "webhook_secret"]},
    ]
    assert {(line.actor_id, line.subject) for line in lines} == {(alice.user.public_id, alice.organization.public_id)}
