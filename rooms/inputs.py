"""Venues, rooms and blocks, with their timetables, prices, policies and recurrences, as requests say them."""

from itertools import pairwise
from typing import Any

from rest_framework import serializers

from developers.inputs import (
    Currency,
    Day,
    Flag,
    Input,
    Instant,
    Integer,
    Metadata,
    Money,
    Pattern,
    Text,
    TimeZone,
    VisibleId,
    VisibleIds,
    WallTime,
    changes_of,
)
from rooms.models import Block, Room, Venue

MAX_RULES = 100
MAX_OVERRIDES = 1_000
MINUTES_A_DAY = 1_440
MAX_SEATS = 10_000


def _exactly_one(attrs: dict[str, Any], names: tuple[str, ...]) -> None:
    if sum(name in attrs for name in names) != 1:
        raise serializers.ValidationError({names[0]: [f"Give exactly one of: {', '.join(names)}."]}, code="exactly_one")


class Weekdays(serializers.ListField):
    """ISO weekdays: 1 is Monday, 7 Sunday."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=Integer(min_value=1, max_value=7), min_length=1, max_length=7, **kwargs)


class Percent(serializers.FloatField):
    """Percent, at most two decimals, such as 12.5."""

    default_error_messages = {"max_decimal_places": "At most two decimals."}

    def __init__(self, *, low: int = 0, high: int = 100, **kwargs: Any) -> None:
        super().__init__(min_value=low, max_value=high, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        if round(data, 2) != data:
            self.fail("max_decimal_places")
        return int(data) if isinstance(data, float) and data.is_integer() else data


class DayText(Day):
    """A calendar day, kept as its text."""

    def to_internal_value(self, value: Any) -> Any:
        return super().to_internal_value(value).isoformat()

    def to_representation(self, value: Any) -> Any:
        return value


class RuleInput(Input):
    """Starts on some weekdays: listed, or from the first to the last by an interval. `last_start` before `first_start`
    runs past midnight. With dates it is a season, which replaces the rules without."""

    weekdays = Weekdays()
    start_times = serializers.ListField(child=WallTime(), required=False, min_length=1, max_length=200)
    first_start = WallTime(required=False)
    last_start = WallTime(required=False)
    interval_minutes = Integer(min_value=5, max_value=MINUTES_A_DAY, required=False)
    valid_from = DayText(required=False)
    valid_until = DayText(required=False)
    price_override = Money(required=False, help_text="Replaces the base price: of the group, or per person.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        _exactly_one(attrs, ("start_times", "first_start"))
        interval = {"last_start", "interval_minutes"} & attrs.keys()
        if "first_start" in attrs and len(interval) < 2:
            raise serializers.ValidationError({"first_start": ["last_start and interval_minutes go with it."]})
        if "start_times" in attrs and interval:
            raise serializers.ValidationError({"start_times": ["They go without last_start and interval_minutes."]})
        if attrs.get("valid_from", "") > attrs.get("valid_until", "9"):
            raise serializers.ValidationError({"valid_until": ["It lies before valid_from."]})
        return attrs


class OverrideInput(Input):
    """One day that differs: closed, or with starts of its own."""

    date = DayText()
    closed = Flag(required=False)
    start_times = serializers.ListField(child=WallTime(), required=False, min_length=1, max_length=200)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if bool(attrs.get("closed")) == ("start_times" in attrs):
            raise serializers.ValidationError({"closed": ["Give either closed: true or start_times."]})
        return attrs


class ScheduleInput(Input):
    rules = RuleInput(many=True, required=False, max_length=MAX_RULES)
    overrides = OverrideInput(many=True, required=False, max_length=MAX_OVERRIDES)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        dates = [override["date"] for override in attrs.get("overrides", ())]
        if len(dates) != len(set(dates)):
            raise serializers.ValidationError({"overrides": ["A date stands there twice."]})
        return {"rules": attrs.get("rules", []), "overrides": attrs.get("overrides", [])}


class TierInput(Input):
    min = Integer(min_value=1)
    max = Integer(min_value=1)
    amount = Money()


class AmountOrPercentInput(Input):
    amount = Money(required=False)
    percent = Percent(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        _exactly_one(attrs, ("amount", "percent"))
        return attrs


class TimesInput(Input):
    """Wall times [from, to), may run past midnight."""

    def get_fields(self) -> dict[str, Any]:
        return {"from": WallTime(), "to": WallTime()}


class DatesInput(Input):
    """Days, both included."""

    def get_fields(self) -> dict[str, Any]:
        return {"from": DayText(), "to": DayText()}


class PartyInput(Input):
    min = Integer(min_value=1)
    max = Integer(min_value=1)


class AdjustmentInput(Input):
    """Changes the price where everything it names matches. Exactly one of percent, fixed and set."""

    label = Text(max_length=60, required=False)
    priority = Integer(required=False, max_value=1_000, help_text="Lowest first.")
    weekdays = Weekdays(required=False)
    times = TimesInput(required=False)
    dates = DatesInput(required=False)
    party = PartyInput(required=False)
    percent = Percent(low=-100, high=1_000, required=False)
    fixed = Money(min_value=-99_999_999_999, required=False)

    def get_fields(self) -> dict[str, Any]:
        return {**super().get_fields(), "set": Money(required=False)}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        _exactly_one(attrs, ("percent", "fixed", "set"))
        return attrs


class PricingInput(Input):
    """`amount` with per_group and per_person, `tiers` without gaps with tiered. Amounts are minor units."""

    model = serializers.ChoiceField(["per_group", "per_person", "tiered"])
    currency = Currency()
    amount = Money(required=False)
    tiers = TierInput(many=True, required=False, max_length=100)
    adjustments = AdjustmentInput(many=True, required=False, max_length=100)
    private_upgrade = AmountOrPercentInput(required=False, allow_null=True)
    deposit = AmountOrPercentInput(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        tiered = attrs["model"] == "tiered"
        if tiered != ("tiers" in attrs) or tiered == ("amount" in attrs):
            wanted, other = ("tiers", "amount") if tiered else ("amount", "tiers")
            raise serializers.ValidationError({wanted: [f"{attrs['model']} prices take {wanted} and no {other}."]})
        tiers = attrs.get("tiers", [])
        for tier, following in pairwise(tiers):
            if following["min"] != tier["max"] + 1:
                raise serializers.ValidationError({"tiers": ["They leave a gap or overlap."]}, code="gap")
        if any(tier["min"] > tier["max"] for tier in tiers) or (tiered and not tiers):
            raise serializers.ValidationError({"tiers": ["A tier begins at its min and ends at its max."]})
        return {"adjustments": [], "deposit": None, "private_upgrade": None, **attrs}


class WindowInput(Input):
    hours_before = Integer(max_value=24 * 366)
    refund_percent = Integer(max_value=100)


class PolicyInput(Input):
    """Cancellation: of the windows, the one with the most hours_before still ahead of the start counts."""

    windows = WindowInput(many=True, max_length=20)
    fee = Money(required=False, default=0)
    deposit_refundable = Flag(required=False, default=True)


class RescheduleWindowInput(Input):
    hours_before = Integer(max_value=24 * 366)
    allowed = Flag()
    fee = Money(required=False, default=0)


class ReschedulePolicyInput(Input):
    windows = RescheduleWindowInput(many=True, max_length=20)
    max_times = Integer(required=False, allow_null=True, default=None)


class CustomFieldInput(Input):
    """A question that the room asks; `choices` with type choice."""

    key = Pattern(r"^[a-z][a-z0-9_]{0,39}$")
    label = Text()
    type = serializers.ChoiceField(["text", "number", "boolean", "choice"])
    required = Flag(required=False, default=False)
    choices = serializers.ListField(child=Text(), required=False, max_length=100)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if (attrs["type"] == "choice") != bool(attrs.get("choices")):
            raise serializers.ValidationError({"choices": ["They go with type choice, and only there."]})
        return attrs


class TaxInput(Input):
    """`rate` in percent as a text, such as "20" or "5.5"."""

    rate = Pattern(r"^[0-9]{1,2}(\.[0-9]{1,3})?$")
    inclusive = Flag(required=False, default=True)
    label = Text(max_length=40, required=False, allow_blank=True, default="")


class HoursInput(Input):
    """Opening hours to be shown; `closes` before `opens` runs past midnight."""

    weekday = Integer(min_value=1, max_value=7)
    opens = WallTime()
    closes = WallTime()


class RecurrenceInput(Input):
    """Weekly by the venue's clock, until a day or for a count; without either, for ever."""

    freq = serializers.ChoiceField(["weekly"])
    interval = Integer(min_value=1, max_value=52, required=False, default=1)
    until = DayText(required=False)
    count = Integer(min_value=1, max_value=520, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "until" in attrs and "count" in attrs:
            raise serializers.ValidationError({"count": ["Give until or count, not both."]})
        return attrs


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
