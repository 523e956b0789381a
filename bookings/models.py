"""Who comes, when and for how much."""

import datetime as dt
import secrets
from typing import Any, ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils import timezone

from bookings.querysets import WORDS, BookingQuerySet
from common.ids import PublicIdField
from customers.models import Customer
from organizations.models import Organization
from organizations.querysets import AppendOnlyQuerySet, TenantQuerySet
from rooms.models import Claim, Room

REFERENCE_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # without 0 O 1 I, which are misread over the phone
REFERENCE_LETTERS = 8


def new_reference() -> str:
    return "".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(REFERENCE_LETTERS))


class Booking(models.Model):
    """A party's place in a room at a time. Price, price rules, policies and contact are copies taken at purchase:
    what was agreed holds, whatever the room becomes.

    The `claim` is what keeps the slot; a booking without a live one keeps nothing.
    """

    class Status(models.TextChoices):
        HELD = "held", "Held"
        CONFIRMED = "confirmed", "Confirmed"
        CHECKED_IN = "checked_in", "Checked in"
        COMPLETED = "completed", "Completed"
        NO_SHOW = "no_show", "No-show"
        CANCELED = "canceled", "Canceled"
        EXPIRED = "expired", "Expired"

    class PaymentStatus(models.TextChoices):
        UNPAID = "unpaid", "Unpaid"
        PENDING = "pending", "Pending"
        DEPOSIT_PAID = "deposit_paid", "Deposit paid"
        PAID = "paid", "Paid"
        PARTIALLY_REFUNDED = "partially_refunded", "Partially refunded"
        REFUNDED = "refunded", "Refunded"
        FAILED = "failed", "Failed"

    class Source(models.TextChoices):
        DASHBOARD = "dashboard", "Dashboard"
        WIDGET = "widget", "Widget"
        API = "api", "API"
        AGENT = "agent", "AI agent"
        POS = "pos", "Point of sale"
        IMPORT = "import", "Import"

    public_id = PublicIdField("bkg")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    reference = models.CharField(max_length=REFERENCE_LETTERS, default=new_reference, editable=False)
    external_id = models.CharField(max_length=120, null=True, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices)
    payment_status = models.CharField(max_length=20, choices=PaymentStatus.choices, default=PaymentStatus.UNPAID)
    version = models.PositiveIntegerField(default=1)
    room = models.ForeignKey(Room, on_delete=models.PROTECT, related_name="+")
    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+")
    claim = models.OneToOneField(Claim, null=True, on_delete=models.PROTECT, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    party_size = models.PositiveIntegerField()
    private = models.BooleanField()
    guests = models.JSONField(default=list, blank=True)
    contact = models.JSONField(default=dict)
    answers = models.JSONField(default=dict, blank=True)
    notes_customer = models.TextField(blank=True)
    notes_internal = models.TextField(blank=True)
    price = models.JSONField(help_text="{currency, lines, subtotal, tax, total}, minor units.")
    price_rules = models.JSONField(help_text="The room's pricing and tax as they were at purchase.")
    policy = models.JSONField(help_text="{cancellation, reschedule} as they were at purchase.")
    currency = models.CharField(max_length=3)
    deposit = models.BigIntegerField(default=0, help_text="Minor units, of the price.")
    reschedule_fees = models.BigIntegerField(default=0, help_text="Minor units, all moves together.")
    times_moved = models.PositiveIntegerField(default=0)
    amount_paid = models.BigIntegerField(default=0)
    amount_refunded = models.BigIntegerField(default=0)
    kept = models.BigIntegerField(default=0, editable=False, help_text="What the policy kept each time the price fell.")
    hold_expires_at = models.DateTimeField(null=True, blank=True)
    confirmed_at = models.DateTimeField(null=True, editable=False, help_text="First; no subscriber hears of it before.")
    source = models.CharField(max_length=10, choices=Source.choices)
    created_by_type = models.CharField(max_length=20)
    created_by_id = models.CharField(max_length=32)
    canceled_at = models.DateTimeField(null=True, blank=True)
    cancel_reason = models.CharField(max_length=200, blank=True)
    canceled_by = models.JSONField(null=True, blank=True, help_text="{type, id}")
    metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = BookingQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-starts_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "reference"], name="booking_reference_unique"),
            models.UniqueConstraint(
                fields=["organization", "external_id"], name="booking_external_id_unique", condition=Q(external_id__isnull=False)
            ),
            models.CheckConstraint(condition=Q(ends_at__gt=models.F("starts_at")), name="booking_ends_after_start"),
            models.CheckConstraint(condition=Q(party_size__gt=0), name="booking_party_positive"),
            models.CheckConstraint(
                condition=Q(amount_refunded__gte=0, amount_refunded__lte=models.F("amount_paid")),
                name="booking_refunds_within_paid",
            ),
            models.CheckConstraint(
                condition=~Q(status="held") | Q(hold_expires_at__isnull=False), name="booking_held_until_some_time"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "starts_at", "id"], name="booking_by_start"),
            models.Index(fields=["organization", "created_at", "id"], name="booking_by_creation"),
            models.Index(fields=["organization", "updated_at", "id"], name="booking_by_update"),
            models.Index(fields=["room", "starts_at"], name="booking_by_room"),
            models.Index(fields=["customer", "starts_at"], name="booking_by_customer"),
            models.Index(fields=["hold_expires_at"], name="booking_held", condition=Q(status="held")),
            models.Index(fields=["ends_at"], name="booking_checked_in", condition=Q(status="checked_in")),
            GinIndex(WORDS, name="booking_by_words"),
        ]

    def __str__(self) -> str:
        return self.reference

    @property
    def reads_as(self) -> "Booking.Status":
        """The status that readers see, by this machine's clock."""
        return self.reads_as_at(timezone.now())

    def reads_as_at(self, now: dt.datetime) -> "Booking.Status":
        """A hold past its time is expired, written down or not. Whoever decides by it goes by the database's clock."""
        if self.status == self.Status.HELD and self.hold_expires_at and self.hold_expires_at <= now:
            return self.Status.EXPIRED
        return self.Status(self.status)

    @property
    def shows_time(self) -> bool:
        """Whether readers see it change without a new version, because time alone expires a hold."""
        return self.status == self.Status.HELD

    @property
    def total(self) -> int:
        return int(self.price["total"])

    @property
    def net_paid(self) -> int:
        """What came minus what went back, in minor units."""
        return self.amount_paid - self.amount_refunded

    @property
    def amount_due(self) -> int:
        """What is still to come; nothing for a booking that will not take place."""
        if self.reads_as in (self.Status.CANCELED, self.Status.EXPIRED):
            return 0
        return max(0, self.total - self.net_paid)

    def settle(self, latest: "Booking.PaymentStatus | None" = None) -> None:
        """Bring `payment_status` in line with the amounts. While nothing is paid it tells how the `latest` payment is doing:
        pending, failed, or unpaid for none; not given, as before.
        """
        status = self.PaymentStatus
        if latest is None:
            latest = status(self.payment_status) if self.payment_status in (status.PENDING, status.FAILED) else status.UNPAID
        if self.status in (self.Status.CANCELED, self.Status.EXPIRED):
            latest = status.UNPAID
        if self.amount_refunded and (self.status == self.Status.CANCELED or self.net_paid < self.total):
            self.payment_status = status.PARTIALLY_REFUNDED if self.net_paid else status.REFUNDED
        elif self.net_paid >= self.total and (self.net_paid or self.status != self.Status.CANCELED):
            self.payment_status = status.PAID
        else:
            self.payment_status = status.DEPOSIT_PAID if self.net_paid else latest


class Quote(models.Model):
    """A price promised for a while: of a new booking, a change or a cancellation. It pins the price, not the slot.

    A change is promised for the booking as it was then: after another change or payment its numbers are compared.
    """

    class Kind(models.TextChoices):
        CREATE = "create", "New booking"
        CHANGE = "change", "Change"
        CANCEL = "cancel", "Cancellation"

    public_id = PublicIdField("quo")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=6, choices=Kind.choices)
    booking = models.ForeignKey(Booking, null=True, on_delete=models.CASCADE, related_name="+")
    room = models.ForeignKey(Room, on_delete=models.CASCADE, related_name="+")
    starts_at = models.DateTimeField()
    party_size = models.PositiveIntegerField()
    private = models.BooleanField()
    price = models.JSONField()
    price_rules = models.JSONField(default=dict, help_text="What the price was made by, for the booking to keep.")
    booking_version = models.PositiveIntegerField(null=True, help_text="Of the booking that a change was quoted for.")
    currency = models.CharField(max_length=3)
    fee = models.BigIntegerField(default=0)
    due = models.BigIntegerField(default=0)
    refund = models.BigIntegerField(default=0)
    deadlines = models.JSONField(encoder=DjangoJSONEncoder)
    sentence = models.TextField()
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = TenantQuerySet.as_manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="quote_by_expiry")]

    def __str__(self) -> str:
        return self.sentence

    def holds_for(self, *, room: Room, starts_at: dt.datetime, party_size: int, private: bool) -> bool:
        """Whether it was given for exactly this."""
        asked: tuple[Any, ...] = (room.pk, starts_at, party_size, private)
        return asked == (self.room_id, self.starts_at, self.party_size, self.private)


class BookingHistory(models.Model):
    """One line of what happened to a booking. Written once; only the erasure of personal data empties values."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now, editable=False)
    actor_type = models.CharField(max_length=20)
    actor_id = models.CharField(max_length=32)
    action = models.CharField(max_length=30)
    changes = models.JSONField(default=dict, help_text="{field: [old, new]}")
    request_id = models.CharField(max_length=32, blank=True)

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["pk"]
        verbose_name_plural = "booking history"

    def __str__(self) -> str:
        return f"{self.action} {self.booking}"
