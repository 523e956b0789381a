"""Tools for who comes, and for how it all works."""

from agents import schemas, shapes
from agents.caller import Caller
from agents.tools.tool import Json, Tool, page
from common.errors import FieldError, ValidationFailed
from organizations.permissions import Scope

BY = ("q", "email", "phone")
MOST_SECTIONS = 8


def find_customer(caller: Caller, given: Json) -> Json:
    """By something that is known of them: nobody needs the whole list in a conversation."""
    if not set(given) & set(BY):
        raise ValidationFailed(FieldError("Give a part of the name, the e-mail address or the phone number.", pointer=""))

    def ask(limit: int) -> Json:
        return caller.get("/customers", limit=limit, cursor=given.get("cursor"), **{name: given.get(name) for name in BY})

    found = page(ask, shapes.customer, limit=given.get("limit", 10))
    return {"customers": found["data"], "next_cursor": found["next_cursor"]}


def search_docs(caller: Caller, given: Json) -> Json:
    found = [{name: shapes.cut(text) for name, text in one.items()} for one in caller.search(given["query"])[:MOST_SECTIONS]]
    return {"sections": found}


TOOLS = [
    Tool(
        name="find_customer",
        title="Find a customer",
        description="Customers by name, e-mail address or phone number. Their bookings: list_bookings with `customer`.",
        run=find_customer,
        takes=schemas.takes(
            q=schemas.text("Part of the name, e-mail address or phone number."),
            email=schemas.text("The e-mail address, whole.", most=254),
            phone=schemas.text("The phone number, whole, as +33612345678.", most=16),
            limit=schemas.LIMIT,
            cursor=schemas.CURSOR,
        ),
        answers=schemas.answer(
            customers=schemas.list_of(
                schemas.answers(
                    customer=schemas.STRING, tags=schemas.list_of(schemas.STRING), from_customer=schemas.from_customer()
                )
            ),
            next_cursor=schemas.MORE,
        ),
        scopes=(Scope.CUSTOMERS_READ,),
        reads=True,
        repeats=True,
    ),
    Tool(
        name="search_docs",
        title="Search the documentation",
        description="Sections of BookingFlow's documentation that have all of the words: what an error means, how a rule works.",
        run=search_docs,
        takes=schemas.takes(("query",), query=schemas.text("A few words.", most=100)),
        answers=schemas.answer(
            sections=schemas.list_of(
                schemas.answers(**dict.fromkeys(("title", "page", "url", "markdown", "excerpt"), schemas.STRING))
            )
        ),
        reads=True,
        repeats=True,
    ),
]
