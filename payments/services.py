"""The verbs on money. The caller holds the lock on what was paid for, so that sums hold still."""

from django.db.models import Sum

from organizations.actor import Actor
from payments.errors import PaymentModeUnavailable, RefundExceedsPaid
from payments.models import Payment, Refund


def record_payment(*, subject: str, mode: str, amount: int, currency: str, reference: str, by: Actor) -> Payment:
    """Note money that was taken elsewhere (`pos`, `external`). Raises PaymentModeUnavailable for Stripe."""
    if mode not in Payment.Mode:
        raise PaymentModeUnavailable("Payments through Stripe are not available yet: use none, pos or external.")
    return Payment.objects.create(
        organization=by.organization, subject=subject, mode=mode, amount=amount, currency=currency, reference=reference
    )


def request_refund(*, subject: str, amount: int, purpose: Refund.Purpose, reason: str = "") -> list[Refund]:
    """Give `amount` (minor units) back, out of the newest payments first. One refund per payment touched.

    Raises RefundExceedsPaid: the refunds of a subject never exceed what was paid for it.
    """
    refunds = []
    rest = amount
    for payment in Payment.objects.of(subject).order_by("-pk"):
        share = min(rest, payment.amount - refunded(payment))
        if share > 0:
            refunds.append(
                Refund.objects.create(
                    payment=payment,
                    organization=payment.organization,
                    subject=subject,
                    amount=share,
                    currency=payment.currency,
                    purpose=purpose,
                    reason=reason,
                )
            )
            rest -= share
    if rest > 0:
        raise RefundExceedsPaid(refundable=amount - rest)
    return refunds


def refunded(payment: Payment) -> int:
    """What has been given back out of the payment, in minor units."""
    return payment.refunds.aggregate(total=Sum("amount"))["total"] or 0
