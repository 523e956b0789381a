"""Outgoing shapes of money."""

from typing import Any

from rest_framework import serializers

from developers.shapes import Literal, Shape
from payments.gateway import Intent, account_of
from payments.models import Payment, Refund


class RefundShape(Shape):
    object = Literal("refund")
    id = serializers.CharField(source="public_id")
    payment = serializers.CharField(source="payment.public_id")
    booking = serializers.CharField(source="subject")
    status = serializers.ChoiceField(Refund.Status.choices)
    amount = serializers.IntegerField(help_text="In minor units of the currency.")
    currency = serializers.CharField()
    reason = serializers.CharField()
    failure = serializers.CharField(help_text="Why the provider could not give it back; else empty.")
    created_at = serializers.DateTimeField()
    succeeded_at = serializers.DateTimeField(allow_null=True, help_text="When the money was known to be back.")


class FailureShape(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="The provider's own, such as `card_declined`.")
    message = serializers.CharField()


class StripeShape(serializers.Serializer[Any]):
    """What it is called at Stripe's side; null until it is known there."""

    payment_intent = serializers.CharField(allow_null=True)
    charge = serializers.CharField(allow_null=True)


class PaymentShape(Shape):
    object = Literal("payment")
    id = serializers.CharField(source="public_id")
    booking = serializers.CharField(source="subject")
    mode = serializers.ChoiceField(Payment.Mode.choices)
    status = serializers.ChoiceField(Payment.Status.choices)
    amount = serializers.IntegerField(help_text="In minor units of the currency.")
    amount_refunded = serializers.IntegerField(help_text="Given back or about to be.")
    currency = serializers.CharField()
    reference = serializers.CharField(help_text="The integrator's own number for it.")
    failure = FailureShape(allow_null=True, help_text="Of the last try that failed.")
    stripe = StripeShape(allow_null=True, help_text="Null for other modes.")
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    succeeded_at = serializers.DateTimeField(allow_null=True, help_text="When the money was known to be here.")

    @staticmethod
    def get_failure(payment: Payment) -> dict[str, str] | None:
        if not payment.failure_code and not payment.failure_message:
            return None
        return {"code": payment.failure_code, "message": payment.failure_message}

    @staticmethod
    def get_stripe(payment: Payment) -> dict[str, str | None] | None:
        if payment.mode != Payment.Mode.STRIPE:
            return None
        return {"payment_intent": payment.intent or None, "charge": payment.charge or None}


class PaymentWithRefundsShape(PaymentShape):
    refunds = RefundShape(many=True, help_text="Out of this payment, the oldest first; failed ones too.")

    @staticmethod
    def get_refunds(payment: Payment) -> list[dict[str, Any]]:
        return [RefundShape.json(refund) for refund in reversed(payment.refunds.all())]


def open_payment(payment: Payment, intent: Intent | None) -> dict[str, Any]:
    """The payment in OpenPaymentShape; without an intent as it is before Stripe has been asked."""
    open, account = None if payment.is_settled else intent, account_of(payment.organization)
    return {
        **PaymentShape.json(payment),
        "client_secret": open.client_secret if open else None,
        "publishable_key": account.publishable_key or None,
        "stripe_account": account.connected_account or None,
        "next_action": open.next_action if open else None,
    }


class OpenPaymentShape(PaymentShape):
    """A payment with what the payer's browser needs to make or authenticate it, in the answer that began it."""

    client_secret = serializers.CharField(allow_null=True, help_text="For Stripe.js; null once it has succeeded or in a dry run.")
    publishable_key = serializers.CharField(allow_null=True, help_text="For Stripe.js.")
    stripe_account = serializers.CharField(allow_null=True, help_text="For Stripe.js, with a connected account only.")
    next_action = serializers.DictField(allow_null=True, help_text="What the payer's bank asks for, in Stripe's words.")
