"""Bookings in other calendars, and other calendars' busy times in the rooms."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from common.ids import PublicIdField
from organizations.models import Organization
from organizations.querysets import TenantQuerySet
from rooms.models import Room, Venue


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
