"""Outgoing shapes of feeds."""

from rest_framework import serializers

from developers.shapes import Literal, Reference, Shape


class CalendarFeedShape(Shape):
    """A secret address that calendars read, never the address itself."""

    object = Literal("calendar_feed")
    id = serializers.CharField(source="public_id")
    name = serializers.CharField()
    room = Reference("rm", allow_null=True)
    venue = Reference("ven", allow_null=True)
    include_names = serializers.BooleanField(help_text="Names of customers, and the reasons of blocks.")
    prefix = serializers.CharField(help_text="How the secret in its address begins.")
    last_read_at = serializers.DateTimeField(allow_null=True, help_text="To within ten minutes.")
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
