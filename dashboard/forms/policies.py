"""Until when guests may cancel or move, and what that costs: of a room, or of whole venues."""

from typing import Any

from django import forms
from django.http import QueryDict

from common.errors import FieldError
from dashboard.forms.fields import AmountField, StretchField
from dashboard.forms.rooms import RoomForm
from dashboard.forms.typed import Row, Rows, TypedForm
from organizations.actor import Actor
from rooms.inputs import VenueChangesInput
from rooms.models import Room, Venue

HOURS = {"days": 24, "hours": 1}
VENUES, OWN = "venue", "own"


class Window(Row):
    hours_before = StretchField(HOURS, label="Until this long before the start")
    refund_percent = forms.IntegerField(label="comes back (percent)", min_value=0, max_value=100)

    def body(self) -> dict[str, Any]:
        return dict(self.cleaned_data)


class Windows(Rows):
    row, noun, most, spare = Window, "step", 20, 1


class MoveWindow(Row):
    hours_before = StretchField(HOURS, label="Until this long before the start")
    allowed = forms.TypedChoiceField(
        label="moving is",
        choices=[("yes", "possible"), ("no", "not possible")],
        coerce=lambda value: value == "yes",
        empty_value=True,  # type: ignore[arg-type]
        required=False,
        initial="yes",
    )
    fee = AmountField(label="for a fee of", required=False)

    def __init__(self, *args: Any, initial: dict[str, Any] | None = None, **kwargs: Any) -> None:
        if initial and isinstance(initial.get("allowed"), bool):
            initial = {**initial, "allowed": "yes" if initial["allowed"] else "no", "fee": initial["fee"] or None}
        super().__init__(*args, initial=initial, **kwargs)

    def has_changed(self) -> bool:
        return bool({"hours_before", "fee"} & set(self.changed_data))

    def body(self) -> dict[str, Any]:
        return {**self.cleaned_data, "fee": self.cleaned_data["fee"] or 0}


class MoveWindows(Rows):
    row, noun, most, spare = MoveWindow, "step", 20, 1


class PolicyFields(TypedForm):
    """What a policy is made of."""

    tables = {"cancellation": Windows, "reschedule": MoveWindows}

    fee = AmountField(label="Fee for canceling", required=False, help_text="Kept from what comes back.")
    deposit_refundable = forms.BooleanField(label="A deposit comes back like the rest", required=False)
    max_times = forms.IntegerField(
        label="A booking may be moved this many times",
        min_value=0,
        max_value=1_000,
        required=False,
        help_text="Empty: as often as one likes.",
    )

    @staticmethod
    def values_of(cancellation: dict[str, Any], reschedule: dict[str, Any]) -> dict[str, Any]:
        return {
            "fee": cancellation["fee"] or None,
            "deposit_refundable": cancellation["deposit_refundable"],
            "max_times": reschedule["max_times"],
        }

    @staticmethod
    def rows_of(cancellation: dict[str, Any], reschedule: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
        return {"cancellation": cancellation["windows"], "reschedule": reschedule["windows"]}

    def policies(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        cancellation = {
            "windows": self.rows["cancellation"].bodies() if self.rows["cancellation"].is_bound else [],
            "fee": cleaned["fee"] or 0,
            "deposit_refundable": cleaned["deposit_refundable"],
        }
        windows = self.rows["reschedule"].bodies() if self.rows["reschedule"].is_bound else []
        return {
            "cancellation_policy": cancellation,
            "reschedule_policy": {"windows": windows, "max_times": cleaned["max_times"]},
        }

    def refuse(self, errors: Any) -> None:
        for error in errors:
            pointer = error.pointer or ""
            for name in self.tables:
                pointer = pointer.replace(f"/{name}_policy/windows", f"/{name}")
            super().refuse([FieldError(error.detail, error.code, pointer=pointer)])


class RoomPolicyForm(PolicyFields, RoomForm):
    """A room's own policies, or its venue's."""

    cancellation_of = forms.ChoiceField(
        label="For canceling", choices=[(VENUES, "The venue's rules"), (OWN, "Rules of its own")], widget=forms.RadioSelect
    )
    reschedule_of = forms.ChoiceField(
        label="For moving", choices=[(VENUES, "The venue's rules"), (OWN, "Rules of its own")], widget=forms.RadioSelect
    )

    def __init__(self, room: Room, data: QueryDict | None = None, *, by: Actor) -> None:
        super().__init__(room, data, by=by)
        for name in self.tables:  # what is typed under rules that do not count is not looked at
            if data is not None and data.get(f"{name}_of") == VENUES and self.rows[name].is_bound:
                self.rows[name] = self.tables[name](name, currency=self.amounts_in, rows=self.initial_rows(room)[name])

    def initial_values(self, room: Room) -> dict[str, Any]:
        of = {f"{name}_of": OWN if getattr(room, f"{name}_policy") else VENUES for name in self.tables}
        return {**of, **self.values_of(*_in_force(room))}

    def initial_rows(self, room: Room) -> dict[str, list[dict[str, Any]]]:
        return self.rows_of(*_in_force(room))

    def body(self) -> dict[str, Any]:
        policies = self.policies()
        return {
            f"{name}_policy": policies[f"{name}_policy"] if self.cleaned_data[f"{name}_of"] == OWN else None
            for name in self.tables
        }


class VenuePolicyForm(PolicyFields):
    """The policies of one venue, or of several at once, and of the rooms that go their own way."""

    reader = VenueChangesInput

    venues = forms.MultipleChoiceField(label="These rules are for", widget=forms.CheckboxSelectMultiple)
    rooms_too = forms.BooleanField(label="Rooms with rules of their own follow these from now on, too", required=False)

    def __init__(self, venues: list[Venue], shown: Venue, data: QueryDict | None = None, *, by: Actor) -> None:
        self.all_venues, self.shown, self.amounts_in = venues, shown, shown.currency
        policies = shown.cancellation_policy, shown.reschedule_policy
        alike = [venue.public_id for venue in venues if (venue.cancellation_policy, venue.reschedule_policy) == policies]
        initial = {"venues": alike, "version": shown.version, **self.values_of(*policies)}
        super().__init__(data, by=by, initial=initial, rows=self.rows_of(*policies))
        self.fields["venues"].choices = [(venue.public_id, venue.name) for venue in venues]  # type: ignore[attr-defined]

    @property
    def chosen(self) -> list[Venue]:
        return [venue for venue in self.all_venues if venue.public_id in self.cleaned_data["venues"]]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        chosen = self.chosen if cleaned.get("venues") else []
        if len({venue.currency for venue in chosen} | {self.amounts_in}) > 1:
            self.add_error("venues", "They take different currencies. Fees are amounts: choose venues of one currency at a time.")
        return cleaned

    def body(self) -> dict[str, Any]:
        return self.policies()


def _in_force(room: Room) -> tuple[dict[str, Any], dict[str, Any]]:
    cancellation = room.cancellation_policy or room.venue.cancellation_policy
    return cancellation, room.reschedule_policy or room.venue.reschedule_policy
