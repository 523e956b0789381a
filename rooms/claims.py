"""The calendar's only door for those who take time in it. Everything here runs in the caller's transaction, behind
`lock_spaces`, and goes by the database's clock.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import F

from common.errors import DomainError, ErrorCode
from common.walltime import utc_text
from rooms import availability
from rooms.availability import Party, Reason, Slot
from rooms.errors import ClaimIsDead, InsufficientSeats, SlotUnavailable
from rooms.models import Claim, Occupancy, Room, Session, Space

# The first of a slot's reasons found here decides the refusal's code; what is taken is 409, what a rule forbids 422.
_CODES = {
    Reason.ROOM_INACTIVE: ErrorCode.ROOM_INACTIVE,
    Reason.PARTY_TOO_SMALL: ErrorCode.PARTY_TOO_SMALL,
    Reason.PARTY_TOO_LARGE: ErrorCode.PARTY_TOO_LARGE,
    Reason.OUTSIDE_SCHEDULE: ErrorCode.OUTSIDE_SCHEDULE,
    Reason.LEAD_TIME: ErrorCode.LEAD_TIME,
    Reason.BEYOND_HORIZON: ErrorCode.BEYOND_HORIZON,
}


_WAIVED_WHEN_LATE = {Reason.LEAD_TIME, Reason.BEYOND_HORIZON}


def lock_spaces(space_ids: Iterable[int]) -> None:
    """Make other writers of these spaces wait; always in the order of their ids, so that nobody waits in a circle."""
    spaces = Space.objects.filter(pk__in=set(space_ids)).order_by("pk").select_for_update(no_key=True)
    list(spaces.values_list("pk", flat=True))


def database_now() -> dt.datetime:
    """The clock that all writers share; it runs on within a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: dt.datetime = cursor.fetchone()[0]
    return now


def claim_slot(
    *,
    room: Room,
    starts_at: dt.datetime,
    party_size: int,
    private: bool,
    holder: str,
    expires_at: dt.datetime | None = None,
    now: dt.datetime | None = None,
    late: bool = False,
) -> Claim:
    """Seats in the game that starts then; firm, or a hold until `expires_at`. `room` comes from `with_spaces()`;
    `now` is when it is asked for, if that was not just now; `late` as in `require_bookable`.

    Raises what `require_bookable` raises; SlotUnavailable too when the database's own net catches another game.
    """
    now = now or database_now()
    release_dead(room.space_ids, now=now)
    slot = require_bookable(room=room, starts_at=starts_at, party_size=party_size, private=private, now=now, late=late)
    session = _joined(slot, party_size) or _opened(slot, party_size, private)
    return Claim.objects.create(session=session, holder=holder, seats=party_size, expires_at=expires_at)


def require_bookable(
    *,
    room: Room,
    starts_at: dt.datetime,
    party_size: int,
    private: bool,
    now: dt.datetime | None = None,
    ignore_holder: str | None = None,
    late: bool = False,
) -> Slot:
    """The slot, if a party could book it. `late` is for what was asked for in time and is paid only now: as long as the
    start lies ahead, neither notice nor horizon stands in its way.

    Raises the refusal whose `reasons` are those that availability shows: 422 for what the room's rules forbid,
    SlotUnavailable or InsufficientSeats (409) for what is taken.
    """
    now, party = now or database_now(), Party(party_size, private)
    slot = availability.check(room, starts_at, now=now, party=party, ignore_holder=ignore_holder)
    waived = _WAIVED_WHEN_LATE if late and starts_at > now else set()
    found = [reason for reason in slot.reasons if reason not in waived]
    if not found:
        return slot
    reasons: list[str] = [str(reason) for reason in found]
    for reason, code in _CODES.items():
        if reason in found:
            past = reason is Reason.LEAD_TIME and starts_at <= now
            raise DomainError(_in_words(reason, room), code=ErrorCode.PAST_START if past else code, reasons=reasons)
    if Reason.PRIVATE_UNAVAILABLE in found and _mode_forbids(room, private):
        raise DomainError(code=ErrorCode.PRIVATE_UNAVAILABLE, reasons=reasons)
    others = availability.alternatives(room, starts_at, now=now, party=party, ignore_holder=ignore_holder)
    extra: dict[str, Any] = {"reasons": reasons, "alternatives": [_brief(other) for other in others]}
    if found == [Reason.INSUFFICIENT_SEATS]:
        raise InsufficientSeats(seats_left=slot.seats_left, **extra)
    raise SlotUnavailable(**extra)


def release(claim: Claim) -> None:
    """Give the seats back; the session ends with its last claim. Releasing twice changes nothing."""
    freed = Claim.objects.filter(pk=claim.pk, released_at=None).update(released_at=database_now())
    if not freed:
        return
    claim.refresh_from_db(fields=["seats"])
    session = Session.objects.filter(pk=claim.session_id)
    session.update(seats_taken=F("seats_taken") - claim.seats)
    if not Claim.objects.filter(session=claim.session_id, released_at=None).exists():
        session.update(ended=True)
        Occupancy.objects.filter(session=claim.session_id).update(active=False)


def release_dead(space_ids: Iterable[int], *, now: dt.datetime) -> None:
    """Give back what holds past their time still keep in these spaces."""
    for dead in Claim.objects.dead(now).in_spaces(space_ids):
        release(dead)


def make_firm(claim: Claim) -> None:
    """A hold becomes a booking's own. Raises ClaimIsDead when its time was up."""
    _alter_live(claim, expires_at=None)


def extend(claim: Claim, expires_at: dt.datetime) -> None:
    """Raises ClaimIsDead when its time was up."""
    _alter_live(claim, expires_at=expires_at)


def resize(claim: Claim, *, room: Room, party_size: int) -> None:
    """Another number of seats in the same game, within the room's party range. `room` comes from `with_spaces()`.

    Raises DomainError PARTY_TOO_SMALL, PARTY_TOO_LARGE; InsufficientSeats; ClaimIsDead when the hold's time was up.
    """
    now = database_now()
    release_dead(room.space_ids, now=now)
    if not Claim.objects.live(now).filter(pk=claim.pk).exists():
        raise ClaimIsDead("The hold has run out: book again.")
    if party_size < room.min_party:
        why = Reason.PARTY_TOO_SMALL
        raise DomainError(_in_words(why, room), code=_CODES[why], reasons=_told(claim, room, party_size, why))
    if party_size > room.max_party:
        why = Reason.PARTY_TOO_LARGE
        raise DomainError(_in_words(why, room), code=_CODES[why], reasons=_told(claim, room, party_size, why))
    more = party_size - claim.seats
    fits = Session.objects.filter(pk=claim.session_id, seats_taken__lte=F("capacity") - more)
    if not fits.update(seats_taken=F("seats_taken") + more):
        left = Session.objects.get(pk=claim.session_id)
        reasons = _told(claim, room, party_size, Reason.INSUFFICIENT_SEATS)
        raise InsufficientSeats(seats_left=left.capacity - left.seats_taken, reasons=reasons)
    Claim.objects.filter(pk=claim.pk).update(seats=party_size)
    claim.seats = party_size


def _in_words(why: Reason, room: Room) -> str:
    """With the limit that was passed; nothing where the code's title says it all."""
    if why is Reason.PARTY_TOO_SMALL:
        return f"{room.name} is for {room.min_party} or more."
    if why is Reason.PARTY_TOO_LARGE:
        return f"{room.name} takes at most {room.max_party}."
    return ""


def _told(claim: Claim, room: Room, party_size: int, why: Reason) -> list[str]:
    """All that availability says of the claim's own slot for a party of that size, with the one that refuses it."""
    party = Party(party_size, claim.session.exclusive)
    slot = availability.check(room, claim.session.starts_at, now=database_now(), party=party, ignore_holder=claim.holder)
    return [str(reason) for reason in availability.in_order({*slot.reasons, why})]


def _alter_live(claim: Claim, *, expires_at: dt.datetime | None) -> None:
    if not Claim.objects.live(database_now()).filter(pk=claim.pk).update(expires_at=expires_at):
        raise ClaimIsDead("The hold has run out: book again.")
    claim.expires_at = expires_at


def _joined(slot: Slot, seats: int) -> Session | None:
    """The shared game that is on at that start, with our seats in it; None when there is none yet."""
    game = Session.objects.filter(room=slot.room, starts_at=slot.starts_at, ended=False, exclusive=False)
    if game.filter(seats_taken__lte=F("capacity") - seats).update(seats_taken=F("seats_taken") + seats):
        return game.get()
    return None


def _opened(slot: Slot, seats: int, private: bool) -> Session:
    room = slot.room
    session = Session(
        room=room,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        exclusive=private,
        capacity=room.capacity,
        seats_taken=seats,
    )
    period = DateTimeTZRange(
        slot.starts_at - dt.timedelta(minutes=room.setup_minutes),
        slot.ends_at + dt.timedelta(minutes=room.turnaround_minutes),
    )
    try:
        with transaction.atomic():
            session.save(force_insert=True)
            Occupancy.objects.bulk_create(
                Occupancy(space_id=space_id, session=session, period=period) for space_id in room.space_ids
            )
    except IntegrityError as error:
        raise SlotUnavailable(reasons=[Reason.BOOKED.value], alternatives=[]) from error
    return session


def _mode_forbids(room: Room, private: bool) -> bool:
    mode = Room.BookingMode
    return room.booking_mode == (mode.SHARED if private else mode.PRIVATE)


def _brief(slot: Slot) -> dict[str, Any]:
    return {
        "starts_at": utc_text(slot.starts_at),
        "ends_at": utc_text(slot.ends_at),
        "seats_left": slot.seats_left,
        "price": slot.price,
    }
