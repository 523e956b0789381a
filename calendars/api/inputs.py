"""What the calendars' API accepts."""

from typing import Any

from rest_framework import serializers

from common.addresses import MAX_URL_LENGTH
from developers.inputs import Flag, Input, Text, VisibleId, changes_of
from rooms.models import Room, Venue


class CalendarFeedInput(Input):
    """Exactly one of room, venue."""

    room = VisibleId(Room, required=False)
    venue = VisibleId(Venue, required=False)
    name = Text(max_length=120, required=False, allow_blank=True, help_text="Who reads it.")
    include_names = Flag(required=False, help_text="Names of customers, and the reasons of blocks. Default: false.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return one_place(attrs)


class CalendarFeedChangesInput(changes_of(CalendarFeedInput)):  # type: ignore[misc]
    """The fields sent are changed, the others stay. A feed keeps its room or venue, and its address."""

    def get_fields(self) -> dict[str, Any]:
        return without_place(super().get_fields())

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return attrs


class CalendarImportInput(Input):
    """Exactly one of room, venue."""

    room = VisibleId(Room, required=False)
    venue = VisibleId(Venue, required=False, help_text="All of its rooms.")
    name = Text(max_length=120)
    secret_url = Text(
        max_length=MAX_URL_LENGTH,
        help_text="Where the calendar can be had as iCalendar: https:// or webcal://. It is not shown again.",
    )
    include_titles = Flag(required=False, help_text="The entries' titles become the reasons of blocks. Default: false.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return one_place(attrs)


class CalendarImportChangesInput(changes_of(CalendarImportInput)):  # type: ignore[misc]
    """The fields sent are changed, the others stay. An import keeps its room or venue."""

    def get_fields(self) -> dict[str, Any]:
        return without_place(super().get_fields())

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return attrs


class NoFieldsInput(Input):
    """An empty object, or no body."""


def one_place(attrs: dict[str, Any]) -> dict[str, Any]:
    if ("room" in attrs) == ("venue" in attrs):
        raise serializers.ValidationError({"room": ["Give exactly one of: room, venue."]}, code="exactly_one")
    return attrs


def without_place(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: field for name, field in fields.items() if name not in ("room", "venue")}
