"""What only answers add to the base shapes, and events as `GET /events` shows them."""

import json
from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from developers.shapes import Literal, Reference, Shape
from webhooks.envelope import body
from webhooks.models import Event
from webhooks.serializers import AttemptShape, DeliveryShape, EndpointShape
from webhooks.types import EventType


class HeldShape(serializers.Serializer[Any]):
    """Deliveries that wait for the endpoint to be enabled and released."""

    count = serializers.IntegerField()
    oldest_at = serializers.DateTimeField(allow_null=True, help_text="When the first of their events happened.")


class EndpointWithHeldShape(EndpointShape):
    held = HeldShape()


class EndpointWithSecretShape(EndpointShape):
    secret = serializers.CharField(help_text="`whsec_…`, shown in this answer and never again.")


class EnabledEndpointShape(EndpointShape):
    released = serializers.IntegerField(help_text="Held deliveries that are on their way now.")


class DeletedEndpointShape(serializers.Serializer[Any]):
    object = serializers.ChoiceField(["webhook_endpoint"])
    id = serializers.CharField()
    deleted = serializers.ChoiceField([True])


class DeliveryWithAttemptsShape(DeliveryShape):
    attempts_log = AttemptShape(many=True, help_text="Every request and what came of it, oldest first.")


class ReplayPreviewShape(Shape):
    """What a replay would send."""

    object = Literal("replay_preview")
    endpoint = Reference("whe")
    since = serializers.DateTimeField()
    until = serializers.DateTimeField()
    types = serializers.ListField(child=serializers.ChoiceField(EventType.choices))
    only_failed = serializers.BooleanField()
    total = serializers.IntegerField(help_text="Events that match.")


class SentEventShape(Shape):
    """An event that was made on request. Its deliveries: `GET /deliveries?event=<id>`."""

    object = Literal("event")
    id = serializers.CharField(source="public_id")
    type = serializers.ChoiceField(EventType.choices)


class EventObjectShape(serializers.Serializer[Any]):
    type = serializers.CharField()
    id = serializers.CharField()
    version = serializers.IntegerField(help_text="Ignore the event when you stored this version or a later one.")
    url = serializers.CharField()


class EventActorShape(serializers.Serializer[Any]):
    type = serializers.ChoiceField(["user", "api_key", "system"])
    id = serializers.CharField()


class EventRequestShape(serializers.Serializer[Any]):
    id = serializers.CharField(allow_null=True)
    idempotency_key = serializers.CharField(allow_null=True)


class EventDataShape(serializers.Serializer[Any]):
    object = serializers.DictField(allow_null=True, help_text="As the API's GET answers it, without what only the API adds.")
    previous_attributes = serializers.DictField(help_text="What has changed, as it was before.")


class EventShape(Shape):
    """The envelope: byte for byte what receivers get, but for whitespace."""

    id = serializers.CharField()
    type = serializers.ChoiceField(EventType.choices)
    api_version = serializers.CharField()
    timestamp = serializers.DateTimeField(help_text="When it happened.")
    mode = serializers.ChoiceField(["live", "test"])
    organization = serializers.CharField()
    sequence = serializers.IntegerField(
        allow_null=True, help_text="Without gaps in the organization; null in the moment before it is numbered."
    )
    object = EventObjectShape()
    actor = EventActorShape()
    request = EventRequestShape()
    data = EventDataShape()
    test = serializers.BooleanField(
        help_text="A ping or a test event, made on request for one endpoint alone: nothing has happened.",
    )
    truncated = serializers.BooleanField(
        help_text="The object was too large or is no longer kept: fetch it by `object.url`.",
    )

    @classmethod
    def json(cls, obj: Event) -> dict[str, Any]:
        # Not orjson, which reads an integer of more than 64 bits as a fraction.
        found: dict[str, Any] = json.loads(obj.body or body(obj))
        return found


@extend_schema_serializer(many=False)
class EventPageShape(serializers.Serializer[Any]):
    """Events in the order of their numbers."""

    object = serializers.ChoiceField(["list"])
    data = EventShape(many=True)
    has_more = serializers.BooleanField()
    next_after = serializers.IntegerField(help_text="Send it as `after` to get what follows, now or later.")
    total_count = serializers.IntegerField(required=False, help_text="With `include=total_count` only.")
