"""The shapes of `GET /me`, `GET /status` and `GET /logs`."""

from typing import Any

from rest_framework import serializers

from developers.models import ApiKey, ApiKeySecret, RequestLogEntry
from developers.request_log import bodies
from developers.shapes import Literal, Shape
from organizations.permissions import Scope


class OrganizationShape(Shape):
    id = serializers.CharField(source="public_id")
    name = serializers.CharField()
    plan = serializers.CharField(source="plan.slug")


class CapsShape(Shape):
    """What the key may book at most; null where there is no cap. Amounts in minor units of `currency`, a day by UTC."""

    currency = serializers.CharField(allow_null=True)
    max_amount_per_booking = serializers.IntegerField(allow_null=True)
    max_amount_per_day = serializers.IntegerField(allow_null=True)
    max_open_holds = serializers.IntegerField(allow_null=True)

    @staticmethod
    def get_currency(key: ApiKey) -> str | None:
        return key.currency or None


class KeyShape(Shape):
    """An API key, never its secret. `prefix` and `last4` are those of the secret in use."""

    id = serializers.CharField(source="key.public_id")
    name = serializers.CharField(source="key.name")
    prefix = serializers.CharField()
    last4 = serializers.CharField()
    scopes = serializers.ListField(child=serializers.ChoiceField(Scope.choices))
    preset = serializers.ChoiceField(ApiKey.Preset.choices, source="key.preset")
    expires_at = serializers.DateTimeField(source="key.expires_at", allow_null=True)
    networks = serializers.ListField(
        child=serializers.CharField(), source="key.networks", help_text="Calls must come from one of them; empty: from anywhere."
    )
    rooms = serializers.ListField(
        child=serializers.CharField(), source="key.rooms", help_text="Those that it may book in; empty: in all."
    )
    caps = CapsShape(source="key")

    @staticmethod
    def get_scopes(secret: ApiKeySecret) -> list[str]:
        return sorted(secret.key.effective_scopes)


class RateLimitShape(serializers.Serializer[Any]):
    """What the plan grants: requests within a minute and within a second, of this key and of all keys together."""

    per_minute = serializers.IntegerField()
    burst = serializers.IntegerField(help_text="Within a second.")
    organization_per_minute = serializers.IntegerField()
    organization_burst = serializers.IntegerField(help_text="Within a second.")


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
        return {
            "per_minute": plan.rate_per_minute,
            "burst": plan.rate_burst,
            "organization_per_minute": plan.organization_rate_per_minute,
            "organization_burst": plan.organization_rate_burst,
        }


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


class LogEntryShape(Shape):
    """One call of the API, and what came of it."""

    object = Literal("log_entry")
    id = serializers.CharField(source="public_id")
    request_id = serializers.CharField(help_text="What `Request-Id` said.")
    mode = serializers.ChoiceField(ApiKey.Mode.choices)
    method = serializers.CharField()
    path = serializers.CharField(help_text="Below the API's base address.")
    query = serializers.CharField(help_text="Empty once the bodies are past keeping.")
    status = serializers.IntegerField()
    error_code = serializers.CharField(allow_null=True)
    duration_ms = serializers.FloatField()
    key = serializers.CharField(help_text="The id, `key_…`; `playground` for a call from the playground.")
    key_name = serializers.CharField()
    key_prefix = serializers.CharField()
    key_last4 = serializers.CharField()
    client_address = serializers.CharField(allow_null=True)
    user_agent = serializers.CharField()
    idempotency_key = serializers.CharField(allow_null=True)
    replayed = serializers.BooleanField(source="is_replayed", help_text="An idempotency key's first answer, given again.")
    dry_run = serializers.BooleanField(source="is_dry_run")
    tool = serializers.CharField(allow_null=True, help_text="The tool of `/mcp` that made the call; null: the key's own call.")
    created_at = serializers.DateTimeField(help_text="When the request came.")

    @staticmethod
    def get_error_code(entry: RequestLogEntry) -> str | None:
        return entry.error_code or None

    @staticmethod
    def get_tool(entry: RequestLogEntry) -> str | None:
        return entry.tool or None

    @staticmethod
    def get_idempotency_key(entry: RequestLogEntry) -> str | None:
        return entry.idempotency_key or None


class SaidShape(Shape):
    """The headers and bodies of a call."""

    request_headers = serializers.DictField(child=serializers.CharField())
    request_body = serializers.CharField(allow_null=True, help_text="Its first 16 KiB. Null: none came, or it is not kept.")
    request_body_is_cut = serializers.BooleanField()
    answer_headers = serializers.DictField(child=serializers.CharField())
    answer_body = serializers.CharField(allow_null=True, help_text="Its first 16 KiB. Null: there was none, or it is not kept.")
    answer_body_is_cut = serializers.BooleanField()
    erased = serializers.BooleanField(
        source="is_erased", help_text="The bodies mentioned a person who was erased, and were emptied then."
    )

    @staticmethod
    def get_request_body(entry: RequestLogEntry) -> str | None:
        return _body(entry, "request").get("text") or None

    @staticmethod
    def get_request_body_is_cut(entry: RequestLogEntry) -> bool:
        return bool(_body(entry, "request").get("is_cut"))

    @staticmethod
    def get_answer_body(entry: RequestLogEntry) -> str | None:
        return _body(entry, "answer").get("text") or None

    @staticmethod
    def get_answer_body_is_cut(entry: RequestLogEntry) -> bool:
        return bool(_body(entry, "answer").get("is_cut"))


class LogEntryWithBodiesShape(LogEntryShape, SaidShape):
    """With headers and bodies, their secrets masked."""


def _body(entry: RequestLogEntry, name: str) -> dict[str, Any]:
    return bodies(entry).get(name, {})
