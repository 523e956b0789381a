"""The form at the end of a new booking."""

from typing import Any

from django import forms

from common import money
from customers.models import Customer
from dashboard.forms.bookings import NOTE_LETTERS, AnswerFields, ContactFields, PaymentFields
from rooms.models import Room

FORM_ID = "book"  # the fields stand in several steps of the page, and belong to one form


class NewBookingForm(PaymentFields, ContactFields):
    """Who comes and how it is paid. The slot and the party come from the page; `total` is the price that it showed."""

    notes_customer = forms.CharField(
        label="The guest's wishes", required=False, max_length=NOTE_LETTERS, widget=forms.Textarea(attrs={"rows": 2})
    )
    notes_internal = forms.CharField(
        label="Internal note",
        required=False,
        max_length=NOTE_LETTERS,
        help_text="Guests never see it.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    party_size = forms.IntegerField(min_value=1, max_value=100_000, widget=forms.HiddenInput)
    private = forms.BooleanField(required=False, widget=forms.HiddenInput)
    total = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, room: Room, customer: Customer | None, typed: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.room, self.customer = room, customer
        self.set_currency(room.pricing["currency"])
        self.fields["paid"].choices = [  # type: ignore[attr-defined]
            ("none", "Pays later"),
            *self.fields["paid"].choices[1:],  # type: ignore[attr-defined]
            ("hold", f"Hold the slot for {room.hold_minutes} minutes, confirm later"),
        ]
        if customer:
            for name in ("name", "email", "phone"):
                del self.fields[name]
        elif typed:
            self.initial[_kind(typed)] = typed
        AnswerFields.add_to(self, room, {})
        for field in self.fields.values():
            field.widget.attrs["form"] = FORM_ID

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        contact = ("name", "email", "phone")
        if not self.customer and not any(values.get(name) or name in self.errors for name in contact):
            self.add_error("name", "Give a name, an e-mail address or a phone number.")
        return values

    @property
    def who(self) -> Customer | dict[str, Any]:
        return self.customer or {name: value for name, value in self.contact.items() if value}

    @property
    def details(self) -> dict[str, Any]:
        """For `create_booking`, beside slot and customer."""
        values = self.cleaned_data
        return {
            "payment": self.payment,
            "hold": values["paid"] == "hold",
            "answers": AnswerFields.of(self, self.room),
            "notes_customer": values["notes_customer"],
            "notes_internal": values["notes_internal"],
        }

    @property
    def questions(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("answers_")]

    def suggest(self, total: int) -> None:
        """The whole price, as what is mostly received."""
        digits = money.exponent(self.currency)
        self.initial["amount"] = f"{total / 10**digits:.{digits}f}"


def _kind(typed: str) -> str:
    """What somebody who is not known yet was looked for by."""
    if "@" in typed:
        return "email"
    return "phone" if typed.startswith("+") and typed[1:].replace(" ", "").isdigit() else "name"
