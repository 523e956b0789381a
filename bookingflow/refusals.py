"""An example of each refusal: the errors as the services raise them, with the further members that each code carries."""

from typing import Any

from django.conf import settings

from bookingflow.documents import PUBLIC_URL
from bookings import errors as bookings
from common.errors import DomainError, ErrorCode, FieldError, NotFound, ValidationFailed, VersionConflict
from customers.errors import CustomerHasFutureBookings, DuplicateCustomer
from developers import errors as developers
from developers.problems import problem
from organizations.errors import NotAllowed, PlanLimit
from organizations.permissions import Scope
from payments import errors as payments
from rooms import errors as rooms
from webhooks.errors import EndpointNotListening
from webhooks.examples import example_object
from webhooks.types import EventType

REQUEST = "req_01m6e98q2wee9ag9yxnpgq1000"
_BOOKING = example_object(EventType.BOOKING_CREATED)
_LATER = example_object(EventType.BOOKING_UPDATED)
_ROOM, _ID, _CURRENCY = example_object(EventType.ROOM_CREATED), _BOOKING["id"], _BOOKING["currency"]
_TOTAL = _BOOKING["price"]["total"]
_ALTERNATIVES = [
    {
        "starts_at": _LATER["starts_at"],
        "ends_at": _LATER["ends_at"],
        "seats_left": 6,
        "price": {"amount": _TOTAL, "currency": _CURRENCY, "party_size": 4},
    }
]
_DECLINED = example_object(EventType.PAYMENT_FAILED)


def _by_the_room(code: ErrorCode, detail: str = "", reason: str = "") -> DomainError:
    return DomainError(detail, code=code, reasons=[reason or code.code])


# Where a code says no more than its title, that is its example.
_EXAMPLES: tuple[DomainError, ...] = (
    developers.MalformedJSON("unexpected end of data: line 1 column 10 (char 9)"),
    developers.CursorMismatch("Repeat the filters and the sort order under which the cursor was given."),
    developers.AuthenticationRequired("Send the header `Authorization: Bearer <API key>`."),
    developers.ApiKeyMalformed("Check that the key was copied whole: bkf_live_ or bkf_test_ and 38 letters or digits."),
    payments.PaymentRequired(
        "The higher price is to be paid first: repeat the request with a payment, or with settlement later.",
        amount=3000,
        currency=_CURRENCY,
        price_change={"old": _TOTAL, "new": _TOTAL + 3000, "fee": 0, "due": 3000, "refund": 0, "currency": _CURRENCY},
    ),
    payments.PaymentRefused(
        _DECLINED["failure"]["message"],
        provider_code=_DECLINED["failure"]["code"],
        booking=_ID,
        payment={
            **_DECLINED,
            "client_secret": "pi_3SP2ZeFnVpZ8XyQ80bCm4RsJ_secret_example",
            "publishable_key": "pk_live_example",
            "stripe_account": None,
            "next_action": None,
        },
    ),
    NotAllowed(required=[Scope.BOOKINGS_WRITE], granted=[Scope.BOOKINGS_READ, Scope.ROOMS_READ]),
    developers.SecretKeyInBrowser(
        "The request comes from a web page, where anybody can read the key: rotate it now. Let the page ask a server of "
        "yours, and that server ask us."
    ),
    developers.AddressNotAllowed("The key's list of networks does not have 198.51.100.7."),
    bookings.KeyCapExceeded(
        "This key may book for €200 a day (UTC). It has booked for €150 today; this would be €150 more.",
        cap="max_amount_per_day",
        limit=20000,
        asked=_TOTAL,
        used=_TOTAL,
        currency=_CURRENCY,
    ),
    PlanLimit("On this organization's plan API keys are read-only."),
    NotFound("booking"),
    rooms.SlotUnavailable(reasons=["booked"], alternatives=_ALTERNATIVES),
    rooms.InsufficientSeats(seats_left=2, reasons=["insufficient_seats"], alternatives=_ALTERNATIVES),
    bookings.InvalidTransition("A booking that is canceled cannot be canceled.", booking_status="canceled"),
    bookings.CancellationNotAllowed("The game has begun."),
    bookings.RescheduleNotAllowed("It is too close to the start to move this booking."),
    bookings.HoldLimitReached("A hold lasts an hour at most.", hold_expires_at="2026-11-02T15:05:31.184209Z"),
    rooms.BlockConflictsBookings("Move or cancel them first, or lay the block with on_conflict=keep.", conflicts=[_ID]),
    rooms.RoomHasFutureBookings("Move or cancel them first.", bookings=[_ID]),
    rooms.VenueHasRooms("A venue can be deleted while it has no rooms.", rooms=[_ROOM["id"]]),
    rooms.VenueHasBookings("Its bookings were made by its clock. Make another venue for another time zone."),
    CustomerHasFutureBookings("Cancel them first.", bookings=[_ID]),
    rooms.CapacityBelowSold(sold=5),
    bookings.DuplicateExternalId(booking=_ID),
    DuplicateCustomer("Change that customer, or use another address.", customer=_BOOKING["customer"]),
    bookings.PriceChanged("The quote has run out.", price=_BOOKING["price"]),
    EndpointNotListening("Enable it first.", endpoint_status="paused"),
    bookings.HoldExpired("The hold has run out: book again."),
    VersionConflict(current=3),
    ValidationFailed(
        FieldError("This field is required.", "required", pointer="/room"),
        FieldError("This parameter is unknown.", "unknown_parameter", parameter="dryrun"),
    ),
    _by_the_room(ErrorCode.PARTY_TOO_SMALL, "The Vault is for 2 or more."),
    _by_the_room(ErrorCode.PARTY_TOO_LARGE, "The Vault takes at most 6."),
    _by_the_room(ErrorCode.OUTSIDE_SCHEDULE),
    _by_the_room(ErrorCode.LEAD_TIME),
    _by_the_room(ErrorCode.BEYOND_HORIZON),
    _by_the_room(ErrorCode.PAST_START, reason="lead_time"),
    _by_the_room(ErrorCode.ROOM_INACTIVE),
    _by_the_room(ErrorCode.PRIVATE_UNAVAILABLE),
    DomainError("On 2027-03-28 clocks skip 02:30 in Europe/Paris.", code=ErrorCode.NONEXISTENT_LOCAL_TIME),
    payments.RefundExceedsPaid(refundable=_TOTAL),
    DomainError("At most 62 days with view=slots.", code=ErrorCode.RANGE_TOO_LARGE),
    developers.IdempotencyKeyReused("This key came with another method, path or body before."),
    payments.PaymentModeUnavailable("This organization takes no payments through Stripe: use none, pos or external."),
    developers.RateLimited(limit="burst", quota=50, seconds=1, retry_after=1),
    DomainError("The error is logged under the request's id.", code=ErrorCode.INTERNAL_ERROR),
    DomainError("Another writer holds what this request needs. Repeat it.", code=ErrorCode.BUSY_RETRY),
    DomainError(
        "The database does not answer at the moment. A write may or may not have taken effect.",
        code=ErrorCode.SERVICE_UNAVAILABLE,
    ),
    payments.ProviderUnavailable(booking=_ID),
)


def refusal_examples() -> dict[str, dict[str, Any]]:
    """`components.examples`: one by each code of the catalogue, under its name."""
    told = {error.code: error for error in _EXAMPLES}
    return {code.code: {"summary": code.title, "value": _body(told.get(code) or DomainError(code=code))} for code in ErrorCode}


def _body(error: DomainError) -> dict[str, Any]:
    body = problem(error, REQUEST)
    return {**body, "type": body["type"].replace(settings.PUBLIC_URL, PUBLIC_URL, 1)}
