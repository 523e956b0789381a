"""The API's frame: keys, their secrets, the answers kept for repeated requests, and the log of requests."""

from ipaddress import IPv4Address, IPv6Address, ip_network
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex, GinIndex
from django.db import models
from django.db.models import Q
from django.utils import timezone

from common.ids import PublicIdField
from developers.querysets import ApiKeyQuerySet, ApiKeySecretQuerySet, IdempotencyQuerySet, RequestLogQuerySet
from organizations.actor import Caps
from organizations.models import Organization, User
from organizations.permissions import READ_SCOPES, Scope, with_implied
from organizations.querysets import TenantQuerySet


class ApiKey(models.Model):
    """A door for a program into one organization. Its secrets come and go; id, name and scopes stay."""

    class Mode(models.TextChoices):
        LIVE = "live", "Live"
        TEST = "test", "Test"

    class Preset(models.TextChoices):
        READ_ONLY = "read_only", "Read-only"
        READ_WRITE = "read_write", "Read-write"
        AI_AGENT = "ai_agent", "AI agent"
        CUSTOM = "custom", "Custom"

    public_id = PublicIdField("key")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=80)
    mode = models.CharField(max_length=4, choices=Mode.choices, default=Mode.LIVE)
    preset = models.CharField(max_length=12, choices=Preset.choices)
    scopes = ArrayField(models.CharField(max_length=30, choices=Scope.choices))
    expires_at = models.DateTimeField(null=True, blank=True)
    networks = ArrayField(
        models.CharField(max_length=43), default=list, blank=True, help_text="CIDR; calls come from one of them. Empty: anywhere."
    )
    rooms = ArrayField(
        models.CharField(max_length=32), default=list, blank=True, help_text="Ids of those that it may book. Empty: all."
    )
    currency = models.CharField(max_length=3, blank=True, help_text="Of the two amounts; then it books in no other.")
    max_amount_per_booking = models.PositiveBigIntegerField(null=True, blank=True, help_text="Minor units. Null: no cap.")
    max_amount_per_day = models.PositiveBigIntegerField(null=True, blank=True, help_text="Minor units, by the UTC day.")
    max_open_holds = models.PositiveIntegerField(null=True, blank=True, help_text="At the same time.")
    reminded_days = models.PositiveSmallIntegerField(
        null=True, editable=False, help_text="The shortest notice of its expiry that was given, in days."
    )
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]
        verbose_name = "API key"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(max_amount_per_booking=None, max_amount_per_day=None) | ~Q(currency=""),
                name="api_key_amounts_have_a_currency",
            )
        ]
        indexes: ClassVar = [models.Index(fields=["expires_at"], name="api_key_by_expiry", condition=Q(expires_at__isnull=False))]

    def __str__(self) -> str:
        return self.name

    @property
    def acts_on(self) -> Organization:
        """The organization whose data the key reaches: a test key's is the sandbox twin."""
        return self.organization.sandbox if self.mode == self.Mode.TEST else self.organization

    @property
    def has_somewhere_to_act(self) -> bool:
        return self.mode == self.Mode.LIVE or hasattr(self.organization, "sandbox")

    @property
    def granted_scopes(self) -> frozenset[Scope]:
        """The key's scopes and what they imply."""
        return with_implied(frozenset(Scope(scope) for scope in self.scopes))

    @property
    def caps(self) -> Caps:
        return Caps(
            rooms=frozenset(self.rooms),
            currency=self.currency,
            max_amount_per_booking=self.max_amount_per_booking,
            max_amount_per_day=self.max_amount_per_day,
            max_open_holds=self.max_open_holds,
        )

    def may_be_used_from(self, address: IPv4Address | IPv6Address | None) -> bool:
        """An address that cannot be told is on no list."""
        return not self.networks or (address is not None and any(address in ip_network(network) for network in self.networks))

    @property
    def effective_scopes(self) -> frozenset[Scope]:
        """What the key may do now: what it was granted, within what the plan lets keys do."""
        granted = self.granted_scopes
        return granted if self.organization.plan.keys_may_write else granted & READ_SCOPES


class ApiKeySecret(models.Model):
    """One text that opens the key: kept as a digest, shown once. At most two are live while one replaces the other."""

    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="secrets")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    prefix = models.CharField(max_length=13, editable=False)
    last4 = models.CharField(max_length=4, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    first_used_at = models.DateTimeField(null=True, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)
    last_used_ip = models.GenericIPAddressField(null=True, editable=False)
    last_used_agent = models.CharField(max_length=200, blank=True, editable=False)
    retires_at = models.DateTimeField(null=True, editable=False, help_text="Works until then; null: until revoked.")
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects = ApiKeySecretQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]
        verbose_name = "API key secret"

    def __str__(self) -> str:
        return f"{self.prefix}…{self.last4}"

    @property
    def is_live(self) -> bool:
        return self.revoked_at is None and (self.retires_at is None or self.retires_at > timezone.now())


class IdempotencyRecord(models.Model):
    """The first answer to a write, kept so that a repeated request gets it again instead of a second effect."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    lease = models.UUIDField(help_text="Held by the request that runs it; a late one finds another's here and stops.")
    lease_expires_at = models.DateTimeField()
    resource = models.CharField(max_length=32, blank=True, help_text="What the request made, for one that resumes it.")
    status = models.PositiveSmallIntegerField(null=True, help_text="HTTP status of the answer; null while running.")
    body = models.BinaryField(null=True, help_text="Encrypted: an answer may hold a secret or a person's data.")
    headers = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = IdempotencyQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["organization", "key"], name="idempotency_key_unique")]
        indexes: ClassVar = [models.Index(fields=["created_at"], name="idempotency_by_age")]

    def __str__(self) -> str:
        return self.key


class RequestLogEntry(models.Model):
    """One call of the API by a known key or token, and what was answered. The key is noted, not referred to: entries outlive it.

    `content` holds the bodies, encrypted: {request, answer: {text, is_cut}}; it and `query` go after a week, or when a person
    whom they mention is erased. `mentions` are the customers and bookings in it: by them an erasure finds the entry.
    """

    public_id = PublicIdField("log")
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False, help_text="The one acted on."
    )
    mode = models.CharField(max_length=4, choices=ApiKey.Mode.choices)
    key = models.CharField(max_length=32, help_text="Its public id; `playground` for a token of the playground's.")
    key_name = models.CharField(max_length=80)
    key_prefix = models.CharField(max_length=13)
    key_last4 = models.CharField(max_length=4)
    request_id = models.CharField(max_length=32)
    method = models.CharField(max_length=10)
    path = models.CharField(max_length=500, help_text="Below the API's base address.")
    query = models.CharField(max_length=1000, blank=True)
    status = models.PositiveSmallIntegerField()
    error_code = models.CharField(max_length=40, blank=True)
    duration_ms = models.FloatField()
    client_address = models.GenericIPAddressField(null=True)
    user_agent = models.CharField(max_length=200, blank=True)
    idempotency_key = models.CharField(max_length=255, blank=True)
    is_replayed = models.BooleanField(default=False, help_text="An idempotency key's first answer, given again.")
    is_dry_run = models.BooleanField(default=False)
    tool = models.CharField(
        max_length=40, blank=True, default="", db_default="", help_text="Of /mcp, which made the call; else empty."
    )
    request_headers = models.JSONField(default=dict)
    answer_headers = models.JSONField(default=dict)
    content = models.TextField(blank=True, editable=False)
    mentions = ArrayField(models.CharField(max_length=32), default=list, editable=False)
    is_erased = models.BooleanField(default=False, help_text="The bodies mentioned a person who has been erased since.")
    created_at = models.DateTimeField(help_text="When the request came.")

    version = 1  # nobody changes it; what is past keeping goes all the same
    shows_time = True

    objects = RequestLogQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]
        verbose_name = "request log entry"
        verbose_name_plural = "request log entries"
        constraints: ClassVar = [models.UniqueConstraint(fields=["organization", "request_id"], name="log_entry_once")]
        indexes: ClassVar = [
            models.Index(fields=["organization", "-created_at", "-id"], name="log_entry_by_creation"),
            models.Index(fields=["organization", "status", "-created_at", "-id"], name="log_entry_by_status"),
            models.Index(
                fields=["organization", "-created_at", "-id"], name="log_entry_refused_or_failed", condition=Q(status__gte=400)
            ),
            models.Index(fields=["organization", "key", "-created_at", "-id"], name="log_entry_by_key"),
            models.Index(
                fields=["organization", "error_code", "-created_at", "-id"],
                name="log_entry_by_error",
                condition=~Q(error_code=""),
            ),
            models.Index(
                fields=["organization", "method", "-created_at", "-id"], name="log_entry_by_method", condition=~Q(method="GET")
            ),
            models.Index(fields=["organization", "-created_at", "-id"], name="log_entry_by_tool", condition=~Q(tool="")),
            models.Index(
                fields=["organization", "path"], name="log_entry_by_path", opclasses=["int8_ops", "varchar_pattern_ops"]
            ),
            # Tells which blocks are old and nothing of their order, so that no list of one organization is read along it.
            BrinIndex(fields=["created_at"], name="log_entry_by_age", autosummarize=True),
            models.Index(fields=["created_at"], name="log_entry_with_content_by_age", condition=~Q(content="")),
            GinIndex(fields=["mentions"], name="log_entry_by_mention", condition=~Q(content="")),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.status}"


class LogErasure(models.Model):
    """Ids of a person who was erased, for the entries of earlier requests that are still on their way into the log."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    mentions = ArrayField(models.CharField(max_length=32))
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]
        verbose_name = "erasure in the request log"
        verbose_name_plural = "erasures in the request log"
        indexes: ClassVar = [models.Index(fields=["created_at"], name="log_erasure_by_age")]

    def __str__(self) -> str:
        return f"{len(self.mentions)} ids"
