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

    def succeeded(self) -> Self:
        return self.filter(status="succeeded")

    def open(self) -> Self:
        """Through Stripe, and not settled for good: the payer may still pay."""
        return self.filter(mode="stripe").exclude(status__in=["succeeded", "canceled"])

    def with_refunds(self) -> Self:
        """For shapes: one query for the refunds of all rows."""
        return self.prefetch_related("refunds")


class RefundQuerySet(TenantQuerySet):
    def of(self, subject: str) -> Self:
        return self.filter(subject=subject)

    def for_cancellation(self) -> Self:
        return self.filter(purpose=self.model.Purpose.CANCELLATION)

    def standing(self) -> Self:
        """Given back, or about to be."""
        return self.exclude(status="failed")


class StripeAccount(models.Model):
    """An organization's own way to Stripe. What is empty here comes from the platform's settings."""

    organization = models.OneToOneField(Organization, on_delete=models.CASCADE, related_name="+")
    secret_key = models.TextField(blank=True, editable=False, help_text="Encrypted.")
    publishable_key = models.CharField(max_length=255, blank=True, help_text="For the payer's browser; no secret.")
    webhook_secret = models.TextField(blank=True, editable=False, help_text="Encrypted.")
    connected_account = models.CharField(
        max_length=255, blank=True, help_text="`acct_…`: act for this Connect account with the platform's key."
    )
    api_base = models.URLField(blank=True, help_text="Where Stripe's API is; empty: as the platform's.")
    updated_at = models.DateTimeField(auto_now=True)

    objects = TenantQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Stripe for {self.organization}"


class Payment(models.Model):
    """One amount received, or on its way. `pos` and `external` ones were taken elsewhere and are told to us by an integrator.

    Of a `stripe` one this row is the order to Stripe: its id is the idempotency key, so that whoever finds it unsettled can
    give the order again. `check_at` says when to look at Stripe's side next; null: there is nothing more to learn.
    """

    class Mode(models.TextChoices):
        STRIPE = "stripe", "Stripe"
        POS = "pos", "Cash or card terminal"
        EXTERNAL = "external", "Paid elsewhere"

    class Status(models.TextChoices):
        CREATING = "creating", "Being set up"
        PENDING = "pending", "Waits for the payer"
        REQUIRES_ACTION = "requires_action", "Waits for the payer's authentication"
        PROCESSING = "processing", "Being processed"
        SUCCEEDED = "succeeded", "Received"
        FAILED = "failed", "Failed; the payer may try again"
        CANCELED = "canceled", "Canceled"

    public_id = PublicIdField("pay")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    subject = models.CharField(max_length=32, db_index=True)
    mode = models.CharField(max_length=10, choices=Mode.choices)
    status = models.CharField(max_length=15, choices=Status.choices, default=Status.SUCCEEDED)
    amount = models.BigIntegerField(help_text="Minor units.")
    currency = models.CharField(max_length=3)
    reference = models.CharField(max_length=200, blank=True, help_text="The integrator's own number for it.")
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    succeeded_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="When the money was known to be here.")

    # Through Stripe only.
    intent = models.CharField(max_length=255, blank=True, help_text="`pi_…`; empty until Stripe has answered once.")
    charge = models.CharField(max_length=255, blank=True)
    payment_method = models.CharField(max_length=255, blank=True, help_text="`pm_…`, to be charged without the payer's browser.")
    failure_code = models.CharField(max_length=100, blank=True)
    failure_message = models.CharField(max_length=500, blank=True)
    failed_charge = models.CharField(
        max_length=255, blank=True, editable=False, help_text="Tells a second failure from the first."
    )
    purpose = models.JSONField(default=dict, blank=True, help_text="What its success brings about, in the words of its subject.")
    unwanted = models.BooleanField(default=False, help_text="To be canceled; if it succeeds first, to be given back.")
    check_at = models.DateTimeField(null=True, blank=True, editable=False)
    checks = models.PositiveIntegerField(default=0, editable=False)

    objects = PaymentQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_amount_positive"),
            models.UniqueConstraint(fields=["intent"], name="payment_intent_unique", condition=~Q(intent="")),
            models.CheckConstraint(condition=Q(mode="stripe") | Q(status="succeeded"), name="payment_recorded_when_taken"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "-created_at", "-id"], name="payment_by_creation"),
            models.Index(fields=["organization", "succeeded_at", "id"], name="payment_by_success"),
            models.Index(fields=["check_at"], name="payment_to_check", condition=Q(check_at__isnull=False)),
            models.Index(fields=["charge"], name="payment_by_charge", condition=~Q(charge="")),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} for {self.subject}"

    @property
    def is_settled(self) -> bool:
        return self.status in (self.Status.SUCCEEDED, self.Status.CANCELED)

    @property
    def amount_refunded(self) -> int:
        """What has been given back or is about to be, in minor units; of rows `with_refunds` without a query."""
        return sum(refund.amount for refund in self.refunds.all() if refund.is_standing)


class Refund(models.Model):
    """One amount given back out of one payment.

    For `pos` and `external` payments it is succeeded when written: the money is handed back where it was taken. For Stripe
    the row is the order, as a payment's is.
    """

    class Status(models.TextChoices):
        PENDING = "pending", "Under way"
        SUCCEEDED = "succeeded", "Given back"
        FAILED = "failed", "Failed: the money is still here"

    class Purpose(models.TextChoices):
        CANCELLATION = "cancellation", "Cancellation"
        CHANGE = "change", "The price fell"
        LATE = "late", "What it was for could no longer be had"
        REQUEST = "request", "Asked for by itself"

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
    updated_at = models.DateTimeField(auto_now=True)
    succeeded_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When the money was known to be back; a bank may still return it."
    )

    # Through Stripe only.
    stripe_id = models.CharField(max_length=255, blank=True, help_text="`re_…`")
    failure = models.CharField(max_length=500, blank=True, help_text="Why Stripe could not give it back.")
    check_at = models.DateTimeField(null=True, blank=True, editable=False)
    checks = models.PositiveIntegerField(default=0, editable=False)

    objects = RefundQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="refund_amount_positive"),
            models.UniqueConstraint(fields=["stripe_id"], name="refund_stripe_id_unique", condition=~Q(stripe_id="")),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "succeeded_at", "id"], name="refund_by_success"),
            models.Index(fields=["check_at"], name="refund_to_check", condition=Q(check_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} back for {self.subject}"

    @property
    def is_standing(self) -> bool:
        """Given back, or about to be."""
        return self.status != self.Status.FAILED
