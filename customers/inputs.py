"""Who a customer is, as requests say it; shared by the doors of customers and bookings."""

from rest_framework import serializers

from developers.inputs import Email, Flag, Input, Metadata, Phone, Text


class ConsentInput(Input):
    value = Flag()
    source = Text(max_length=60, required=False, allow_blank=True, help_text="Where it was given, such as checkout.")


class CustomerInput(Input):
    """At least a name, an e-mail address or a phone number."""

    name = Text(required=False, allow_blank=True)
    email = Email(required=False, allow_null=True)
    phone = Phone(required=False, allow_null=True)
    language = Text(max_length=20, required=False, allow_blank=True, help_text="BCP 47, such as fr or en-GB.")
    notes = Text(max_length=5_000, required=False, allow_blank=True)
    tags = serializers.ListField(child=Text(max_length=40), required=False, max_length=50)
    marketing_consent = ConsentInput(required=False)
    metadata = Metadata(required=False)
