"""Outgoing shapes of money."""

from rest_framework import serializers

from developers.shapes import Literal, Shape
from payments.models import Refund


class RefundShape(Shape):
    object = Literal("refund")
    id = serializers.CharField(source="public_id")
    payment = serializers.CharField(source="payment.public_id")
    booking = serializers.CharField(source="subject")
    status = serializers.ChoiceField(Refund.Status.choices)
    amount = serializers.IntegerField(help_text="In minor units of the currency.")
    currency = serializers.CharField()
    reason = serializers.CharField()
    created_at = serializers.DateTimeField()
