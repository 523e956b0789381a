from django import forms

from dashboard.forms.timezones import TimeZoneField


class NewOrganizationForm(forms.Form):
    name = forms.CharField(label="Name of the organization", max_length=120, help_text="As your guests know you.")
    timezone = TimeZoneField(help_text="Of your venue. Opening hours and bookings follow its clock.")
