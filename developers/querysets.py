"""How keys are asked for."""

from typing import TYPE_CHECKING, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from organizations.querysets import TenantQuerySet

if TYPE_CHECKING:
    from organizations.actor import Actor


class ApiKeyQuerySet(TenantQuerySet):
    def live(self) -> Self:
        """Keys that still open the door: not expired, with a secret that is neither revoked nor retired."""
        now = timezone.now()
        secret_is_live = Q(secrets__revoked_at=None) & (Q(secrets__retires_at=None) | Q(secrets__retires_at__gt=now))
        not_expired = Q(expires_at=None) | Q(expires_at__gt=now)
        return self.filter(secret_is_live, not_expired, secrets__isnull=False).distinct()


class ApiKeySecretQuerySet(models.QuerySet):  # type: ignore[type-arg]
    def visible_to(self, actor: "Actor") -> Self:
        return self.filter(key__organization=actor.organization)

    def live(self) -> Self:
        now = timezone.now()
        return self.filter(Q(retires_at=None) | Q(retires_at__gt=now), revoked_at=None)

    def with_key(self) -> Self:
        """With all that authentication reads, in one query."""
        return self.select_related("key__organization__plan", "key__organization__sandbox")


class IdempotencyQuerySet(TenantQuerySet):
    def older_than(self, at: object) -> Self:
        return self.filter(created_at__lt=at)


class RequestLogQuerySet(TenantQuerySet):
    def by_tools(self) -> Self:
        """Calls that agents have made, the latest first."""
        return self.exclude(tool="").order_by("-created_at", "-pk")

    def without_what_was_said(self) -> Self:
        """For lists: headers and bodies are the most of a row."""
        return self.defer("content", "mentions", "request_headers", "answer_headers")
