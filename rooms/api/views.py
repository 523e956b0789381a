"""`/venues`, `/rooms`, `/schedules`, `/schedules/block`."""

import datetime as dt
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from common.errors import DomainError, ErrorCode, FieldError, NotFound, ValidationFailed
from common.walltime import zone
from developers.pagination import TOTAL
from developers.viewsets import ApiViewSet
from organizations.permissions import Scope
from rooms import availability, services
from rooms.api.inputs import AvailabilityQuery, ScheduleQuery
from rooms.api.serializers import AvailabilityShape, BlockWithConflictsShape, DeletedShape, RoomWithAvailabilityShape
from rooms.availability import Party
from rooms.claims import database_now
from rooms.filters import BlockFilters, RoomFilters, VenueFilters
from rooms.inputs import BlockChangesInput, BlockInput, RoomChangesInput, RoomInput, VenueChangesInput, VenueInput
from rooms.models import Block, Room, Venue
from rooms.serializers import BlockShape, DayShape, DaySummaryShape, RoomShape, VenueShape

DEFAULT_DAYS = 14
MAX_DAYS = {"slots": 62, "days": 366}
# Starts that one request may look at, about a second's work: slots are answered one by one, days only counted up.
STARTS_AT_ONCE = {"slots": 40_000, "days": 100_000}


class VenueViewSet(ApiViewSet):
    queryset = Venue.objects.all()
    shape = VenueShape
    filterset_class = VenueFilters
    sorts: ClassVar = ("name", "created_at")
    scopes: ClassVar = {
        "list": Scope.ROOMS_READ,
        "retrieve": Scope.ROOMS_READ,
        "create": Scope.ROOMS_WRITE,
        "update": Scope.ROOMS_WRITE,
        "destroy": Scope.ROOMS_WRITE,
    }

    refusals: ClassVar = {"update": (ErrorCode.VENUE_HAS_BOOKINGS,), "destroy": (ErrorCode.VENUE_HAS_ROOMS,)}

    def venue(self) -> Venue:
        found: Venue = self.get_queryset().find(self.kwargs["id"])
        return found

    @extend_schema(operation_id="list_venues", summary="List venues", tags=["Venues"])
    def list(self, request: Request) -> Response:
        return self.answer_list(self.get_queryset())

    @extend_schema(operation_id="get_venue", summary="Get a venue", tags=["Venues"])
    def retrieve(self, request: Request, id: str) -> Response:
        return self.answer(self.venue())

    @extend_schema(
        operation_id="create_venue", summary="Create a venue", tags=["Venues"], request=VenueInput, responses={201: VenueShape}
    )
    def create(self, request: Request) -> Response:
        return self.answer(services.create_venue(by=self.actor, **self.input(VenueInput)), status=201)

    @extend_schema(operation_id="change_venue", summary="Change a venue", tags=["Venues"], request=VenueChangesInput)
    def update(self, request: Request, id: str) -> Response:
        """Bookings keep the prices, tax and policies that they were made with. The time zone stays once there are any."""
        changes = self.input(VenueChangesInput)
        venue = services.update_venue(venue=self.venue(), by=self.actor, expected_version=self.expected_version, **changes)
        return self.answer(venue)

    @extend_schema(
        operation_id="delete_venue", summary="Delete a venue", tags=["Venues"], request=None, responses={200: DeletedShape}
    )
    def destroy(self, request: Request, id: str) -> Response:
        """Only while it has no rooms."""
        venue = self.venue()
        services.delete_venue(venue=venue, by=self.actor, expected_version=self.expected_version)
        return Response({"object": "venue", "id": venue.public_id, "deleted": True})


class RoomViewSet(ApiViewSet):
    queryset = Room.objects.select_related("venue")
    shape = RoomShape
    filterset_class = RoomFilters
    sorts: ClassVar = ("name", "created_at", "updated_at")
    query_inputs: ClassVar = {"retrieve": AvailabilityQuery}
    scopes: ClassVar = {
        "list": Scope.ROOMS_READ,
        "retrieve": Scope.ROOMS_READ,
        "create": Scope.ROOMS_WRITE,
        "update": Scope.ROOMS_WRITE,
        "destroy": Scope.ROOMS_WRITE,
    }

    refusals: ClassVar = {
        "retrieve": (ErrorCode.RANGE_TOO_LARGE,),
        "create": (ErrorCode.DUPLICATE_EXTERNAL_ID, ErrorCode.NONEXISTENT_LOCAL_TIME),
        "update": (
            ErrorCode.DUPLICATE_EXTERNAL_ID,
            ErrorCode.NONEXISTENT_LOCAL_TIME,
            ErrorCode.CAPACITY_BELOW_SOLD,
            ErrorCode.ROOM_HAS_FUTURE_BOOKINGS,
        ),
        "destroy": (ErrorCode.ROOM_HAS_FUTURE_BOOKINGS,),
    }

    def room(self) -> Room:
        found: Room = self.get_queryset().with_spaces().find(self.kwargs["id"])
        return found

    @extend_schema(operation_id="list_rooms", summary="List rooms", tags=["Rooms"])
    def list(self, request: Request) -> Response:
        """Archived ones too; `status=active` shows what is on sale."""
        return self.answer_list(self.get_queryset())

    @extend_schema(
        operation_id="get_room",
        summary="Get a room",
        tags=["Rooms"],
        parameters=[AvailabilityQuery],
        responses=RoomWithAvailabilityShape,
    )
    def retrieve(self, request: Request, id: str) -> Response:
        """Details, pricing, and the open slots of the next `availability_days` days."""
        room, asked = self.room(), self.query()
        if not asked["availability_days"]:
            return self.answer(room)
        now = database_now()
        first = now.astimezone(zone(room.venue.timezone)).date()
        last = first + dt.timedelta(days=asked["availability_days"] - 1)
        party = Party(asked.get("party_size"), asked.get("private"))
        found = availability.days([room], first, last, now=now, party=party, at_most=STARTS_AT_ONCE["slots"])
        return self.answer(room, availability=[DayShape.json(day) for day in found])

    @extend_schema(
        operation_id="create_room", summary="Create a room", tags=["Rooms"], request=RoomInput, responses={201: RoomShape}
    )
    def create(self, request: Request) -> Response:
        """With its schedule and pricing. `shares_space_with` sells one space as several products."""
        return self.answer(services.create_room(by=self.actor, **self.input(RoomInput)), status=201)

    @extend_schema(operation_id="change_room", summary="Change a room", tags=["Rooms"], request=RoomChangesInput)
    def update(self, request: Request, id: str) -> Response:
        """Bookings keep the times, prices and policies that they were sold with."""
        changes = self.input(RoomChangesInput)
        room = services.update_room(room=self.room(), by=self.actor, expected_version=self.expected_version, **changes)
        return self.answer(room)

    @extend_schema(
        operation_id="archive_room", summary="Archive a room", tags=["Rooms"], request=None, responses={200: RoomShape}
    )
    def destroy(self, request: Request, id: str) -> Response:
        """Takes it off sale for good. Refused while it has future bookings."""
        room = services.archive_room(room=self.room(), by=self.actor, expected_version=self.expected_version)
        return self.answer(room)


class ScheduleViewSet(ApiViewSet):
    queryset = Room.objects.with_spaces()
    shape = DayShape
    query_inputs: ClassVar = {"list": ScheduleQuery}
    scopes: ClassVar = {"list": Scope.SCHEDULES_READ}
    refusals: ClassVar = {"list": (ErrorCode.RANGE_TOO_LARGE,)}
    pagination_class = None

    @extend_schema(
        operation_id="list_schedules",
        summary="Availability",
        tags=["Schedules"],
        parameters=[ScheduleQuery],
        responses=AvailabilityShape,
    )
    def list(self, request: Request) -> Response:
        """Each room's local days with their open slots; `view=days` tells the days' status alone, for up to a year.

        Without `room` all active rooms; hidden ones answer when they are named.
        """
        asked = self.query()
        first, last = _range(asked)
        rooms = self._rooms(asked)
        found = availability.days(
            rooms,
            first,
            last,
            now=database_now(),
            party=Party(asked.get("party_size"), asked.get("private")),
            ignore_holder=asked["booking"].public_id if "booking" in asked else None,
            include_unavailable="unavailable" in asked.get("include", ()),
            at_most=STARTS_AT_ONCE[asked["view"]],
        )
        shape = DayShape if asked["view"] == "slots" else DaySummaryShape
        total = {TOTAL: len(found)} if TOTAL in asked.get("include", ()) else {}
        return Response({"object": "list", "data": [shape.json(day) for day in found], "has_more": False, **total})

    def _rooms(self, asked: dict[str, Any]) -> Any:
        """Named ones, else all on sale; in the venue if one is named."""
        rooms = asked.get("room") or self.get_queryset().bookable()
        venue = asked.get("venue")
        return [room for room in rooms if venue is None or room.venue_id == venue.pk]


def _range(asked: dict[str, Any]) -> tuple[dt.date, dt.date]:
    first = asked.get("date_from") or dt.datetime.now(dt.UTC).date()
    last = asked.get("date_to") or first + dt.timedelta(days=DEFAULT_DAYS - 1)
    if last < first:
        raise ValidationFailed(FieldError("It lies before date_from.", "range", parameter="date_to"))
    if (last - first).days >= (most := MAX_DAYS[asked["view"]]):
        raise DomainError(f"At most {most} days with view={asked['view']}.", code=ErrorCode.RANGE_TOO_LARGE)
    return first, last


class BlockViewSet(ApiViewSet):
    queryset = Block.objects.with_spaces()
    shape = BlockShape
    filterset_class = BlockFilters
    sorts: ClassVar = ("-created_at",)
    scopes: ClassVar = {
        "list": Scope.SCHEDULES_READ,
        "retrieve": Scope.SCHEDULES_READ,
        "create": Scope.SCHEDULES_WRITE,
        "update": Scope.SCHEDULES_WRITE,
        "destroy": Scope.SCHEDULES_WRITE,
    }

    refusals: ClassVar = {
        "create": (ErrorCode.BLOCK_CONFLICTS_BOOKINGS,),
        "update": (ErrorCode.BLOCK_CONFLICTS_BOOKINGS,),
    }

    def block(self) -> Block:
        found: Block | None = self.get_queryset().filter(public_id=self.kwargs["id"]).first()
        if found is None:
            raise NotFound("block")
        return found

    def answer_with_conflicts(self, block: Block, *, status: int = 200) -> Response:
        return self.answer(block, status=status, conflicts=services.block_conflicts(block))

    @extend_schema(operation_id="list_blocks", summary="List blocks", tags=["Schedules"])
    def list(self, request: Request) -> Response:
        return self.answer_list(self.get_queryset())

    @extend_schema(operation_id="get_block", summary="Get a block", tags=["Schedules"], responses=BlockWithConflictsShape)
    def retrieve(self, request: Request, id: str) -> Response:
        return self.answer_with_conflicts(self.block())

    @extend_schema(
        operation_id="create_block",
        summary="Block time",
        tags=["Schedules"],
        request=BlockInput,
        responses={201: BlockWithConflictsShape},
    )
    def create(self, request: Request) -> Response:
        """Rooms, a venue or everything; once, on whole days or weekly. 409 names the bookings that it would hit."""
        return self.answer_with_conflicts(services.create_block(by=self.actor, **self.input(BlockInput)), status=201)

    @extend_schema(
        operation_id="change_block",
        summary="Change a block",
        tags=["Schedules"],
        request=BlockChangesInput,
        responses=BlockWithConflictsShape,
    )
    def update(self, request: Request, id: str) -> Response:
        changes = self.input(BlockChangesInput)
        block = services.update_block(block=self.block(), by=self.actor, expected_version=self.expected_version, **changes)
        return self.answer_with_conflicts(block)

    @extend_schema(
        operation_id="delete_block", summary="Delete a block", tags=["Schedules"], request=None, responses={200: DeletedShape}
    )
    def destroy(self, request: Request, id: str) -> Response:
        """Puts the time back on sale."""
        block = self.block()
        services.delete_block(block=block, by=self.actor, expected_version=self.expected_version)
        return Response({"object": "block", "id": block.public_id, "deleted": True})
