"""How endpoints' secrets and deliveries are asked for."""

import datetime as dt
from typing import Self

from django.db.models import Q, QuerySet

from organizations.querysets import TenantQuerySet


class SecretQuerySet(QuerySet):  # type: ignore[type-arg]
    def live(self, now: dt.datetime) -> Self:
        """Which sign: not retired yet."""
        return self.filter(Q(retires_at=None) | Q(retires_at__gt=now))


class DeliveryQuerySet(TenantQuerySet):
    def waiting(self) -> Self:
        """To be sent, now or later."""
        return self.filter(state__in=[self.model.State.PENDING, self.model.State.SCHEDULED])

    def unfinished(self) -> Self:
        """Neither arrived nor given up."""
        state = self.model.State
        return self.filter(state__in=[state.PENDING, state.SCHEDULED, state.LEASED, state.HELD])

    def lapsed(self, now: dt.datetime) -> Self:
        """Whose worker has not come back in time."""
        return self.filter(state=self.model.State.LEASED, lease_expires_at__lte=now)
