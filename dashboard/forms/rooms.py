"""A room's settings, a form for each of their pages; and the few questions of a new one."""

import copy
from typing import Any, ClassVar

from django import forms
from django.http import QueryDict

from common.errors import DomainError, FieldError
from common.money import symbol
from dashboard.forms.fields import (
    AmountField,
    ListField,
    PairsField,
    StretchField,
    WallTimeField,
    WeekdaysField,
    given,
    minor_units,
)
from dashboard.forms.timezones import TimeZoneField
from dashboard.forms.typed import Row, Rows, TypedForm
from organizations.actor import Actor
from rooms.errors import CapacityBelowSold, DuplicateRoomExternalId
from rooms.inputs import MINUTES_A_DAY, RoomChangesInput, RoomInput
from rooms.models import Room, Venue
from rooms.places import currency_of
from rooms.rules import check_room

# What a new room gets without being asked.
LEAD_TIME_MINUTES, TIDY_UP_MINUTES = 60, 15


class RoomForm(TypedForm):
    """A section of an existing room's settings."""

    reader = RoomChangesInput
    fieldnames: ClassVar[tuple[str, ...]] = ()  # of the room, shown and changed as they are

    def __init__(self, room: Room, data: QueryDict | None = None, *, by: Actor) -> None:
        self.room, self.amounts_in = room, room.venue.currency
        initial = {"version": room.version, **self.initial_values(room)}
        super().__init__(data, by=by, initial=initial, rows=self.initial_rows(room))

    def initial_values(self, room: Room) -> dict[str, Any]:
        return {name: getattr(room, name) for name in self.fieldnames}

    def initial_rows(self, room: Room) -> dict[str, list[dict[str, Any]]]:
        return {}

    def body(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.fieldnames}

    def room_as_typed(self) -> Room:
        """The room as it would be, saved nowhere. Raises ValidationFailed and DomainError as saving it would."""
        room = copy.copy(self.room)
        for name, value in self.values.items():
            setattr(room, name, value)
        check_room(room, repriced="pricing" in self.values)
        return room

    def refuse(self, errors: Any) -> None:
        """What a page says about another page's fields names that page."""
        for error in errors:
            if (error.pointer or "").startswith("/pricing/tiers") and "tiers" not in self.rows:
                detail = f"The price table does not reach so far. {error.detail} Add the lines under Price first."
                error = FieldError(detail, error.code)
            super().refuse([error])


class BasicsForm(RoomForm):
    fieldnames = (
        *("name", "slug", "status", "description", "category", "difficulty", "min_age", "languages", "images"),
        *("external_id", "metadata"),
    )

    name = forms.CharField(max_length=120)
    status = forms.ChoiceField(
        label="On sale",
        choices=[
            (Room.Status.ACTIVE, "Yes: everybody sees it"),
            (Room.Status.HIDDEN, "Hidden: only those who have its link or id can book"),
        ],
        widget=forms.RadioSelect,
    )
    description = forms.CharField(max_length=10_000, required=False, widget=forms.Textarea(attrs={"rows": 5}))
    category = forms.CharField(max_length=60, required=False, help_text="Such as horror, heist or family.")
    difficulty = forms.TypedChoiceField(
        choices=[("", "Not said"), *((level, f"{level} of 5") for level in range(1, 6))],
        coerce=int,
        empty_value=None,
        required=False,
    )
    min_age = forms.IntegerField(label="Youngest age", min_value=0, max_value=120, required=False)
    languages = ListField(required=False, help_text="With commas between them: en, fr.")
    images = ListField(lines=True, label="Pictures", required=False, help_text="Their addresses (https://…), one a line.")
    slug = forms.CharField(
        label="Name in addresses", max_length=80, help_text="Small letters, digits and hyphens. Links with the old one break."
    )
    external_id = forms.CharField(
        label="Id in another system", max_length=120, required=False, empty_value=None, help_text="For your till or calendar."
    )
    metadata = PairsField(label="Notes for programs", required=False, help_text="key: value, one a line. Guests never see them.")

    def __init__(self, room: Room, data: QueryDict | None = None, *, by: Actor) -> None:
        super().__init__(room, data, by=by)
        if room.status == Room.Status.ARCHIVED:
            del self.fields["status"]

    def body(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.fieldnames if name in self.fields}

    def refused(self, error: DomainError) -> None:
        if isinstance(error, DuplicateRoomExternalId):
            self.add_error("external_id", "Another room has this id.")
        else:
            super().refused(error)


class PartyForm(RoomForm):
    fieldnames = ("booking_mode", "min_party", "max_party", "capacity")

    booking_mode = forms.ChoiceField(
        label="A game is",
        choices=[
            (Room.BookingMode.PRIVATE, "Private: one party has the room"),
            (Room.BookingMode.SHARED, "Shared: strangers fill the seats together"),
            (Room.BookingMode.SHARED_WITH_PRIVATE_UPGRADE, "Shared, or private at a surcharge"),
        ],
        widget=forms.RadioSelect,
    )
    min_party = forms.IntegerField(label="Smallest party", min_value=1, max_value=10_000)
    max_party = forms.IntegerField(label="Largest party", min_value=1, max_value=10_000)
    capacity = forms.IntegerField(
        label="Seats of one game",
        min_value=1,
        max_value=10_000,
        required=False,
        help_text="For shared games. Empty: as many as the largest party.",
    )

    def body(self) -> dict[str, Any]:
        """A private game has the seats that its largest party needs, whatever stands in the field that is not shown then."""
        body = super().body()
        private = body["booking_mode"] == Room.BookingMode.PRIVATE
        seats = max(body["capacity"] or 0, body["max_party"]) if private else body["capacity"] or body["max_party"]
        return {**body, "capacity": seats}

    def refused(self, error: DomainError) -> None:
        if isinstance(error, CapacityBelowSold):
            self.add_error("capacity", f"In a coming game {error.extra['sold']} seats are sold already.")
        else:
            super().refused(error)


class Question(Row):
    label = forms.CharField(label="Question", max_length=200)
    type = forms.ChoiceField(
        label="Answer", choices=[("text", "Text"), ("number", "Number"), ("boolean", "Yes or no"), ("choice", "Choice")]
    )
    choices = ListField(label="To choose from", required=False, help_text="With commas between.")
    required = forms.BooleanField(label="Must be answered", required=False)
    key = forms.CharField(widget=forms.HiddenInput, required=False)

    def has_changed(self) -> bool:
        """A key alone is no question, and neither is the first kind of answer."""
        return bool({"label", "choices", "required"} & set(self.changed_data))

    def body(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        return given(**cleaned) | {"required": cleaned["required"], "key": cleaned["key"]}


class Questions(Rows):
    row, noun, most = Question, "question", 50

    def bodies(self) -> list[dict[str, Any]]:
        """A question keeps the key under which answers are stored; a new one gets one nobody has."""
        bodies = super().bodies()
        keys = {body["key"] for body in bodies}
        for body in bodies:
            if not body["key"]:
                body["key"] = next(f"question_{n}" for n in range(1, 1_000) if f"question_{n}" not in keys)
                keys.add(body["key"])
        return bodies


class RulesForm(RoomForm):
    fieldnames = ("lead_time_minutes", "horizon_days", "hold_minutes")
    tables = {"custom_fields": Questions}

    lead_time_minutes = StretchField(label="Book at least this long before the start", help_text="0: until the last minute.")
    horizon_days = forms.IntegerField(label="Book at most this many days ahead", min_value=0, max_value=1_096)
    hold_minutes = forms.IntegerField(
        label="Keep a slot for this many minutes while the guest pays", min_value=1, max_value=30, help_text="1 to 30."
    )

    def initial_rows(self, room: Room) -> dict[str, list[dict[str, Any]]]:
        return {"custom_fields": list(room.custom_fields)}

    def body(self) -> dict[str, Any]:
        return {**super().body(), "custom_fields": self.rows["custom_fields"].bodies()}


class NewRoomForm(TypedForm):
    """What it takes until a room can be booked; all else has a default, and its page later."""

    reader = RoomInput

    name = forms.CharField(max_length=120, help_text="As your guests know it.")
    venue = forms.ChoiceField()
    timezone = TimeZoneField(help_text="Where the room is. Opening times are by this clock.")
    duration_minutes = forms.IntegerField(label="Minutes of a game", min_value=5, max_value=MINUTES_A_DAY, initial=60)
    min_party = forms.IntegerField(label="Smallest party", min_value=1, max_value=10_000, initial=2)
    max_party = forms.IntegerField(label="Largest party", min_value=1, max_value=10_000, initial=6)
    weekdays = WeekdaysField(label="Open on", initial=[1, 2, 3, 4, 5, 6, 7])
    first_start = WallTimeField(label="First game starts at", initial="10:00")
    last_start = WallTimeField(label="Last game starts at", initial="20:30")
    interval_minutes = forms.IntegerField(label="Minutes from start to start", min_value=5, max_value=MINUTES_A_DAY, initial=90)
    model = forms.ChoiceField(
        label="The price is",
        choices=[("per_group", "For the whole group"), ("per_person", "For each person")],
        widget=forms.RadioSelect,
        initial="per_group",
    )
    amount = AmountField(label="Price")

    def __init__(self, venues: list[Venue], data: QueryDict | None = None, *, by: Actor) -> None:
        super().__init__(data, by=by)
        self.venues = venues
        currencies = {venue.currency for venue in venues}
        if venues:
            del self.fields["timezone"]
            self.fields["venue"].choices = [(venue.public_id, _described(venue, currencies)) for venue in venues]  # type: ignore[attr-defined]
            first = next((venue for venue in venues if venue.is_default), venues[0])
            self.initial["venue"] = first.public_id
            if len(venues) == 1:
                self.fields["venue"].widget, self.fields["venue"].required = forms.HiddenInput(), False
        else:
            del self.fields["venue"]
        if len(currencies) == 1:
            self.fields["amount"].label = f"Price ({symbol(currencies.pop())})"

    @property
    def place(self) -> Venue | None:
        """The chosen one; None where the organization has none yet."""
        chosen = self.data.get("venue") if len(self.venues) > 1 else None
        named = (venue for venue in self.venues if venue.public_id == chosen)
        return next(named, self.venues[0] if self.venues else None)

    @property
    def first_venue(self) -> dict[str, str]:
        """The venue to be made with the room, where there is none."""
        clock = self.cleaned_data.get("timezone") or "UTC"
        return {"name": self.by.organization.name, "timezone": clock, "currency": currency_of(clock)}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        self.amounts_in = self.place.currency if self.place else self.first_venue["currency"]
        if cleaned.get("amount") is not None:
            try:
                cleaned["amount"] = minor_units(cleaned["amount"], self.amounts_in)
            except forms.ValidationError as error:
                self.add_error("amount", error)
        return cleaned

    def body(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        rule = {name: cleaned[name] for name in ("weekdays", "first_start", "last_start", "interval_minutes")}
        between = max(0, rule["interval_minutes"] - cleaned["duration_minutes"])
        return {
            **{name: cleaned[name] for name in ("name", "duration_minutes", "min_party", "max_party")},
            **({"venue": self.place.public_id} if self.place else {}),
            "capacity": cleaned["max_party"],
            "turnaround_minutes": min(TIDY_UP_MINUTES, between),
            "lead_time_minutes": LEAD_TIME_MINUTES,
            "schedule": {"rules": [rule]},
            "pricing": {"model": cleaned["model"], "currency": self.amounts_in, "amount": cleaned["amount"]},
        }

    def room_as_typed(self) -> Room:
        """The room as it would be, saved nowhere. Raises ValidationFailed."""
        venue = self.place or Venue(organization=self.by.organization, **self.first_venue)
        room = Room(organization=self.by.organization, **{**self.values, "venue": venue})
        room.space_ids = []
        check_room(room)
        return room


def _described(venue: Venue, currencies: set[str]) -> str:
    return venue.name if len(currencies) == 1 else f"{venue.name} ({venue.currency})"
