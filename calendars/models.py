"""Bookings in other calendars, and other calendars' busy times in the rooms."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from calendars.querysets import CalendarImportQuerySet
from calendars.reasons import Reason
from common.ids import PublicIdField
from organizations.models import Organization
from organizations.querysets import TenantQuerySet
from rooms.models import Block, Room, Venue


class CalendarFeed(models.Model):
    """A secret address at which calendars read what is on in a room or a venue. Whoever has it can read; only its digest is kept.

    `content_tag` and `content_changed_at` are what `Last-Modified` is made of: what is taken away leaves no newer row behind.
    """

    public_id = PublicIdField("cfd")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    room = models.ForeignKey(Room, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    venue = models.ForeignKey(Venue, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=120, blank=True, help_text="Who reads it: Team calendar, Reception.")
    include_names = models.BooleanField(default=False, help_text="Names of customers, and the reasons of blocks.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    prefix = models.CharField(max_length=8, editable=False)
    content_tag = models.CharField(max_length=64, blank=True, editable=False)
    content_changed_at = models.DateTimeField(null=True, editable=False)
    last_read_at = models.DateTimeField(null=True, editable=False, help_text="To within ten minutes.")
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    shows_time = True  # when it was read changes without a new version

    objects = TenantQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(room=None) ^ Q(venue=None), name="feed_of_a_room_or_a_venue"),
        ]
        indexes: ClassVar = [models.Index(fields=["organization", "-created_at", "-id"], name="feed_by_creation")]

    def __str__(self) -> str:
        return self.name or str(self.room or self.venue)

    @property
    def place(self) -> Venue:
        """The venue by whose clock it is written."""
        if self.venue is not None:
            return self.venue
        assert self.room is not None
        return self.room.venue


class CalendarImport(models.Model):
    """A calendar elsewhere, whose busy times are blocks here. Its address is often all the secret that it has: kept encrypted,
    and never shown again.

    A sync that fails changes nothing of the blocks: the row says since when and why, and what was read last holds.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        PAUSED = "paused", "Paused"

    class State(models.TextChoices):
        PENDING = "pending", "Not read yet"
        OK = "ok", "Up to date"
        STALE = "stale", "Could not be read; what was read last holds"
        PAUSED = "paused", "Paused"

    public_id = PublicIdField("cim")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    room = models.ForeignKey(Room, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    venue = models.ForeignKey(Venue, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=120, help_text="The reason of its blocks, unless titles are included.")
    url = models.TextField(editable=False, help_text="Encrypted.")
    host = models.CharField(max_length=255, editable=False)
    include_titles = models.BooleanField(default=False, help_text="The entries' titles become the reasons of blocks.")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    # Written by syncs, which raise no version.
    next_sync_at = models.DateTimeField(default=timezone.now, editable=False)
    claimed_until = models.DateTimeField(null=True, editable=False, help_text="A worker is at it, or was lost before then.")
    checked_at = models.DateTimeField(null=True, editable=False, help_text="The last try.")
    synced_at = models.DateTimeField(null=True, editable=False, help_text="The last success.")
    read_at = models.DateTimeField(
        null=True, editable=False, help_text="When all of it was read, changed or not. Null: it must be."
    )
    failing_since = models.DateTimeField(null=True, editable=False)
    failure = models.CharField(max_length=20, choices=Reason.choices, blank=True, editable=False)
    failure_status = models.PositiveSmallIntegerField(null=True, editable=False, help_text="Of the host's answer.")
    digest = models.CharField(max_length=64, blank=True, editable=False, help_text="Of what was read, but for its stamps.")
    etag = models.CharField(max_length=500, blank=True, editable=False)
    last_modified = models.CharField(max_length=500, blank=True, editable=False)

    shows_time = True

    objects = CalendarImportQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(room=None) ^ Q(venue=None), name="import_into_a_room_or_a_venue"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["organization", "-created_at", "-id"], name="import_by_creation"),
            models.Index(fields=["next_sync_at"], name="import_due", condition=Q(status="active")),
            models.Index(fields=["claimed_until"], name="import_claimed", condition=Q(claimed_until__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def place(self) -> Venue:
        """The venue whose clock times without a zone go by."""
        if self.venue is not None:
            return self.venue
        assert self.room is not None
        return self.room.venue

    @property
    def state(self) -> "CalendarImport.State":
        if self.status == self.Status.PAUSED:
            return self.State.PAUSED
        if self.failure:
            return self.State.STALE
        return self.State.OK if self.synced_at else self.State.PENDING


class ImportedTime(models.Model):
    """A busy time of an import and the block made of it. `content` is what the block was made from: as long as it stays the same,
    the block is left alone, whatever people have done to it meanwhile. One that they have deleted stays away (`block` is null).
    """

    source = models.ForeignKey(CalendarImport, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=64, help_text="Digest of UID, recurrence and part.")
    content = models.CharField(max_length=64)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    block = models.OneToOneField(Block, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["source", "key"], name="imported_time_once")]
        indexes: ClassVar = [models.Index(fields=["source", "ends_at"], name="imported_time_by_end")]

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d %H:%M} of {self.source}"
