"""The filters of the lists of endpoints, deliveries and replays, for the API and for pages."""

from typing import ClassVar

import django_filters
from django.db.models import Q, QuerySet

from common.http import Failure
from developers.filters import AnyOf, InstantFilter, TextFilter, VisibleIds
from webhooks.engine.record import LEASE_EXPIRED
from webhooks.models import Delivery, Endpoint, Event, Replay
from webhooks.types import EventType

FAILURES = [(failure, failure) for failure in (*filter(None, map(str, Failure)), LEASE_EXPIRED)]


class EndpointFilters(django_filters.FilterSet):
    status = AnyOf(choices=Endpoint.Status.choices, field_name="status", help_text="Repeated or comma-separated.")
    q = TextFilter(method="matching", help_text="Part of the address or of the description.")

    class Meta:
        model = Endpoint
        fields: ClassVar[list[str]] = []

    def matching(self, endpoints: QuerySet[Endpoint], name: str, text: str) -> QuerySet[Endpoint]:
        return endpoints.filter(Q(url__icontains=text) | Q(description__icontains=text))


class DeliveryFilters(django_filters.FilterSet):
    endpoint = VisibleIds(Endpoint, field_name="endpoint", help_text="Endpoint ids, repeated or comma-separated.")
    state = AnyOf(choices=Delivery.State.choices, field_name="state")
    failure = AnyOf(choices=FAILURES, field_name="failure", help_text="The class of the last failure.")
    event = VisibleIds(Event, field_name="event", help_text="Event ids.")
    object = AnyOf(field_name="event__object_id", help_text="Ids of the objects that changed: `bkg_…`.")
    type = AnyOf(choices=EventType.choices, field_name="event__type", help_text="Event types.")
    created_since = InstantFilter(field_name="created_at", lookup_expr="gte", help_text="RFC 3339.")
    created_until = InstantFilter(field_name="created_at", lookup_expr="lt", help_text="RFC 3339, itself not included.")

    class Meta:
        model = Delivery
        fields: ClassVar[list[str]] = []


class ReplayFilters(django_filters.FilterSet):
    endpoint = VisibleIds(Endpoint, field_name="endpoint", help_text="Endpoint ids, repeated or comma-separated.")
    state = AnyOf(choices=Replay.State.choices, field_name="state")

    class Meta:
        model = Replay
        fields: ClassVar[list[str]] = []
