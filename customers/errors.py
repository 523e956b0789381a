"""Refusals about customers."""

from common.errors import DomainError, ErrorCode


class DuplicateCustomer(DomainError):
    """The e-mail address belongs to another customer; `customer` names it."""

    code = ErrorCode.DUPLICATE_CUSTOMER


class CustomerHasFutureBookings(DomainError):
    """`bookings` names some of them."""

    code = ErrorCode.CUSTOMER_HAS_FUTURE_BOOKINGS
