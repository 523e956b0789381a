"""Rooms and their calendar in the operators' admin."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from common.admin import BigTableAdmin, ReadOnlyAdmin, operator, perform
from rooms.models import Block, Claim, Occupancy, Room, Session, Space, Venue
from rooms.services import archive_room


@admin.register(Venue)
class VenueAdmin(ReadOnlyAdmin):
    list_display = ("name", "public_id", "organization", "timezone", "currency", "is_default")
    list_select_related = ("organization",)
    search_fields = ("public_id__exact", "name", "organization__slug")


@admin.register(Space)
class SpaceAdmin(ReadOnlyAdmin):
    list_display = ("name", "venue", "organization")
    list_select_related = ("venue", "organization")
    search_fields = ("name", "venue__name", "organization__slug")


@admin.register(Room)
class RoomAdmin(ReadOnlyAdmin):
    list_display = ("name", "public_id", "organization", "venue", "booking_mode", "capacity", "status")
    list_filter = ("status", "booking_mode")
    list_select_related = ("organization", "venue")
    search_fields = ("public_id__exact", "name", "external_id__exact", "organization__slug")
    actions = ("archive",)

    @admin.action(description="Archive", permissions=["act"])
    def archive(self, request: HttpRequest, queryset: QuerySet[Room]) -> HttpResponse | None:
        return perform(
            self,
            request,
            queryset,
            lambda room: archive_room(room=room, by=operator(request, room.organization)),
            done="Archived",
            question="Archive these rooms? They can no longer be booked.",
        )


@admin.register(Session)
class SessionAdmin(BigTableAdmin):
    list_display = ("room", "organization", "starts_at", "ends_at", "exclusive", "seats_taken", "capacity", "ended")
    list_filter = ("ended", "exclusive")
    list_select_related = ("room__organization",)
    search_fields = ("room__public_id", "room__organization__slug")

    @admin.display(ordering="room__organization")
    def organization(self, session: Session) -> str:
        return str(session.room.organization)


@admin.register(Occupancy)
class OccupancyAdmin(BigTableAdmin):
    list_display = ("space", "organization", "session", "period", "active")
    list_filter = ("active",)
    list_select_related = ("space__organization", "session__room")
    search_fields = ("session__room__public_id", "space__organization__slug")

    @admin.display(ordering="space__organization")
    def organization(self, occupancy: Occupancy) -> str:
        return str(occupancy.space.organization)


@admin.register(Claim)
class ClaimAdmin(BigTableAdmin):
    list_display = ("holder", "organization", "session", "seats", "expires_at", "released_at")
    list_select_related = ("session__room__organization",)
    search_fields = ("session__room__public_id",)  # a holder's own page leads to its claim

    @admin.display(ordering="session__room__organization")
    def organization(self, claim: Claim) -> str:
        return str(claim.session.room.organization)


@admin.register(Block)
class BlockAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "public_id", "organization", "scope", "kind", "starts_at", "date_from", "date_to")
    list_filter = ("kind", "scope")
    list_select_related = ("organization",)
    search_fields = ("public_id__exact", "reason", "organization__slug")
