"""Forms about customers."""

from typing import Any

from django import forms

from customers.inputs import CustomerInput
from customers.models import Customer
from dashboard.forms.fields import ListField, PairsField
from dashboard.forms.typed import TypedForm


class CustomerForm(TypedForm):
    """A name, an e-mail address or a phone number at least, as the API has it."""

    reader = CustomerInput

    name = forms.CharField(required=False, max_length=200)
    email = forms.CharField(label="E-mail", required=False, max_length=254, widget=forms.EmailInput)
    phone = forms.CharField(
        required=False,
        max_length=20,
        widget=forms.TextInput(attrs={"type": "tel"}),
        help_text="With the country: +33 6 12 34 56 78.",
    )
    language = forms.CharField(required=False, max_length=20, help_text="For letters, such as fr or en-GB.")
    tags = ListField(required=False, help_text="With commas between them.")
    notes = forms.CharField(
        required=False, max_length=5_000, widget=forms.Textarea(attrs={"rows": 4}), help_text="Only your people see them."
    )
    marketing_consent = forms.BooleanField(required=False, label="Agreed to receive news and offers")
    metadata = PairsField(required=False, help_text="For your own software: key: value, one a line.")

    @classmethod
    def of(cls, customer: Customer, **kwargs: Any) -> "CustomerForm":
        """With what is known."""
        names = ("name", "email", "phone", "language", "tags", "notes", "marketing_consent", "metadata", "version")
        return cls(initial={name: getattr(customer, name) for name in names}, **kwargs)

    def body(self) -> dict[str, Any]:
        data = self.cleaned_data
        consent = {"value": data["marketing_consent"], "source": "dashboard"}
        known = self.initial.get("marketing_consent")
        return {
            **{name: data[name] for name in ("name", "language", "tags", "notes", "metadata")},
            "email": data["email"] or None,
            "phone": data["phone"].replace(" ", "") or None,
            # Said again, it would be a new consent, with a new date.
            **({} if known is not None and known == data["marketing_consent"] else {"marketing_consent": consent}),
        }
