"""What happened to rooms and blocks, as subscribers hear of it."""

from collections.abc import Iterable, Mapping
from typing import Any

from organizations.actor import Actor
from rooms.models import Block, Room
from rooms.serializers import BlockShape, RoomShape
from webhooks.services import Change, changed_attributes, emit, emit_many
from webhooks.types import EventType


def room_created(room: Room, *, by: Actor) -> None:
    emit(EventType.ROOM_CREATED, by=by, object=RoomShape.json(room), version=room.version)


def room_changed(room: Room, *, by: Actor, before: Mapping[str, Any]) -> None:
    """`room.updated`, `room.archived`, or `schedule.updated` where the timetable is all that changed."""
    after = RoomShape.json(room)
    previous = changed_attributes(before, after)
    kind = EventType.SCHEDULE_UPDATED if set(previous) == {"schedule"} else EventType.ROOM_UPDATED
    if room.status == Room.Status.ARCHIVED and "status" in previous:
        kind = EventType.ROOM_ARCHIVED
    emit(kind, by=by, object=after, version=room.version, previous=previous)
    if kind == EventType.ROOM_UPDATED and "schedule" in previous:
        schedule = {"schedule": previous["schedule"]}
        emit(EventType.SCHEDULE_UPDATED, by=by, object=after, version=room.version, previous=schedule)


def blocked(block: Block, *, by: Actor) -> None:
    emit(EventType.SCHEDULE_BLOCKED, by=by, object=BlockShape.json(block), version=block.version)


def block_changed(block: Block, *, by: Actor, before: Mapping[str, Any]) -> None:
    """`schedule.blocked` again, with what is blocked now; its version and `previous_attributes` tell that it is a change."""
    after = BlockShape.json(block)
    previous = changed_attributes(before, after)
    emit(EventType.SCHEDULE_BLOCKED, by=by, object=after, version=block.version, previous=previous)


def unblocked(block: Block, *, by: Actor) -> None:
    emit(EventType.SCHEDULE_UNBLOCKED, by=by, object=BlockShape.json(block), version=block.version + 1)


def many_blocked(blocks: Iterable[Block], *, by: Actor) -> None:
    emit_many(EventType.SCHEDULE_BLOCKED, (Change(BlockShape.json(block), block.version) for block in blocks), by=by)


def many_blocks_changed(changed: Iterable[tuple[Block, Mapping[str, Any]]], *, by: Actor) -> None:
    """Each with what it was before; see `block_changed`."""
    shapes = ((BlockShape.json(block), block.version, before) for block, before in changed)
    changes = (Change(after, version, changed_attributes(before, after)) for after, version, before in shapes)
    emit_many(EventType.SCHEDULE_BLOCKED, changes, by=by)


def many_unblocked(blocks: Iterable[Block], *, by: Actor) -> None:
    emit_many(EventType.SCHEDULE_UNBLOCKED, (Change(BlockShape.json(block), block.version + 1) for block in blocks), by=by)
