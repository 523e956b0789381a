"""The verbs on bookings. Each runs in one transaction and locks in one order: spaces, booking, payments."""

from bookings.services.cancellation import RefundChoice, cancel_booking, refund_summary, summary
from bookings.services.change import change_booking, no_change
from bookings.services.creation import confirm_booking, create_booking, extend_hold
from bookings.services.erasure import customer_stats, erase_customer, export_customer
from bookings.services.owners import tell_owners_of_failed_refund
from bookings.services.payments import carry_out_payment, require_made, work_off_payments
from bookings.services.possible import Possible, possible
from bookings.services.quotes import (
    preview_cancellation,
    preview_creation,
    quote_cancellation,
    quote_change,
    quote_creation,
)
from bookings.services.refunds import refund_booking
from bookings.services.sweeps import complete_bookings, expire_holds, forget_quotes
from bookings.services.taking import order_of
from bookings.services.visits import check_in, mark_no_show

__all__ = [
    "Possible",
    "RefundChoice",
    "cancel_booking",
    "carry_out_payment",
    "change_booking",
    "check_in",
    "complete_bookings",
    "confirm_booking",
    "create_booking",
    "customer_stats",
    "erase_customer",
    "expire_holds",
    "export_customer",
    "extend_hold",
    "forget_quotes",
    "mark_no_show",
    "no_change",
    "order_of",
    "possible",
    "preview_cancellation",
    "preview_creation",
    "quote_cancellation",
    "quote_change",
    "quote_creation",
    "refund_booking",
    "refund_summary",
    "require_made",
    "summary",
    "tell_owners_of_failed_refund",
    "work_off_payments",
]
