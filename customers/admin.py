"""Customers in the operators' admin."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from bookings.services import erase_customer
from common.admin import BigTableAdmin, operator, perform
from customers.models import Customer


@admin.register(Customer)
class CustomerAdmin(BigTableAdmin):
    list_display = ("__str__", "email", "phone", "organization", "marketing_consent", "erased_at", "created_at")
    list_filter = ("marketing_consent",)
    list_select_related = ("organization",)
    search_fields = ("public_id", "email", "phone", "organization__slug")
    actions = ("erase",)

    @admin.action(description="Erase personal data", permissions=["act"])
    def erase(self, request: HttpRequest, queryset: QuerySet[Customer]) -> HttpResponse | None:
        return perform(
            self,
            request,
            queryset,
            lambda customer: erase_customer(customer=customer, by=operator(request, customer.organization)),
            done="Personal data erased",
            question="Erase what is personal of these customers, in their bookings too? It cannot be brought back.",
        )
