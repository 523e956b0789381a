"""What happened to rooms and blocks, as subscribers hear of it."""

from collections.abc import Mapping
from typing import Any

from organizations.actor import Actor
from rooms.models import Block, Room
from rooms.serializers import BlockShape, RoomShape
from webhooks.services import changed_attributes, emit
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
