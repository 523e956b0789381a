"""Refusals about money."""

from common.errors import DomainError, ErrorCode


class RefundExceedsPaid(DomainError):
    """`refundable` tells how much is left."""

    code = ErrorCode.REFUND_EXCEEDS_PAID


class PaymentModeUnavailable(DomainError):
    code = ErrorCode.PAYMENT_MODE_UNAVAILABLE


class PaymentRequired(DomainError):
    """`amount` and `currency` tell what is due; nothing was changed."""

    code = ErrorCode.PAYMENT_REQUIRED


class PaymentRefused(DomainError):
    """The card was declined, or the provider takes no such payment. `provider_code` is the provider's own word for why."""

    code = ErrorCode.PAYMENT_FAILED


class ProviderUnavailable(DomainError):
    """Whether anything came of it is not known yet; the same request again, or the sweep, finds out."""

    code = ErrorCode.PAYMENT_PROVIDER_UNAVAILABLE
