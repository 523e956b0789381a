"""What an API key may book at most: rooms, amounts and open holds. People and the system have no caps.

Where earlier bookings count, the key is locked before all else, so that two requests at once cannot both take what is left.
"""

import datetime as dt
from typing import Any

from django.db.models import BigIntegerField, Exists, OuterRef, Q, Sum
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from bookings.errors import KeyCapExceeded
from bookings.models import Booking, BookingHistory
from common import money
from developers.services import lock_key
from organizations.actor import Actor
from rooms.models import Room


def require_room(by: Actor, *rooms: Room) -> None:
    """Raises KeyCapExceeded for a room that is not on the key's list."""
    if by.caps.rooms:
        for room in rooms:
            if room.public_id not in by.caps.rooms:
                allowed = sorted(by.caps.rooms)
                detail = f"The key may not book in {room.name}, only in the rooms that are named for it."
                raise KeyCapExceeded(detail, cap="rooms", limit=allowed, asked=room.public_id)


def take_turn(by: Actor) -> None:
    """Wait until no other booking of the key is under way; before the spaces are locked."""
    if by.caps.are_counted:
        lock_key(by=by)


def require_within(by: Actor, booking: Booking, *, total: int, currency: str, now: dt.datetime, opens_hold: bool = False) -> None:
    """That the booking may cost this much by the key's hand, and be held. Raises KeyCapExceeded."""
    caps = by.caps
    if caps.currency and currency != caps.currency:
        _refuse("currency", caps.currency, currency, f"The key books in {caps.currency} only.")
    if caps.max_amount_per_booking is not None and total > caps.max_amount_per_booking:
        most = money.text(caps.max_amount_per_booking, currency)
        detail = f"A booking by this key may cost {most} at most; this one costs {money.text(total, currency)}."
        _refuse("max_amount_per_booking", caps.max_amount_per_booking, total, detail, currency=currency)
    if caps.max_amount_per_day is not None:
        used = _amount_of_the_day(by, now=now, but=booking)
        if used + total > caps.max_amount_per_day:
            most, so_far, more = (money.text(amount, currency) for amount in (caps.max_amount_per_day, used, total))
            detail = f"This key may book for {most} a day (UTC). It has booked for {so_far} today; this would be {more} more."
            _refuse("max_amount_per_day", caps.max_amount_per_day, total, detail, used=used, currency=currency)
    if caps.max_open_holds is not None and opens_hold:
        own = Booking.objects.visible_to(by).filter(created_by_type=by.type, created_by_id=by.id)
        held = own.reading_as([Booking.Status.HELD]).count()
        if held >= caps.max_open_holds:
            detail = f"This key may keep {caps.max_open_holds} holds open at the same time, and has {held}."
            _refuse("max_open_holds", caps.max_open_holds, held + 1, detail, used=held)


def _amount_of_the_day(by: Actor, *, now: dt.datetime, but: Booking) -> int:
    """The totals of the bookings that the key has made, confirmed or priced anew since midnight UTC, without those that came to
    nothing. Each counts once and as a whole, whoever else had a hand in it.
    """
    midnight = now.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    acts = BookingHistory.objects.filter(booking=OuterRef("pk"), actor_type=by.type, actor_id=by.id, at__gte=midnight)
    spent = acts.filter(Q(action__in=("created", "held", "confirmed")) | Q(changes__has_key="price"))
    standing = Booking.objects.visible_to(by).reading_as(set(Booking.Status) - {Booking.Status.CANCELED, Booking.Status.EXPIRED})
    counted = standing.filter(Exists(spent), updated_at__gte=midnight).exclude(pk=but.pk)
    return counted.aggregate(total=Sum(Cast(KT("price__total"), BigIntegerField())))["total"] or 0


def _refuse(cap: str, limit: Any, asked: Any, detail: str, **more: Any) -> None:
    raise KeyCapExceeded(detail, cap=cap, limit=limit, asked=asked, **more)
