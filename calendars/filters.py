"""The filters of the lists of feeds and imports, for the API and for pages."""

from typing import ClassVar

import django_filters

from calendars.models import CalendarFeed, CalendarImport
from calendars.querysets import CalendarImportQuerySet
from developers.filters import AnyOf, VisibleIds
from rooms.models import Room, Venue


class CalendarFeedFilters(django_filters.FilterSet):
    room = VisibleIds(Room, field_name="room", help_text="Ids of rooms.")
    venue = VisibleIds(Venue, field_name="venue", help_text="Ids of venues.")

    class Meta:
        model = CalendarFeed
        fields: ClassVar[list[str]] = []


class CalendarImportFilters(django_filters.FilterSet):
    room = VisibleIds(Room, field_name="room", help_text="Ids of rooms.")
    venue = VisibleIds(Venue, field_name="venue", help_text="Ids of venues.")
    state = AnyOf(choices=CalendarImport.State.choices, method="reading_as", help_text="Repeated or comma-separated.")

    class Meta:
        model = CalendarImport
        fields: ClassVar[list[str]] = []

    def reading_as(self, imports: CalendarImportQuerySet, name: str, states: list[str]) -> CalendarImportQuerySet:
        return imports.reading_as(states)
