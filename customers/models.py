"""Who comes."""

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.utils import timezone

from common.ids import PublicIdField
from customers.querysets import WORDS, CustomerQuerySet
from organizations.models import Organization


class Customer(models.Model):
    """A person who books, known by e-mail (lower-cased, unique in the organization) or by phone.

    Erasing empties what is personal and keeps the row, because bookings and money refer to it.
    """

    public_id = PublicIdField("cus")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=200, blank=True)
    email = models.EmailField(null=True, blank=True)
    phone = models.CharField(max_length=16, null=True, blank=True, help_text="E.164")
    language = models.CharField(max_length=20, blank=True, help_text="BCP 47, such as fr or en-GB.")
    notes = models.TextField(blank=True)
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    marketing_consent = models.BooleanField(default=False)
    marketing_consent_at = models.DateTimeField(null=True, blank=True)
    marketing_consent_source = models.CharField(max_length=60, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    version = models.PositiveIntegerField(default=1)
    erased_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = CustomerQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization", "email"], name="customer_email_unique", condition=Q(email__isnull=False)
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "-created_at", "-id"], name="customer_by_creation"),
            models.Index(fields=["organization", "updated_at"], name="customer_by_update"),
            models.Index(fields=["organization", "name", "id"], name="customer_by_name"),
            models.Index(fields=["organization", "phone"], name="customer_by_phone"),
            GinIndex(WORDS, name="customer_by_words"),
        ]

    def __str__(self) -> str:
        return self.name or self.email or self.public_id

    @property
    def marketing(self) -> dict[str, Any]:
        """The consent as the API tells it."""
        return {
            "value": self.marketing_consent,
            "at": self.marketing_consent_at,
            "source": self.marketing_consent_source or None,
        }
