"""What only answers add to the base shapes."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from rooms.serializers import BlockShape, DayShape, RoomShape


class RoomWithAvailabilityShape(RoomShape):
    availability = DayShape(many=True, required=False, help_text="Absent with availability_days=0.")


class BlockWithConflictsShape(BlockShape):
    conflicts = serializers.ListField(child=serializers.CharField(), help_text="Ids of coming bookings that it hits.")


@extend_schema_serializer(many=False)
class AvailabilityShape(serializers.Serializer[Any]):
    """All in one answer. With `view=days` the days come without `slots`."""

    object = serializers.ChoiceField(["list"])
    data = DayShape(many=True)
    has_more = serializers.BooleanField()
    total_count = serializers.IntegerField(required=False, help_text="With `include=total_count` only.")


class DeletedShape(serializers.Serializer[Any]):
    object = serializers.CharField()
    id = serializers.CharField()
    deleted = serializers.ChoiceField([True])
