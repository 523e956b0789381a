"""The verbs on imports. Pausing or deleting one puts the time of its coming blocks back on sale; past ones stay, as what was."""

from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.utils import timezone

from calendars import fetching
from calendars.errors import ImportPaused
from calendars.models import CalendarImport, ImportedTime
from calendars.serializers import CalendarImportShape
from common import jobs
from common.errors import FieldError, NotFound, ValidationFailed, VersionConflict
from common.signing import encrypt
from organizations.actor import Actor
from organizations.models import Organization
from organizations.permissions import Scope
from organizations.services import record
from rooms.models import Room, Venue
from rooms.services import delete_blocks

MAX_IMPORTS = 50  # of an organization
SYNC = "calendars.tasks.sync"


@transaction.atomic
def create_import(
    *,
    by: Actor,
    name: str,
    secret_url: str,
    room: Room | None = None,
    venue: Venue | None = None,
    include_titles: bool = False,
) -> CalendarImport:
    """Subscribe a room, or all rooms of a venue, to a calendar elsewhere. It is read at once, by a worker.

    Raises NotAllowed, ValidationFailed.
    """
    by.require(Scope.CALENDARS_WRITE, Scope.SCHEDULES_WRITE)
    if (room is None) == (venue is None):
        raise ValidationFailed(FieldError("Give exactly one of room, venue.", "exactly_one", pointer="/room"))
    Organization.objects.select_for_update(no_key=True).values_list("pk").get(pk=by.organization.pk)
    if CalendarImport.objects.visible_to(by).count() >= MAX_IMPORTS:
        raise ValidationFailed(FieldError(f"There are {MAX_IMPORTS} imports already.", "too_many", pointer=""))
    made = CalendarImport(organization=by.organization, room=room, venue=venue, name=name, include_titles=include_titles)
    _assign_address(made, secret_url)
    made.save()
    record(by, "calendar_import.created", made.public_id, host=made.host)
    jobs.after_commit(SYNC)
    return made


@transaction.atomic
def update_import(*, source: CalendarImport, by: Actor, expected_version: int | None = None, **changes: Any) -> CalendarImport:
    """Change its name, address, or what its blocks say; the blocks follow when it is read, which is at once.

    Raises NotAllowed, NotFound, VersionConflict, ValidationFailed.
    """
    by.require(Scope.CALENDARS_WRITE, Scope.SCHEDULES_WRITE)
    source = locked_import(source, by=by, expected_version=expected_version)
    before = CalendarImportShape.json(source)
    address = changes.pop("secret_url", None)
    for name, value in changes.items():
        setattr(source, name, value)
    if address is not None:
        _assign_address(source, address)
    elif CalendarImportShape.json(source) == before:
        return source
    source.read_at, source.next_sync_at = None, timezone.now()
    _save(source)
    record(by, "calendar_import.updated", source.public_id, fields=sorted([*changes, *(["secret_url"] if address else [])]))
    jobs.after_commit(SYNC)
    return source


@transaction.atomic
def delete_import(*, source: CalendarImport, by: Actor, expected_version: int | None = None) -> None:
    """Raises NotAllowed, NotFound, VersionConflict."""
    by.require(Scope.CALENDARS_WRITE, Scope.SCHEDULES_WRITE)
    source = locked_import(source, by=by, expected_version=expected_version)
    _free_coming(source, by=by)
    record(by, "calendar_import.deleted", source.public_id, host=source.host)
    source.delete()


@transaction.atomic
def pause_import(*, source: CalendarImport, by: Actor, expected_version: int | None = None) -> CalendarImport:
    """Pausing twice changes nothing. Raises NotAllowed, NotFound, VersionConflict."""
    by.require(Scope.CALENDARS_WRITE, Scope.SCHEDULES_WRITE)
    source = locked_import(source, by=by, expected_version=expected_version)
    if source.status == CalendarImport.Status.PAUSED:
        return source
    source.status = CalendarImport.Status.PAUSED
    _free_coming(source, by=by)
    _save(source)
    record(by, "calendar_import.paused", source.public_id)
    return source


@transaction.atomic
def resume_import(*, source: CalendarImport, by: Actor, expected_version: int | None = None) -> CalendarImport:
    """Read it again from now on; its blocks come back. Raises NotAllowed, NotFound, VersionConflict."""
    by.require(Scope.CALENDARS_WRITE, Scope.SCHEDULES_WRITE)
    source = locked_import(source, by=by, expected_version=expected_version)
    if source.status == CalendarImport.Status.ACTIVE:
        return source
    source.status = CalendarImport.Status.ACTIVE
    source.read_at, source.next_sync_at = None, timezone.now()
    _save(source)
    record(by, "calendar_import.resumed", source.public_id)
    jobs.after_commit(SYNC)
    return source


@transaction.atomic
def request_sync(*, source: CalendarImport, by: Actor, expected_version: int | None = None) -> CalendarImport:
    """Have it read now instead of within ten minutes. Raises NotAllowed, NotFound, VersionConflict, ImportPaused."""
    by.require(Scope.CALENDARS_WRITE, Scope.SCHEDULES_WRITE)
    source = locked_import(source, by=by, expected_version=expected_version)
    if source.status == CalendarImport.Status.PAUSED:
        raise ImportPaused("It is paused: resume it first.")
    source.next_sync_at = timezone.now()
    source.save(update_fields=["next_sync_at"])
    jobs.after_commit(SYNC)
    return source


def locked_import(source: CalendarImport, *, by: Actor, expected_version: int | None = None) -> CalendarImport:
    """Before its organization and any space: a sync takes them in that order too."""
    rows = CalendarImport.objects.visible_to(by).with_place().select_for_update(of=("self",), no_key=True)
    current = rows.filter(pk=source.pk).first()
    if current is None:
        raise NotFound("calendar import")
    if expected_version is not None and current.version != expected_version:
        raise VersionConflict(current=current.version)
    return current


def _assign_address(source: CalendarImport, url: str) -> None:
    """What is known of the old address tells nothing of the new one."""
    checked = fetching.checked(url)
    source.url, source.host = encrypt(checked), (urlsplit(checked).hostname or "")[:255]
    source.etag = source.last_modified = source.digest = ""


def _free_coming(source: CalendarImport, *, by: Actor) -> None:
    """Its coming blocks go, and all that is known of its times: read again, they are made anew."""
    times = ImportedTime.objects.filter(source=source)
    delete_blocks(pks=list(times.filter(ends_at__gt=timezone.now()).exclude(block=None).values_list("block", flat=True)), by=by)
    times.delete()


def _save(source: CalendarImport) -> None:
    source.version += 1
    source.save()
