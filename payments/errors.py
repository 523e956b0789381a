"""Refusals about money."""

from common.errors import DomainError, ErrorCode


class RefundExceedsPaid(DomainError):
    """`refundable` tells how much is left."""

    code = ErrorCode.REFUND_EXCEEDS_PAID


class PaymentModeUnavailable(DomainError):
    code = ErrorCode.PAYMENT_MODE_UNAVAILABLE
