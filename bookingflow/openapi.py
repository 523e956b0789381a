"""Examples for the OpenAPI document: the calls are those that the documents print, the answers those that events carry."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from developers.examples import EXAMPLES, VARIABLE, Example
from developers.operations import METHODS
from webhooks.examples import example_envelope, example_object
from webhooks.types import EventType

_BOOKING = example_object(EventType.BOOKING_CREATED)
_ENDPOINT = example_object(EventType.WEBHOOK_PING)
_ROOM = example_object(EventType.ROOM_CREATED)
_PAYMENT = example_object(EventType.PAYMENT_SUCCEEDED)
_BLOCK = example_object(EventType.SCHEDULE_BLOCKED)
_EVENT = example_envelope(EventType.BOOKING_CREATED)

# What the documents' set-up block fills its variables with, in a story that has already happened.
VALUES = {
    "DAY": "2026-11-21",
    "YESTERDAY": "2026-11-01",
    "RANDOM": "20461",
    "SLOT": _BOOKING["starts_at"],
    "LATER": "2026-11-21T18:00:00Z",
    "FREE": "2026-11-21T19:30:00Z",
    "VENUE": _ROOM["venue"],
    "SPARE_VENUE": _ROOM["venue"],
    "ROOM": _ROOM["id"],
    "SPARE_ROOM": _ROOM["id"],
    "BLOCK": _BLOCK["id"],
    "CUSTOMER": _BOOKING["customer"],
    "LEAVING": _BOOKING["customer"],
    **dict.fromkeys(("BOOKING", "UNWANTED", "HELD", "WAITING", "PAID", "ARRIVING", "PAST_BOOKING"), _BOOKING["id"]),
    "PAYMENT": _PAYMENT["id"],
    "FEED": "cfd_01m6e97c3k8q5v2x9r4t7w1y0z",
    "IMPORT": "cim_01m6e98d4m9r6w3y0s5v8x2z1a",
    "SPARE_IMPORT": "cim_01m6e98d4m9r6w3y0s5v8x2z1a",
    "ENDPOINT": _ENDPOINT["id"],
    "SPARE_ENDPOINT": _ENDPOINT["id"],
    "EVENT": _EVENT["id"],
    "DELIVERY": "dlv_01m6e98q8nf8a9kq5h6m3z7r2t",
    "LOG": "log_01m7c2gq5t0y9r3n6k8w2d4h1a",
    "REPLAY": "rpl_01m7c2fh3ve6wb1x8j4s5n9d0g",
}
# Answers by the name of their component.
_ANSWERS = {
    "Booking": _BOOKING,
    "PaidBooking": _BOOKING,
    "Room": _ROOM,
    "Block": _BLOCK,
    "BlockWithConflicts": {**_BLOCK, "conflicts": []},
    "Customer": example_object(EventType.CUSTOMER_CREATED),
    "Payment": _PAYMENT,
    "PaymentWithRefunds": {**_PAYMENT, "refunds": []},
    "Endpoint": _ENDPOINT,
    "Event": _EVENT,
    "EventPage": {"object": "list", "data": [_EVENT], "has_more": False, "next_after": _EVENT["sequence"]},
    "Deleted": {"object": "block", "id": _BLOCK["id"], "deleted": True},
}


def add_examples(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """drf-spectacular's hook: each operation gets the example of its call and, where there is one, of its answer."""
    for methods in result["paths"].values():
        for method in METHODS:
            if method in methods:
                _add(methods[method], filled(EXAMPLES[methods[method]["operationId"]]))
    return result


def filled(example: Example) -> Example:
    """The example with a value for each variable. Raises KeyError for one that has none."""
    return Example(_filled(example.id), _filled(example.query), _filled(example.body), _filled(example.headers))


def _filled(value: Any) -> Any:
    return json.loads(VARIABLE.sub(lambda match: VALUES[match[1]], json.dumps(value)))


def _add(operation: dict[str, Any], example: Example) -> None:
    given = {**dict(parse_qsl(example.query.lstrip("?"))), **example.headers, "id": example.id}
    for parameter in operation.get("parameters", ()):
        if text := given.get(parameter["name"]):
            parameter["example"] = _typed(text, parameter["schema"])
    if "requestBody" in operation and example.body is not None:
        operation["requestBody"]["content"]["application/json"]["example"] = example.body
    for content in _answers(operation):
        if (answer := _answer(content["schema"].get("$ref", "").rpartition("/")[2])) is not None:
            content["example"] = answer


def _typed(text: str, schema: dict[str, Any]) -> Any:
    match schema["type"]:
        case "array":
            return text.split(",")
        case "integer" | "boolean":
            return json.loads(text)
    return text


def _answers(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for status, response in operation["responses"].items():
        if status.startswith("2") and "application/json" in response.get("content", {}):
            yield response["content"]["application/json"]


def _answer(name: str) -> dict[str, Any] | None:
    """Of that component, or of a page of such."""
    one = _ANSWERS.get(name.removeprefix("Paginated").removesuffix("List"))
    if one is None or name in _ANSWERS:
        return one
    return {"object": "list", "data": [one], "has_more": False, "next_cursor": None, "prev_cursor": None}
