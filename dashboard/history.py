"""A booking's history in words, for its timeline."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from bookings.models import Booking, BookingHistory
from dashboard.templatetags.ui import local, money
from developers.models import ApiKey
from organizations.actor import Actor
from organizations.models import User
from rooms.models import Room

# By action: its title, icon and tone.
ACTIONS = {
    "held": ("Held", "clock", "held"),
    "created": ("Booked", "check", "good"),
    "confirmed": ("Confirmed", "check", "good"),
    "extended": ("Hold extended", "clock", "held"),
    "expired": ("Hold ran out", "clock", ""),
    "moved": ("Moved", "arrow-right", "info"),
    "changed": ("Changed", "pencil", "info"),
    "checked_in": ("Checked in", "check-circle", "good"),
    "completed": ("Completed", "flag", ""),
    "no_show": ("Did not come", "user-minus", "bad"),
    "canceled": ("Canceled", "x-mark", "bad"),
    "refunded": ("Refunded", "arrow-uturn-left", "warn"),
    "refund_failed": ("Refund failed: the money is still here", "exclamation-triangle", "bad"),
    "paid": ("Paid", "banknotes", "good"),
    "paid_too_late": ("Paid too late: the money goes back", "exclamation-triangle", "warn"),
    "payment_begun": ("Payment begun", "credit-card", "info"),
    "payment_failed": ("Payment failed", "exclamation-circle", "bad"),
}
# Changes that need no number to be understood.
PLAIN = {
    "guests": "guest list",
    "answers": "answers",
    "notes_customer": "the guest's note",
    "notes_internal": "internal note",
    "metadata": "metadata",
    "external_id": "external id",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """For `components/timeline.html`."""

    title: str
    when: dt.datetime
    actor: str
    text: str
    icon: str
    tone: str


def timeline(lines: list[BookingHistory], booking: Booking, *, by: Actor) -> list[Entry]:
    """At most three queries: the people's, the keys' and the rooms' names."""
    names = {
        **_users(lines),
        **_keys(lines, by),
        **{line.actor_id: "BookingFlow" for line in lines if line.actor_type == "system"},
    }
    rooms = _rooms(lines, by)
    return [_entry(line, booking, names.get(line.actor_id, line.actor_id), rooms) for line in lines]


def _entry(line: BookingHistory, booking: Booking, actor: str, rooms: dict[str, str]) -> Entry:
    title, icon, tone = ACTIONS.get(line.action, (line.action.replace("_", " ").capitalize(), "minus", ""))
    text = "; ".join(_words(line.changes, booking, rooms))
    return Entry(title, line.at, actor, f"{text[:1].upper()}{text[1:]}." if text else "", icon, tone)


def _words(changes: dict[str, list[Any]], booking: Booking, rooms: dict[str, str]) -> Iterator[str]:
    """In the order in which they matter. The rest of the changes follow from these."""
    zone, currency = booking.room.venue.timezone, booking.currency
    if found := changes.get("starts_at"):
        yield " → ".join(local(dt.datetime.fromisoformat(text), zone) for text in found)
    if found := changes.get("room"):
        yield " → ".join(rooms.get(_id(room), "another room") for room in found)
    if found := changes.get("party_size"):
        yield f"{found[0]} → {found[1]} guests"
    if found := changes.get("private"):
        yield "now private" if found[1] else "now shared"
    if (found := changes.get("price")) and found[0]["total"] != found[1]["total"]:
        yield " → ".join(money(price["total"], price["currency"]) for price in found)
    for name, sums in (("paid", changes.get("amount_paid")), ("back", changes.get("amount_refunded"))):
        if sums and sums[1] > sums[0]:
            yield f"{money(sums[1] - sums[0], currency)} {name}"
    if (found := changes.get("hold_expires_at")) and found[1]:
        yield f"held until {local(dt.datetime.fromisoformat(found[1]), zone)}"
    if (found := changes.get("contact")) and isinstance(found[1], dict):
        yield "contact: " + ", ".join(name for name, value in found[1].items() if value != (found[0] or {}).get(name))
    if (found := changes.get("canceled")) and found[1] and found[1].get("reason"):
        yield f"“{found[1]['reason']}”"
    for name, words in PLAIN.items():
        if name in changes:
            yield words


def _users(lines: Iterable[BookingHistory]) -> dict[str, str]:
    ids = {line.actor_id for line in lines if line.actor_type == "user"}
    return {user.public_id: user.name or user.email for user in User.objects.filter(public_id__in=ids)} if ids else {}


def _keys(lines: Iterable[BookingHistory], by: Actor) -> dict[str, str]:
    ids = {line.actor_id for line in lines if line.actor_type == "api_key"}
    found = ApiKey.objects.filter(organization=by.organization, public_id__in=ids) if ids else []
    return {key.public_id: f"API key {key.name}" for key in found}


def _rooms(lines: Iterable[BookingHistory], by: Actor) -> dict[str, str]:
    ids = {_id(room) for line in lines for room in line.changes.get("room", ())}
    return dict(Room.objects.visible_to(by).filter(public_id__in=ids).values_list("public_id", "name")) if ids else {}


def _id(room: Any) -> str:
    return room["id"] if isinstance(room, dict) else str(room)
