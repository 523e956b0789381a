"""The outgoing shape of a customer; API answers add `stats` and `bookings` to it."""

from typing import Any

from rest_framework import serializers

from common.walltime import utc_text
from customers.models import Customer
from developers.shapes import Literal, Shape


class ConsentShape(serializers.Serializer[Any]):
    value = serializers.BooleanField()
    at = serializers.DateTimeField(allow_null=True)
    source = serializers.CharField(allow_null=True)


class CustomerShape(Shape):
    object = Literal("customer")
    id = serializers.CharField(source="public_id")
    name = serializers.CharField()
    email = serializers.EmailField(allow_null=True)
    phone = serializers.CharField(allow_null=True)
    language = serializers.CharField(allow_null=True)
    tags = serializers.ListField(child=serializers.CharField())
    notes = serializers.CharField()
    marketing_consent = ConsentShape()
    metadata = serializers.DictField(child=serializers.CharField())
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    @staticmethod
    def get_language(customer: Customer) -> str | None:
        return customer.language or None

    @staticmethod
    def get_marketing_consent(customer: Customer) -> dict[str, Any]:
        consent = customer.marketing
        return {**consent, "at": utc_text(consent["at"])}
