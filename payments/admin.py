"""Money in the operators' admin."""

from django.contrib import admin

from common.admin import ReadOnlyAdmin, money_text
from payments.models import Payment, Refund


class MoneyAdmin(ReadOnlyAdmin):
    computed = ("money",)
    hidden = ("amount",)
    list_select_related = ("organization",)

    money = money_text("amount", "amount")


@admin.register(Payment)
class PaymentAdmin(MoneyAdmin):
    list_display = ("public_id", "organization", "subject", "mode", "status", "money", "created_at")
    list_filter = ("mode", "status")
    search_fields = ("public_id__exact", "subject__exact", "reference__exact", "organization__slug")


@admin.register(Refund)
class RefundAdmin(MoneyAdmin):
    list_display = ("public_id", "organization", "subject", "status", "purpose", "money", "reason", "created_at")
    list_filter = ("status", "purpose")
    search_fields = ("public_id__exact", "subject__exact", "payment__public_id__exact", "organization__slug")
