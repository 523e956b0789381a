"""People and tenants."""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

from common.ids import PublicIdField
from organizations.permissions import Role
from organizations.querysets import AppendOnlyQuerySet, InvitationQuerySet, MembershipQuerySet


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in with an e-mail address; what they may do comes from their memberships."""

    public_id = PublicIdField("usr")
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=120, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False, help_text="May open the operators' admin.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    objects = UserManager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(Lower("email"), name="user_email_unique_ci")]

    def __str__(self) -> str:
        return self.email


AT_LEAST_ONE = MinValueValidator(1)  # of none a client would be told to come back in a moment, and never let in


class Plan(models.Model):
    """What an organization is entitled to. Operators edit the rows; code asks for entitlements, never for names."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=60)
    max_api_keys = models.PositiveIntegerField(help_text="Live keys at the same time.")
    keys_may_write = models.BooleanField(help_text="Without it every API key is read-only.")
    max_webhook_endpoints = models.PositiveIntegerField(default=10)
    rate_per_minute = models.PositiveIntegerField(validators=[AT_LEAST_ONE], help_text="API requests of one key within a minute.")
    rate_burst = models.PositiveIntegerField(validators=[AT_LEAST_ONE], help_text="API requests of one key within a second.")
    organization_rate_per_minute = models.PositiveIntegerField(
        validators=[AT_LEAST_ONE], default=2_400, help_text="API requests of all keys together within a minute."
    )
    organization_rate_burst = models.PositiveIntegerField(
        validators=[AT_LEAST_ONE], default=400, help_text="API requests of all keys together within a second."
    )

    class Meta:
        ordering: ClassVar = ["rate_per_minute", "slug"]

    def __str__(self) -> str:
        return self.name


class Organization(models.Model):
    """A tenant. A sandbox twin is an organization of its own, so that test data needs no second isolation rule."""

    public_id = PublicIdField("org")
    name = models.CharField(max_length=120)
    slug = models.SlugField(unique=True)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+")
    sandbox_of = models.OneToOneField(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="sandbox", editable=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.name

    @property
    def mode(self) -> str:
        """`test` for a sandbox twin, else `live`."""
        return "test" if self.sandbox_of_id else "live"


class Membership(models.Model):
    """A person's role in an organization."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices)
    joined_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "user"], name="membership_unique"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.organization}"


class Invitation(models.Model):
    """Somebody is asked to join. The letter's link carries a token, of which only the digest is kept."""

    public_id = PublicIdField("inv")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(help_text="In lower case.")
    role = models.CharField(max_length=20, choices=Role.choices)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    sent_at = models.DateTimeField(default=timezone.now, help_text="When the newest link was made: an older one is dead.")
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["organization", "email"],
                name="invitation_one_open",
                condition=models.Q(accepted_at=None, revoked_at=None),
            ),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="invitation_role_known"),
        ]
        indexes: ClassVar = [models.Index(fields=["organization", "created_at"], name="invitation_by_time")]

    def __str__(self) -> str:
        return f"{self.email} to {self.organization_id}"

    @property
    def state(self) -> str:
        """open, expired, revoked or accepted. An expired one can be sent again."""
        if self.accepted_at is not None:
            return "accepted"
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at <= timezone.now() else "open"


class AuditEntry(models.Model):
    """One act on keys, members or settings: who, what, on which object, when. Never changed, never removed."""

    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now, editable=False)
    actor_type = models.CharField(max_length=20)
    actor_id = models.CharField(max_length=32)
    action = models.CharField(max_length=60)
    subject = models.CharField(max_length=32, blank=True, help_text="Public id of the object acted on.")
    details = models.JSONField(default=dict, blank=True)
    request_id = models.CharField(max_length=32, blank=True)

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-at", "-pk"]
        indexes: ClassVar = [models.Index(fields=["organization", "-at"], name="audit_by_time")]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"
