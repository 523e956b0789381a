"""When a room's games start: weekly rules and seasons, and days that differ."""

import datetime as dt
from typing import Any

from django import forms

from common.walltime import zone
from dashboard.forms.fields import AmountField, DayField, TimesField, WallTimeField, WeekdaysField, given
from dashboard.forms.rooms import RoomForm
from dashboard.forms.typed import Row, Rows
from rooms.inputs import MINUTES_A_DAY
from rooms.models import Room

DAYS_SHOWN = 100  # days that differ, from today on; the rest is kept as it is


class Rule(Row):
    weekdays = WeekdaysField(label="On")
    start_times = TimesField(label="At these times", required=False)
    first_start = WallTimeField(label="or first start", required=False)
    last_start = WallTimeField(label="last start", required=False)
    interval_minutes = forms.IntegerField(label="every (minutes)", min_value=5, max_value=MINUTES_A_DAY, required=False)
    valid_from = DayField(label="From this day", required=False)
    valid_until = DayField(label="to this day", required=False)
    price_override = AmountField(label="Price instead", required=False)

    folded = ("valid_from", "valid_until", "price_override")

    def body(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        days = {name: cleaned[name].isoformat() for name in ("valid_from", "valid_until") if cleaned[name]}
        return given(**{**cleaned, **dict.fromkeys(("valid_from", "valid_until")), **days})


class Rules(Rows):
    row, noun, spare = Rule, "line", 1


class OtherDay(Row):
    date = DayField(label="Day")
    closed = forms.BooleanField(label="Closed", required=False)
    start_times = TimesField(label="or at these times", required=False)

    def body(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        return given(date=cleaned["date"].isoformat(), closed=cleaned["closed"] or None, start_times=cleaned["start_times"])


class OtherDays(Rows):
    row, noun, most = OtherDay, "day", DAYS_SHOWN + 20


class ScheduleForm(RoomForm):
    fieldnames = ("duration_minutes", "setup_minutes", "turnaround_minutes")
    tables = {"rules": Rules, "overrides": OtherDays}

    duration_minutes = forms.IntegerField(label="A game lasts (minutes)", min_value=5, max_value=MINUTES_A_DAY)
    setup_minutes = forms.IntegerField(label="Minutes to set up before", min_value=0, max_value=MINUTES_A_DAY // 2)
    turnaround_minutes = forms.IntegerField(label="Minutes to tidy up after", min_value=0, max_value=MINUTES_A_DAY // 2)

    def initial_rows(self, room: Room) -> dict[str, list[dict[str, Any]]]:
        return {"rules": room.schedule.get("rules", []), "overrides": self.shown(room)}

    def shown(self, room: Room) -> list[dict[str, Any]]:
        today = dt.datetime.now(zone(room.venue.timezone)).date().isoformat()
        coming = [override for override in room.schedule.get("overrides", []) if override["date"] >= today]
        return sorted(coming, key=lambda override: override["date"])[:DAYS_SHOWN]

    @property
    def kept(self) -> list[dict[str, Any]]:
        """Days that differ and are not on the page: those past, and those far down a long list."""
        shown = self.shown(self.room)
        return [override for override in self.room.schedule.get("overrides", []) if override not in shown]

    def body(self) -> dict[str, Any]:
        """Days on the page come first, so that a refusal's line is found."""
        overrides = [*self.rows["overrides"].bodies(), *self.kept]
        return {**super().body(), "schedule": {"rules": self.rows["rules"].bodies(), "overrides": overrides}}
