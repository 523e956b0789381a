"""What can be booked, and the calendar of the spaces in which it happens."""

from decimal import Decimal
from typing import Any, ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateTimeRangeField, RangeOperators
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils.timezone import now

from common.ids import PublicIdField
from organizations.models import Organization
from organizations.querysets import TenantQuerySet
from rooms.policies import default_cancellation, default_reschedule
from rooms.querysets import BlockQuerySet, ClaimQuerySet, RoomQuerySet


class Venue(models.Model):
    """A place with an address, a clock, a currency and a tax. An owner with one never notices it."""

    public_id = PublicIdField("ven")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=120)
    timezone = models.CharField(max_length=64, default="UTC", help_text="IANA, such as Europe/Paris.")
    currency = models.CharField(max_length=3, default="EUR", help_text="ISO 4217.")
    tax_rate = models.DecimalField(max_digits=6, decimal_places=3, default=Decimal(0), help_text="Percent.")
    tax_inclusive = models.BooleanField(default=True, help_text="Prices include the tax.")
    tax_label = models.CharField(max_length=40, blank=True)
    weekly_hours = models.JSONField(default=list, blank=True, help_text="[{weekday 1-7, opens, closes}], to be shown.")
    cancellation_policy = models.JSONField(default=default_cancellation)
    reschedule_policy = models.JSONField(default=default_reschedule)
    is_default = models.BooleanField(default=False, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["name", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization"], name="venue_one_default", condition=Q(is_default=True)),
            models.CheckConstraint(condition=Q(tax_rate__gte=0, tax_rate__lt=100), name="venue_tax_rate"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "name", "id"], name="venue_by_name"),
            models.Index(fields=["organization", "created_at", "id"], name="venue_by_creation"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def tax(self) -> dict[str, Any]:
        """{rate in percent as a text, inclusive, label}."""
        return {"rate": f"{self.tax_rate.normalize():f}", "inclusive": self.tax_inclusive, "label": self.tax_label}


class Space(models.Model):
    """The physical thing that cannot hold two games at once. Each room has its own, unless rooms share."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    venue = models.ForeignKey(Venue, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=120)

    objects = TenantQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name


class Room(models.Model):
    """An experience that can be booked. Schedule and prices are validated JSON, as the API shows them."""

    class BookingMode(models.TextChoices):
        PRIVATE = "private", "Private"
        SHARED = "shared", "Shared"
        SHARED_WITH_PRIVATE_UPGRADE = "shared_with_private_upgrade", "Shared, private at a surcharge"

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        HIDDEN = "hidden", "Hidden: bookable by those who know its id"
        ARCHIVED = "archived", "Archived"

    public_id = PublicIdField("rm")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    venue = models.ForeignKey(Venue, on_delete=models.PROTECT, related_name="+")
    spaces = models.ManyToManyField(Space, related_name="+")
    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=80)
    description = models.TextField(blank=True)
    images = ArrayField(models.URLField(max_length=500), default=list, blank=True)
    external_id = models.CharField(max_length=120, null=True, blank=True)
    metadata = models.JSONField(default=dict, blank=True)
    duration_minutes = models.PositiveIntegerField(default=60)
    setup_minutes = models.PositiveIntegerField(default=0)
    turnaround_minutes = models.PositiveIntegerField(default=0)
    difficulty = models.PositiveSmallIntegerField(null=True, blank=True, help_text="1 to 5.")
    min_age = models.PositiveSmallIntegerField(null=True, blank=True)
    languages = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    category = models.CharField(max_length=60, blank=True)
    min_party = models.PositiveIntegerField(default=1)
    max_party = models.PositiveIntegerField(default=6)
    capacity = models.PositiveIntegerField(default=6, help_text="Seats of one session.")
    booking_mode = models.CharField(max_length=30, choices=BookingMode.choices, default=BookingMode.PRIVATE)
    schedule = models.JSONField(default=dict)
    pricing = models.JSONField(default=dict)
    lead_time_minutes = models.PositiveIntegerField(default=0)
    horizon_days = models.PositiveIntegerField(default=90)
    hold_minutes = models.PositiveSmallIntegerField(default=10)
    cancellation_policy = models.JSONField(null=True, blank=True, help_text="Null: the venue's.")
    reschedule_policy = models.JSONField(null=True, blank=True, help_text="Null: the venue's.")
    custom_fields = models.JSONField(default=list, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    space_ids: list[int]  # by with_spaces()
    objects = RoomQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["name", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["organization", "slug"], name="room_slug_unique"),
            models.UniqueConstraint(
                fields=["organization", "external_id"], name="room_external_id_unique", condition=Q(external_id__isnull=False)
            ),
            models.CheckConstraint(
                condition=Q(min_party__gte=1, max_party__gte=F("min_party"), capacity__gte=F("max_party")),
                name="room_party_range",
            ),
            models.CheckConstraint(condition=Q(duration_minutes__gte=1), name="room_duration_positive"),
            models.CheckConstraint(condition=Q(hold_minutes__gte=1, hold_minutes__lte=30), name="room_hold_minutes"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "-created_at", "-id"], name="room_by_creation"),
            models.Index(fields=["organization", "name", "id"], name="room_by_name"),
            models.Index(fields=["organization", "updated_at", "id"], name="room_by_update"),
        ]

    def __str__(self) -> str:
        return self.name


class Session(models.Model):
    """One game: made by its first claim, ended by its last. Private and shared games go one way."""

    room = models.ForeignKey(Room, on_delete=models.PROTECT, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    exclusive = models.BooleanField(help_text="One party only.")
    capacity = models.PositiveIntegerField()
    seats_taken = models.PositiveIntegerField()
    ended = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(seats_taken__lte=F("capacity")), name="session_never_oversold"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="session_ends_after_start"),
            models.UniqueConstraint(fields=["room", "starts_at"], name="session_unique", condition=Q(ended=False)),
        ]

    def __str__(self) -> str:
        return f"{self.room} at {self.starts_at:%Y-%m-%d %H:%M}"


class Occupancy(models.Model):
    """A space taken for a session's whole time, set-up and turnaround included.

    The exclusion constraint is the net below every code path: the database refuses a second game in the space. The
    range over the key stands in for equality, which GiST knows for integers only through an extension.
    """

    space = models.ForeignKey(Space, on_delete=models.PROTECT, related_name="+")
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="occupancies")
    period = DateTimeRangeField(help_text="[start - setup, end + turnaround)")
    active = models.BooleanField(default=True)

    class Meta:
        verbose_name_plural = "occupancies"
        constraints: ClassVar = [
            ExclusionConstraint(
                name="occupancy_one_game_a_space",
                expressions=[
                    (Func(F("space_id"), F("space_id"), Value("[]"), function="int8range"), RangeOperators.OVERLAPS),
                    ("period", RangeOperators.OVERLAPS),
                ],
                condition=Q(active=True),
            ),
        ]
        indexes: ClassVar = [
            models.Index("space", Func("period", function="lower"), name="occupancy_by_space", condition=Q(active=True)),
        ]

    def __str__(self) -> str:
        return f"{self.space} {self.period}"


class Claim(models.Model):
    """A holder's seats in a session: firm, or until `expires_at`. Dead ones count as free before they are released."""

    session = models.ForeignKey(Session, on_delete=models.PROTECT, related_name="claims")
    holder = models.CharField(max_length=32, help_text="Public id of what holds it.")
    seats = models.PositiveIntegerField()
    expires_at = models.DateTimeField(null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)

    objects = ClaimQuerySet.as_manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["holder"], name="claim_one_a_holder", condition=Q(released_at=None)),
        ]
        indexes: ClassVar = [
            models.Index(fields=["expires_at"], name="claim_open_holds", condition=Q(expires_at__isnull=False, released_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.holder} in {self.session}"


class Block(models.Model):
    """Time in which nothing can be booked: in some rooms, a venue or everywhere; once, on whole days, or weekly."""

    class Scope(models.TextChoices):
        ROOMS = "rooms", "Some rooms"
        VENUE = "venue", "A venue"
        ALL = "all", "Everything"

    class Kind(models.TextChoices):
        MAINTENANCE = "maintenance", "Maintenance"
        EVENT = "event", "Event"
        HOLIDAY = "holiday", "Holiday"
        PRIVATE = "private", "Private"
        EXTERNAL = "external", "External calendar"

    public_id = PublicIdField("blk")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    scope = models.CharField(max_length=5, choices=Scope.choices)
    rooms = models.ManyToManyField(Room, related_name="+", blank=True)
    venue = models.ForeignKey(Venue, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    date_from = models.DateField(null=True, blank=True, help_text="Whole local days, both included.")
    date_to = models.DateField(null=True, blank=True)
    recurrence = models.JSONField(null=True, blank=True, encoder=DjangoJSONEncoder)
    series_ends_on = models.DateField(null=True, blank=True, help_text="No occurrence after this day; null: endless.")
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.MAINTENANCE)
    reason = models.CharField(max_length=200, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    space_ids: list[int]  # by with_spaces(), as are the next two
    room_public_ids: list[str]
    room_zones: list[str]
    objects = BlockQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at", "-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=(
                    Q(starts_at__isnull=False, ends_at__gt=F("starts_at"), date_from=None, date_to=None)
                    | Q(starts_at=None, ends_at=None, date_from__isnull=False, date_to__gte=F("date_from"))
                ),
                name="block_instants_or_days",
            ),
            models.CheckConstraint(condition=Q(venue=None) ^ Q(scope="venue"), name="block_venue_by_scope"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "starts_at"], name="block_by_start"),
            models.Index(fields=["organization", "created_at", "id"], name="block_by_creation"),
        ]

    def __str__(self) -> str:
        return self.reason or self.get_kind_display()

    @property
    def timezone(self) -> str | None:
        """The zone by whose clock it is shown; None when it spans several."""
        if self.venue is not None:
            return self.venue.timezone
        return self.room_zones[0] if len(self.room_zones) == 1 else None
