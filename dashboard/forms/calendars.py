"""What one types about calendar feeds and imports."""

from typing import Any

from django import forms

from calendars.models import CalendarFeed, CalendarImport
from common.addresses import MAX_URL_LENGTH
from common.errors import DomainError, VersionConflict
from dashboard.forms.errors import refused
from organizations.actor import Actor
from rooms.models import Room, Venue


class _CalendarForm(forms.Form):
    """With `place`, a room or a venue, for what is new; what there is keeps its own."""

    place = forms.ChoiceField()
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, by: Actor, made: CalendarFeed | CalendarImport | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._places: dict[str, Room | Venue] = {}
        if made is not None:
            del self.fields["place"]
            return
        rooms = list(Room.objects.visible_to(by).exclude(status=Room.Status.ARCHIVED).order_by("venue__name", "name"))
        venues = list(Venue.objects.visible_to(by))
        self._places = {one.public_id: one for one in (*rooms, *venues)}
        self.fields["place"].choices = [  # type: ignore[attr-defined]
            ("Rooms", [(room.public_id, room.name) for room in rooms]),
            ("All rooms of a venue", [(venue.public_id, venue.name) for venue in venues]),
        ]

    def values(self) -> dict[str, Any]:
        """What the services take."""
        found = {name: value for name, value in self.cleaned_data.items() if name not in ("place", "version")}
        place = self._places.get(self.cleaned_data.get("place", ""))
        if isinstance(place, Room):
            found["room"] = place
        elif isinstance(place, Venue):
            found["venue"] = place
        return found

    def refused(self, error: DomainError) -> None:
        """Where it was typed; after another's change one may save knowingly."""
        if isinstance(error, VersionConflict):
            self.data = self.data.copy()  # type: ignore[attr-defined]
            self.data["version"] = error.extra["current_version"]  # type: ignore[index]
            self.add_error(None, "Somebody else has changed this meanwhile. Save again to put yours in place of theirs.")
        else:
            refused(self, error)


class FeedForm(_CalendarForm):
    name = forms.CharField(max_length=120, required=False, help_text="Who reads it: Team calendar, Reception.")
    include_names = forms.BooleanField(
        label="With the names of customers and the reasons of blocks",
        required=False,
        help_text="Whoever has the address can read them. Without, it says “The Vault: 4 players”.",
    )
    field_order = ("place", "name", "include_names")

    def __init__(self, *args: Any, feed: CalendarFeed | None = None, **kwargs: Any) -> None:
        if feed is not None:
            kwargs["initial"] = {"name": feed.name, "include_names": feed.include_names, "version": feed.version}
        super().__init__(*args, made=feed, **kwargs)
        if "place" in self.fields:
            self.fields["place"].label = "What it shows"


class ImportForm(_CalendarForm):
    name = forms.CharField(max_length=120, help_text="What its blocks are called here: Team calendar, Holidays.")
    secret_url = forms.CharField(
        label="Address",
        max_length=MAX_URL_LENGTH,
        widget=forms.TextInput(
            attrs={"inputmode": "url", "autocomplete": "off", "placeholder": "https://calendar.google.com/…/basic.ics"}
        ),
        help_text="Google Calendar calls it “Secret address in iCal format”, Outlook, behind “Publish a calendar”, the ICS link. "
        "It begins with https:// or webcal://, is kept encrypted, and not shown again.",
    )
    include_titles = forms.BooleanField(
        label="Show the entries' titles",
        required=False,
        help_text="On blocks, for everybody who sees them here and for webhooks. Otherwise they carry the name above.",
    )
    field_order = ("place", "name", "secret_url", "include_titles")

    def __init__(self, *args: Any, source: CalendarImport | None = None, **kwargs: Any) -> None:
        if source is not None:
            kwargs["initial"] = {"name": source.name, "include_titles": source.include_titles, "version": source.version}
        super().__init__(*args, made=source, **kwargs)
        if source is not None:
            self.fields["secret_url"].required = False
            self.fields["secret_url"].label = "New address"
            self.fields["secret_url"].help_text = f"Empty: the one at {source.host} stays."
        else:
            self.fields["place"].label = "What it blocks"

    def values(self) -> dict[str, Any]:
        found = super().values()
        return found if found["secret_url"] else {name: value for name, value in found.items() if name != "secret_url"}
