"""The operations of the API as docs/openapi.json tells of them: for pages that show or make calls."""

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings

BASE = "/api/v1/public"
METHODS = ("get", "post", "put", "delete")  # PATCH is an alias of PUT
PLACES = ("path", "query", "body", "header")
TAGS = ("Start", "Bookings", "Payments", "Rooms", "Schedules", "Customers", "Venues", "Calendars", "Webhooks", "Events", "Logs")


@dataclass(frozen=True, slots=True)
class Parameter:
    """`place` is one of PLACES; of a body it is one of the members."""

    name: str
    place: str
    schema: dict[str, Any]
    required: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    id: str
    method: str
    path: str
    summary: str
    description: str
    tag: str
    scope: str
    parameters: tuple[Parameter, ...]  # those of the body are its members
    takes_body: bool

    @property
    def writes(self) -> bool:
        return self.method != "GET"


@functools.cache
def operations() -> dict[str, Operation]:
    """By id, in the order of the reference."""
    document = json.loads((settings.BASE_DIR / "docs" / "openapi.json").read_text())
    found = [
        _operation(path, method, methods[method], document["components"]["schemas"])
        for path, methods in document["paths"].items()
        for method in METHODS
        if method in methods
    ]
    return {one.id: one for one in sorted(found, key=lambda one: TAGS.index(one.tag))}


def operation_of(method: str, path: str) -> tuple[Operation | None, str]:
    """The operation of a call, and the id in its path below the base; fixed paths before those with an id in the same place."""
    method = "PUT" if method == "PATCH" else method
    for one in sorted(operations().values(), key=lambda one: one.path.count("{")):
        found = re.fullmatch(re.sub(r"\{\w+\}", "([^/]+)", one.path.removeprefix(BASE)), path)
        if found and one.method == method:
            return one, "".join(found.groups())
    return None, ""


def _operation(path: str, method: str, told: dict[str, Any], schemas: dict[str, Any]) -> Operation:
    given = [
        Parameter(one["name"], one["in"], one["schema"], one.get("required", False), one.get("description", ""))
        for one in told.get("parameters", ())
    ]
    content = told.get("requestBody", {}).get("content", {}).get("application/json")
    body = list(_members(content["schema"], schemas)) if content else []
    return Operation(
        id=told["operationId"],
        method=method.upper(),
        path=path,
        summary=told["summary"],
        description=told.get("description", "").partition("\n\nScope:")[0].removeprefix("Scope:"),
        tag=told["tags"][0],
        scope=told.get("x-scope", ""),
        parameters=tuple(sorted([*given, *body], key=lambda one: PLACES.index(one.place))),
        takes_body=method in ("post", "put"),
    )


def _members(schema: dict[str, Any], schemas: dict[str, Any]) -> Iterator[Parameter]:
    resolved = schemas[schema["$ref"].rpartition("/")[2]]
    for name, member in resolved.get("properties", {}).items():
        yield Parameter(name, "body", member, name in resolved.get("required", ()), member.get("description", ""))
