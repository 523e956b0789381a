"""What only answers add to the customer's base shape."""

from typing import Any

from rest_framework import serializers

from bookings.serializers import BookingShape
from customers.serializers import CustomerShape
from payments.serializers import PaymentShape


class StatsShape(serializers.Serializer[Any]):
    """Counts by outcome; `spent` by currency, in minor units."""

    bookings = serializers.IntegerField()
    upcoming = serializers.IntegerField()
    visits = serializers.IntegerField()
    canceled = serializers.IntegerField()
    no_shows = serializers.IntegerField()
    first_booking_at = serializers.DateTimeField(allow_null=True)
    last_booking_at = serializers.DateTimeField(allow_null=True)
    spent = serializers.DictField(child=serializers.IntegerField())


class LastBookingsShape(serializers.Serializer[Any]):
    """The latest 20; `url` lists them all."""

    object = serializers.ChoiceField(["list"])
    data = BookingShape(many=True)
    has_more = serializers.BooleanField()
    url = serializers.CharField()


class CustomerProfileShape(CustomerShape):
    """`stats` and `bookings` are null for a key that may not read bookings."""

    stats = StatsShape(allow_null=True)
    bookings = LastBookingsShape(allow_null=True)


class CustomerExportShape(serializers.Serializer[Any]):
    object = serializers.ChoiceField(["customer_export"])
    customer = CustomerShape()
    stats = StatsShape()
    bookings = BookingShape(many=True)
    payments = PaymentShape(many=True, allow_null=True, help_text="Null without the scope `payments:read`.")


class ErasedCustomerShape(serializers.Serializer[Any]):
    object = serializers.ChoiceField(["customer"])
    id = serializers.CharField()
    deleted = serializers.ChoiceField([True])
