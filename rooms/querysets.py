"""How rooms and their calendar are asked for."""

import datetime as dt
from collections.abc import Iterable
from typing import Self

from django.contrib.postgres.aggregates import ArrayAgg
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Func, OuterRef, Q, QuerySet

from organizations.querysets import TenantQuerySet


class RoomQuerySet(TenantQuerySet):
    def with_spaces(self) -> Self:
        """With the venue and `space_ids`, in one query whatever the number of rooms."""
        return self.select_related("venue").annotate(space_ids=ArrayAgg("spaces", distinct=True))

    def bookable(self) -> Self:
        """Shown to whoever looks for a slot."""
        return self.filter(status=self.model.Status.ACTIVE)

    def sharing(self, space_ids: Iterable[int]) -> Self:
        """Which use one of the spaces."""
        return self.filter(spaces__in=list(space_ids)).distinct()


class BlockQuerySet(TenantQuerySet):
    def with_spaces(self) -> Self:
        """With `space_ids`, those of the rooms or the venue that it names, public ids and zones of the rooms, in one query.

        Of a venue they are the spaces in which its rooms are played, whoever else uses them.
        """
        room = self.model._meta.get_field("rooms").related_model
        in_venue = room.objects.exclude(status=room.Status.ARCHIVED).filter(venue=OuterRef("venue")).order_by()
        of_rooms = ArrayAgg("rooms__spaces", distinct=True, filter=Q(rooms__spaces__isnull=False), default=[])
        return self.select_related("venue").annotate(
            space_ids=Func(of_rooms, ArraySubquery(in_venue.values("spaces")), function="array_cat"),
            room_public_ids=ArrayAgg("rooms__public_id", distinct=True, filter=Q(rooms__isnull=False), default=[]),
            room_zones=ArrayAgg("rooms__venue__timezone", distinct=True, filter=Q(rooms__isnull=False), default=[]),
        )

    def touching(self, start: dt.datetime, end: dt.datetime) -> Self:
        """Which may lie within [start, end): a series may from its first occurrence to its last."""
        # A local day begins up to 14 hours before and ends up to 12 hours after its UTC namesake.
        first, last = (start - dt.timedelta(days=1)).date(), (end + dt.timedelta(days=1)).date()
        once = Q(starts_at__lt=end, ends_at__gt=start) | Q(date_from__lte=last, date_to__gte=first)
        series_began = Q(starts_at__lt=end) | Q(date_from__lte=last)
        series_lasts = Q(series_ends_on__isnull=True) | Q(series_ends_on__gte=first)
        return self.filter(Q(Q(recurrence__isnull=True) & once) | Q(Q(recurrence__isnull=False) & series_began & series_lasts))


class ClaimQuerySet(QuerySet):  # type: ignore[type-arg]
    def live(self, now: dt.datetime) -> Self:
        """Which keep their seats: not released, and firm or not yet past their time."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), released_at=None)

    def dead(self, now: dt.datetime) -> Self:
        """Holds past their time that nobody has released yet."""
        return self.filter(expires_at__lte=now, released_at=None)

    def open_holds(self) -> Self:
        return self.filter(expires_at__isnull=False, released_at=None)

    def in_spaces(self, space_ids: Iterable[int]) -> Self:
        return self.filter(session__occupancies__space__in=list(space_ids)).distinct()
