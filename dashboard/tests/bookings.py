"""For tests of pages about bookings."""

import datetime as dt
import re
from typing import Any

from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone

from bookings.models import Booking


def url(name: str, booking: Booking | None = None, query: str = "") -> str:
    return reverse(f"dashboard:{name}", args=[booking.public_id] if booking else []) + query


def starting(booking: Booking, **delta: float) -> Booking:
    """The same, so long from now."""
    start = timezone.now() + dt.timedelta(**delta)
    Booking.objects.filter(pk=booking.pk).update(starts_at=start, ends_at=start + dt.timedelta(hours=1))
    booking.refresh_from_db()
    return booking


def said(answer: Any) -> list[str]:
    """What has been said since a page was last shown."""
    return [str(message) for message in get_messages(answer.wsgi_request)]


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())
