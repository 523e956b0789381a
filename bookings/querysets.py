"""How bookings are asked for."""

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING, Self

from django.db.models import F, Q
from django.db.models.fields.json import KT
from django.utils import timezone

from common.search import Words, matches
from common.walltime import day_bounds, zone
from organizations.querysets import TenantQuerySet

if TYPE_CHECKING:
    from organizations.actor import Actor

# Of the contact as it was given for the booking, which may not be the customer's.
WORDS = Words("reference", "external_id", KT("contact__name"), KT("contact__email"), phone=KT("contact__phone"))

_NEVER_SHOWN = {"organization", "claim", "price_rules"}


class BookingQuerySet(TenantQuerySet):
    def with_related(self) -> Self:
        """With all that the shape and its expansions read, in one query."""
        return self.select_related("room__venue", "customer")

    def shown(self) -> Self:
        """With what the shape reads and nothing else, in one query: rows to tell, not to work with. A room's and a customer's own
        columns, most of them JSON, are most of what `with_related` costs.
        """
        own = (field.name for field in self.model._meta.concrete_fields if field.name not in _NEVER_SHOWN)
        return self.with_related().only(
            *own, "room__public_id", "room__venue__public_id", "room__venue__timezone", "customer__public_id"
        )

    def named(self, id_or_reference: str) -> Self:
        """The booking of that id or of that reference, whatever the reference's case."""
        return self.filter(Q(public_id=id_or_reference) | Q(reference=id_or_reference.upper()))

    def found_by(self, typed: str, *, by: "Actor") -> Self:
        """The actor's bookings with words that begin as typed, of reference, external id, name, e-mail or phone; the latest
        start first. By `booking_by_words`: the sum hides the order from `booking_by_start`, along which the planner would
        walk through them all.
        """
        condition = matches(WORDS, typed, organization=by.organization.pk)
        latest = (F("starts_at") + dt.timedelta(0)).desc()
        return self.visible_to(by).filter(condition).order_by(latest, "-pk") if condition else self.none()

    def locked(self) -> Self:
        return self.select_for_update(of=("self",))

    def reading_as(self, statuses: Iterable[str]) -> Self:
        """By the status that readers see: a hold past its time is expired, written down or not."""
        held, now = self.model.Status.HELD, timezone.now()
        lapsed = Q(status=held, hold_expires_at__lte=now)
        wanted = Q()
        for status in statuses:
            if status == held:
                wanted |= Q(status=held, hold_expires_at__gt=now)
            elif status == self.model.Status.EXPIRED:
                wanted |= Q(status=status) | lapsed
            else:
                wanted |= Q(status=status)
        return self.filter(wanted)

    def on_days(self, first: dt.date | None, last: dt.date | None, zones: Iterable[str]) -> Self:
        """Which start within the local days [first, last] of their own venue; `zones` are all that occur."""
        wanted = Q(pk__in=[])
        for name in set(zones):
            start, end = day_bounds(first or dt.date(2000, 1, 1), last or dt.date(2100, 12, 30), zone(name))
            wanted |= Q(room__venue__timezone=name, starts_at__gte=start, starts_at__lt=end)
        return self.filter(wanted)

    def upcoming(self, now: dt.datetime) -> Self:
        """Held or confirmed, and not over."""
        status = self.model.Status
        live_hold = Q(status=status.HELD, hold_expires_at__gt=now)
        return self.filter(live_hold | Q(status__in=[status.CONFIRMED, status.CHECKED_IN]), ends_at__gt=now)

    def lapsed(self, now: dt.datetime) -> Self:
        """Holds past their time that the sweep has yet to write down."""
        return self.filter(status=self.model.Status.HELD, hold_expires_at__lte=now)

    def over(self, now: dt.datetime) -> Self:
        """Games that were checked in and have ended."""
        return self.filter(status=self.model.Status.CHECKED_IN, ends_at__lte=now)
