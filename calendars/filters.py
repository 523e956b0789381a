"""The filters of the lists of feeds, for the API and for pages."""

from typing import ClassVar

import django_filters

from calendars.models import CalendarFeed
from developers.filters import VisibleIds
from rooms.models import Room, Venue


class CalendarFeedFilters(django_filters.FilterSet):
    room = VisibleIds(Room, field_name="room", help_text="Ids of rooms.")
    venue = VisibleIds(Venue, field_name="venue", help_text="Ids of venues.")

    class Meta:
        model = CalendarFeed
        fields: ClassVar[list[str]] = []
