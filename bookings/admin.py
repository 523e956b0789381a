"""Bookings in the operators' admin, with their money and all that happened to them."""

from collections.abc import Iterable

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from bookings.models import Booking, BookingHistory, Quote
from bookings.services import cancel_booking, check_in, mark_no_show
from common import money
from common.admin import BigTableAdmin, ReadOnlyInline, money_text, operator, perform
from payments.models import Payment, Refund


class HistoryInline(ReadOnlyInline):
    model = BookingHistory
    fields = readonly_fields = ("at", "action", "actor_type", "actor_id", "changes", "request_id")


@admin.register(Booking)
class BookingAdmin(BigTableAdmin):
    computed = ("total", "paid", "refunded", "due", "deposit_text", "fees", "payments", "refunds")
    hidden = ("amount_paid", "amount_refunded", "deposit", "reschedule_fees")  # shown as money instead
    list_display = (
        "reference",
        "organization",
        "room",
        "customer",
        "starts_at",
        "party_size",
        "status",
        "payment_status",
        "total",
    )
    list_filter = ("status", "payment_status", "source")
    list_select_related = ("organization", "room", "customer")
    search_fields = ("public_id", "reference", "external_id", "customer__email", "customer__public_id", "organization__slug")
    inlines = (HistoryInline,)
    actions = ("cancel", "check_in", "mark_no_show")

    total = money_text("total", "total", sortable=False)
    paid = money_text("amount_paid", "paid")
    refunded = money_text("amount_refunded", "refunded")
    due = money_text("amount_due", "due", sortable=False)
    deposit_text = money_text("deposit", "deposit")
    fees = money_text("reschedule_fees", "fees of moves")

    @admin.display(description="payments")
    def payments(self, booking: Booking) -> SafeString:
        return _table((row, row.get_mode_display()) for row in Payment.objects.of(booking.public_id))

    @admin.display(description="refunds")
    def refunds(self, booking: Booking) -> SafeString:
        return _table((row, row.reason) for row in Refund.objects.of(booking.public_id))

    @admin.action(description="Cancel, with the refund that the policy grants", permissions=["act"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Booking]) -> HttpResponse | None:
        return perform(
            self,
            request,
            queryset,
            lambda booking: cancel_booking(booking=booking, by=operator(request, booking.organization)),
            done="Canceled",
            question="Cancel these bookings, with the refund that each one's policy grants?",
        )

    @admin.action(description="Check in", permissions=["act"])
    def check_in(self, request: HttpRequest, queryset: QuerySet[Booking]) -> HttpResponse | None:
        return perform(
            self,
            request,
            queryset,
            lambda booking: check_in(booking=booking, by=operator(request, booking.organization)),
            done="Checked in",
        )

    @admin.action(description="Mark as no-show", permissions=["act"])
    def mark_no_show(self, request: HttpRequest, queryset: QuerySet[Booking]) -> HttpResponse | None:
        return perform(
            self,
            request,
            queryset,
            lambda booking: mark_no_show(booking=booking, by=operator(request, booking.organization)),
            done="Marked as no-show",
            question="Mark these bookings as no-shows?",
        )


@admin.register(BookingHistory)
class BookingHistoryAdmin(BigTableAdmin):
    list_display = ("at", "organization", "booking", "action", "actor_type", "actor_id")
    list_select_related = ("organization", "booking")
    search_fields = ("booking__public_id", "booking__reference", "organization__slug")


@admin.register(Quote)
class QuoteAdmin(BigTableAdmin):
    computed = ("fee_text", "due_text", "refund_text")
    hidden = ("fee", "due", "refund")  # shown as money instead
    list_display = ("public_id", "organization", "kind", "room", "starts_at", "party_size", "due_text", "expires_at")
    list_filter = ("kind",)
    list_select_related = ("organization", "room")
    search_fields = ("public_id", "booking__public_id", "booking__reference")

    fee_text = money_text("fee", "fee")
    due_text = money_text("due", "due")
    refund_text = money_text("refund", "refund")


def _table(rows: Iterable[tuple[Payment | Refund, str]]) -> SafeString:
    """Money keeps no foreign key to a booking, so that an inline cannot show it."""
    cells = [
        (
            reverse(f"admin:payments_{row._meta.model_name}_change", args=[row.pk]),
            row.public_id,
            money.text(row.amount, row.currency),
            row.get_status_display(),
            text,
            f"{row.created_at:%Y-%m-%d %H:%M}",
        )
        for row, text in rows
    ]
    line = '<tr><td><a href="{}" class="text-link">{}</a></td>' + '<td class="pl-4">{}</td>' * 4 + "</tr>"
    return format_html("<table><tbody>{}</tbody></table>", format_html_join("", line, cells)) if cells else SafeString("None")
