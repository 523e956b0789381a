"""`/bookings`."""

import builtins
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from bookings import services
from bookings.api.inputs import (
    CancelQuery,
    ChangeBookingInput,
    ConfirmInput,
    CreateBookingInput,
    NothingInput,
    PageQuery,
    QuoteChangeInput,
    QuoteCreationInput,
    RefundInput,
)
from bookings.filters import BookingFilters
from bookings.models import Booking, BookingHistory, Quote
from bookings.serializers import (
    BookingHistoryShape,
    BookingShape,
    CanceledBookingShape,
    ChangedBookingShape,
    PaidBookingShape,
    QuoteShape,
    RefundedBookingShape,
)
from common.errors import ErrorCode, NotFound
from developers.idempotency import Unfinished
from developers.pagination import KeysetPagination
from developers.viewsets import ApiViewSet
from organizations.actor import Actor
from organizations.permissions import Scope
from payments.errors import PaymentRefused, PaymentRequired, ProviderUnavailable
from payments.models import Payment
from payments.serializers import open_payment

# To take a slot: what the room's rules forbid, and what is taken.
TAKES_SLOT = (
    ErrorCode.SLOT_UNAVAILABLE,
    ErrorCode.INSUFFICIENT_SEATS,
    ErrorCode.PARTY_TOO_SMALL,
    ErrorCode.PARTY_TOO_LARGE,
    ErrorCode.OUTSIDE_SCHEDULE,
    ErrorCode.LEAD_TIME,
    ErrorCode.BEYOND_HORIZON,
    ErrorCode.PAST_START,
    ErrorCode.ROOM_INACTIVE,
    ErrorCode.PRIVATE_UNAVAILABLE,
)
MOVES = (*TAKES_SLOT, ErrorCode.INVALID_TRANSITION, ErrorCode.RESCHEDULE_NOT_ALLOWED)
PAYS = (
    ErrorCode.PAYMENT_MODE_UNAVAILABLE,
    ErrorCode.PAYMENT_FAILED,
    ErrorCode.PAYMENT_PROVIDER_UNAVAILABLE,
)
RECORDS = (ErrorCode.DUPLICATE_EXTERNAL_ID, ErrorCode.PRICE_CHANGED, *PAYS)


def find_booking(id: str, *, by: Actor) -> Booking:
    """By id or reference; NotFound for another tenant's as for an absent one."""
    found = Booking.objects.with_related().visible_to(by).named(id).first()
    if found is None:
        raise NotFound("booking")
    return found


class BookingViewSet(ApiViewSet):
    queryset = Booking.objects.with_related()
    shape = BookingShape
    filterset_class = BookingFilters
    sorts: ClassVar = ("-starts_at", "created_at", "updated_at")
    query_inputs: ClassVar = {"destroy": CancelQuery}
    expand_scopes: ClassVar = {"room": Scope.ROOMS_READ, "customer": Scope.CUSTOMERS_READ}
    scopes: ClassVar = {
        "list": Scope.BOOKINGS_READ,
        "retrieve": Scope.BOOKINGS_READ,
        "create": Scope.BOOKINGS_WRITE,
        "update": Scope.BOOKINGS_WRITE,
        "destroy": Scope.BOOKINGS_CANCEL,
        "quote_creation": Scope.BOOKINGS_READ,
        "quote": Scope.BOOKINGS_READ,
        "confirm": Scope.BOOKINGS_WRITE,
        "extend": Scope.BOOKINGS_WRITE,
        "check_in": Scope.BOOKINGS_WRITE,
        "no_show": Scope.BOOKINGS_WRITE,
        "refund": Scope.REFUNDS_WRITE,
    }

    refusals: ClassVar = {
        action: (*codes, ErrorCode.KEY_CAP_EXCEEDED)
        for action, codes in {
            "create": (*TAKES_SLOT, *RECORDS, ErrorCode.HOLD_EXPIRED, ErrorCode.INVALID_TRANSITION),
            "update": (*MOVES, *RECORDS, ErrorCode.PAYMENT_REQUIRED),
            "destroy": (ErrorCode.INVALID_TRANSITION, ErrorCode.CANCELLATION_NOT_ALLOWED, ErrorCode.REFUND_EXCEEDS_PAID),
            "quote_creation": TAKES_SLOT,
            "quote": (*MOVES, ErrorCode.CANCELLATION_NOT_ALLOWED),
            "confirm": (ErrorCode.INVALID_TRANSITION, ErrorCode.HOLD_EXPIRED, *PAYS),
            "extend": (ErrorCode.INVALID_TRANSITION, ErrorCode.HOLD_EXPIRED, ErrorCode.HOLD_LIMIT_REACHED),
            "check_in": (ErrorCode.INVALID_TRANSITION,),
            "no_show": (ErrorCode.INVALID_TRANSITION,),
            "refund": (ErrorCode.REFUND_EXCEEDS_PAID,),
        }.items()
    }

    def booking(self) -> Booking:
        return find_booking(self.kwargs["id"], by=self.actor)

    @extend_schema(operation_id="list_bookings", summary="List bookings", tags=["Bookings"])
    def list(self, request: Request) -> Response:
        every = self.get_queryset()
        return self.answer_list(every if self.expand() else every.shown())

    @extend_schema(operation_id="get_booking", summary="Get a booking", tags=["Bookings"])
    def retrieve(self, request: Request, id: str) -> Response:
        """By id or by reference."""
        return self.answer(self.booking())

    @extend_schema(
        operation_id="create_booking",
        summary="Book",
        tags=["Bookings"],
        request=CreateBookingInput,
        responses={201: PaidBookingShape},
    )
    def create(self, request: Request) -> Response | Unfinished:
        """Confirmed at once, or held with `"hold": true`. Every rule that availability applies is applied again.

        With `payment.mode` stripe it is held until it is paid: by the payer's browser, with the answer's
        `payment.client_secret`, or at once with a `payment_method`. A declined card is refused (402 `payment_failed`, with the
        `booking`, which stays held: try again with `/confirm`); one that needs the payer's authentication is answered with
        `payment.next_action`. A dry run asks Stripe nothing: it answers the hold and the `payment`, which
        wait for the money.
        """
        asked = self.input(CreateBookingInput)
        booking = services.create_booking(by=self.actor, **asked)
        return self.answer_paid(booking, asked, status=201)

    @extend_schema(
        operation_id="change_booking",
        summary="Move or change a booking",
        tags=["Bookings"],
        request=ChangeBookingInput,
        responses=ChangedBookingShape,
    )
    def update(self, request: Request, id: str) -> Response | Unfinished:
        """The fields sent are changed. A new slot is claimed and the old one freed in one step, or nothing happens.

        A change that gives money back needs the scope `bookings:cancel` too. A `payment` is for bookings that are
        confirmed; that of a hold goes to `/confirm`.

        A higher price of a booking paid through Stripe is refused with what is due (402 `payment_required`, nothing is
        changed): repeat with a `payment`, or with `settlement` later. With a payment through Stripe the change is made once
        the money has come; if it can no longer be made then, the money goes back at once.
        """
        asked = self.input(ChangeBookingInput)
        booking, change = services.change_booking(
            booking=self.booking(), by=self.actor, expected_version=self.expected_version, **asked
        )
        return self.answer_paid(booking, asked, price_change=change.as_json())

    @extend_schema(
        operation_id="cancel_booking",
        summary="Cancel a booking and refund it",
        tags=["Bookings"],
        parameters=[CancelQuery],
        request=None,
        responses={200: CanceledBookingShape},
    )
    def destroy(self, request: Request, id: str) -> Response:
        """Frees the slot and refunds by the booking's policy. Repeated, it answers the same and refunds nothing more."""
        booking = services.cancel_booking(
            booking=self.booking(), by=self.actor, expected_version=self.expected_version, **self.query()
        )
        return self.answer(booking, refund=services.refund_summary(booking))

    @extend_schema(
        operation_id="quote_booking",
        summary="Quote a new booking",
        tags=["Bookings"],
        request=QuoteCreationInput,
        responses={201: QuoteShape},
    )
    def quote_creation(self, request: Request) -> Response:
        """Pins the price for 30 minutes, not the slot."""
        quote = services.quote_creation(by=self.actor, **self.input(QuoteCreationInput))
        return Response(QuoteShape.json(quote), status=201)

    @extend_schema(
        operation_id="quote_change",
        summary="Quote a change or a cancellation",
        tags=["Bookings"],
        request=QuoteChangeInput,
        responses={201: QuoteShape},
    )
    def quote(self, request: Request, id: str) -> Response:
        """What it would cost or give back now; nothing is changed. With the quote's id a change costs just that for the
        next 30 minutes, unless the booking is changed or paid for in between.
        """
        asked, booking = self.input(QuoteChangeInput), self.booking()
        if asked.pop("kind", Quote.Kind.CHANGE) == Quote.Kind.CANCEL:
            quote = services.quote_cancellation(by=self.actor, booking=booking)
        else:
            quote = services.quote_change(by=self.actor, booking=booking, **asked)
        return Response(QuoteShape.json(quote), status=201)

    @extend_schema(
        operation_id="confirm_booking",
        summary="Confirm a hold",
        tags=["Bookings"],
        request=ConfirmInput,
        responses=PaidBookingShape,
    )
    def confirm(self, request: Request, id: str) -> Response | Unfinished:
        """Makes a hold firm; takes back a no-show, and a check-in until the game ends. A hold past its time needs a
        payment, and its slot still free.
        """
        asked = self.input(ConfirmInput)
        booking = services.confirm_booking(booking=self.booking(), by=self.actor, expected_version=self.expected_version, **asked)
        return self.answer_paid(booking, asked)

    @extend_schema(
        operation_id="extend_hold", summary="Extend a hold", tags=["Bookings"], request=NothingInput, responses=BookingShape
    )
    def extend(self, request: Request, id: str) -> Response:
        """For the room's `hold_minutes` from now on, an hour in all at most."""
        return self._act(services.extend_hold)

    @extend_schema(operation_id="check_in", summary="Check in", tags=["Bookings"], request=NothingInput, responses=BookingShape)
    def check_in(self, request: Request, id: str) -> Response:
        """The party is here; from 12 hours before the start. The booking is completed by itself when the game ends."""
        return self._act(services.check_in)

    @extend_schema(
        operation_id="mark_no_show", summary="Mark a no-show", tags=["Bookings"], request=NothingInput, responses=BookingShape
    )
    def no_show(self, request: Request, id: str) -> Response:
        """Nobody came. Refused before the start; taken back by confirming."""
        return self._act(services.mark_no_show)

    @extend_schema(
        operation_id="refund_booking",
        summary="Refund",
        tags=["Payments"],
        request=RefundInput,
        responses={201: RefundedBookingShape},
    )
    def refund(self, request: Request, id: str) -> Response:
        """Gives money back whatever the policy says; the booking stands. Out of the newest payments first."""
        booking, refunds = services.refund_booking(
            booking=self.booking(), by=self.actor, expected_version=self.expected_version, **self.input(RefundInput)
        )
        return self.answer(booking, status=201, refund=services.summary(refunds))

    def answer_paid(self, booking: Booking, asked: dict[str, Any], *, status: int = 200, **more: Any) -> Response | Unfinished:
        """The booking; or, where the request has given Stripe an order, what comes of that first."""
        ordered = services.order_of(booking, asked.get("payment"))
        return self.answer(booking, status=status, **more) if ordered is None else Unfinished(ordered.public_id)

    def finish(self, resource: str) -> Response:
        """Carry out the order, and answer what has become of the booking."""
        ordered = self.ordered(resource)
        try:
            booking, payment, intent = services.carry_out_payment(ordered, by=self.actor)
        except (PaymentRefused, ProviderUnavailable) as error:
            error.extra |= {"booking": ordered.subject}
            raise
        shown = open_payment(payment, intent)
        if payment.payment_method and payment.status in (Payment.Status.FAILED, Payment.Status.CANCELED):
            raise PaymentRefused(
                payment.failure_message, provider_code=payment.failure_code, booking=booking.public_id, payment=shown
            )
        services.require_made(booking, payment, told={"booking": booking.public_id, "payment": shown})
        if self.action == "update" and payment.purpose.get("change") and not payment.is_settled:
            raise PaymentRequired(
                "The change is made as soon as the payment has succeeded.", booking=booking.public_id, payment=shown
            )
        return self.answer_ordered(booking, payment, shown)

    def foretell(self, resource: str) -> Response:
        """The booking and its order, which both wait for the money."""
        ordered = self.ordered(resource)
        return self.answer_ordered(find_booking(ordered.subject, by=self.actor), ordered, open_payment(ordered, None))

    def ordered(self, resource: str) -> Payment:
        return Payment.objects.visible_to(self.actor).select_related("organization").get(public_id=resource)

    def answer_ordered(self, booking: Booking, payment: Payment, shown: dict[str, Any]) -> Response:
        more: dict[str, Any] = {"payment": shown}
        if self.action == "update":
            more["price_change"] = payment.purpose.get("price_change") or services.no_change(booking)
        return self.answer(booking, status=201 if self.action == "create" else 200, **more)

    def _act(self, verb: Any) -> Response:
        self.input(NothingInput)
        return self.answer(verb(booking=self.booking(), by=self.actor, expected_version=self.expected_version))


class HistoryPagination(KeysetPagination):
    """A history is told in one order, in which it happened."""

    def get_schema_operation_parameters(self, view: Any) -> builtins.list[dict[str, Any]]:
        return [parameter for parameter in super().get_schema_operation_parameters(view) if parameter["name"] != "sort"]


class BookingHistoryViewSet(ApiViewSet):
    queryset = BookingHistory.objects.all()
    shape = BookingHistoryShape
    sorts: ClassVar = ("pk",)
    query_inputs: ClassVar = {"list": PageQuery}
    pagination_class = HistoryPagination
    scopes: ClassVar = {"list": Scope.BOOKINGS_READ}

    @extend_schema(operation_id="list_booking_events", summary="A booking's history", tags=["Bookings"])
    def list(self, request: Request, id: str) -> Response:
        """Everything that happened to it, oldest first, with who did it."""
        return self.answer_list(self.get_queryset().filter(booking=find_booking(id, by=self.actor)))
