"""`/calendar_feeds`, and a booking as a calendar's entry."""

from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.models import Booking
from calendars import services
from calendars.api.inputs import CalendarFeedChangesInput, CalendarFeedInput
from calendars.api.serializers import CalendarFeedWithAddressShape, DeletedCalendarShape
from calendars.feeds import booking_content
from calendars.filters import CalendarFeedFilters
from calendars.models import CalendarFeed
from calendars.serializers import CalendarFeedShape
from calendars.views import CALENDAR
from common.errors import NotFound
from developers.renderers import CalendarRenderer
from developers.viewsets import ApiViewSet
from organizations.permissions import Scope


class CalendarFeedViewSet(ApiViewSet):
    queryset = CalendarFeed.objects.select_related("room", "venue")
    shape = CalendarFeedShape
    filterset_class = CalendarFeedFilters
    sorts: ClassVar = ("-created_at",)
    scopes: ClassVar = {
        "list": Scope.CALENDARS_READ,
        "retrieve": Scope.CALENDARS_READ,
        "create": Scope.CALENDARS_WRITE,
        "update": Scope.CALENDARS_WRITE,
        "destroy": Scope.CALENDARS_WRITE,
    }

    def target(self) -> dict[str, Any]:
        """What every verb on a feed takes."""
        feed: CalendarFeed = self.get_queryset().find(self.kwargs["id"])
        return {"feed": feed, "by": self.actor, "expected_version": self.expected_version}

    @extend_schema(operation_id="list_calendar_feeds", summary="List calendar feeds", tags=["Calendars"])
    def list(self, request: Request) -> Response:
        return self.answer_list(self.get_queryset())

    @extend_schema(operation_id="get_calendar_feed", summary="Get a calendar feed", tags=["Calendars"])
    def retrieve(self, request: Request, id: str) -> Response:
        return self.answer(self.get_queryset().find(id))

    @extend_schema(
        operation_id="create_calendar_feed",
        summary="Create a calendar feed",
        tags=["Calendars"],
        request=CalendarFeedInput,
        responses={201: CalendarFeedWithAddressShape},
    )
    def create(self, request: Request) -> Response:
        """Keep `secret_url`: calendars subscribe to it, and no other answer shows it. Needs `bookings:read` and
        `schedules:read` too, with names also `customers:read`: whoever has the address reads along.
        """
        feed, address = services.create_feed(by=self.actor, **self.input(CalendarFeedInput))
        return self.answer(feed, status=201, secret_url=address)

    @extend_schema(
        operation_id="change_calendar_feed",
        summary="Change a calendar feed",
        tags=["Calendars"],
        request=CalendarFeedChangesInput,
    )
    def update(self, request: Request, id: str) -> Response:
        return self.answer(services.update_feed(**self.target(), **self.input(CalendarFeedChangesInput)))

    @extend_schema(
        operation_id="revoke_calendar_feed",
        summary="Revoke a calendar feed",
        tags=["Calendars"],
        request=None,
        responses={200: DeletedCalendarShape},
    )
    def destroy(self, request: Request, id: str) -> Response:
        """Its address answers 404 from now on. For another address, create another feed."""
        services.revoke_feed(**self.target())
        return Response({"object": "calendar_feed", "id": id, "deleted": True})


class BookingCalendarViewSet(ApiViewSet):
    queryset = Booking.objects.with_related().select_related("organization")
    scopes: ClassVar = {"retrieve": Scope.BOOKINGS_READ}
    query_inputs: ClassVar = {}
    pagination_class = None

    def get_renderers(self) -> list[Any]:
        return [CalendarRenderer()]

    @extend_schema(
        operation_id="get_booking_calendar",
        summary="A booking as a calendar's entry",
        tags=["Calendars"],
        responses={(200, "text/calendar"): OpenApiTypes.STR},
    )
    def retrieve(self, request: Request, id: str) -> HttpResponse:
        """An `.ics` file, by id or by reference, with nobody's name in it."""
        booking = self.get_queryset().named(id).first()
        if booking is None:
            raise NotFound("booking")
        headers = {"Content-Disposition": f'attachment; filename="{booking.reference}.ics"'}
        return HttpResponse(booking_content(booking).text(), content_type=CALENDAR, headers=headers)
