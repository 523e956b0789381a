"""Examples for the OpenAPI document: the calls are those that the documents print, the answers those that events carry."""

import json
from typing import Any
from urllib.parse import parse_qsl

from bookingflow.answers import DELIVERY, FREE, LOG, REPLAY, answer_of
from bookingflow.refusals import refusal_examples
from developers.examples import EXAMPLES, VARIABLE, Example
from developers.renderers import PROBLEM
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
    "FREE": FREE,
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
    "DELIVERY": DELIVERY,
    "LOG": LOG,
    "REPLAY": REPLAY,
}


def add_examples(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """drf-spectacular's hook: each operation gets the examples of its call, of its answers and of its refusals. PATCH is an alias
    of PUT.
    """
    for methods in result["paths"].values():
        for operation in methods.values():
            name = operation["operationId"].removesuffix("_by_patch")
            _add(operation, name, filled(EXAMPLES[name]))
    result["components"]["examples"] = refusal_examples()
    return result


def filled(example: Example) -> Example:
    """The example with a value for each variable. Raises KeyError for one that has none."""
    return Example(_filled(example.id), _filled(example.query), _filled(example.body), _filled(example.headers))


def _filled(value: Any) -> Any:
    return json.loads(VARIABLE.sub(lambda match: VALUES[match[1]], json.dumps(value)))


def _add(operation: dict[str, Any], name: str, example: Example) -> None:
    given = {**dict(parse_qsl(example.query.lstrip("?"))), **example.headers, "id": example.id}
    for parameter in operation.get("parameters", ()):
        if text := given.get(parameter["name"]):
            parameter["example"] = _typed(text, parameter["schema"])
    if "requestBody" in operation and example.body is not None:
        operation["requestBody"]["content"]["application/json"]["example"] = example.body
    for status, response in operation["responses"].items():
        for kind, content in response.get("content", {}).items():
            if kind != PROBLEM:
                content["example"] = answer_of(name, status, content["schema"].get("$ref", "").rpartition("/")[2])


def _typed(text: str, schema: dict[str, Any]) -> Any:
    match schema["type"]:
        case "array":
            return text.split(",")
        case "integer" | "boolean":
            return json.loads(text)
    return text
