"""The shape of `GET /me` and `GET /status`."""

from typing import Any

from rest_framework import serializers

from developers.models import ApiKey, ApiKeySecret
from developers.shapes import Literal, Shape
from organizations.permissions import Scope


class OrganizationShape(Shape):
    id = serializers.CharField(source="public_id")
    name = serializers.CharField()
    plan = serializers.CharField(source="plan.slug")


class KeyShape(Shape):
    """An API key, never its secret. `prefix` and `last4` are those of the secret in use."""

    id = serializers.CharField(source="key.public_id")
    name = serializers.CharField(source="key.name")
    prefix = serializers.CharField()
    last4 = serializers.CharField()
    scopes = serializers.ListField(child=serializers.ChoiceField(Scope.choices))
    preset = serializers.ChoiceField(ApiKey.Preset.choices, source="key.preset")
    expires_at = serializers.DateTimeField(source="key.expires_at", allow_null=True)

    @staticmethod
    def get_scopes(secret: ApiKeySecret) -> list[str]:
        return sorted(secret.key.effective_scopes)


class RateLimitShape(serializers.Serializer[Any]):
    """What the plan grants."""

    per_minute = serializers.IntegerField()
    burst = serializers.IntegerField()


class KeyContextShape(Shape):
    """Who is calling, on whose behalf, and what may be done."""

    object = Literal("key_context")
    organization = OrganizationShape(source="key.acts_on")
    key = KeyShape()
    mode = serializers.ChoiceField(ApiKey.Mode.choices, source="key.mode")
    rate_limit = RateLimitShape()

    @staticmethod
    def get_key(secret: ApiKeySecret) -> dict[str, Any]:
        return KeyShape.json(secret)

    @staticmethod
    def get_rate_limit(secret: ApiKeySecret) -> dict[str, int]:
        plan = secret.key.organization.plan
        return {"per_minute": plan.rate_per_minute, "burst": plan.rate_burst}


class StatusShape(serializers.Serializer[Any]):
    """Whether the parts of the service answer, with how long each took."""

    object = serializers.ChoiceField(["status"])
    status = serializers.ChoiceField(["ok", "degraded"])
    database = serializers.ChoiceField(["ok", "down"])
    redis = serializers.ChoiceField(["ok", "down"])
    tasks_waiting = serializers.IntegerField(allow_null=True, help_text="Background tasks that no worker has taken yet.")
    webhook_lag_seconds = serializers.FloatField(
        allow_null=True, help_text="Age of the oldest webhook that is due; receivers that rest or are slow count too."
    )
    time = serializers.DateTimeField()
