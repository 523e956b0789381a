"""The only door to Stripe: an order in one of our rows becomes a call, its answer one of our words.

Every call has a deadline; what Stripe says may be repeated, its library repeats with the same idempotency key. The keys are
our rows' ids, so that a row whose answer was lost can be ordered again. Nothing here touches the database.
"""

import contextlib
import json
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import stripe
from django.conf import settings

from common import money
from common.signing import decrypt
from organizations.models import Organization
from payments.errors import PaymentModeUnavailable, PaymentRefused, ProviderUnavailable
from payments.models import Payment, Refund, StripeAccount

TIMEOUT_SECONDS = 8  # of one try
RETRIES = 2
TOLERANCE_SECONDS = 300  # between the time in a signature and now: Stripe's own default
TEST_KEYS = ("sk_test_", "rk_test_")


class BadSignature(Exception):
    """Not sent by Stripe to this account, or too long ago."""


@dataclass(frozen=True, slots=True)
class Account:
    """How Stripe is reached for an organization."""

    secret_key: str
    publishable_key: str
    connected_account: str
    api_base: str


@dataclass(frozen=True, slots=True)
class Intent:
    """A PaymentIntent as it is now, with its status in our words."""

    id: str
    status: Payment.Status
    client_secret: str
    charge: str = ""
    next_action: dict[str, Any] | None = None
    failure_code: str = ""
    failure_message: str = ""
    failed_charge: str = ""


@dataclass(frozen=True, slots=True)
class GivenBack:
    """A refund as it is at Stripe's side."""

    id: str
    status: Refund.Status
    failure: str = ""


def account_of(organization: Organization) -> Account:
    """Raises PaymentModeUnavailable where nothing is set up. A sandbox twin never reaches a live account of the platform's."""
    row = StripeAccount.objects.filter(organization=organization).first() or StripeAccount()
    secret_key = decrypt(row.secret_key) if row.secret_key else settings.STRIPE_SECRET_KEY
    if organization.mode == "test" and not secret_key.startswith(TEST_KEYS):
        secret_key = ""
    if not secret_key:
        raise PaymentModeUnavailable("This organization takes no payments through Stripe: use none, pos or external.")
    return Account(
        secret_key=secret_key,
        publishable_key=row.publishable_key or settings.STRIPE_PUBLISHABLE_KEY,
        connected_account=row.connected_account,
        api_base=row.api_base or settings.STRIPE_API_BASE,
    )


class Gateway:
    """Stripe, for one account. Every method raises ProviderUnavailable where it may be repeated later, with the same effect."""

    def __init__(self, account: Account) -> None:
        self.account = account
        client = stripe.StripeClient(
            account.secret_key,
            base_addresses={"api": account.api_base},
            max_network_retries=RETRIES,
            http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
        )
        self._intents, self._refunds = client.v1.payment_intents, client.v1.refunds

    def try_out(self) -> None:
        """Read something, with the account's own key. Raises PaymentRefused where Stripe does not take the key or the account."""
        try:
            self._intents.list({"limit": 1}, self._options())
        except (stripe.AuthenticationError, stripe.PermissionError, stripe.InvalidRequestError) as error:
            raise PaymentRefused(error.user_message or "Stripe does not take the key.", provider_code=error.code) from error
        except stripe.StripeError as error:
            raise ProviderUnavailable("Stripe does not answer.") from error

    def set_up(self, payment: Payment) -> Intent:
        """The intent of the order, made unless it was. Raises PaymentRefused where Stripe takes no such order at all."""
        return self._retrieve(payment.intent) if payment.intent else self._create(payment)

    def advance(self, payment: Payment, found: Intent) -> Intent:
        """Carry out the order as far as it has not been: charge the method it names, or cancel.

        A card that is declined, or that Stripe does not know, is an answer, no exception.
        """
        if payment.unwanted and found.status not in (Payment.Status.SUCCEEDED, Payment.Status.CANCELED):
            return self._cancel(found.id, payment)
        to_charge = payment.payment_method and payment.status == Payment.Status.CREATING  # a refused card is not tried again
        if to_charge and found.status == Payment.Status.PENDING:
            return self._charge(found.id, payment)
        return found

    def give_back(self, refund: Refund, *, may_order: bool) -> GivenBack:
        """Look how the refund is, or order it where it is not known yet. Raises PaymentRefused where Stripe refuses it for
        good, or knows nothing of it and it may not be ordered any more.
        """
        if refund.stripe_id:
            return _given_back(self._look(lambda: self._refunds.retrieve(refund.stripe_id, {}, self._options())))
        if may_order:
            return self._order(refund)
        if found := self._find(refund):
            return found
        raise PaymentRefused("Stripe has not taken the refund for a day.", provider_code="unanswered")

    def _order(self, refund: Refund) -> GivenBack:
        order: Any = {
            "payment_intent": refund.payment.intent,
            "amount": _in_stripe_units(refund.amount, refund.currency),
            "metadata": {"refund": refund.public_id, "booking": refund.subject},
        }
        try:
            return _given_back(self._call(lambda: self._refunds.create(order, self._options(refund.public_id))))
        except ProviderUnavailable:
            if found := self._find(refund):  # an error that Stripe keeps under the key is answered for a day
                return found
            raise

    def _find(self, refund: Refund) -> GivenBack | None:
        """The refund among those of its intent, by our id on it."""
        query: Any = {"payment_intent": refund.payment.intent, "limit": 100}
        for found in self._call(lambda: self._refunds.list(query, self._options())).data:
            if (found.to_dict().get("metadata") or {}).get("refund") == refund.public_id:
                return _given_back(found)
        return None

    def _create(self, payment: Payment) -> Intent:
        order: Any = {
            "amount": _in_stripe_units(payment.amount, payment.currency),
            "currency": payment.currency.lower(),
            "payment_method_types": ["card"],
            "metadata": {"payment": payment.public_id, "booking": payment.subject},
            "expand": ["latest_charge"],
        }
        return _intent(self._call(lambda: self._intents.create(order, self._options(payment.public_id))))

    def _charge(self, intent: str, payment: Payment) -> Intent:
        """The intent after it: declined, or overtaken by the payer's browser, is what the intent itself then says."""
        try:
            self._call(lambda: self._intents.update(intent, {"payment_method": payment.payment_method}, self._options()))
            self._call(lambda: self._intents.confirm(intent, {}, self._options(f"{payment.public_id}:confirm")))
        except PaymentRefused as refused:
            found, code = self._retrieve(intent), str(refused.extra["provider_code"] or "refused")
            if found.status != Payment.Status.PENDING:
                return found
            failure: dict[str, Any] = {"failure_code": code, "failure_message": refused.detail[:500], "failed_charge": code}
            return replace(found, status=Payment.Status.FAILED, **failure)
        return self._retrieve(intent)

    def _cancel(self, intent: str, payment: Payment) -> Intent:
        with contextlib.suppress(PaymentRefused):  # it has succeeded, or was canceled, in between
            self._call(lambda: self._intents.cancel(intent, {}, self._options(f"{payment.public_id}:cancel")))
        return self._retrieve(intent)

    def _retrieve(self, intent: str) -> Intent:
        return _intent(self._look(lambda: self._intents.retrieve(intent, {"expand": ["latest_charge"]}, self._options())))

    def _options(self, key: str | None = None) -> Any:
        options = {"idempotency_key": key, "stripe_account": self.account.connected_account}
        return {name: value for name, value in options.items() if value}

    def _look(self, act: Any) -> Any:
        """What Stripe has once told us of is there: where it knows nothing of it, the key is another account's now."""
        try:
            return self._call(act)
        except PaymentRefused as refused:
            raise ProviderUnavailable from refused

    def _call(self, act: Any) -> Any:
        try:
            return act()
        except (stripe.CardError, stripe.InvalidRequestError) as error:
            raise PaymentRefused(error.user_message or "Stripe refuses this.", provider_code=error.code) from error
        except stripe.StripeError as error:  # away, overloaded, or our key is wrong: an operator can mend all of these
            raise ProviderUnavailable from error


def verified_event(body: bytes, signature: str, secret: str) -> dict[str, Any]:
    """The event in the body. Raises BadSignature unless Stripe has signed just these bytes, a short while ago."""
    if not secret or not signature.isascii():
        raise BadSignature
    try:
        text = body.decode()
        stripe.WebhookSignature.verify_header(text, signature, secret, TOLERANCE_SECONDS)
        found: Any = json.loads(text)
    except (ValueError, RecursionError, stripe.SignatureVerificationError) as error:
        raise BadSignature from error
    if not isinstance(found, dict):
        raise BadSignature
    return found


def _in_stripe_units(amount: int, currency: str) -> int:
    """Stripe counts a few currencies in other units than ISO 4217: docs.stripe.com/currencies#special-cases."""
    exponent = _STRIPE_EXPONENTS.get(currency, money.exponent(currency))
    value = Decimal(amount).scaleb(exponent - money.exponent(currency))
    if value != int(value):
        raise PaymentRefused(f"Stripe takes no fractions of {currency}.", provider_code="invalid_amount")
    return int(value)


def _intent(answer: Any) -> Intent:
    found: dict[str, Any] = answer.to_dict()
    charge, error = found.get("latest_charge"), found.get("last_payment_error") or {}
    charge = charge if isinstance(charge, dict) else {"id": charge or "", "status": ""}
    status = _STATUSES[found["status"]]
    failed = status == Payment.Status.PENDING and error
    return Intent(
        id=found["id"],
        status=Payment.Status.FAILED if failed else status,
        client_secret=found.get("client_secret") or "",
        charge=charge["id"] if status == Payment.Status.SUCCEEDED else "",
        next_action=found.get("next_action"),
        failure_code=(error.get("decline_code") or error.get("code") or "") if failed else "",
        failure_message=(error.get("message") or "")[:500] if failed else "",
        failed_charge=(error.get("charge") or error.get("code") or "") if failed else "",
    )


def _given_back(answer: Any) -> GivenBack:
    found: dict[str, Any] = answer.to_dict()
    status = _REFUND_STATUSES.get(found["status"], Refund.Status.PENDING)
    failure = (found.get("failure_reason") or "failed")[:500] if status == Refund.Status.FAILED else ""
    return GivenBack(found["id"], status, failure)


_STRIPE_EXPONENTS = {"ISK": 2, "UGX": 2, "MGA": 0}
_STATUSES = {
    "requires_payment_method": Payment.Status.PENDING,
    "requires_confirmation": Payment.Status.PENDING,
    "requires_action": Payment.Status.REQUIRES_ACTION,
    "processing": Payment.Status.PROCESSING,
    "requires_capture": Payment.Status.PROCESSING,
    "succeeded": Payment.Status.SUCCEEDED,
    "canceled": Payment.Status.CANCELED,
}
_REFUND_STATUSES = {
    "succeeded": Refund.Status.SUCCEEDED,
    "failed": Refund.Status.FAILED,
    "canceled": Refund.Status.FAILED,
}
