"""The filters of the list of customers, for the API and for pages."""

from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet

from customers.models import Customer
from developers.filters import InstantFilter, TextFilter


class CustomerFilters(django_filters.FilterSet):
    q = TextFilter(method="matching", help_text="Part of name, e-mail address or phone number.")
    email = TextFilter(method="with_email")
    phone = TextFilter(field_name="phone", help_text="E.164; write the + as %2B.")
    tag = TextFilter(method="tagged")
    updated_since = InstantFilter(field_name="updated_at", lookup_expr="gte", help_text="RFC 3339.")

    class Meta:
        model = Customer
        fields: ClassVar[list[str]] = []

    def matching(self, customers: Any, name: str, text: str) -> Any:
        return customers.matching(text)

    def with_email(self, customers: QuerySet[Customer], name: str, email: str) -> QuerySet[Customer]:
        return customers.filter(email=email.lower())

    def tagged(self, customers: QuerySet[Customer], name: str, tag: str) -> QuerySet[Customer]:
        return customers.filter(tags__contains=[tag])
