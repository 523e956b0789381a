"""Outgoing shapes, shared by answers, events and history."""

from typing import Any

from rest_framework import serializers

from bookings import policies
from bookings.models import Booking, BookingHistory, Quote
from common.walltime import local_text, utc_text, zone
from customers.serializers import CustomerShape
from developers.shapes import Literal, Reference, Shape
from payments.serializers import OpenPaymentShape, RefundShape
from rooms.serializers import RoomShape


class PriceLineShape(serializers.Serializer[Any]):
    kind = serializers.CharField()
    label = serializers.CharField()
    quantity = serializers.IntegerField()
    amount = serializers.IntegerField()


class PriceShape(serializers.Serializer[Any]):
    """Minor units. `total` is what is paid, `tax` the part of it that is tax."""

    currency = serializers.CharField()
    lines = PriceLineShape(many=True)
    subtotal = serializers.IntegerField()
    tax = serializers.IntegerField()
    total = serializers.IntegerField()


class GuestShape(serializers.Serializer[Any]):
    name = serializers.CharField()


class ContactShape(serializers.Serializer[Any]):
    name = serializers.CharField(allow_null=True)
    email = serializers.EmailField(allow_null=True)
    phone = serializers.CharField(allow_null=True)
    language = serializers.CharField(allow_null=True)


class DeadlinesShape(serializers.Serializer[Any]):
    free_cancel_until = serializers.DateTimeField(allow_null=True)
    reschedule_until = serializers.DateTimeField(allow_null=True)


class ActorShape(serializers.Serializer[Any]):
    type = serializers.ChoiceField(["user", "api_key", "system"])
    id = serializers.CharField()


class CanceledShape(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    reason = serializers.CharField()
    by = ActorShape()


class BookingShape(Shape):
    object = Literal("booking")
    id = serializers.CharField(source="public_id")
    reference = serializers.CharField()
    external_id = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(Booking.Status.choices, source="reads_as")
    payment_status = serializers.ChoiceField(Booking.PaymentStatus.choices)
    version = serializers.IntegerField()
    room = Reference("rm")
    venue = serializers.CharField(source="room.venue.public_id")
    customer = Reference("cus")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    starts_at_local = serializers.DateTimeField()
    ends_at_local = serializers.DateTimeField()
    timezone = serializers.CharField(source="room.venue.timezone")
    party_size = serializers.IntegerField()
    private = serializers.BooleanField()
    guests = GuestShape(many=True)
    contact = ContactShape()
    answers = serializers.DictField()
    notes_customer = serializers.CharField()
    notes_internal = serializers.CharField()
    price = PriceShape()
    currency = serializers.CharField()
    amount_paid = serializers.IntegerField()
    amount_refunded = serializers.IntegerField()
    amount_due = serializers.IntegerField()
    deadlines = DeadlinesShape()
    hold_expires_at = serializers.DateTimeField(allow_null=True)
    source = serializers.ChoiceField(Booking.Source.choices)
    created_by = ActorShape()
    canceled = CanceledShape(allow_null=True)
    metadata = serializers.DictField(child=serializers.CharField())
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    expandable = {"room": RoomShape, "customer": CustomerShape}

    @staticmethod
    def get_status(booking: Booking) -> str:
        return booking.reads_as.value

    @staticmethod
    def get_starts_at_local(booking: Booking) -> str:
        return local_text(booking.starts_at, zone(booking.room.venue.timezone))

    @staticmethod
    def get_ends_at_local(booking: Booking) -> str:
        return local_text(booking.ends_at, zone(booking.room.venue.timezone))

    @staticmethod
    def get_deadlines(booking: Booking) -> dict[str, str | None]:
        until = policies.deadlines(booking.policy, starts_at=booking.starts_at, deposit=booking.deposit)
        return {name: utc_text(instant) for name, instant in until.items()}

    @staticmethod
    def get_created_by(booking: Booking) -> dict[str, str]:
        return {"type": booking.created_by_type, "id": booking.created_by_id}

    @staticmethod
    def get_canceled(booking: Booking) -> dict[str, Any] | None:
        if booking.canceled_at is None:
            return None
        return {"at": utc_text(booking.canceled_at), "reason": booking.cancel_reason, "by": booking.canceled_by}


class PriceChangeShape(serializers.Serializer[Any]):
    """What a change did to the price, in minor units; `fee` is part of `new`."""

    old = serializers.IntegerField()
    new = serializers.IntegerField()
    fee = serializers.IntegerField()
    due = serializers.IntegerField()
    refund = serializers.IntegerField()
    currency = serializers.CharField()


class PaidBookingShape(BookingShape):
    payment = OpenPaymentShape(required=False, help_text="The payment through Stripe that the request began, if it did.")


class ChangedBookingShape(PaidBookingShape):
    price_change = PriceChangeShape()


class RefundSummaryShape(serializers.Serializer[Any]):
    """What a cancellation gives back: the sum, and one refund for each payment that it came from."""

    object = serializers.ChoiceField(["refund"])
    id = serializers.CharField()
    status = serializers.CharField()
    amount = serializers.IntegerField()
    currency = serializers.CharField()
    refunds = RefundShape(many=True)


class CanceledBookingShape(BookingShape):
    refund = RefundSummaryShape(allow_null=True)


class RefundedBookingShape(BookingShape):
    refund = RefundSummaryShape()


class QuoteShape(Shape):
    object = Literal("quote")
    id = serializers.CharField(source="public_id")
    kind = serializers.ChoiceField(Quote.Kind.choices)
    booking = Reference("bkg", allow_null=True)
    room = Reference("rm")
    starts_at = serializers.DateTimeField()
    starts_at_local = serializers.DateTimeField()
    timezone = serializers.CharField(source="room.venue.timezone")
    party_size = serializers.IntegerField()
    private = serializers.BooleanField()
    price = PriceShape()
    currency = serializers.CharField()
    fee = serializers.IntegerField()
    due = serializers.IntegerField()
    refund = serializers.IntegerField()
    deadlines = DeadlinesShape()
    sentence = serializers.CharField(help_text="To be read aloud.")
    expires_at = serializers.DateTimeField()

    @staticmethod
    def get_starts_at_local(quote: Quote) -> str:
        return local_text(quote.starts_at, zone(quote.room.venue.timezone))


class BookingHistoryShape(Shape):
    """One line of a booking's history; `changes` is {field: [old, new]}."""

    object = Literal("booking_event")
    at = serializers.DateTimeField()
    actor = ActorShape()
    action = serializers.CharField()
    changes = serializers.DictField(child=serializers.ListField())
    request_id = serializers.CharField()

    @staticmethod
    def get_actor(line: BookingHistory) -> dict[str, str]:
        return {"type": line.actor_type, "id": line.actor_id}
