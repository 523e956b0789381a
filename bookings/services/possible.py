"""What can be done with a booking now, by the very checks that the verbs make: for pages, which offer only that."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from django.utils import timezone

from bookings.models import Booking
from bookings.services.cancellation import require_cancelable
from bookings.services.change import require_payable
from bookings.services.creation import extended_until, require_confirmable
from bookings.services.plans import require_changeable
from bookings.services.visits import EARLIEST_CHECK_IN, require_arrival
from common.errors import DomainError


@dataclass(frozen=True, slots=True)
class Possible:
    """Each verb's refusal as a sentence, empty where it would be carried out; by this machine's clock, and only now."""

    confirm: str
    extend: str
    check_in: str
    no_show: str
    change: str
    cancel: str
    pay: str
    check_in_opens_at: dt.datetime


def possible(booking: Booking) -> Possible:
    now, status = timezone.now(), Booking.Status
    return Possible(
        confirm=_why_not(lambda: require_confirmable(booking, now=now)),
        extend=_why_not(lambda: extended_until(booking, now=now)),
        check_in=_why_not(lambda: require_arrival(booking, status.CHECKED_IN, now=now)),
        no_show=_why_not(lambda: require_arrival(booking, status.NO_SHOW, now=now)),
        change=_why_not(lambda: require_changeable(booking, now=now)),
        cancel=_why_not(lambda: require_cancelable(booking, now=now)),
        pay=_why_not(lambda: require_payable(booking, now=now)),
        check_in_opens_at=booking.starts_at - EARLIEST_CHECK_IN,
    )


def _why_not(check: Callable[[], object]) -> str:
    try:
        check()
    except DomainError as error:
        return error.detail
    return ""
