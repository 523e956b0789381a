"""News going out. The event row is written with the change itself, so that neither exists without the other."""

from typing import ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone

from common.ids import PublicIdField
from organizations.models import Organization
from organizations.querysets import TenantQuerySet
from webhooks.types import EventType


class Event(models.Model):
    """One committed change, in the API's own words: the object's base shape after it, and what it was before.

    `sequence` is numbered without gaps per organization, after the commit (null until then): a number drawn inside
    the business transaction would let a reader by cursor skip transactions that commit late.
    """

    public_id = PublicIdField("evt")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    type = models.CharField(max_length=40, choices=EventType.choices)
    sequence = models.BigIntegerField(null=True, editable=False)
    occurred_at = models.DateTimeField(default=timezone.now, editable=False)
    object_type = models.CharField(max_length=20)
    object_id = models.CharField(max_length=32)
    object_version = models.PositiveIntegerField()
    data = models.JSONField(encoder=DjangoJSONEncoder, help_text="{object, previous_attributes}")
    actor_type = models.CharField(max_length=20)
    actor_id = models.CharField(max_length=32)
    request_id = models.CharField(max_length=32, blank=True)
    idempotency_key = models.CharField(max_length=255, blank=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "sequence"], name="event_sequence_unique"),
            models.CheckConstraint(condition=models.Q(type__in=EventType.values), name="event_type_known"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["id"], name="event_unnumbered", condition=models.Q(sequence=None)),
            models.Index(fields=["organization", "object_id"], name="event_by_object"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.object_id}"
