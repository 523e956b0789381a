"""What the webhooks and events API accepts."""

from typing import Any

from rest_framework import serializers

from common.addresses import MAX_URL_LENGTH
from developers.inputs import Flag, Included, Input, Instant, Integer, Text, changes_of
from developers.pagination import DEFAULT_LIMIT, MAX_LIMIT, TOTAL, TOTAL_HELP
from webhooks.services.endpoints import DEFAULT_OVERLAP, LONGEST_OVERLAP, MAX_HEADER_VALUE
from webhooks.types import EventType

MAX_SEQUENCE = 10**15 - 1  # what a query string is read up to


class EventTypes(serializers.ListField):
    """Event types, each once."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(child=serializers.ChoiceField(EventType.choices), max_length=100, **kwargs)

    def to_internal_value(self, data: Any) -> list[str]:
        return list(dict.fromkeys(super().to_internal_value(data)))


class EndpointInput(Input):
    url = Text(max_length=MAX_URL_LENGTH, help_text="Starts with https:// and can be reached from the internet.")
    description = Text(required=False, allow_blank=True)
    event_types = EventTypes(required=False, help_text="Empty: all of them, those to come included.")
    headers = serializers.DictField(
        child=Text(max_length=MAX_HEADER_VALUE, allow_blank=True, trim_whitespace=False),
        required=False,
        help_text="Custom headers, at most ten: {name: value}. The values are encrypted and never shown again.",
    )


EndpointChangesInput = changes_of(EndpointInput)


class EmptyInput(Input):
    """An empty object, or no body."""


class RotateSecretInput(Input):
    overlap_seconds = Integer(
        max_value=int(LONGEST_OVERLAP.total_seconds()),
        required=False,
        default=int(DEFAULT_OVERLAP.total_seconds()),
        help_text="For so long the older secrets sign too; 0 revokes them at once.",
    )


class EnableEndpointInput(Input):
    release_held_since = Instant(
        required=False, help_text="Of what was held, events from then on are sent now. Without it all stays held."
    )


class TestEventInput(Input):
    type = serializers.ChoiceField(EventType.choices)


class ReplayInput(Input):
    since = Instant()
    until = Instant(required=False, help_text="Itself not included; default now.")
    types = EventTypes(required=False, help_text="Default: what the endpoint subscribes to.")
    only_failed = Flag(required=False, help_text="Only events that never arrived at this endpoint.")
    dry_run = Flag(required=False, help_text="Only count what would be sent.")


class EventsQuery(Input):
    """What `GET /events` reads from the query."""

    after = Integer(
        max_value=MAX_SEQUENCE, required=False, default=0, help_text="`next_after` of the last answer; 0: from the start."
    )
    type = EventTypes(required=False, help_text="Repeated or comma-separated.")
    object = Text(max_length=64, required=False, help_text="The id of the object that changed.")
    test = Flag(required=False, help_text="true: only pings and test events; false: none of them.")
    limit = Integer(min_value=1, max_value=MAX_LIMIT, required=False, default=DEFAULT_LIMIT)
    include = Included(TOTAL, required=False, help_text=f"{TOTAL_HELP} Whatever `after` is, all are counted.")
