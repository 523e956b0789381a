"""The verbs on feeds."""

from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from calendars import tokens
from calendars.models import CalendarFeed
from calendars.serializers import CalendarFeedShape
from common.errors import FieldError, NotFound, ValidationFailed, VersionConflict
from organizations.actor import Actor
from organizations.models import Organization
from organizations.permissions import Scope
from organizations.services import record
from rooms.models import Room, Venue

MAX_FEEDS = 200  # of an organization


@transaction.atomic
def create_feed(
    *, by: Actor, room: Room | None = None, venue: Venue | None = None, include_names: bool = False, name: str = ""
) -> tuple[CalendarFeed, str]:
    """A new feed and its address, which is shown now and never again. What a feed shows its maker must be allowed to read.

    Raises NotAllowed, ValidationFailed.
    """
    by.require(Scope.CALENDARS_WRITE, Scope.BOOKINGS_READ, Scope.SCHEDULES_READ)
    _require_names(by, include_names=include_names)
    if (room is None) == (venue is None):
        raise ValidationFailed(FieldError("Give exactly one of room, venue.", "exactly_one", pointer="/room"))
    Organization.objects.select_for_update(no_key=True).values_list("pk").get(pk=by.organization.pk)
    if CalendarFeed.objects.visible_to(by).count() >= MAX_FEEDS:
        raise ValidationFailed(FieldError(f"There are {MAX_FEEDS} feeds already.", "too_many", pointer=""))
    token = tokens.new_token()
    feed = CalendarFeed.objects.create(
        organization=by.organization,
        room=room,
        venue=venue,
        name=name,
        include_names=include_names,
        digest=tokens.digest(token),
        prefix=token[: tokens.PREFIX_LETTERS],
    )
    record(by, "calendar_feed.created", feed.public_id, of=(room or venue).public_id, include_names=include_names)  # type: ignore[union-attr]
    return feed, address(token)


@transaction.atomic
def update_feed(*, feed: CalendarFeed, by: Actor, expected_version: int | None = None, **changes: Any) -> CalendarFeed:
    """Change its name or what it shows; room, venue and address stay.

    Raises NotAllowed, NotFound, VersionConflict.
    """
    by.require(Scope.CALENDARS_WRITE)
    feed = _locked(feed, by=by, expected_version=expected_version)
    _require_names(by, include_names=changes.get("include_names", False) and not feed.include_names)
    before = CalendarFeedShape.json(feed)
    for name, value in changes.items():
        setattr(feed, name, value)
    if CalendarFeedShape.json(feed) == before:
        return feed
    feed.version += 1
    feed.save(update_fields=[*changes, "version", "updated_at"])
    record(by, "calendar_feed.updated", feed.public_id, fields=sorted(changes))
    return feed


@transaction.atomic
def revoke_feed(*, feed: CalendarFeed, by: Actor, expected_version: int | None = None) -> None:
    """From now on its address answers 404. Raises NotAllowed, NotFound, VersionConflict."""
    by.require(Scope.CALENDARS_WRITE)
    feed = _locked(feed, by=by, expected_version=expected_version)
    record(by, "calendar_feed.revoked", feed.public_id, name=feed.name)
    feed.delete()


def address(token: str) -> str:
    return settings.PUBLIC_URL + reverse("calendar_feed", kwargs={"token": token})


def _require_names(by: Actor, *, include_names: bool) -> None:
    """Customers are read by a scope of their own."""
    if include_names:
        by.require(Scope.CUSTOMERS_READ)


def _locked(feed: CalendarFeed, *, by: Actor, expected_version: int | None) -> CalendarFeed:
    rows = CalendarFeed.objects.visible_to(by).select_related("room", "venue").select_for_update(of=("self",))
    current = rows.filter(pk=feed.pk).first()
    if current is None:
        raise NotFound("calendar feed")
    if expected_version is not None and current.version != expected_version:
        raise VersionConflict(current=current.version)
    return current
