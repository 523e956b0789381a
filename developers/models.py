"""The API's frame: keys, their secrets, and the answers kept for repeated requests."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from common.ids import PublicIdField
from developers.querysets import ApiKeyQuerySet, ApiKeySecretQuerySet, IdempotencyQuerySet
from organizations.models import Organization, User
from organizations.permissions import READ_SCOPES, Scope, with_implied


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
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]
        verbose_name = "API key"

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
