"""Time in which nothing can be booked."""

import datetime as dt
from typing import Any

from django import forms
from django.http import QueryDict

from common.walltime import to_instant, utc_text, zone
from dashboard.forms.fields import DayField, ReadText, given
from dashboard.forms.typed import TypedForm
from dashboard.forms.widgets import DateTimeInput
from organizations.actor import Actor
from rooms.inputs import BlockChangesInput, BlockInput
from rooms.models import Block, Room, Venue

DAYS, TIMES = "days", "times"
_MINUTE = "%Y-%m-%dT%H:%M"


class WallMinuteField(ReadText):
    """A day and a time on the venue's clock, naive: the form knows which clock that is."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=DateTimeInput(), required=False, **kwargs)

    def read(self, text: str) -> dt.datetime | None:
        if not text:
            return None
        try:
            wall = dt.datetime.fromisoformat(text).replace(tzinfo=None, second=0, microsecond=0)
        except ValueError:
            raise forms.ValidationError("Write a day and a time, such as 2026-12-05 18:00.") from None
        if not 2000 <= wall.year <= 2100:
            raise forms.ValidationError("The year must lie between 2000 and 2100.")
        return wall


class BlockForm(TypedForm):
    scope = forms.ChoiceField(label="What is blocked", choices=Block.Scope.choices, widget=forms.RadioSelect, initial="rooms")
    rooms = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple, required=False)
    venue = forms.ChoiceField(required=False)
    span = forms.ChoiceField(
        label="When", choices=[(DAYS, "Whole days"), (TIMES, "From a time to a time")], widget=forms.RadioSelect, initial=DAYS
    )
    date_from = DayField(label="First day", required=False)
    date_to = DayField(label="Last day", required=False, help_text="Included. Empty: that one day.")
    starts_at = WallMinuteField(label="From")
    ends_at = WallMinuteField(label="To")
    repeat = forms.ChoiceField(
        label="How often",
        choices=[("", "Once"), ("weekly", "Every week or every few weeks")],
        widget=forms.RadioSelect,
        required=False,
    )
    interval = forms.IntegerField(label="Every how many weeks", min_value=1, max_value=52, required=False, initial=1)
    until = DayField(label="Until this day", required=False)
    count = forms.IntegerField(
        label="or this many times", min_value=1, max_value=520, required=False, help_text="Both empty: without end."
    )
    kind = forms.ChoiceField(choices=Block.Kind.choices, initial=Block.Kind.MAINTENANCE)
    reason = forms.CharField(max_length=200, required=False, help_text="For you and your staff; guests do not see it.")

    def __init__(
        self,
        block: Block | None,
        data: QueryDict | None = None,
        *,
        by: Actor,
        rooms: list[Room],
        venues: list[Venue],
        initial: dict[str, Any] | None = None,
    ) -> None:
        """`rooms` with their venues: those that can be blocked. `initial`: what is known of a new block."""
        self.reader = BlockChangesInput if block else BlockInput  # type: ignore[misc]
        self.choices_of_rooms, self.venues = rooms, venues
        super().__init__(data, by=by, initial=self._values(block) if block else initial)
        several = len(venues) > 1
        named = [(room.public_id, f"{room.name} ({room.venue.name})" if several else room.name) for room in rooms]
        self.fields["rooms"].choices = named  # type: ignore[attr-defined]
        self.fields["venue"].choices = [(venue.public_id, venue.name) for venue in venues]  # type: ignore[attr-defined]
        if len({venue.timezone for venue in venues}) == 1:
            self.fields["starts_at"].help_text = f"By the clock of {venues[0].timezone.replace('_', ' ')}."
        else:
            self.fields["starts_at"].help_text = "By the clock of what is blocked; of the first venue where there are several."

    def _values(self, block: Block) -> dict[str, Any]:
        recurrence = block.recurrence or {}
        tz = zone(block.timezone or self._default_zone())
        return {
            "version": block.version,
            "scope": block.scope,
            "rooms": block.room_public_ids,
            "venue": block.venue.public_id if block.venue else None,
            "span": DAYS if block.date_from else TIMES,
            "date_from": block.date_from,
            "date_to": block.date_to,
            "starts_at": block.starts_at and block.starts_at.astimezone(tz).strftime(_MINUTE),
            "ends_at": block.ends_at and block.ends_at.astimezone(tz).strftime(_MINUTE),
            "repeat": "weekly" if recurrence else "",
            **{name: recurrence.get(name) for name in ("interval", "until", "count")},
            "kind": block.kind,
            "reason": block.reason,
        }

    def _default_zone(self) -> str:
        return next((venue.timezone for venue in self.venues if venue.is_default), "UTC")

    def zone_name(self) -> str:
        """By whose clock the times are meant."""
        cleaned, scope = self.cleaned_data, self.cleaned_data.get("scope")
        if scope == Block.Scope.VENUE:
            return next((venue.timezone for venue in self.venues if venue.public_id == cleaned.get("venue")), "UTC")
        if scope == Block.Scope.ROOMS:
            zones = {room.venue.timezone for room in self.choices_of_rooms if room.public_id in cleaned.get("rooms", ())}
            return zones.pop() if len(zones) == 1 else self._default_zone()
        return self._default_zone()

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("scope") == Block.Scope.ROOMS and "rooms" not in self.errors and not cleaned.get("rooms"):
            self.add_error("rooms", "Choose at least one room.")
        wanted = ("date_from",) if cleaned.get("span") == DAYS else ("starts_at", "ends_at")
        for name in wanted:
            if name not in self.errors and not cleaned.get(name):
                self.add_error(name, "Fill this in.")
        if cleaned.get("span") == TIMES:
            tz = zone(self.zone_name())
            for name in ("starts_at", "ends_at"):
                wall = cleaned.get(name)
                cleaned[name] = to_instant(wall.date(), wall.time(), tz) if wall else None
                if wall and cleaned[name] is None:
                    self.add_error(name, f"Clocks skip this time in {tz.key}.")
        return cleaned

    def body(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        scope = cleaned["scope"]
        what: dict[str, Any] = {"all": True} if scope == Block.Scope.ALL else {scope: cleaned[scope]}
        if cleaned["span"] == DAYS:
            first, last = cleaned["date_from"], cleaned["date_to"] or cleaned["date_from"]
            when = {"date_from": first.isoformat(), "date_to": last.isoformat()}
        else:
            when = {name: utc_text(cleaned[name]) for name in ("starts_at", "ends_at")}
        recurrence = None
        if cleaned["repeat"]:
            until = cleaned["until"].isoformat() if cleaned["until"] else None
            recurrence = {"freq": "weekly", **given(interval=cleaned["interval"], count=cleaned["count"], until=until)}
        return {**what, **when, "recurrence": recurrence, "kind": cleaned["kind"], "reason": cleaned["reason"]}
