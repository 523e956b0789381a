"""The sandbox twin, furnished."""

from typing import TypeVar

from django.db import transaction

from organizations.models import Organization
from organizations.services import sandbox_organization
from rooms.models import Room, Space, Venue

Row = TypeVar("Row", Venue, Space, Room)


@transaction.atomic
def sandbox_for(organization: Organization) -> Organization:
    """The organization's sandbox twin; when it is new, with copies of its venues, spaces, rooms and prices."""
    twin, is_new = sandbox_organization(organization)
    if is_new:
        _furnish(twin, organization)
    return twin


def _furnish(twin: Organization, source: Organization) -> None:
    venues = {venue.pk: _copy(venue, organization=twin) for venue in Venue.objects.filter(organization=source)}
    spaces = {
        space.pk: _copy(space, organization=twin, venue=venues[space.venue_id])
        for space in Space.objects.filter(organization=source)
    }
    for room in Room.objects.filter(organization=source).with_spaces():
        space_ids = room.space_ids
        copy = _copy(room, organization=twin, venue=venues[room.venue_id])
        copy.spaces.set([spaces[space_id] for space_id in space_ids])


def _copy(row: Row, **changes: Organization | Venue) -> Row:
    """A new row like `row`, with ids of its own."""
    values = {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if field.attname not in ("id", "public_id")
    }
    copy = type(row)(**{**values, **{f"{name}_id": value.pk for name, value in changes.items()}})
    copy.save(force_insert=True)
    return copy
