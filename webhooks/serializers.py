"""Outgoing shapes of endpoints, deliveries, attempts and replays. An event's is its envelope."""

import orjson
from rest_framework import serializers

from common.signing import decrypt
from common.walltime import utc_text
from developers.shapes import Literal, Reference, Shape
from webhooks.models import Attempt, Delivery, Endpoint, Replay
from webhooks.types import EventType


class EndpointShape(Shape):
    """An endpoint, never its secret or the values of its headers."""

    object = Literal("webhook_endpoint")
    id = serializers.CharField(source="public_id")
    url = serializers.CharField()
    description = serializers.CharField()
    event_types = serializers.ListField(child=serializers.ChoiceField(EventType.choices), help_text="Empty: all of them.")
    header_names = serializers.ListField(child=serializers.CharField(), help_text="Of the custom headers; values are not shown.")
    status = serializers.ChoiceField(Endpoint.Status.choices)
    disabled_reason = serializers.ChoiceField(Endpoint.DisabledReason.choices, allow_null=True)
    disabled_at = serializers.DateTimeField(allow_null=True)
    failing_since = serializers.DateTimeField(allow_null=True, help_text="The first failure after the last 2xx.")
    resting_until = serializers.DateTimeField(allow_null=True, help_text="Nothing is sent before then.")
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    @staticmethod
    def get_header_names(endpoint: Endpoint) -> list[str]:
        return sorted(orjson.loads(decrypt(endpoint.headers))) if endpoint.headers else []

    @staticmethod
    def get_disabled_reason(endpoint: Endpoint) -> str | None:
        return endpoint.disabled_reason or None


class DeliveryShape(Shape):
    object = Literal("delivery")
    id = serializers.CharField(source="public_id")
    endpoint = Reference("whe")
    event = Reference("evt")
    event_type = serializers.ChoiceField(EventType.choices, source="event.type")
    event_object = serializers.CharField(source="event.object_id", help_text="The id of the object that changed.")
    state = serializers.ChoiceField(Delivery.State.choices)
    attempts = serializers.IntegerField()
    status_code = serializers.IntegerField(allow_null=True, help_text="Of the last answer.")
    failure = serializers.CharField(allow_null=True, help_text="The class of the last failure: dns, refused, tls, timeout, http…")
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    replay_of = Reference("dlv", allow_null=True)
    replay = Reference("rpl", allow_null=True)
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)

    @staticmethod
    def get_failure(delivery: Delivery) -> str | None:
        return delivery.failure or None

    @staticmethod
    def get_next_attempt_at(delivery: Delivery) -> str | None:
        return utc_text(delivery.due_at) if delivery.state in (Delivery.State.PENDING, Delivery.State.SCHEDULED) else None


class AttemptShape(Shape):
    number = serializers.IntegerField()
    started_at = serializers.DateTimeField()
    seconds = serializers.FloatField()
    status_code = serializers.IntegerField(allow_null=True)
    failure = serializers.CharField(allow_null=True)
    answer = serializers.CharField(help_text="The first 4 KiB of the answer's body.")
    answer_headers = serializers.DictField(child=serializers.CharField())
    late = serializers.BooleanField(help_text="It came back after its time was up, and changed nothing.")

    @staticmethod
    def get_failure(attempt: Attempt) -> str | None:
        return attempt.failure or None


class ReplayShape(Shape):
    object = Literal("replay")
    id = serializers.CharField(source="public_id")
    endpoint = Reference("whe")
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    types = serializers.ListField(child=serializers.ChoiceField(EventType.choices))
    only_failed = serializers.BooleanField()
    state = serializers.ChoiceField(Replay.State.choices)
    total = serializers.IntegerField(help_text="Events that matched when it began.")
    queued = serializers.IntegerField(help_text="Deliveries made so far.")
    succeeded = serializers.IntegerField(help_text="Of those, how many have arrived.")
    version = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)

    @staticmethod
    def get_succeeded(replay: Replay) -> int:
        if hasattr(replay, "arrived"):  # a list counts them all in one query
            return int(replay.arrived)
        return Delivery.objects.filter(replay=replay, state=Delivery.State.SUCCEEDED).count()
