"""Outgoing shapes of feeds and imports."""

from rest_framework import serializers

from calendars.models import CalendarImport
from calendars.reasons import Reason
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


class CalendarImportShape(Shape):
    """A calendar elsewhere whose busy times are blocks here, never its address."""

    object = Literal("calendar_import")
    id = serializers.CharField(source="public_id")
    name = serializers.CharField(help_text="The reason of its blocks, unless titles are included.")
    room = Reference("rm", allow_null=True)
    venue = Reference("ven", allow_null=True)
    host = serializers.CharField(help_text="Of its address, which is not shown again.")
    include_titles = serializers.BooleanField()
    state = serializers.ChoiceField(
        CalendarImport.State.choices, help_text="stale: it could not be read, and what was read last holds."
    )
    failure = serializers.ChoiceField(Reason.choices, allow_null=True, help_text="Why it could not be read the last time.")
    failure_detail = serializers.CharField(allow_null=True, help_text="The same in words.")
    failing_since = serializers.DateTimeField(allow_null=True)
    checked_at = serializers.DateTimeField(allow_null=True, help_text="The last try.")
    synced_at = serializers.DateTimeField(allow_null=True, help_text="The last success.")
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    @staticmethod
    def get_state(source: CalendarImport) -> str:
        return source.state.value

    @staticmethod
    def get_failure(source: CalendarImport) -> str | None:
        return source.failure or None

    @staticmethod
    def get_failure_detail(source: CalendarImport) -> str | None:
        """The status tells an address that has changed from a host that is down."""
        if not source.failure:
            return None
        told = f" ({source.failure_status})" if source.failure == Reason.HTTP and source.failure_status else ""
        return f"{Reason(source.failure).label}{told}."
