"""What only answers add to the base shapes."""

from typing import Any

from rest_framework import serializers

from calendars.serializers import CalendarFeedShape


class CalendarFeedWithAddressShape(CalendarFeedShape):
    secret_url = serializers.CharField(help_text="The address to subscribe to, shown in this answer and never again.")


class DeletedCalendarShape(serializers.Serializer[Any]):
    object = serializers.ChoiceField(["calendar_feed"])
    id = serializers.CharField()
    deleted = serializers.ChoiceField([True])
