"""Money that came and money that went back. Knows no booking: `subject` is the public id of what was paid for."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from common.ids import PublicIdField
from organizations.models import Organization
from organizations.querysets import TenantQuerySet


class PaymentQuerySet(TenantQuerySet):
    def of(self, subject: str) -> Self:
        return self.filter(subject=subject)


class RefundQuerySet(PaymentQuerySet):
    def for_cancellation(self) -> Self:
        return self.filter(purpose=self.model.Purpose.CANCELLATION)


class Payment(models.Model):
    """One amount received. `pos` and `external` ones were taken elsewhere and are told to us by an integrator."""

    class Mode(models.TextChoices):
        POS = "pos", "Point of sale"
        EXTERNAL = "external", "Elsewhere"

    class Status(models.TextChoices):
        SUCCEEDED = "succeeded", "Succeeded"

    public_id = PublicIdField("pay")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    subject = models.CharField(max_length=32, db_index=True)
    mode = models.CharField(max_length=10, choices=Mode.choices)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.SUCCEEDED)
    amount = models.BigIntegerField(help_text="Minor units.")
    currency = models.CharField(max_length=3)
    reference = models.CharField(max_length=200, blank=True, help_text="The integrator's own number for it.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [models.CheckConstraint(condition=Q(amount__gt=0), name="payment_amount_positive")]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} for {self.subject}"


class Refund(models.Model):
    """One amount given back out of one payment.

    For `pos` and `external` payments it is succeeded when written: the money is handed back where it was taken.
    """

    class Status(models.TextChoices):
        SUCCEEDED = "succeeded", "Succeeded"

    class Purpose(models.TextChoices):
        CANCELLATION = "cancellation", "Cancellation"
        CHANGE = "change", "The price fell"

    public_id = PublicIdField("ref")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    subject = models.CharField(max_length=32, db_index=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.SUCCEEDED)
    amount = models.BigIntegerField(help_text="Minor units.")
    currency = models.CharField(max_length=3)
    purpose = models.CharField(max_length=12, choices=Purpose.choices, default=Purpose.CANCELLATION)
    reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = RefundQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [models.CheckConstraint(condition=Q(amount__gt=0), name="refund_amount_positive")]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} back for {self.subject}"
