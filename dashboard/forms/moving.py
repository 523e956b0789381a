"""Where a booking is to go, and what becomes of the money."""

import datetime as dt
from typing import Any

from django import forms
from django.utils.dateparse import parse_datetime

from bookings.models import Quote
from organizations.actor import Actor
from rooms.models import Room

LATER, AT_THE_TILL, ELSEWHERE = "later", "pos", "external"
LONGEST = 40  # characters of an id or an instant


class RowField(forms.CharField):
    """The public id of one of the actor's own rows."""

    widget = forms.HiddenInput

    def __init__(self, model: type[Room] | type[Quote], actor: Actor | None = None, **kwargs: Any) -> None:
        self.model, self.actor = model, actor
        super().__init__(max_length=LONGEST, **kwargs)

    def clean(self, value: Any) -> Any:
        public_id = super().clean(value)
        found = (
            self.model.objects.visible_to(self.actor).filter(public_id=public_id).first() if public_id and self.actor else None
        )
        if public_id and found is None:
            raise forms.ValidationError("That is no longer there.")
        return found


class InstantField(forms.CharField):
    widget = forms.HiddenInput

    def clean(self, value: Any) -> dt.datetime:
        try:
            instant = parse_datetime(super().clean(value)[:LONGEST])
            if instant is None or instant.tzinfo is None or not 2000 <= instant.year <= 2100:
                raise ValueError
            return instant.astimezone(dt.UTC)
        except (ValueError, OverflowError) as error:
            raise forms.ValidationError("That is no time.") from error


class SlotForm(forms.Form):
    """A slot, as the address has it."""

    room = RowField(Room)
    starts_at = InstantField()

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field, RowField):
                field.actor = actor


class MoveForm(SlotForm):
    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    quote = RowField(Quote, required=False)
    settlement = forms.ChoiceField(
        label="How is it paid?",
        choices=[
            (LATER, "Later: it stays due"),
            (AT_THE_TILL, "Taken at the till just now"),
            (ELSEWHERE, "Taken elsewhere, such as by bank transfer"),
        ],
        initial=LATER,
        widget=forms.RadioSelect,
    )
    reference = forms.CharField(
        label="Number of the receipt", max_length=120, required=False, help_text="Yours, to find the payment again."
    )

    def payment(self, charge: int) -> dict[str, Any]:
        """What `change_booking` is to know of the money."""
        how = self.cleaned_data["settlement"]
        if how == LATER or charge <= 0:
            return {"settlement": LATER}
        return {"payment": {"mode": how, "amount": charge, "reference": self.cleaned_data["reference"]}}
