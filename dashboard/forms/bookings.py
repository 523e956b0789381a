"""Forms about bookings."""

import re
from typing import Any

from django import forms

from bookings.models import Booking
from bookings.rules import MAX_NUMBER
from customers.models import Customer
from dashboard.forms.fields import AmountField
from dashboard.forms.widgets import DateInput
from dashboard.templatetags.ui import money
from payments.models import Payment
from rooms.models import Room

NOTE_LETTERS = 5_000
PHONE = re.compile(r"\+[1-9][0-9]{6,14}")  # E.164, as developers.inputs.Phone
SORTS = [
    ("starts_at", "Start, soonest first"),
    ("-starts_at", "Start, latest first"),
    ("-created_at", "Booked last"),
    ("created_at", "Booked first"),
    ("-updated_at", "Changed last"),
    ("updated_at", "Changed first"),
]
_ANY = ("", "Any")


class BookingsFilterForm(forms.Form):
    """What stands beside the chips; it is shown, never validated. Its names are the API's; the chips' own go along unseen."""

    use_required_attribute = False

    q = forms.CharField(label="Find", max_length=200, widget=forms.TextInput(attrs={"type": "search"}))
    sort = forms.ChoiceField(label="Order", choices=SORTS)
    date_from = forms.CharField(label="From", widget=DateInput)
    date_to = forms.CharField(label="To", widget=DateInput)
    room = forms.ChoiceField(label="Room")
    venue = forms.ChoiceField(label="Venue")
    payment_status = forms.ChoiceField(label="Payment", choices=[_ANY, *Booking.PaymentStatus.choices])
    source = forms.ChoiceField(label="Booked through", choices=[_ANY, *Booking.Source.choices])

    def __init__(self, *, initial: dict[str, Any], rooms: list[Room]) -> None:
        super().__init__(initial=initial)
        venues = {room.venue.public_id: room.venue.name for room in rooms}
        self.fields["room"].choices = [_ANY, *((room.public_id, room.name) for room in rooms)]  # type: ignore[attr-defined]
        self.fields["venue"].choices = [_ANY, *venues.items()]  # type: ignore[attr-defined]
        if len(venues) < 2:
            del self.fields["venue"]


class VersionForm(forms.Form):
    """What was on the page when the button was pressed."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)


class ReasonForm(VersionForm):
    reason = forms.CharField(label="Reason", required=False, max_length=200, help_text="Kept in the booking's history.")


class CancelForm(ReasonForm):
    """How much goes back. `policy_refund` is what the page promised, so that nothing else is done."""

    refund = forms.ChoiceField(label="Refund", widget=forms.RadioSelect, initial="policy")
    policy_refund = forms.IntegerField(required=False, widget=forms.HiddenInput)

    field_order = ("refund", "reason", "version", "policy_refund")

    def __init__(self, *args: Any, choices: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["refund"].choices = choices  # type: ignore[attr-defined]
        if len(choices) < 2:
            self.fields["refund"].required = False
            self.fields["refund"].widget = forms.HiddenInput()


class RefundForm(ReasonForm):
    amount = AmountField(label="Amount")
    field_order = ("amount", "reason", "version")

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount"].currency = currency  # type: ignore[attr-defined]
        self.fields["amount"].label = f"Amount in {currency}"


class PaymentFields(forms.Form):
    """Money that is here already; `payment` is what the services take."""

    paid = forms.ChoiceField(
        label="Payment",
        widget=forms.RadioSelect,
        choices=[
            ("none", "Not paid yet"),
            ("pos", Payment.Mode.POS.label),
            ("external", "Paid elsewhere, for example by transfer"),
        ],
        initial="none",
    )
    amount = AmountField(label="Amount received", required=False)
    reference = forms.CharField(label="Receipt or transfer number", required=False, max_length=200)

    currency = ""

    def set_currency(self, currency: str) -> None:
        self.currency = currency
        self.fields["amount"].currency = currency  # type: ignore[attr-defined]
        self.fields["amount"].label = f"Received, in {currency}"

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if values.get("paid") in ("pos", "external") and not values.get("amount") and "amount" not in self.errors:
            self.add_error("amount", "Say how much was paid.")
        return values

    @property
    def payment(self) -> dict[str, Any] | None:
        values = self.cleaned_data
        if values["paid"] not in ("pos", "external"):
            return None
        return {"mode": values["paid"], "amount": values["amount"], "reference": values["reference"]}


class PayForm(VersionForm, PaymentFields):
    """Money for a booking, `due` of it yet to come; `required` where it cannot do without. More than that is asked about."""

    excess = forms.BooleanField(label="Yes, more than is due was received", required=False)
    field_order = ("paid", "amount", "excess", "reference", "version")

    def __init__(self, *args: Any, currency: str, required: bool, due: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.set_currency(currency)
        self.due = due
        if not self.is_bound:
            del self.fields["excess"]
        if required:
            field = self.fields["paid"]
            field.choices, field.initial = field.choices[1:], "pos"  # type: ignore[attr-defined]
            self.fields["amount"].required = True

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        excess = (values.get("amount") or 0) - self.due if values.get("paid") in ("pos", "external") else 0
        if excess <= 0:
            self.fields.pop("excess", None)
        elif not values.get("excess"):
            self.add_error(
                "amount", f"That is {money(excess, self.currency)} more than is due. Is it right? Then tick the box below."
            )
        return values


class NoteForm(VersionForm):
    notes_internal = forms.CharField(
        label="Internal note",
        required=False,
        max_length=NOTE_LETTERS,
        help_text="Guests never see it.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class PhoneField(forms.CharField):
    """E.164; what people put between the digits does not count."""

    def __init__(self, **kwargs: Any) -> None:
        hint = {"type": "tel", "autocomplete": "off", "placeholder": "+33 6 12 34 56 78"}
        kwargs.setdefault("widget", forms.TextInput(attrs=hint))
        super().__init__(max_length=40, **kwargs)

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        digits = "".join(letter for letter in text if letter not in " ()-./\u00a0")
        digits = f"+{digits[2:]}" if digits.startswith("00") else digits
        if digits and not PHONE.fullmatch(digits):
            raise forms.ValidationError("Begin with + and the country's number, as in +33 6 12 34 56 78.")
        return digits


class ContactFields(forms.Form):
    """Who is coming, as it is written for a booking."""

    name = forms.CharField(label="Name", required=False, max_length=200)
    email = forms.EmailField(label="E-mail", required=False, widget=forms.EmailInput(attrs={"autocomplete": "off"}))
    phone = PhoneField(label="Phone", required=False)

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()

    @property
    def contact(self) -> dict[str, Any]:
        """Null for what is empty."""
        return {name: self.cleaned_data[name] or None for name in ("name", "email", "phone")}

    @staticmethod
    def contact_of(customer: Customer) -> dict[str, Any]:
        return {name: getattr(customer, name) or "" for name in ("name", "email", "phone")}


class AnswerFields:
    """The room's own questions as fields named `answers_<key>`."""

    @staticmethod
    def add_to(form: forms.Form, room: Room, answers: dict[str, Any]) -> None:
        for question in room.custom_fields:
            name, field = f"answers_{question['key']}", _question(question)
            form.fields[name] = field
            form.initial.setdefault(name, answers.get(question["key"]))

    @staticmethod
    def of(form: forms.Form, room: Room) -> dict[str, Any]:
        """What was answered; empty ones are left out."""
        found = {question["key"]: form.cleaned_data.get(f"answers_{question['key']}") for question in room.custom_fields}
        whole = {key: int(value) for key, value in found.items() if isinstance(value, float) and value.is_integer()}
        return {key: value for key, value in {**found, **whole}.items() if value not in (None, "")}


def _question(question: dict[str, Any]) -> forms.Field:
    label = str(question.get("label") or question["key"])
    more: dict[str, Any] = {"label": label, "required": False}  # the domain says which is, in its own words
    match question["type"]:
        case "choice":
            return forms.ChoiceField(choices=[("", "–"), *((choice, choice) for choice in question.get("choices", ()))], **more)
        case "boolean":
            return forms.BooleanField(**more)
        case "number":
            return forms.FloatField(min_value=-MAX_NUMBER, max_value=MAX_NUMBER, **more)
        case _:
            return forms.CharField(max_length=NOTE_LETTERS, **more)


class GuestsForm(VersionForm, ContactFields):
    """Everything of a booking that is neither its room nor its time. `quote` is the price that was shown."""

    party_size = forms.IntegerField(label="Guests", min_value=1, max_value=100_000)
    private = forms.BooleanField(label="Private: nobody else joins the game", required=False)
    guests = forms.CharField(
        label="Names of the guests", required=False, help_text="One a line.", widget=forms.Textarea(attrs={"rows": 4})
    )
    notes_customer = forms.CharField(
        label="The guest's wishes", required=False, max_length=NOTE_LETTERS, widget=forms.Textarea(attrs={"rows": 2})
    )
    quote = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    field_order = ("party_size", "private", "name", "email", "phone", "guests", "notes_customer", "version", "quote")

    def __init__(self, *args: Any, booking: Booking, changeable: bool, **kwargs: Any) -> None:
        self.booking = booking
        kwargs["initial"] = {
            "party_size": booking.party_size,
            "private": booking.private,
            "guests": "\n".join(str(guest.get("name", "")) for guest in booking.guests),
            "notes_customer": booking.notes_customer,
            "version": booking.version,
            **{name: booking.contact.get(name) or "" for name in ("name", "email", "phone")},
        }
        super().__init__(*args, **kwargs)
        if not changeable:
            del self.fields["party_size"]
        if not changeable or booking.room.booking_mode != Room.BookingMode.SHARED_WITH_PRIVATE_UPGRADE:
            del self.fields["private"]
        AnswerFields.add_to(self, booking.room, booking.answers)

    def clean_guests(self) -> list[dict[str, str]]:
        names = [line.strip() for line in self.cleaned_data["guests"].splitlines() if line.strip()]
        if len(names) > 1_000 or any(len(name) > 200 for name in names):
            raise forms.ValidationError("At most 1,000 names of 200 letters.")
        return [{"name": name} for name in names]

    @property
    def slot(self) -> dict[str, Any]:
        """What the price depends on, where it differs."""
        asked = {name: self.cleaned_data[name] for name in ("party_size", "private") if name in self.fields}
        return {name: value for name, value in asked.items() if value != getattr(self.booking, name)}

    @property
    def details(self) -> dict[str, Any]:
        """What it does not depend on, where it differs."""
        found: dict[str, Any] = {name: self.cleaned_data[name] for name in ("guests", "notes_customer")}
        answers = AnswerFields.of(self, self.booking.room)
        if answers != {key: value for key, value in self.booking.answers.items() if value not in (None, "")}:
            found["answers"] = answers
        found = {name: value for name, value in found.items() if value != getattr(self.booking, name)}
        contact = {name: value for name, value in self.contact.items() if value != (self.booking.contact.get(name) or None)}
        return {**found, "contact": contact} if contact else found
