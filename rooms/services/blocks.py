"""The verbs on blocks. A block is laid behind the locks of all spaces that it takes, as a booking is, so that neither
can slip past the other.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from common.errors import FieldError, NotFound, ValidationFailed, VersionConflict
from common.walltime import zone
from organizations.actor import Actor
from organizations.permissions import Scope
from rooms import calendar, claims, events
from rooms.errors import BlockConflictsBookings
from rooms.models import Block, Claim, Room
from rooms.recurrence import first_day, last_day, merged, stretches
from rooms.serializers import BlockShape
from rooms.services.locking import lock_organization

MAX_CONFLICTS = 100  # booking ids named in an answer
LATEST = dt.datetime(2100, 12, 31, tzinfo=dt.UTC)


@transaction.atomic
def create_block(*, by: Actor, on_conflict: str = "reject", rooms: list[Room] | None = None, **fields: Any) -> Block:
    """Take time off sale. With `on_conflict="reject"` a block that hits bookings is refused and names them; with
    `keep` it is laid, and the bookings stay.

    Raises NotAllowed, ValidationFailed, BlockConflictsBookings.
    """
    by.require(Scope.SCHEDULES_WRITE)
    lock_organization(by)  # no room is made while "everything" is being blocked
    block = Block(organization=by.organization)
    _assign(block, fields, rooms=rooms)
    block.save()
    if rooms:
        block.rooms.set(rooms)
    block = _laid(block, on_conflict=on_conflict)
    events.blocked(block, by=by)
    return block


@transaction.atomic
def update_block(
    *, block: Block, by: Actor, on_conflict: str = "reject", expected_version: int | None = None, **changes: Any
) -> Block:
    """Change the given fields; bookings are looked at anew when that takes another time or other rooms. Changing
    nothing raises no version and tells nobody.

    Raises as `create_block`, and NotFound, VersionConflict.
    """
    by.require(Scope.SCHEDULES_WRITE)
    lock_organization(by)
    block = _locked(block, by=by, expected_version=expected_version)
    before = BlockShape.json(block)
    rooms = changes.pop("rooms", None)
    _assign(block, changes, rooms=rooms)
    after = BlockShape.json(block)
    if after == before:
        return block
    block.version += 1
    block.save()
    if after["rooms"] != before["rooms"]:
        block.rooms.set(rooms or [])
    moved = any(after[name] != before[name] for name in _TAKES)
    block = _laid(block, on_conflict=on_conflict if moved else "keep")
    events.block_changed(block, by=by, before=before)
    return block


@transaction.atomic
def delete_block(*, block: Block, by: Actor, expected_version: int | None = None) -> None:
    """Put the time back on sale. Raises NotAllowed, NotFound, VersionConflict."""
    by.require(Scope.SCHEDULES_WRITE)
    block = _locked(block, by=by, expected_version=expected_version)
    events.unblocked(block, by=by)
    Block.objects.filter(pk=block.pk).delete()


@transaction.atomic
def create_blocks(
    *, by: Actor, times: Sequence[Mapping[str, Any]], rooms: list[Room] | None = None, **shared: Any
) -> list[Block]:
    """Many blocks of the same place at once, in a fixed number of statements: `times` are the fields of each, `shared` those of
    all. Bookings that they hit stay. Raises NotAllowed, ValidationFailed.
    """
    by.require(Scope.SCHEDULES_WRITE)
    lock_organization(by)
    made = [Block(organization=by.organization) for _ in times]
    for block, fields in zip(made, times, strict=True):
        _assign(block, {**shared, **fields}, rooms=rooms)
    Block.objects.bulk_create(made)
    places = Block.rooms.through
    places.objects.bulk_create([places(block=block, room=room) for block in made for room in rooms or ()])
    laid = list(Block.objects.with_spaces().filter(pk__in=[block.pk for block in made]).order_by("pk"))
    _lock_under(*laid)
    events.many_blocked(laid, by=by)
    return laid


@transaction.atomic
def update_blocks(*, by: Actor, changes: Mapping[int, Mapping[str, Any]]) -> None:
    """Change times and words of many blocks at once, those of each under its key; one that is gone stays so. Bookings that they
    hit stay, and what is changed to the same is not told. Raises NotAllowed, ValidationFailed.
    """
    by.require(Scope.SCHEDULES_WRITE)
    lock_organization(by)
    changed, now = [], timezone.now()
    for block in _all_locked(changes, by=by):
        before = BlockShape.json(block)
        _assign(block, dict(changes[block.pk]), rooms=None)
        if BlockShape.json(block) != before:
            block.version, block.updated_at = block.version + 1, now
            changed.append((block, before))
    blocks = [block for block, _ in changed]
    Block.objects.bulk_update(blocks, _BY_TIMES)
    _lock_under(*blocks)
    events.many_blocks_changed(changed, by=by)


@transaction.atomic
def delete_blocks(*, pks: Collection[int], by: Actor) -> int:
    """Put the time of many blocks back on sale at once, and tell of each; how many there still were. Raises NotAllowed."""
    by.require(Scope.SCHEDULES_WRITE)
    found = _all_locked(pks, by=by)
    events.many_unblocked(found, by=by)
    Block.objects.filter(pk__in=[block.pk for block in found]).delete()
    return len(found)


def block_conflicts(block: Block) -> list[str]:
    """The ids of the coming bookings that the block hits, at most 100. `block` comes from `with_spaces()`."""
    now = claims.database_now()
    hit: list[str] = []
    for room in _rooms_under(block):
        coming = Claim.objects.live(now).filter(session__room=room, session__ends_at__gt=now)
        games = coming.values_list("holder", "session__starts_at", "session__ends_at").order_by("session__starts_at")
        latest = max((ends_at for _, _, ends_at in games), default=now)
        taken = calendar.Calendar()
        taken.blocked[room.pk] = merged(list(stretches(block, zone(room.venue.timezone), now, min(latest, LATEST))))
        hit += [holder for holder, starts_at, ends_at in games if taken.is_blocked(room.pk, starts_at, ends_at)]
    return hit[:MAX_CONFLICTS]


# What of its shape decides which time it takes, and where.
_TAKES = ("scope", "rooms", "venue", "starts_at", "ends_at", "date_from", "date_to", "recurrence")
# What a change of times and words may write.
_BY_TIMES = ("starts_at", "ends_at", "date_from", "date_to", "series_ends_on", "reason", "version", "updated_at")


def _assign(block: Block, fields: dict[str, Any], *, rooms: list[Room] | None) -> None:
    """Fields as the API has them: `rooms`, `venue` or `all`; instants or days. One given way replaces the other."""
    everywhere, venue = fields.pop("all", False), fields.pop("venue", None)
    if rooms or everywhere or venue:
        scope = Block.Scope
        block.scope = scope.ROOMS if rooms else scope.VENUE if venue else scope.ALL
        block.venue = venue
        block.room_public_ids = sorted(room.public_id for room in rooms or ())
    if "starts_at" in fields or "ends_at" in fields:
        block.date_from = block.date_to = None
    if "date_from" in fields or "date_to" in fields:
        block.starts_at = block.ends_at = None
    for name, value in fields.items():
        setattr(block, name, value)
    _check_times(block)
    anchor = venue or (rooms[0].venue if rooms else None) or block.venue
    first = first_day(block, zone(anchor.timezone if anchor else "UTC"))
    block.series_ends_on = last_day(block.recurrence, first)
    if block.series_ends_on is not None and block.series_ends_on < first:
        raise ValidationFailed(FieldError("It lies before the block itself.", "range", pointer="/recurrence/until"))
    if block.series_ends_on is not None:
        block.series_ends_on += _length(block)


def _length(block: Block) -> dt.timedelta:
    """How many days after its first the last day of an occurrence may lie."""
    if block.starts_at and block.ends_at:
        return dt.timedelta(days=(block.ends_at - block.starts_at).days + 2)
    assert block.date_from
    assert block.date_to
    return block.date_to - block.date_from


def _check_times(block: Block) -> None:
    start, end = ("starts_at", "ends_at") if block.starts_at or block.ends_at else ("date_from", "date_to")
    first, last = getattr(block, start), getattr(block, end)
    missing = [name for name, value in ((start, first), (end, last)) if value is None]
    if missing:
        raise ValidationFailed(*(FieldError("This field is required.", "required", pointer=f"/{name}") for name in missing))
    if last < first or (last == first and start == "starts_at"):
        raise ValidationFailed(FieldError(f"It lies before {start}.", "range", pointer=f"/{end}"))
    if (last - first).days > 366:
        raise ValidationFailed(FieldError("A block lasts a year at most.", "range", pointer=f"/{end}"))


def _laid(block: Block, *, on_conflict: str) -> Block:
    """The block as it now stands, behind the locks of the spaces it takes. Raises BlockConflictsBookings."""
    block = Block.objects.with_spaces().get(pk=block.pk)
    _lock_under(block)
    conflicts = block_conflicts(block) if on_conflict == "reject" else []
    if conflicts:
        detail = "Move or cancel them first, or lay the block with on_conflict=keep."
        raise BlockConflictsBookings(detail, conflicts=conflicts)
    return block


def _lock_under(*blocks: Block) -> None:
    claims.lock_spaces({space for room in _rooms_under(*blocks) for space in room.space_ids})


def _rooms_under(*blocks: Block) -> list[Room]:
    """Which one of them takes; all are one organization's."""
    organizations = {block.organization_id for block in blocks}
    rooms = Room.objects.filter(organization__in=organizations).with_spaces().exclude(status=Room.Status.ARCHIVED)
    return [room for room in rooms if any(calendar.covers(block, room) for block in blocks)]


def _all_locked(pks: Collection[int], *, by: Actor) -> list[Block]:
    """Those that there still are, by their keys."""
    locked = Block.objects.visible_to(by).select_for_update(of=("self",)).filter(pk__in=pks).order_by("pk")
    return list(Block.objects.with_spaces().filter(pk__in=list(locked.values_list("pk", flat=True))).order_by("pk"))


def _locked(block: Block, *, by: Actor, expected_version: int | None) -> Block:
    current = Block.objects.visible_to(by).select_for_update(of=("self",)).filter(pk=block.pk).first()
    if current is None:
        raise NotFound("block")
    if expected_version is not None and current.version != expected_version:
        raise VersionConflict(current=current.version)
    return Block.objects.with_spaces().get(pk=current.pk)
