"""Tools that look: rooms, and when they are free."""

import datetime as dt
import re
from typing import Any

from agents import schemas, shapes
from agents.caller import Caller
from agents.shapes import fits
from agents.tools.tool import Json, Tool, page
from common.errors import FieldError, ValidationFailed
from developers.errors import CursorMismatch
from organizations.permissions import Scope

DAYS = 7  # that are looked through where no last day is named
MOST_SLOTS = 60  # in one answer
_PLACE = re.compile(r"([0-9]{4}-[0-9T:.-]{1,25}Z) (rm_[0-9a-z]{1,61})")


def search_rooms(caller: Caller, given: Json) -> Json:
    party = given.get("party_size")

    def ask(limit: int) -> Json:
        more = {name: given.get(name) for name in ("q", "venue", "category", "booking_mode", "cursor")}
        return caller.get("/rooms", status="active", sort="name", limit=limit, **more)

    found = page(ask, shapes.room, limit=given.get("limit", 10))
    rooms = [room for room in found["data"] if party is None or room["min_party"] <= party <= room["max_party"]]
    return {"rooms": rooms, "next_cursor": found["next_cursor"]}


def get_availability(caller: Caller, given: Json) -> Json:
    """Slots in the order of their starts. The cursor is the last one's start and room: what is taken in between is left out, and
    nothing is told twice.
    """
    after = _place(given["cursor"]) if "cursor" in given else ("", "")
    first = _day(given["date_from"], "date_from")
    last = _day(given["date_to"], "date_to") if "date_to" in given else first + dt.timedelta(days=DAYS - 1)
    days = caller.get(
        "/schedules",
        date_from=first,
        date_to=last,
        room=given.get("rooms"),
        venue=given.get("venue"),
        party_size=given.get("party_size"),
        private=given.get("private"),
        booking=given.get("booking"),
    )["data"]
    earliest, latest = given.get("from_time", "00:00"), given.get("to_time", "23:59")
    slots = sorted(
        (
            (slot["starts_at"], day["room"], slot)
            for day in days
            for slot in day["slots"]
            if earliest <= slot["starts_at_local"][11:16] <= latest and (slot["starts_at"], day["room"]) > after
        ),
        key=lambda one: one[:2],
    )
    shown = slots[:MOST_SLOTS]
    names = caller.room_names(*(room for _, room, _ in shown))
    while True:
        told = [shapes.slot(slot, room, names) for _, room, slot in shown]
        answer = {"slots": told, "next_cursor": " ".join(shown[-1][:2]) if len(shown) < len(slots) else None}
        if len(shown) == 1 or fits(answer):
            return answer
        shown = shown[: len(shown) * 2 // 3]


def _day(text: str, name: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise ValidationFailed(FieldError("There is no such day.", pointer=f"/{name}")) from None


def _place(cursor: str) -> tuple[str, str]:
    found = _PLACE.fullmatch(cursor)
    if not found:
        raise CursorMismatch("Take the cursor from next_cursor as it is.")
    return found[1], found[2]


def _slots() -> Json:
    slot: Any = schemas.answers(
        room=schemas.STRING,
        room_name=schemas.MAYBE_STRING,
        starts=schemas.MOMENT,
        ends_utc=schemas.STRING,
        price=schemas.amount_with(party_size=schemas.INTEGER),
        seats_left=schemas.INTEGER,
        private_available=schemas.BOOLEAN,
    )
    return schemas.answer(slots=schemas.list_of(slot), next_cursor=schemas.MORE)


def _rooms() -> Json:
    question = schemas.answers(
        key=schemas.STRING,
        type=schemas.STRING,
        required=schemas.BOOLEAN,
        label=schemas.STRING,
        choices=schemas.list_of(schemas.STRING),
    )
    texts = ("room", "name", "venue", "timezone", "description", "category", "booking_mode", "currency", "pricing")
    numbers = ("duration_minutes", "min_party", "max_party", "hold_minutes")
    room = schemas.answers(
        **dict.fromkeys(texts, schemas.STRING),
        **dict.fromkeys(numbers, schemas.INTEGER),
        difficulty=schemas.MAYBE_INTEGER,
        min_age=schemas.MAYBE_INTEGER,
        languages=schemas.list_of(schemas.STRING),
        questions=schemas.list_of(question, "To be answered in `answers` of hold_booking."),
    )
    return schemas.answer(rooms=schemas.list_of(room), next_cursor=schemas.MORE)


TOOLS = [
    Tool(
        name="search_rooms",
        title="Search rooms",
        description="Rooms on sale, by name: what they are, for how many players, how long, how they are priced.",
        run=search_rooms,
        takes=schemas.takes(
            q=schemas.text("Part of the name."),
            venue=schemas.text("A venue's id, ven_…", most=64),
            category=schemas.text("The category, exactly."),
            booking_mode=schemas.choice("How it is sold.", "private", "shared", "shared_with_private_upgrade"),
            party_size=schemas.number("Leaves out rooms that do not take so many players."),
            limit=schemas.LIMIT,
            cursor=schemas.CURSOR,
        ),
        answers=_rooms(),
        scopes=(Scope.ROOMS_READ,),
        reads=True,
        repeats=True,
    ),
    Tool(
        name="get_availability",
        title="Find free times",
        description=(
            "Free slots by their start, priced for the party. Days and times are those of the venue's clock: for Saturday "
            "evening give that day as date_from and date_to, and from_time 17:00. Only what is listed can be booked."
        ),
        run=get_availability,
        takes=schemas.takes(
            ("date_from",),
            date_from=schemas.DAY | {"description": "The first day, YYYY-MM-DD."},
            date_to=schemas.DAY | {"description": f"The last day, included, 61 days later at most. Default: {DAYS} days in all."},
            from_time=schemas.CLOCK | {"description": "Starts at this time of the day or later, HH:MM."},
            to_time=schemas.CLOCK | {"description": "Starts at this time of the day or earlier, HH:MM."},
            party_size=schemas.number("How many players; without it slots are priced for the smallest party."),
            private=schemas.PRIVATE,
            rooms=schemas.ROOMS,
            venue=schemas.text("A venue's id, ven_…", most=64),
            booking=schemas.text("The id of a booking that is to be moved: its own time counts as free.", most=64),
            cursor=schemas.CURSOR,
        ),
        answers=_slots(),
        scopes=(Scope.SCHEDULES_READ,),
        reads=True,
        repeats=True,
    ),
]
