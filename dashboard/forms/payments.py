"""Forms about money."""

from django import forms

from dashboard.forms.fields import DayField
from payments.models import Payment


class PeriodForm(forms.Form):
    """Days of UTC, as the API's filters have them."""

    date_from = DayField(label="From", required=False)
    date_to = DayField(label="To", required=False)
    mode = forms.ChoiceField(label="Paid", required=False, choices=[("", "In any way"), *Payment.Mode.choices])
