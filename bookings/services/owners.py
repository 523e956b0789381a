"""Telling those who run an organization what a booking's money needs of them, by e-mail."""

from django.conf import settings

from bookings.models import Booking
from common import money
from organizations.mail import mail_administrators
from payments.models import Refund


def tell_owners_of_failed_refund(refund: Refund) -> None:
    """Which booking, how much, why, and what to do. Silent unless it stands as failed."""
    if refund.status != Refund.Status.FAILED:
        return
    context = {
        "booking": Booking.objects.with_related().get(public_id=refund.subject),
        "refund": refund,
        "amount": money.text(refund.amount, refund.currency),
        "docs_url": f"{settings.PUBLIC_URL}/backend/docs/api.md#payments",
    }
    mail_administrators(refund.organization, "refund_failed", context)
