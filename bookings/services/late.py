"""Money that came after its hold had run out."""

from bookings.errors import HoldExpired
from bookings.models import Booking
from common.errors import DomainError
from rooms import claims
from rooms.models import Room


def claim_again(booking: Booking) -> None:
    """Take the slot back. Raises HoldExpired if it cannot be had again."""
    if booking.claim is not None:
        claims.release(booking.claim)  # a holder has one live claim, and whether this one lives may be a matter of clocks
    try:
        booking.claim = claims.claim_slot(
            room=Room.objects.with_spaces().get(pk=booking.room_id),
            starts_at=booking.starts_at,
            party_size=booking.party_size,
            private=booking.private,
            holder=booking.public_id,
            late=True,  # the lead time was kept when the hold was made
        )
    except DomainError as error:
        raise HoldExpired("The hold has run out and the slot cannot be had again.", **error.extra) from error
