"""Outgoing shapes of venues, rooms, blocks and availability."""

from typing import Any

from rest_framework import serializers

from common.walltime import local_text, zone
from developers.shapes import Literal, Reference, Shape
from rooms.availability import Day, Reason, Slot
from rooms.inputs import (
    CustomFieldInput,
    HoursInput,
    PolicyInput,
    PricingInput,
    RecurrenceInput,
    ReschedulePolicyInput,
    ScheduleInput,
    TaxInput,
)
from rooms.models import Block, Room, Venue


class VenueShape(Shape):
    object = Literal("venue")
    id = serializers.CharField(source="public_id")
    name = serializers.CharField()
    timezone = serializers.CharField()
    currency = serializers.CharField()
    tax = TaxInput()
    weekly_hours = HoursInput(many=True)
    cancellation_policy = PolicyInput()
    reschedule_policy = ReschedulePolicyInput()
    is_default = serializers.BooleanField()
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    @staticmethod
    def get_tax(venue: Venue) -> dict[str, Any]:
        return venue.tax


class RoomShape(Shape):
    object = Literal("room")
    id = serializers.CharField(source="public_id")
    name = serializers.CharField()
    slug = serializers.CharField()
    status = serializers.ChoiceField(Room.Status.choices)
    venue = Reference("ven")
    external_id = serializers.CharField(allow_null=True)
    description = serializers.CharField()
    images = serializers.ListField(child=serializers.URLField())
    category = serializers.CharField()
    difficulty = serializers.IntegerField(allow_null=True)
    min_age = serializers.IntegerField(allow_null=True)
    languages = serializers.ListField(child=serializers.CharField())
    booking_mode = serializers.ChoiceField(Room.BookingMode.choices)
    duration_minutes = serializers.IntegerField()
    setup_minutes = serializers.IntegerField()
    turnaround_minutes = serializers.IntegerField()
    min_party = serializers.IntegerField()
    max_party = serializers.IntegerField()
    capacity = serializers.IntegerField()
    timezone = serializers.CharField(source="venue.timezone")
    schedule = ScheduleInput()
    pricing = PricingInput()
    lead_time_minutes = serializers.IntegerField()
    horizon_days = serializers.IntegerField()
    hold_minutes = serializers.IntegerField()
    cancellation_policy = PolicyInput(allow_null=True, help_text="Null: the venue's.")
    reschedule_policy = ReschedulePolicyInput(allow_null=True, help_text="Null: the venue's.")
    custom_fields = CustomFieldInput(many=True)
    metadata = serializers.DictField(child=serializers.CharField())
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    expandable = {"venue": VenueShape}


class BlockShape(Shape):
    object = Literal("block")
    id = serializers.CharField(source="public_id")
    scope = serializers.ChoiceField(Block.Scope.choices)
    rooms = serializers.ListField(child=serializers.CharField())
    venue = Reference("ven", allow_null=True)
    starts_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)
    starts_at_local = serializers.DateTimeField(allow_null=True)
    ends_at_local = serializers.DateTimeField(allow_null=True)
    timezone = serializers.CharField(allow_null=True, help_text="Null when the block spans venues.")
    date_from = serializers.DateField(allow_null=True)
    date_to = serializers.DateField(allow_null=True)
    recurrence = RecurrenceInput(allow_null=True)
    kind = serializers.ChoiceField(Block.Kind.choices)
    reason = serializers.CharField()
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    @staticmethod
    def get_rooms(block: Block) -> list[str]:
        return block.room_public_ids

    @staticmethod
    def get_timezone(block: Block) -> str | None:
        return block.timezone

    @staticmethod
    def get_starts_at_local(block: Block) -> str | None:
        return _local(block, block.starts_at)

    @staticmethod
    def get_ends_at_local(block: Block) -> str | None:
        return _local(block, block.ends_at)


def _local(block: Block, instant: Any) -> str | None:
    return local_text(instant, zone(block.timezone)) if instant and block.timezone else None


class SlotPriceShape(serializers.Serializer[Any]):
    """What the party would pay, in minor units; without `party_size` in the query, the smallest party."""

    amount = serializers.IntegerField()
    currency = serializers.CharField()
    party_size = serializers.IntegerField()


class SlotShape(Shape):
    starts_at = serializers.DateTimeField()
    starts_at_local = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    ends_at_local = serializers.DateTimeField()
    timezone = serializers.CharField(source="room.venue.timezone")
    status = serializers.ChoiceField(["available", "unavailable"])
    reasons = serializers.ListField(child=serializers.ChoiceField([reason.value for reason in Reason]))
    capacity = serializers.IntegerField(source="room.capacity")
    seats_left = serializers.IntegerField()
    min_party = serializers.IntegerField(source="room.min_party")
    max_party = serializers.IntegerField(source="room.max_party")
    private_available = serializers.BooleanField()
    price = SlotPriceShape()
    book_by = serializers.DateTimeField()

    @staticmethod
    def get_starts_at_local(slot: Slot) -> str:
        return local_text(slot.starts_at, zone(slot.room.venue.timezone))

    @staticmethod
    def get_ends_at_local(slot: Slot) -> str:
        return local_text(slot.ends_at, zone(slot.room.venue.timezone))


class DaySummaryShape(Shape):
    """A room's local day without its slots: `view=days`."""

    object = Literal("availability_day")
    room = Reference("rm")
    date = serializers.DateField()
    timezone = serializers.CharField(source="room.venue.timezone")
    status = serializers.ChoiceField(["available", "limited", "sold_out", "closed"])


class DayShape(DaySummaryShape):
    """A room's local day; slots that cannot be booked only with `include=unavailable`."""

    slots = SlotShape(many=True, required=False, help_text="Absent with view=days.")

    @staticmethod
    def get_slots(day: Day) -> list[dict[str, Any]]:
        return [SlotShape.json(slot) for slot in day.slots]
