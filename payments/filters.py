"""The filters of the list of payments, for the API and for pages."""

import datetime as dt
from typing import Any, ClassVar

import django_filters

from common.walltime import day_start, zone
from developers.filters import AnyOf, DayFilter, TextFilter
from payments.models import Payment


class PaymentFilters(django_filters.FilterSet):
    status = AnyOf(choices=Payment.Status.choices, field_name="status", help_text="Repeated or comma-separated.")
    mode = AnyOf(choices=Payment.Mode.choices, field_name="mode", help_text="Repeated or comma-separated.")
    currency = AnyOf(field_name="currency", help_text="ISO 4217, such as EUR.")
    reference = TextFilter(field_name="reference", help_text="The integrator's own number for it.")
    intent = TextFilter(field_name="intent", help_text="Of Stripe, `pi_…`.")
    date_from = DayFilter(method="from_day", help_text="Created on this day (UTC) or later.")
    date_to = DayFilter(method="to_day", help_text="Created on this day (UTC) or earlier.")

    class Meta:
        model = Payment
        fields: ClassVar[list[str]] = []

    def from_day(self, payments: Any, name: str, day: dt.date) -> Any:
        return payments.filter(created_at__gte=day_start(day, zone("UTC")))

    def to_day(self, payments: Any, name: str, day: dt.date) -> Any:
        return payments.filter(created_at__lt=day_start(day + dt.timedelta(days=1), zone("UTC")))
