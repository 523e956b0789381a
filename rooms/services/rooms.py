"""The verbs on rooms."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.text import slugify

from common.errors import FieldError, NotFound, ValidationFailed, VersionConflict
from common.ids import new_id
from organizations.actor import Actor
from organizations.permissions import Scope
from rooms import claims, events
from rooms.errors import CapacityBelowSold, DuplicateRoomExternalId, RoomHasFutureBookings
from rooms.models import Claim, Room, Session, Space, Venue
from rooms.rules import check_room
from rooms.serializers import RoomShape
from rooms.services.locking import lock_organization
from rooms.services.venues import default_venue

# What is unique in the organization, or decides whether a block of everything takes the room: changed one at a time.
_CHANGED_IN_TURN = {"slug", "external_id", "status"}


@transaction.atomic
def create_room(*, by: Actor, venue: Venue | None = None, shares_space_with: Iterable[Room] = (), **fields: Any) -> Room:
    """A room with a space of its own, or on the spaces of other rooms: one space sold as several products, or one
    game over several spaces.

    Raises NotAllowed, ValidationFailed, DuplicateRoomExternalId.
    """
    by.require(Scope.ROOMS_WRITE)
    lock_organization(by)
    room = Room(organization=by.organization, venue=_current(venue, by=by) if venue else default_venue(by.organization))
    _assign(room, fields)
    room.slug = room.slug or _slug_of(room.name)
    if not room.slug or Room.objects.visible_to(by).filter(slug=room.slug).exists():
        if "slug" in fields:
            raise ValidationFailed(FieldError("Another room has this slug.", "duplicate", pointer="/slug"))
        room.slug = f"{room.slug or 'room'}-{new_id('x')[-6:]}"
    room.pricing = room.pricing or {"model": "per_group", "currency": room.venue.currency, "amount": 0}
    _check(room, by=by)
    room.save()
    room.spaces.set(_spaces(room, shares_space_with))
    events.room_created(room, by=by)
    return room


@transaction.atomic
def update_room(*, room: Room, by: Actor, expected_version: int | None = None, **changes: Any) -> Room:
    """Change the given fields. Bookings keep what they were sold with: their times, prices and policies.

    Raises NotAllowed, NotFound, VersionConflict, ValidationFailed, CapacityBelowSold, DuplicateRoomExternalId.
    """
    by.require(Scope.ROOMS_WRITE)
    if _CHANGED_IN_TURN & changes.keys():
        lock_organization(by)
    room = _locked(room, by=by, expected_version=expected_version)
    before = RoomShape.json(room)
    _assign(room, changes)
    _check(room, by=by, repriced="pricing" in changes)
    if "slug" in changes and Room.objects.visible_to(by).filter(slug=room.slug).exclude(pk=room.pk).exists():
        raise ValidationFailed(FieldError("Another room has this slug.", "duplicate", pointer="/slug"))
    if RoomShape.json(room) == before:
        return room
    if room.status == Room.Status.ARCHIVED and before["status"] != Room.Status.ARCHIVED:
        _require_no_future_bookings(room)
    if room.capacity != before["capacity"]:
        _resize_sessions(room)
    room.version += 1
    room.save()
    events.room_changed(room, by=by, before=before)
    return room


def archive_room(*, room: Room, by: Actor, expected_version: int | None = None) -> Room:
    """Take the room off sale for good; its past stays. Archiving twice changes nothing.

    Raises NotAllowed, NotFound, VersionConflict, RoomHasFutureBookings.
    """
    return update_room(room=room, by=by, expected_version=expected_version, status=Room.Status.ARCHIVED)


def _locked(room: Room, *, by: Actor, expected_version: int | None) -> Room:
    """The room with its spaces, current and locked behind them, so that no booking reads it half changed."""
    known = Room.objects.visible_to(by).with_spaces().filter(pk=room.pk).first()
    if known is None:
        raise NotFound("room")
    claims.lock_spaces(known.space_ids)
    current = Room.objects.visible_to(by).select_related("venue").select_for_update(of=("self",), no_key=True).get(pk=room.pk)
    if expected_version is not None and current.version != expected_version:
        raise VersionConflict(current=current.version)
    current.space_ids = known.space_ids
    return current


def _current(venue: Venue, *, by: Actor) -> Venue:
    """As it is now that nobody can delete it."""
    found: Venue | None = Venue.objects.visible_to(by).filter(pk=venue.pk).first()
    if found is None:
        raise ValidationFailed(FieldError("There is no venue with this id.", "unknown", pointer="/venue"))
    return found


def _slug_of(name: str) -> str:
    return slugify(name.replace("_", " "))[:60].strip("-")


def _assign(room: Room, fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        setattr(room, name, value)


def _check(room: Room, *, by: Actor, repriced: bool = True) -> None:
    check_room(room, repriced=repriced)
    if room.external_id:
        others = Room.objects.visible_to(by).filter(external_id=room.external_id).exclude(pk=room.pk)
        if other := others.first():
            raise DuplicateRoomExternalId(room=other.public_id)


def _spaces(room: Room, shared: Iterable[Room]) -> list[Space]:
    spaces = list(Space.objects.filter(pk__in=Room.spaces.through.objects.filter(room__in=list(shared)).values("space")))
    return spaces or [Space.objects.create(organization=room.organization, venue=room.venue, name=room.name)]


def _require_no_future_bookings(room: Room) -> None:
    now = claims.database_now()
    coming = Claim.objects.live(now).filter(session__room=room, session__ends_at__gt=now)
    holders = list(coming.values_list("holder", flat=True)[:20])
    if holders:
        raise RoomHasFutureBookings("Move or cancel them first.", bookings=holders)


def _resize_sessions(room: Room) -> None:
    """Coming games get the new capacity. Raises CapacityBelowSold when more seats are sold."""
    now = claims.database_now()
    claims.release_dead(room.space_ids, now=now)
    coming = Session.objects.filter(room=room, ended=False, starts_at__gt=now)
    sold = coming.aggregate(most=Max("seats_taken"))["most"] or 0
    if sold > room.capacity:
        raise CapacityBelowSold(sold=sold)
    coming.update(capacity=room.capacity)
