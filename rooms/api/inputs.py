"""What the venues, rooms and schedules API accepts."""

from typing import Any

from rest_framework import serializers

from bookings.models import Booking
from developers.inputs import (
    Currency,
    Day,
    Flag,
    Input,
    Instant,
    Integer,
    Metadata,
    Pattern,
    Text,
    TimeZone,
    VisibleId,
    VisibleIds,
    changes_of,
)
from rooms.inputs import (
    MINUTES_A_DAY,
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

MAX_SEATS = 10_000


class ImageUrl(serializers.URLField):
    """An http or https address."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class VenueInput(Input):
    name = Text(max_length=120)
    timezone = TimeZone(max_length=64)
    currency = Currency()
    tax = TaxInput(required=False)
    weekly_hours = HoursInput(many=True, required=False, max_length=50)
    cancellation_policy = PolicyInput(required=False)
    reschedule_policy = ReschedulePolicyInput(required=False)


class RoomInput(Input):
    name = Text(max_length=120)
    slug = Pattern(r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80, required=False)
    venue = VisibleId(Venue, required=False, help_text="Default: the organization's default venue.")
    shares_space_with = VisibleIds(Room, required=False, max_length=20, help_text="Rooms in whose space this one is played.")
    description = Text(max_length=10_000, required=False, allow_blank=True)
    images = serializers.ListField(child=ImageUrl(max_length=500), required=False, max_length=30)
    external_id = Text(max_length=120, required=False, allow_null=True)
    metadata = Metadata(required=False)
    duration_minutes = Integer(min_value=5, max_value=MINUTES_A_DAY, required=False)
    setup_minutes = Integer(max_value=MINUTES_A_DAY // 2, required=False)
    turnaround_minutes = Integer(max_value=MINUTES_A_DAY // 2, required=False)
    difficulty = Integer(min_value=1, max_value=5, required=False, allow_null=True)
    min_age = Integer(max_value=120, required=False, allow_null=True)
    languages = serializers.ListField(child=Text(max_length=20), required=False, max_length=30)
    category = Text(max_length=60, required=False, allow_blank=True)
    min_party = Integer(min_value=1, max_value=MAX_SEATS, required=False)
    max_party = Integer(min_value=1, max_value=MAX_SEATS, required=False)
    capacity = Integer(min_value=1, max_value=MAX_SEATS, required=False)
    booking_mode = serializers.ChoiceField(Room.BookingMode.choices, required=False)
    schedule = ScheduleInput(required=False)
    pricing = PricingInput(required=False)
    lead_time_minutes = Integer(max_value=366 * MINUTES_A_DAY, required=False)
    horizon_days = Integer(max_value=1_096, required=False)
    hold_minutes = Integer(min_value=1, max_value=30, required=False)
    cancellation_policy = PolicyInput(required=False, allow_null=True)
    reschedule_policy = ReschedulePolicyInput(required=False, allow_null=True)
    custom_fields = CustomFieldInput(many=True, required=False, max_length=50)
    status = serializers.ChoiceField(Room.Status.choices, required=False)


class RoomChangesInput(changes_of(RoomInput)):  # type: ignore[misc]
    """The fields sent are changed, the others stay. A room keeps its venue and its space."""

    def get_fields(self) -> dict[str, Any]:
        fields: dict[str, Any] = super().get_fields()
        return {name: field for name, field in fields.items() if name not in ("venue", "shares_space_with")}


VenueChangesInput = changes_of(VenueInput)


class AvailabilityQuery(Input):
    """What `GET /rooms/{id}` reads from the query."""

    availability_days = Integer(max_value=62, required=False, default=14)
    party_size = Integer(min_value=1, max_value=100_000, required=False)
    private = Flag(required=False)


class ScheduleQuery(Input):
    date_from = Day(required=False, help_text="Local day of each venue; default today (UTC).")
    date_to = Day(required=False, help_text="Included; default 13 days after date_from.")
    room = VisibleIds(Room, prepare=lambda rooms: rooms.with_spaces(), required=False, help_text="Repeated or comma-separated.")
    venue = VisibleId(Venue, required=False)
    party_size = Integer(min_value=1, max_value=100_000, required=False)
    private = Flag(required=False)
    view = serializers.ChoiceField(["slots", "days"], required=False, default="slots")
    include = serializers.ChoiceField(["unavailable"], required=False)
    booking = VisibleId(Booking, required=False, help_text="Its own claim counts as free: for moving it.")


class BlockInput(Input):
    """Which: exactly one of rooms, venue, all. When: starts_at and ends_at, or whole days date_from to date_to."""

    rooms = VisibleIds(Room, required=False, min_length=1, max_length=1_000)
    venue = VisibleId(Venue, required=False)
    all = Flag(required=False)
    starts_at = Instant(required=False)
    ends_at = Instant(required=False)
    date_from = Day(required=False)
    date_to = Day(required=False)
    recurrence = RecurrenceInput(required=False, allow_null=True)
    kind = serializers.ChoiceField(Block.Kind.choices, required=False)
    reason = Text(required=False, allow_blank=True)
    on_conflict = serializers.ChoiceField(["reject", "keep"], required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        given = [name for name in ("rooms", "venue", "all") if attrs.get(name)]
        if len(given) != 1 and (given or not self.is_change):
            raise serializers.ValidationError({"rooms": ["Give exactly one of rooms, venue, all: true."]}, code="exactly_one")
        if attrs.keys() & {"starts_at", "ends_at"} and attrs.keys() & {"date_from", "date_to"}:
            raise serializers.ValidationError({"date_from": ["Give instants or days, not both."]})
        return attrs

    is_change = False


class BlockChangesInput(changes_of(BlockInput)):  # type: ignore[misc]
    """The fields sent are changed, the others stay."""

    is_change = True
