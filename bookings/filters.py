"""The filters of the list of bookings, for the API and for pages."""

import datetime as dt
from typing import Any, ClassVar

import django_filters
from django.db.models import Q, QuerySet

from bookings.models import Booking
from customers.models import Customer
from developers.filters import AnyOf, DayFilter, InstantFilter, TextFilter, VisibleIds
from rooms.models import Room, Venue


class BookingFilters(django_filters.FilterSet):
    date = DayFilter(method="on_day", help_text="Starts on this day, by the venue's clock.")
    date_from = DayFilter(method="from_day", help_text="Starts on this day or later, by the venue's clock.")
    date_to = DayFilter(method="to_day", help_text="Starts on this day or earlier, by the venue's clock.")
    room = VisibleIds(Room, field_name="room", help_text="Room ids, repeated or comma-separated.")
    venue = VisibleIds(Venue, field_name="room__venue", help_text="Venue ids.")
    status = AnyOf(choices=Booking.Status.choices, method="reading_as", help_text="Repeated or comma-separated.")
    payment_status = AnyOf(choices=Booking.PaymentStatus.choices, field_name="payment_status")
    customer = VisibleIds(Customer, field_name="customer", help_text="Customer ids.")
    email = TextFilter(method="with_email", help_text="The customer's e-mail address.")
    reference = TextFilter(method="with_reference")
    source = AnyOf(choices=Booking.Source.choices, field_name="source")
    external_id = TextFilter(field_name="external_id")
    updated_since = InstantFilter(field_name="updated_at", lookup_expr="gte", help_text="RFC 3339.")
    q = TextFilter(method="matching", help_text="Part of reference, contact name, e-mail, phone or external id.")

    class Meta:
        model = Booking
        fields: ClassVar[list[str]] = []

    def _zones(self) -> list[str]:
        return list(Venue.objects.visible_to(self.request.user).values_list("timezone", flat=True).distinct())

    def on_day(self, bookings: Any, name: str, day: dt.date) -> Any:
        return bookings.on_days(day, day, self._zones())

    def from_day(self, bookings: Any, name: str, day: dt.date) -> Any:
        return bookings.on_days(day, None, self._zones())

    def to_day(self, bookings: Any, name: str, day: dt.date) -> Any:
        return bookings.on_days(None, day, self._zones())

    def reading_as(self, bookings: Any, name: str, statuses: list[str]) -> Any:
        return bookings.reading_as(statuses) if statuses else bookings

    def with_email(self, bookings: QuerySet[Booking], name: str, email: str) -> QuerySet[Booking]:
        return bookings.filter(customer__email=email.lower())

    def with_reference(self, bookings: QuerySet[Booking], name: str, reference: str) -> QuerySet[Booking]:
        return bookings.filter(reference=reference.upper())

    def matching(self, bookings: QuerySet[Booking], name: str, text: str) -> QuerySet[Booking]:
        contact = Q(contact__name__icontains=text) | Q(contact__email__icontains=text) | Q(contact__phone__contains=text)
        return bookings.filter(contact | Q(reference__icontains=text) | Q(external_id__icontains=text))
