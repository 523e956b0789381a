"""What only answers add to the base shapes."""

from typing import Any

from rest_framework import serializers

from calendars.serializers import CalendarFeedShape, CalendarImportShape


class CalendarFeedWithAddressShape(CalendarFeedShape):
    secret_url = serializers.CharField(help_text="The address to subscribe to, shown in this answer and never again.")


class CalendarImportWithConflictsShape(CalendarImportShape):
    conflicts = serializers.ListField(
        child=serializers.CharField(), help_text="Ids of the coming bookings that it hits, at most 100."
    )


class DeletedCalendarShape(serializers.Serializer[Any]):
    object = serializers.ChoiceField(["calendar_feed", "calendar_import"])
    id = serializers.CharField()
    deleted = serializers.ChoiceField([True])
