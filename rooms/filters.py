"""The filters of the lists of rooms and blocks, for the API and for pages."""

import datetime as dt
from typing import Any, ClassVar

import django_filters
from django.db.models import Q

from common.walltime import day_start, zone
from developers.filters import AnyOf, DayFilter, InstantFilter, TextFilter, VisibleIds
from rooms.models import Block, Room, Venue


class VenueFilters(django_filters.FilterSet):
    q = TextFilter(field_name="name", lookup_expr="icontains", help_text="Part of the name.")

    class Meta:
        model = Venue
        fields: ClassVar[list[str]] = []


class RoomFilters(django_filters.FilterSet):
    status = AnyOf(choices=Room.Status.choices, field_name="status", help_text="Repeated or comma-separated.")
    venue = VisibleIds(Venue, field_name="venue", help_text="Venue ids.")
    booking_mode = AnyOf(choices=Room.BookingMode.choices, field_name="booking_mode")
    category = TextFilter(field_name="category")
    external_id = TextFilter(field_name="external_id")
    updated_since = InstantFilter(field_name="updated_at", lookup_expr="gte", help_text="RFC 3339.")
    q = TextFilter(field_name="name", lookup_expr="icontains", help_text="Part of the name.")

    class Meta:
        model = Room
        fields: ClassVar[list[str]] = []


class BlockFilters(django_filters.FilterSet):
    room = VisibleIds(Room, field_name="rooms", help_text="Ids of rooms that the block names.")
    venue = VisibleIds(Venue, field_name="venue", help_text="Ids of venues that the block names.")
    kind = AnyOf(choices=Block.Kind.choices, field_name="kind")
    date_from = DayFilter(method="ending_from", help_text="Reaches this day (UTC) or later.")
    date_to = DayFilter(method="starting_to", help_text="Begins on this day (UTC) or earlier.")

    class Meta:
        model = Block
        fields: ClassVar[list[str]] = []

    def ending_from(self, blocks: Any, name: str, day: dt.date) -> Any:
        start = day_start(day, zone("UTC"))
        series = Q(recurrence__isnull=False) & (Q(series_ends_on=None) | Q(series_ends_on__gte=day))
        return blocks.filter(Q(ends_at__gt=start) | Q(date_to__gte=day) | series)

    def starting_to(self, blocks: Any, name: str, day: dt.date) -> Any:
        end = day_start(day + dt.timedelta(days=1), zone("UTC"))
        return blocks.filter(Q(starts_at__lt=end) | Q(date_from__lte=day))
