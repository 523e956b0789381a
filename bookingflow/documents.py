"""The reference in Markdown, made from the OpenAPI document, so that it cannot say anything else."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bookingflow.event_schemas import carried
from bookingflow.examples import EXAMPLES, SET_UP, Example
from common.errors import ErrorCode
from developers.schema import COMMON
from organizations.permissions import Scope
from webhooks.examples import example_envelope
from webhooks.types import EventType

TAGS = ("Start", "Bookings", "Payments", "Rooms", "Schedules", "Customers", "Venues", "Webhooks", "Events")
METHODS = ("get", "post", "put", "delete")  # PATCH is an alias of PUT, said once
_REFUSED = "application/problem+json"
_COMMON = {error.code for error in COMMON}  # said once, in the guide
_LANGUAGES = {".py": "python", ".mjs": "javascript"}


def markdown(document: dict[str, Any], guide: str) -> str:
    """docs/api.md: the hand-written guide with the set-up block, every operation, every object, events and errors."""
    common = ", ".join(f"`{error.code}`" for error in ErrorCode if error in COMMON)
    parts = [guide.replace("{{set_up}}", f"```bash\n{SET_UP}```").replace("{{common_errors}}", common)]
    for tag in TAGS:
        parts.append(f"## {tag}\n")
        parts += [_operation(*found, document) for found in _operations(document, tag)]
    parts.append("## Objects\n")
    parts += [_object(name, schema) for name, schema in sorted(document["components"]["schemas"].items())]
    parts += [_scopes(), _events(), _errors()]
    return "\n".join(part.rstrip() + "\n" for part in parts)


def with_snippets(guide: str, folder: Path) -> str:
    """`{{snippet:name}}` becomes the file of that name, so that what is printed is what the tests run."""

    def snippet(match: re.Match[str]) -> str:
        path = folder / match[1]
        return f"```{_LANGUAGES[path.suffix]}\n{path.read_text()}```"

    return re.sub(r"\{\{snippet:([\w.]+)\}\}", snippet, guide)


def _operations(document: dict[str, Any], tag: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method in METHODS:
            operation = methods.get(method)
            if operation and tag in operation["tags"]:
                yield path, method, operation


def _operation(path: str, method: str, operation: dict[str, Any], document: dict[str, Any]) -> str:
    blocks = [f"### {operation['summary']}", f"`{method.upper()} {path.removeprefix('/api/v1/public')}`"]
    if operation.get("description"):
        blocks.append(operation["description"])
    if parameters := operation.get("parameters"):
        rows = [(f"`{p['name']}`", p["in"], _type(p["schema"]), _text(p)) for p in parameters if p["in"] != "path"]
        if rows:
            blocks.append(_table(("parameter", "in", "type", "meaning"), rows))
    if body := operation.get("requestBody"):
        name = _reference(body["content"]["application/json"]["schema"])
        if document["components"]["schemas"][name].get("properties"):
            blocks.append(f"Body: {_link(name)}")
    blocks.append(f"```bash\n{curl(path, method, EXAMPLES[operation['operationId']])}\n```")
    blocks.append(_answers(operation))
    return "\n\n".join(blocks) + "\n"


def curl(path: str, method: str, example: Example) -> str:
    """The call as one pastes it into a shell."""
    url = f"$BOOKINGFLOW_URL{path}".replace("{id}", example.id) + example.query
    lines = [f'curl{"" if method == "get" else f" -X {method.upper()}"} "{url}"']
    lines.append('-H "Authorization: Bearer $BOOKINGFLOW_KEY"')
    lines += [f'-H "{name}: {value}"' for name, value in example.headers.items()]
    if example.body is None:
        return " \\\n  ".join(lines)
    lines += ['-H "Content-Type: application/json"', "-d @- <<JSON"]
    return " \\\n  ".join(lines) + f"\n{json.dumps(example.body, indent=2, ensure_ascii=False)}\nJSON"


def _answers(operation: dict[str, Any]) -> str:
    lines = []
    for status, response in sorted(operation["responses"].items()):
        content = response.get("content", {})
        if "application/json" in content:
            lines.append(f"- **{status}** {_type(content['application/json']['schema'])}")
        elif "text/csv" in content:
            lines.append(f"- **{status}** `text/csv`")
        elif _REFUSED in content:
            own = [code for code in response["description"].split(", ") if code.strip("`") not in _COMMON]
            lines += [f"- **{status}** {', '.join(own)}"] if own else []
    return "Answers:\n\n" + "\n".join(lines)


def _object(name: str, schema: dict[str, Any]) -> str:
    blocks = [f"### {name}"]
    if schema.get("description"):
        blocks.append(schema["description"])
    required = set(schema.get("required", ()))
    rows = [
        (f"`{field}`", _type(sub), "yes" if field in required else "", _text(sub))
        for field, sub in schema.get("properties", {}).items()
    ]
    if rows:
        blocks.append(_table(("field", "type", "always", "meaning"), rows))
    elif "enum" in schema:
        blocks.append(", ".join(f"`{value}`" for value in schema["enum"]))
    return "\n\n".join(blocks) + "\n"


def _type(schema: dict[str, Any]) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return _link(_reference(schema))
    for union in ("oneOf", "anyOf", "allOf"):
        if union in schema:
            return " or ".join(_type(item) for item in schema[union])
    if "enum" in schema:
        return ", ".join(f"`{json.dumps(value) if not isinstance(value, str) else value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    kinds = schema.get("type", "any")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if "array" in kinds:
        return f"list of {_type(schema.get('items', {}))}"
    return " or ".join(schema.get("format", kind) if kind == "string" else kind for kind in kinds)


def _text(schema: dict[str, Any]) -> str:
    limits = [f"{word} {schema[key]}" for key, word in _LIMITS.items() if key in schema]
    limits += [f"{word} {schema['schema'][key]}" for key, word in _LIMITS.items() if key in schema.get("schema", {})]
    description = schema.get("description", "").replace("\n", " ").replace("|", "\\|")
    return " ".join([description, f"({', '.join(limits)})" if limits else ""]).strip()


_LIMITS = {"minimum": "at least", "maximum": "at most", "maxLength": "letters:", "maxItems": "items:", "default": "default"}


def _reference(schema: dict[str, Any]) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def _link(name: str) -> str:
    return f"[{name}](#{name.lower()})"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _scopes() -> str:
    return "## Scopes\n\n" + _table(("scope", "lets a key"), [(f"`{scope}`", str(scope.label)) for scope in Scope]) + "\n"


def _events() -> str:
    rows = [(f"`{event}`", str(event.label), _link(carried(event)[1])) for event in EventType]
    example = json.dumps(example_envelope(EventType.BOOKING_CREATED), indent=2, ensure_ascii=False)
    return (
        "## Event types\n\n"
        f"{_table(('type', 'when', '`data.object`'), rows)}\n\n"
        "The JSON Schema (2020-12) of each type stands under its name in [`events.json`](/backend/docs/events.json). "
        "One event in full; the others differ in `type`, `object` and `data`:\n\n"
        f"```json\n{example}\n```\n"
    )


def _errors() -> str:
    blocks = ["## Errors by code\n"]
    for error in ErrorCode:
        again = " The same request may succeed later." if error.retryable else ""
        blocks.append(f"### error {error.code}\n\nStatus {error.status}. {error.title}.{again}\n")
    return "\n".join(blocks)
