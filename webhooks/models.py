"""News going out. The event row is written with the change itself, so that neither exists without the other; everything
after that is rows too: PostgreSQL is the queue, Redis only the doorbell.
"""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils import timezone

from common.ids import PublicIdField
from organizations.models import Organization
from organizations.querysets import TenantQuerySet
from webhooks.querysets import DeliveryQuerySet, SecretQuerySet
from webhooks.types import EventType


class Endpoint(models.Model):
    """A receiver's address, what it wants to hear of, and how it has been doing.

    Health is kept on the row, so that every worker sees the same: the breaker, the pause that a Retry-After asked for, the
    tokens of the rate limit, and since when nothing has arrived.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        PAUSED = "paused", "Paused by a person"
        DISABLED = "disabled", "Disabled by us"

    class DisabledReason(models.TextChoices):
        GONE = "gone", "It answered 410"
        FAILING = "failing", "Nothing has arrived for days"

    public_id = PublicIdField("whe")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    url = models.CharField(max_length=2000)
    description = models.CharField(max_length=200, blank=True)
    event_types = ArrayField(models.CharField(max_length=40, choices=EventType.choices), default=list, blank=True)
    headers = models.TextField(blank=True, editable=False, help_text="Encrypted JSON {name: value}.")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    disabled_reason = models.CharField(max_length=10, choices=DisabledReason.choices, blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    # Rate limit: a token bucket, drawn from when deliveries are claimed.
    tokens = models.FloatField(default=0, editable=False)
    tokens_at = models.DateTimeField(null=True, editable=False, help_text="When `tokens` was right; null: the bucket is full.")
    claimed_at = models.DateTimeField(null=True, editable=False, help_text="Whose turn it was last: endpoints take turns.")
    turns = models.PositiveIntegerField(default=0, editable=False, help_text="Lanes take turns at the front, by this count.")
    # What the receiver's answers ask for.
    resting_until = models.DateTimeField(null=True, blank=True, editable=False, help_text="A Retry-After, or an open breaker.")
    recent = models.JSONField(default=dict, editable=False, help_text="{minute: [attempts, failures]} of the last five minutes.")
    breaker_opens = models.PositiveSmallIntegerField(default=0, editable=False, help_text="Times in a row; 0: closed.")
    # Towards being disabled.
    failing_since = models.DateTimeField(null=True, blank=True, editable=False, help_text="The first failure after the last 2xx.")
    failed_attempts = models.PositiveIntegerField(default=0, editable=False)
    failed_events = ArrayField(models.CharField(max_length=32), default=list, editable=False, help_text="The first few.")
    warned_hours = models.PositiveSmallIntegerField(default=0, editable=False, help_text="The last warning sent to the owner.")

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]
        verbose_name = "webhook endpoint"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status="disabled", disabled_at__isnull=False) | (~Q(status="disabled") & Q(disabled_at=None)),
                name="endpoint_disabled_since_some_time",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["organization", "-created_at", "-id"], name="endpoint_by_creation")]

    def __str__(self) -> str:
        return self.url


class EndpointSecret(models.Model):
    """One of the secrets that sign what an endpoint gets: encrypted, because signing needs it again."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="secrets")
    encrypted = models.TextField(editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    retires_at = models.DateTimeField(null=True, editable=False, help_text="Signs until then; null: until revoked.")

    objects = SecretQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"secret of {self.created_at:%Y-%m-%d}"


class Event(models.Model):
    """One committed change, in the API's own words: the object's base shape after it, and what it was before.

    `sequence` is numbered without gaps per organization, after the commit (null until then): a number drawn inside
    the business transaction would let a reader by cursor skip transactions that commit late. `body` is the envelope as it
    is sent, the same bytes at every attempt, once it has its number.
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
    is_test = models.BooleanField(default=False, help_text="A ping or a test event: nothing has happened.")
    only_to = models.ForeignKey(
        Endpoint,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,  # its number stays: a reader by cursor would take a gap for a loss
        related_name="+",
        help_text="The one endpoint that is to hear of a test; null once that is deleted.",
    )
    body = models.TextField(blank=True, editable=False)

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "sequence"], name="event_sequence_unique"),
            models.CheckConstraint(condition=models.Q(type__in=EventType.values), name="event_type_known"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "id"], name="event_unnumbered", condition=Q(sequence=None)),
            models.Index(fields=["occurred_at"], name="event_unrelayed_by_age", condition=Q(sequence=None)),
            models.Index(fields=["occurred_at"], name="event_with_body_by_age", condition=~Q(body="")),
            models.Index(fields=["organization", "object_id"], name="event_by_object"),
            models.Index(fields=["occurred_at"], name="event_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.object_id}"


class EventCounter(models.Model):
    """The last sequence number given out in an organization; its lock orders the relays."""

    organization = models.OneToOneField(Organization, on_delete=models.CASCADE, related_name="+", primary_key=True)
    last = models.BigIntegerField(default=0)

    objects = TenantQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.organization}: {self.last}"


class Replay(models.Model):
    """A job that sends an endpoint a stretch of the past again: in small steps, so that it can pause, resume and be canceled."""

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        FINISHED = "finished", "Finished"
        CANCELED = "canceled", "Canceled"

    public_id = PublicIdField("rpl")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="+")
    since = models.DateTimeField()
    until = models.DateTimeField()
    types = ArrayField(models.CharField(max_length=40, choices=EventType.choices), default=list, blank=True)
    only_failed = models.BooleanField(default=False, help_text="Only what never arrived.")
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    total = models.PositiveIntegerField(default=0, help_text="Events that matched when it began.")
    queued = models.PositiveIntegerField(default=0, help_text="Deliveries made so far.")
    position = models.BigIntegerField(default=0, help_text="Key of the last event that was looked at.")
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    shows_time = True  # how many have arrived changes without a new version

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [
            models.Index(fields=["organization", "created_at", "id"], name="replay_by_creation"),
            models.Index(fields=["id"], name="replay_running", condition=Q(state="running")),
        ]

    def __str__(self) -> str:
        return f"{self.endpoint} since {self.since:%Y-%m-%d %H:%M}"


class Delivery(models.Model):
    """One event on its way to one endpoint. Succeeded, exhausted and canceled are final: what is sent again is a new delivery."""

    class State(models.TextChoices):
        PENDING = "pending", "Waiting to be sent"
        LEASED = "leased", "Being sent"
        SCHEDULED = "scheduled", "Waiting for the next attempt"
        HELD = "held", "Held while the endpoint is paused or disabled"
        SUCCEEDED = "succeeded", "Succeeded"
        EXHAUSTED = "exhausted", "Given up after the last attempt"
        CANCELED = "canceled", "Canceled"

    class Lane(models.TextChoices):
        FRESH = "fresh", "First attempts"
        RETRY = "retry", "Retries"
        REPLAY = "replay", "Sent again on request"

    public_id = PublicIdField("dlv")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="+")
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    lane = models.CharField(max_length=6, choices=Lane.choices, default=Lane.FRESH)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    lease_token = models.UUIDField(null=True, editable=False)
    lease_expires_at = models.DateTimeField(null=True, editable=False)
    replay_of = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    replay = models.ForeignKey(Replay, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    status_code = models.PositiveSmallIntegerField(null=True, help_text="Of the last answer.")
    failure = models.CharField(max_length=20, blank=True, help_text="The class of the last failure.")
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]
        verbose_name_plural = "deliveries"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["event", "endpoint"], name="delivery_once", condition=Q(replay=None, lane__in=["fresh", "retry"])
            ),
            models.UniqueConstraint(
                fields=["event", "endpoint", "replay"], name="delivery_once_a_replay", condition=Q(replay__isnull=False)
            ),
            models.CheckConstraint(
                condition=Q(state="leased", lease_token__isnull=False) | (~Q(state="leased") & Q(lease_token=None)),
                name="delivery_leased_by_a_token",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["endpoint", "lane", "due_at", "id"],
                name="delivery_waiting",
                condition=Q(state__in=["pending", "scheduled"]),
            ),
            models.Index(fields=["lane", "due_at"], name="delivery_oldest_due", condition=Q(state__in=["pending", "scheduled"])),
            models.Index(fields=["endpoint"], name="delivery_leased", condition=Q(state="leased")),
            models.Index(fields=["endpoint", "created_at"], name="delivery_held", condition=Q(state="held")),
            models.Index(fields=["organization", "-created_at", "-id"], name="delivery_by_creation"),
            models.Index(fields=["endpoint", "-created_at"], name="delivery_by_endpoint"),
        ]

    def __str__(self) -> str:
        return self.public_id


class Attempt(models.Model):
    """One request and what came of it; also of a worker whose lease had run out, which changes nothing else."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="+")
    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE, related_name="+")
    number = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField()
    seconds = models.FloatField()
    first_byte_seconds = models.FloatField(null=True, help_text="From the start to the answer's headers; null: none came.")
    status_code = models.PositiveSmallIntegerField(null=True)
    failure = models.CharField(max_length=20, blank=True, help_text="Empty after a 2xx; `lease_expired`: the worker vanished.")
    answer = models.TextField(blank=True, help_text="The first 4 KiB of the body.")
    answer_headers = models.JSONField(default=dict)
    late = models.BooleanField(default=False, help_text="Recorded after its lease had run out.")

    class Meta:
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [
            models.Index(fields=["delivery", "number"], name="attempt_by_delivery"),
            models.Index(fields=["started_at"], name="attempt_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.delivery} #{self.number}"
