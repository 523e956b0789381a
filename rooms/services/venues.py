"""The verbs on venues."""

from typing import Any

from django.db import transaction

from common.errors import NotFound, VersionConflict
from organizations.actor import Actor
from organizations.models import Organization, User
from organizations.permissions import Scope
from organizations.services import create_organization
from rooms import claims, events
from rooms.errors import VenueHasBookings, VenueHasRooms
from rooms.models import Room, Session, Venue
from rooms.places import currency_of
from rooms.serializers import RoomShape, VenueShape
from rooms.services.locking import lock_organization


def default_venue(organization: Organization) -> Venue:
    """The organization's default venue, made when it is first needed."""
    venue, _ = Venue.objects.get_or_create(organization=organization, is_default=True, defaults={"name": organization.name})
    return venue


@transaction.atomic
def open_organization(*, name: str, owner: User, timezone: str) -> Organization:
    """A new organization with its first venue, of the same name, by that clock and in the money of that place."""
    organization = create_organization(name=name, owner=owner)
    create_venue(by=Actor.system(organization), name=name, timezone=timezone, currency=currency_of(timezone))
    return organization


@transaction.atomic
def create_venue(*, by: Actor, **fields: Any) -> Venue:
    """A new venue; the first is the default one. Raises NotAllowed."""
    by.require(Scope.ROOMS_WRITE)
    lock_organization(by)  # of two first venues one is the default
    venue = Venue(organization=by.organization, is_default=not Venue.objects.visible_to(by).exists())
    _assign(venue, fields)
    venue.save()
    return venue


@transaction.atomic
def update_venue(*, venue: Venue, by: Actor, expected_version: int | None = None, **changes: Any) -> Venue:
    """Bookings keep the prices, tax and policies they were made with; their wall times hang on the clock, which is
    therefore fixed once there are any. Another clock changes its rooms too. Changing nothing raises no version.

    Raises NotAllowed, NotFound, VersionConflict, VenueHasBookings.
    """
    by.require(Scope.ROOMS_WRITE)
    lock_organization(by)
    venue = _locked(venue, by=by, expected_version=expected_version)
    before = VenueShape.json(venue)
    _assign(venue, changes)
    if VenueShape.json(venue) == before:
        return venue
    rooms = _rooms_without_bookings(venue) if venue.timezone != before["timezone"] else []
    shapes = [RoomShape.json(room) for room in rooms]
    venue.version += 1
    venue.save()
    for room, shape in zip(rooms, shapes, strict=True):
        room.venue, room.version = venue, room.version + 1
        room.save(update_fields=["version", "updated_at"])
        events.room_changed(room, by=by, before=shape)
    return venue


@transaction.atomic
def delete_venue(*, venue: Venue, by: Actor, expected_version: int | None = None) -> None:
    """Raises NotAllowed, NotFound, VersionConflict; VenueHasRooms while there are rooms, archived ones included:
    their bookings refer to the venue.
    """
    by.require(Scope.ROOMS_WRITE)
    lock_organization(by)
    venue = _locked(venue, by=by, expected_version=expected_version)
    rooms = list(Room.objects.filter(venue=venue).values_list("public_id", flat=True)[:20])
    if rooms:
        raise VenueHasRooms("A venue can be deleted while it has no rooms.", rooms=rooms)
    venue.delete()


def _rooms_without_bookings(venue: Venue) -> list[Room]:
    """Its rooms, behind the locks of their spaces so that none is booked meanwhile. Raises VenueHasBookings."""
    rooms = list(Room.objects.filter(venue=venue).with_spaces())
    claims.lock_spaces({space for room in rooms for space in room.space_ids})
    if Session.objects.filter(room__in=rooms).exists():
        raise VenueHasBookings("Its bookings were made by its clock. Make another venue for another time zone.")
    return rooms


def _assign(venue: Venue, fields: dict[str, Any]) -> None:
    tax = fields.pop("tax", None)
    if tax is not None:
        venue.tax_rate, venue.tax_inclusive, venue.tax_label = tax["rate"], tax["inclusive"], tax["label"]
        venue.clean_fields(exclude=[f.name for f in Venue._meta.fields if f.name != "tax_rate"])  # text to Decimal
    for name, value in fields.items():
        setattr(venue, name, value)


def _locked(venue: Venue, *, by: Actor, expected_version: int | None) -> Venue:
    current = Venue.objects.visible_to(by).select_for_update().filter(pk=venue.pk).first()
    if current is None:
        raise NotFound("venue")
    if expected_version is not None and current.version != expected_version:
        raise VersionConflict(current=current.version)
    return current
