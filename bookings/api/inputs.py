"""What the bookings API accepts."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from bookings.models import Quote
from customers.inputs import CustomerInput
from customers.models import Customer
from developers.inputs import Email, Flag, Included, Input, Instant, Integer, Metadata, Money, Pattern, Phone, Text, VisibleId
from developers.pagination import MAX_LIMIT, TOTAL
from rooms.models import Room

MAX_PARTY = 1_000
NOTES_LETTERS = 5_000
REFUND_DIGITS = 11  # those of money.MAX_AMOUNT


class PaymentInput(Input):
    """`none`: pay later. `pos`, `external`: the amount was taken elsewhere and is recorded. `stripe`: what is due is taken
    through Stripe, from the payer's browser, or at once from the `payment_method`.
    """

    mode = serializers.ChoiceField(
        ["none", "pos", "external", "stripe"], required=False, help_text="Default with a payment_method: stripe."
    )
    amount = Money(min_value=1, required=False, help_text="Of pos and external, in minor units.")
    reference = Text(required=False, allow_blank=True, help_text="Your own number for the payment.")
    payment_method = Text(max_length=255, required=False, help_text="`pm_…`: a card of Stripe's, charged without the payer.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs.setdefault("mode", "stripe" if "payment_method" in attrs else None)
        mode, errors = attrs["mode"], {}
        if mode is None:
            errors["mode"] = ErrorDetail("This field is required.", "required")
        elif mode in ("pos", "external"):
            if "amount" not in attrs:
                errors["amount"] = ErrorDetail("This amount is required.", "required")
        elif "amount" in attrs:
            detail = "Nothing is paid with mode none." if mode == "none" else "What is due is taken: leave the amount out."
            errors["amount"] = ErrorDetail(detail, "invalid")
        if mode != "stripe" and "payment_method" in attrs:
            errors["payment_method"] = ErrorDetail("Only Stripe charges a payment method.", "invalid")
        if errors:
            raise serializers.ValidationError({name: [error] for name, error in errors.items()})
        return attrs


class GuestInput(Input):
    name = Text()


class ContactInput(Input):
    name = Text(required=False, allow_null=True)
    email = Email(required=False, allow_null=True)
    phone = Phone(required=False, allow_null=True)
    language = Text(max_length=20, required=False, allow_null=True)


@extend_schema_field({"oneOf": [{"type": "string"}, {"$ref": "#/components/schemas/CustomerRequest"}]})
class CustomerField(serializers.Field):  # type: ignore[type-arg]
    """A customer's id, or who they are: found by e-mail address or phone, else created."""

    def to_internal_value(self, data: Any) -> Customer | dict[str, Any]:
        if isinstance(data, str):
            field = VisibleId(Customer)
            field.bind("customer", self.parent)
            found: Customer = field.run_validation(data)
            return found
        parsed = CustomerInput(data=data, context=self.context)
        parsed.is_valid(raise_exception=True)
        given: dict[str, Any] = parsed.validated_data
        if not any(given.get(name) for name in ("name", "email", "phone")):
            raise serializers.ValidationError("Give a name, an e-mail address or a phone number.", code="required")
        return given

    def to_representation(self, value: Any) -> Any:
        return value


class DetailsInput(Input):
    """What neither slot nor price depends on."""

    guests = GuestInput(many=True, required=False, max_length=MAX_PARTY)
    answers = serializers.DictField(required=False, help_text="By the keys of the room's custom_fields.")
    notes_customer = Text(max_length=NOTES_LETTERS, required=False, allow_blank=True)
    notes_internal = Text(max_length=NOTES_LETTERS, required=False, allow_blank=True)
    metadata = Metadata(required=False)
    external_id = Text(max_length=120, required=False, allow_null=True)


class CreateBookingInput(DetailsInput):
    room = VisibleId(Room)
    starts_at = Instant()
    party_size = Integer(min_value=1, max_value=100_000)
    private = Flag(required=False, help_text="Default: what the room's booking_mode says.")
    customer = CustomerField()
    hold = Flag(required=False, help_text="Hold the slot instead of confirming.")
    payment = PaymentInput(required=False)
    quote = VisibleId(Quote, required=False)
    source = serializers.ChoiceField(["api", "agent", "pos", "widget", "import"], required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("hold") and attrs.get("payment", {}).get("mode", "none") in ("pos", "external"):
            raise serializers.ValidationError({"hold": ["What is paid for is confirmed, not held."]})
        return attrs


class QuoteCreationInput(Input):
    room = VisibleId(Room)
    starts_at = Instant()
    party_size = Integer(min_value=1, max_value=100_000)
    private = Flag(required=False)


class ChangeBookingInput(DetailsInput):
    """The fields sent are changed, the others stay."""

    room = VisibleId(Room, required=False)
    starts_at = Instant(required=False)
    party_size = Integer(min_value=1, max_value=100_000, required=False)
    private = Flag(required=False)
    contact = ContactInput(required=False)
    quote = VisibleId(Quote, required=False)
    payment = PaymentInput(required=False)
    settlement = serializers.ChoiceField(["later"], required=False, help_text="Money due is left as amount_due.")


class QuoteChangeInput(Input):
    """`kind: cancel` previews a cancellation; else the change that the other fields describe."""

    kind = serializers.ChoiceField([Quote.Kind.CHANGE.value, Quote.Kind.CANCEL.value], required=False)
    room = VisibleId(Room, required=False)
    starts_at = Instant(required=False)
    party_size = Integer(min_value=1, max_value=100_000, required=False)
    private = Flag(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("kind") == Quote.Kind.CANCEL and len(attrs) > 1:
            raise serializers.ValidationError({"kind": ["A cancellation changes nothing else."]})
        return attrs


class ConfirmInput(Input):
    payment = PaymentInput(required=False)


class RefundInput(Input):
    amount = Money(min_value=1, required=False, help_text="In minor units. Default: all that is left.")
    reason = Text(required=False, allow_blank=True)


class PageQuery(Input):
    limit = Integer(min_value=1, max_value=MAX_LIMIT, required=False)
    cursor = Text(max_length=1_000, required=False)
    include = Included(TOTAL, required=False)


class NothingInput(Input):
    """An empty object, or no body."""


class RefundChoiceField(Pattern):
    """policy, full, none, or an amount in minor units."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["error_messages"] = {"invalid": "One of policy, full, none, or an amount in minor units."}
        super().__init__(rf"^(policy|full|none|[0-9]{{1,{REFUND_DIGITS}}})$", **kwargs)

    def to_internal_value(self, data: Any) -> str | int:  # type: ignore[override]
        text = super().to_internal_value(data)
        return int(text) if text.isascii() and text.isdigit() and len(text) <= REFUND_DIGITS else text


class CancelQuery(Input):
    refund = RefundChoiceField(required=False, help_text="policy (default), full, none, or an amount in minor units.")
    reason = Text(required=False, allow_blank=True)
