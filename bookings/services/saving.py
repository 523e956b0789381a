"""Writing a booking where another writer may have taken its external id or its reference at the same moment."""

from django.db import IntegrityError, transaction

from bookings.errors import DuplicateExternalId
from bookings.models import Booking, new_reference

# 32^8 references: two collisions in a row happen to nobody, so that a fifth failure is a fault of ours.
REFERENCE_TRIES = 5


def require_free_external_id(booking: Booking, external_id: str | None) -> None:
    """Refused early, before anything is claimed; `save` catches the writer that this look cannot see yet."""
    if external_id and external_id != booking.external_id and (other := _holder(booking, external_id)):
        raise DuplicateExternalId(booking=other.public_id)


def save(booking: Booking) -> None:
    """Insert or update. Raises DuplicateExternalId."""
    for left in reversed(range(REFERENCE_TRIES)):
        try:
            with transaction.atomic():
                booking.save(force_insert=booking._state.adding)
            return
        except IntegrityError as error:
            constraint = _constraint(error)
            if constraint == "booking_external_id_unique":
                other = _holder(booking, booking.external_id)
                raise DuplicateExternalId(booking=other.public_id if other else None) from error
            if constraint != "booking_reference_unique" or not left:
                raise
            booking.reference = new_reference()


def _holder(booking: Booking, external_id: str | None) -> Booking | None:
    return Booking.objects.filter(organization=booking.organization, external_id=external_id).first()


def _constraint(error: IntegrityError) -> str | None:
    return getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
