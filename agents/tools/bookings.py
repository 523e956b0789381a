"""Tools that book: quote, hold, confirm, read, move, cancel."""

from typing import Any

from agents import schemas, shapes
from agents.caller import Caller, one
from agents.tools.tool import Json, Tool, page
from common.errors import FieldError, ValidationFailed
from organizations.permissions import Scope

WHAT = ("room", "starts_at", "party_size", "private")
ALOUD = "Read `sentence` to the person and wait for their yes before you go on."
ONCE = {"idempotency_key": schemas.IDEMPOTENCY_KEY}


def quote_booking(caller: Caller, given: Json) -> Json:
    return _quote(caller, caller.ask("POST", "/bookings/quote", body=given))


def hold_booking(caller: Caller, given: Json) -> Json:
    body, key = _without_key(given)
    return _booking(caller, caller.ask("POST", "/bookings", body={**body, "hold": True, "source": "agent"}, idempotency_key=key))


def confirm_booking(caller: Caller, given: Json) -> Json:
    """With the payment through Stripe that it began, if it did."""
    body, key = _without_key(given)
    answer = caller.ask("POST", f"/bookings/{one(body.pop('booking'))}/confirm", body=body, idempotency_key=key)
    return {**_booking(caller, answer), "payment": _payment(answer.get("payment"))}


def get_booking(caller: Caller, given: Json) -> Json:
    return _booking(caller, caller.get(f"/bookings/{one(given['booking'])}"))


def list_bookings(caller: Caller, given: Json) -> Json:
    names: dict[str, str] = {}
    filters = {name: given.get(name) for name in ("date_from", "date_to", "status", "customer", "q", "cursor")}

    def ask(limit: int) -> Json:
        found = caller.get("/bookings", sort="starts_at", room=given.get("rooms"), limit=limit, **filters)
        names.update(caller.room_names(*(row["room"] for row in found["data"])))
        return found

    found = page(ask, lambda row: shapes.booking(row, names, short=True), limit=given.get("limit", 10))
    return {"bookings": found["data"], "next_cursor": found["next_cursor"]}


def preview_change(caller: Caller, given: Json) -> Json:
    body = dict(given)
    booking = one(body.pop("booking"))
    if body.pop("cancel", False):
        body["kind"] = "cancel"
    return _quote(caller, caller.ask("POST", f"/bookings/{booking}/quote", body=body))


def reschedule_booking(caller: Caller, given: Json) -> Json:
    """With what the change costs or gives back."""
    body, key = _without_key(given)
    booking = one(body.pop("booking"))
    if not set(body) & {*WHAT, "quote"}:
        raise ValidationFailed(FieldError("Name what is to change: starts_at, room, party_size or private.", pointer=""))
    answer = caller.ask("PUT", f"/bookings/{booking}", body=body, idempotency_key=key)
    change = answer["price_change"]
    return {
        **_booking(caller, answer),
        "payment": _payment(answer.get("payment")),
        "price_change": {
            name: shapes.amount(change[name], change["currency"]) for name in ("old", "new", "fee", "due", "refund")
        },
    }


def cancel_booking(caller: Caller, given: Json) -> Json:
    query, key = _without_key(given)
    answer = caller.ask("DELETE", f"/bookings/{one(query.pop('booking'))}", query=query, idempotency_key=key)
    refund = answer["refund"]
    told = {"amount": shapes.amount(refund["amount"], refund["currency"]), "status": refund["status"]} if refund else None
    return {**_booking(caller, answer), "refund": told}


def _without_key(given: Json) -> tuple[Json, str | None]:
    """The arguments for the API, and the text that makes repeated calls one, if there is one.

    None is made up: a client's numbers of its calls begin anew with each conversation, so that they would answer one person's
    call with another's booking; and two equal bookings in a shared room may both be meant.
    """
    body = dict(given)
    return body, body.pop("idempotency_key", None)


def _booking(caller: Caller, answer: Json) -> Json:
    return shapes.fitted(shapes.booking(answer, caller.room_names(answer["room"])))


def _quote(caller: Caller, answer: Json) -> Json:
    return shapes.quote(answer, caller.room_names(answer["room"]))


def _payment(given: Json | None) -> Json | None:
    if given is None:
        return None
    same = ("status", "client_secret", "publishable_key", "stripe_account", "next_action")
    return {
        "payment": given["id"],
        "amount": shapes.amount(given["amount"], given["currency"]),
        **{name: given[name] for name in same},
    }


BOOKING = schemas.answer(**schemas.BOOKING_DETAILS)
CHANGES: dict[str, Any] = {
    "starts_at": schemas.STARTS_AT,
    "room": schemas.ROOM,
    "party_size": schemas.PARTY_SIZE,
    "private": schemas.PRIVATE,
}
CUSTOMER = {
    "type": "object",
    "description": "Who comes: a name and, if they gave one, an e-mail address or a phone number.",
    "properties": {
        "name": schemas.text("Their name."),
        "email": schemas.text("Their e-mail address.", most=254),
        "phone": schemas.text("Their phone number as +33612345678.", most=16),
        "language": schemas.text("Their language, such as fr.", most=20),
    },
    "minProperties": 1,
    "additionalProperties": False,
}
STATUSES = ("held", "confirmed", "expired", "canceled", "checked_in", "completed", "no_show")

TOOLS = [
    Tool(
        name="quote_booking",
        title="Quote a booking",
        description=f"What a game would cost, with its deadlines; nothing is booked. The price is kept for 30 minutes. {ALOUD}",
        run=quote_booking,
        takes=schemas.takes(
            ("room", "starts_at", "party_size"),
            room=schemas.ROOM,
            starts_at=schemas.STARTS_AT,
            party_size=schemas.PARTY_SIZE,
            private=schemas.PRIVATE,
        ),
        answers=schemas.QUOTE,
        scopes=(Scope.BOOKINGS_READ,),
        reads=True,
        repeats=True,
    ),
    Tool(
        name="hold_booking",
        title="Hold a slot",
        description=(
            "Keeps a slot for a customer for some minutes (`hold_expires`), at no cost; it lapses by itself. Give the quote's "
            "id, so that it costs what was quoted. Then confirm_booking."
        ),
        run=hold_booking,
        takes=schemas.takes(
            ("room", "starts_at", "party_size", "customer"),
            room=schemas.ROOM,
            starts_at=schemas.STARTS_AT,
            party_size=schemas.PARTY_SIZE,
            private=schemas.PRIVATE,
            customer=CUSTOMER,
            quote=schemas.text("The id of the quote, quo_…", most=64),
            notes_customer=schemas.text("What the customer wants the staff to know.", most=1_000),
            answers={"type": "object", "description": "Answers to the room's `questions`, by their keys."},
            **ONCE,
        ),
        answers=BOOKING,
        scopes=(Scope.BOOKINGS_WRITE,),
    ),
    Tool(
        name="confirm_booking",
        title="Confirm a booking",
        description=f"Makes a hold a firm booking, with a payment if one is made now. {ALOUD}",
        run=confirm_booking,
        takes=schemas.takes(("booking",), booking=schemas.BOOKING, payment=schemas.PAYMENT, **ONCE),
        answers=schemas.answer(**schemas.BOOKING_DETAILS, payment=schemas.OPEN_PAYMENT),
        scopes=(Scope.BOOKINGS_WRITE,),
    ),
    Tool(
        name="get_booking",
        title="Get a booking",
        description="One booking, by its id or by the reference that the customer has.",
        run=get_booking,
        takes=schemas.takes(("booking",), booking=schemas.BOOKING),
        answers=BOOKING,
        scopes=(Scope.BOOKINGS_READ,),
        reads=True,
        repeats=True,
    ),
    Tool(
        name="list_bookings",
        title="List bookings",
        description="Bookings by their start, filtered. Days are those of the venue's clock.",
        run=list_bookings,
        takes=schemas.takes(
            date_from=schemas.DAY | {"description": "Starts on this day or later, YYYY-MM-DD."},
            date_to=schemas.DAY | {"description": "Starts on this day or earlier, YYYY-MM-DD."},
            rooms=schemas.ROOMS,
            status=schemas.list_of({"type": "string", "enum": list(STATUSES)}, "Only these states.") | {"minItems": 1},
            customer=schemas.text("A customer's id, cus_…", most=64),
            q=schemas.text("Part of the reference, name, e-mail address or phone number."),
            limit=schemas.LIMIT,
            cursor=schemas.CURSOR,
        ),
        answers=schemas.answer(bookings=schemas.list_of(schemas.BOOKING_IN_LIST), next_cursor=schemas.MORE),
        scopes=(Scope.BOOKINGS_READ,),
        reads=True,
        repeats=True,
    ),
    Tool(
        name="preview_change",
        title="Preview a change or a cancellation",
        description=f"What moving, changing or canceling a booking would cost or give back now; nothing is changed. {ALOUD}",
        run=preview_change,
        takes=schemas.takes(
            ("booking",),
            booking=schemas.BOOKING,
            **CHANGES,
            cancel=schemas.flag("What canceling would give back; without any of the other changes."),
        ),
        answers=schemas.QUOTE,
        scopes=(Scope.BOOKINGS_READ,),
        reads=True,
        repeats=True,
    ),
    Tool(
        name="reschedule_booking",
        title="Move or change a booking",
        description=(
            "Moves a booking, or changes room, party or privacy: all of it or nothing. Preview it first, and give the quote's "
            "id, so that it costs what was quoted."
        ),
        run=reschedule_booking,
        takes=schemas.takes(
            ("booking",),
            booking=schemas.BOOKING,
            **CHANGES,
            quote=schemas.text("The id of the preview's quote, quo_…", most=64),
            settlement=schemas.choice("Money due is left to be paid later.", "later"),
            payment=schemas.PAYMENT,
            **ONCE,
        ),
        answers=schemas.answer(
            **schemas.BOOKING_DETAILS,
            payment=schemas.OPEN_PAYMENT,
            price_change=schemas.answers(**dict.fromkeys(("old", "new", "fee", "due", "refund"), schemas.AMOUNT)),
        ),
        scopes=(Scope.BOOKINGS_WRITE,),
        destroys=True,
        repeats=True,
    ),
    Tool(
        name="cancel_booking",
        title="Cancel a booking",
        description="Cancels a booking for good and refunds by its policy. Preview it first with preview_change and cancel true.",
        run=cancel_booking,
        takes=schemas.takes(
            ("booking",),
            booking=schemas.BOOKING,
            reason=schemas.text("Why, in the customer's words."),
            refund=schemas.text(
                "policy (default), full, none, or an amount in minor units; others than policy need a permission.", most=11
            ),
            **ONCE,
        ),
        answers=schemas.answer(
            **schemas.BOOKING_DETAILS,
            refund=schemas.or_null(schemas.answers(amount=schemas.AMOUNT, status=schemas.STRING)),
        ),
        scopes=(Scope.BOOKINGS_CANCEL,),
        destroys=True,
        repeats=True,
    ),
]
