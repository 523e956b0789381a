"""What the payments API reads from the query, and the filters that need to know bookings."""

from typing import Any

from rest_framework import serializers

from bookings.models import Booking
from developers.filters import VisibleIds
from developers.inputs import Day, Input
from payments.filters import PaymentFilters


class ExportQuery(Input):
    date_from = Day(required=False, help_text="The money moved on this day (UTC) or later.")
    date_to = Day(required=False, help_text="The money moved on this day (UTC) or earlier.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "date_from" in attrs and "date_to" in attrs and attrs["date_to"] < attrs["date_from"]:
            raise serializers.ValidationError({"date_to": ["It lies before date_from."]})
        return attrs


class ListedPaymentFilters(PaymentFilters):
    booking = VisibleIds(Booking, field_name="subject", by="public_id", help_text="Booking ids, repeated or comma-separated.")
