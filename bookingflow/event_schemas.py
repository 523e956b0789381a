"""A JSON Schema for each type of event, made from the OpenAPI document: its `data.object` is what the API answers."""

import copy
import inspect
from collections.abc import Iterator
from typing import Any

from developers.shapes import Shape
from webhooks.envelope import API_VERSION
from webhooks.types import EventType

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REF = "#/components/schemas/"
_ID = "[0-9a-z]{26}$"

# What the events of a group carry: the object's `object`, and the name of its OpenAPI component.
_CARRIED = {
    "booking": ("booking", "Booking"),
    "payment": ("payment", "Payment"),
    "room": ("room", "Room"),
    "schedule": ("block", "Block"),
    "customer": ("customer", "Customer"),
    "webhook": ("webhook_endpoint", "Endpoint"),
}
_CARRIED_BY_TYPE = {
    EventType.SCHEDULE_UPDATED: ("room", "Room"),
    EventType.CUSTOMER_DELETED: ("customer", "Deleted"),
}


def carried(type: EventType) -> tuple[str, str]:
    """The `object` of what events of the type carry, and the name of its component."""
    return _CARRIED_BY_TYPE.get(type) or _CARRIED[type.partition(".")[0]]


def event_schemas(document: dict[str, Any]) -> dict[str, Any]:
    """{type: schema}, each self-contained. `document` is the OpenAPI document."""
    return {type.value: _schema(type, document["components"]["schemas"]) for type in EventType}


def _schema(type: EventType, components: dict[str, Any]) -> dict[str, Any]:
    kind, name = carried(type)
    definitions = {name: _component(name, components, kind=kind)}
    for other in _missing(definitions):
        definitions[other] = _component(other, components)
    envelope = _open(
        id={"type": "string", "pattern": f"^evt_{_ID}", "description": "The same at every attempt and endpoint: webhook-id."},
        type={"const": type.value},
        api_version={"const": API_VERSION},
        timestamp={"type": "string", "format": "date-time", "description": "When it happened."},
        mode={"enum": ["live", "test"]},
        organization={"type": "string", "pattern": f"^org_{_ID}"},
        sequence={"type": "integer", "minimum": 1, "description": "Of the organization, without gaps."},
        object=_open(
            type={"const": kind},
            id={"type": "string"},
            version={"type": "integer", "minimum": 1, "description": "Rises with every change of the object."},
            url={"type": "string"},
        ),
        actor=_open(type={"enum": ["user", "api_key", "system"]}, id={"type": "string"}),
        request=_open(id={"type": ["string", "null"]}, idempotency_key={"type": ["string", "null"]}),
        data=_open(
            object={
                "oneOf": [{"$ref": f"#/$defs/{name}"}, {"type": "null"}],
                "description": "Null when truncated: fetch it by object.url.",
            },
            previous_attributes=_previous(name, definitions[name]),
        ),
        test={"type": "boolean", "description": "Made on request for one endpoint alone: nothing has happened."},
        truncated={"type": "boolean"},
    )
    head = {"$schema": DIALECT, "$id": f"urn:bookingflow:event:{type}", "title": type.value, "description": str(type.label)}
    return {**head, **envelope, "$defs": definitions}


def _open(**properties: Any) -> dict[str, Any]:
    """All of these are there; more may come with time."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def _previous(name: str, definition: dict[str, Any]) -> dict[str, Any]:
    """Some of the object's attributes."""
    return {
        "type": "object",
        "properties": {field: {"$ref": f"#/$defs/{name}/properties/{field}"} for field in definition["properties"]},
        "description": "Of the attributes that changed, what they were.",
    }


def _component(name: str, components: dict[str, Any], *, kind: str | None = None) -> dict[str, Any]:
    """The component's schema, freed of what is about OpenAPI; `kind` is the `object` that it must then have."""
    schema: dict[str, Any] = _plain(copy.deepcopy(components[name]))
    if schema.get("description") == inspect.getdoc(Shape):  # a class without a docstring has its parent's
        del schema["description"]
    if kind is not None:
        schema["properties"]["object"] = {"const": kind}
    return schema


def _plain(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    ids = [option for option in schema.get("oneOf", ()) if "pattern" in option]
    if ids:  # an id that `expand` may swap for the object, which events never do
        schema = ids[0]
    if "$ref" in schema:
        return {"$ref": schema["$ref"].replace(_REF, "#/$defs/")}
    return {key: _plain(value) for key, value in schema.items() if not str(key).startswith("x-")}


def _missing(definitions: dict[str, Any]) -> Iterator[str]:
    """Names that are referred to and not defined yet, until the caller has defined them all."""
    while names := sorted(set(_references(definitions)) - definitions.keys()):
        yield names[0]


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield schema["$ref"].rpartition("/")[2]
        schema = list(schema.values())
    if isinstance(schema, list):
        for item in schema:
            yield from _references(item)
