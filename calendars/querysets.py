"""How imports are asked for."""

import datetime as dt
from typing import Self

from django.db.models import Q

from organizations.querysets import TenantQuerySet


class CalendarImportQuerySet(TenantQuerySet):
    def with_place(self) -> Self:
        """With organization, room and venue, in one query."""
        return self.select_related("organization", "room__venue", "venue")

    def due(self, now: dt.datetime) -> Self:
        return self.filter(status=self.model.Status.ACTIVE, next_sync_at__lte=now).order_by("next_sync_at", "pk")

    def reading_as(self, states: list[str]) -> Self:
        """By the state that readers see."""
        state, active = self.model.State, Q(status=self.model.Status.ACTIVE)
        conditions = {
            state.PAUSED: Q(status=self.model.Status.PAUSED),
            state.STALE: active & ~Q(failure=""),
            state.OK: active & Q(failure="", synced_at__isnull=False),
            state.PENDING: active & Q(failure="", synced_at=None),
        }
        wanted = Q(pk__in=[])
        for name in states:
            wanted |= conditions[name]
        return self.filter(wanted)
