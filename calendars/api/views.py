"""`/calendar_feeds`, `/calendar_imports`, and a booking as a calendar's entry."""

from typing import Any, ClassVar

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from bookings.models import Booking
from calendars import services
from calendars.api.inputs import (
    CalendarFeedChangesInput,
    CalendarFeedInput,
    CalendarImportChangesInput,
    CalendarImportInput,
    NoFieldsInput,
)
from calendars.api.serializers import CalendarFeedWithAddressShape, CalendarImportWithConflictsShape, DeletedCalendarShape
from calendars.conflicts import conflicts_of
from calendars.feeds import booking_content
from calendars.filters import CalendarFeedFilters, CalendarImportFilters
from calendars.models import CalendarFeed, CalendarImport
from calendars.serializers import CalendarFeedShape, CalendarImportShape
from calendars.views import CALENDAR
from common.errors import ErrorCode, NotFound
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


class CalendarImportViewSet(ApiViewSet):
    queryset = CalendarImport.objects.with_place()
    shape = CalendarImportShape
    filterset_class = CalendarImportFilters
    sorts: ClassVar = ("-created_at",)
    scopes: ClassVar = {
        "list": Scope.CALENDARS_READ,
        "retrieve": Scope.CALENDARS_READ,
        "create": Scope.CALENDARS_WRITE,
        "update": Scope.CALENDARS_WRITE,
        "destroy": Scope.CALENDARS_WRITE,
        "sync": Scope.CALENDARS_WRITE,
        "pause": Scope.CALENDARS_WRITE,
        "resume": Scope.CALENDARS_WRITE,
    }
    refusals: ClassVar = {"sync": (ErrorCode.INVALID_TRANSITION,)}

    def target(self) -> dict[str, Any]:
        """What every verb on an import takes."""
        source: CalendarImport = self.get_queryset().find(self.kwargs["id"])
        return {"source": source, "by": self.actor, "expected_version": self.expected_version}

    @extend_schema(operation_id="list_calendar_imports", summary="List calendar imports", tags=["Calendars"])
    def list(self, request: Request) -> Response:
        return self.answer_list(self.get_queryset())

    @extend_schema(
        operation_id="get_calendar_import",
        summary="Get a calendar import",
        tags=["Calendars"],
        responses=CalendarImportWithConflictsShape,
    )
    def retrieve(self, request: Request, id: str) -> Response:
        """With the bookings that it hits: both stay, and somebody has to decide."""
        source = self.get_queryset().find(id)
        hit = conflicts_of([source], by=self.actor, now=timezone.now()).get(source.pk, [])
        return self.answer(source, conflicts=[booking.public_id for booking in hit])

    @extend_schema(
        operation_id="create_calendar_import",
        summary="Import a calendar",
        tags=["Calendars"],
        request=CalendarImportInput,
        responses={201: CalendarImportShape},
    )
    def create(self, request: Request) -> Response:
        """Its busy times become blocks of kind `external`; it is read at once, and every ten minutes from then on. Needs
        `schedules:write` too.
        """
        return self.answer(services.create_import(by=self.actor, **self.input(CalendarImportInput)), status=201)

    @extend_schema(
        operation_id="change_calendar_import",
        summary="Change a calendar import",
        tags=["Calendars"],
        request=CalendarImportChangesInput,
    )
    def update(self, request: Request, id: str) -> Response:
        """Its blocks follow when it is read, which is at once."""
        return self.answer(services.update_import(**self.target(), **self.input(CalendarImportChangesInput)))

    @extend_schema(
        operation_id="delete_calendar_import",
        summary="Delete a calendar import",
        tags=["Calendars"],
        request=None,
        responses={200: DeletedCalendarShape},
    )
    def destroy(self, request: Request, id: str) -> Response:
        """With its coming blocks; past ones stay."""
        services.delete_import(**self.target())
        return Response({"object": "calendar_import", "id": id, "deleted": True})

    @extend_schema(
        operation_id="sync_calendar_import",
        summary="Read a calendar now",
        tags=["Calendars"],
        request=NoFieldsInput,
        responses={202: CalendarImportShape},
    )
    def sync(self, request: Request, id: str) -> Response:
        """Instead of within ten minutes: `checked_at` tells when it has been done."""
        self.input(NoFieldsInput)
        return self.answer(services.request_sync(**self.target()), status=202)

    @extend_schema(
        operation_id="pause_calendar_import", summary="Pause a calendar import", tags=["Calendars"], request=NoFieldsInput
    )
    def pause(self, request: Request, id: str) -> Response:
        """Its coming blocks go until it is resumed."""
        self.input(NoFieldsInput)
        return self.answer(services.pause_import(**self.target()))

    @extend_schema(
        operation_id="resume_calendar_import", summary="Resume a calendar import", tags=["Calendars"], request=NoFieldsInput
    )
    def resume(self, request: Request, id: str) -> Response:
        """It is read at once, and its blocks come back."""
        self.input(NoFieldsInput)
        return self.answer(services.resume_import(**self.target()))


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
