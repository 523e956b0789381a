"""What the queries of the rooms and schedules API accept; what its bodies accept stands in `rooms.inputs`."""

from rest_framework import serializers

from bookings.models import Booking
from developers.inputs import Day, Flag, Included, Input, Integer, VisibleId, VisibleIds
from developers.pagination import TOTAL
from rooms.models import Room, Venue


class AvailabilityQuery(Input):
    """What `GET /rooms/{id}` reads from the query."""

    availability_days = Integer(max_value=62, required=False, default=14)
    party_size = Integer(min_value=1, max_value=100_000, required=False)
    private = Flag(required=False)


class ScheduleQuery(Input):
    date_from = Day(required=False, help_text="Local day of each venue; default today (UTC).")
    date_to = Day(required=False, help_text="Included; default 13 days after date_from.")
    room = VisibleIds(Room, prepare=lambda rooms: rooms.with_spaces(), required=False, help_text="Repeated or comma-separated.")
    venue = VisibleId(Venue, required=False)
    party_size = Integer(min_value=1, max_value=100_000, required=False)
    private = Flag(required=False)
    view = serializers.ChoiceField(["slots", "days"], required=False, default="slots")
    include = Included("unavailable", TOTAL, required=False, help_text="Slots that cannot be booked; how many days are listed.")
    booking = VisibleId(Booking, required=False, help_text="Its own claim counts as free: for moving it.")
