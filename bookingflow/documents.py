"""The documents in Markdown. The reference is made from the OpenAPI document, so that it cannot say anything else."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agents.tools import TOOLS
from bookingflow.event_schemas import carried
from common.errors import ErrorCode
from developers import shell
from developers.examples import EXAMPLES, SET_UP, Example
from developers.operations import METHODS, TAGS
from developers.schema import COMMON
from organizations.permissions import Scope
from webhooks.examples import example_envelope
from webhooks.types import EventType

_REFUSED = "application/problem+json"
_COMMON = {error.code for error in COMMON}  # said once, in the guide
LANGUAGES = {".sh": "sh", ".py": "python", ".mjs": "javascript"}  # `bash` is for what the tests run from top to bottom
PUBLIC_URL = "{PUBLIC_URL}"  # stands for this server's address, which is filled in when the document is served
CATALOG, CATALOG_PROFILE = "/.well-known/api-catalog", "https://www.rfc-editor.org/info/rfc9727"
REFERENCE = "Reference"
GUIDE = {  # the files of docs/guide, in the order of reading
    "Start": ("overview", "quickstart"),
    "Concepts": (
        *("authentication", "test-mode", "errors", "idempotency", "rate-limits", "lists", "money", "time"),
        *("bookings", "payments", "webhooks"),
    ),
    "Guides": ("pos", "calendar", "agents"),
    REFERENCE: ("examples",),
}


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of the documents: Markdown that begins with its own heading. `slug` is its address on the site, below
    /backend/docs/; `operations` are those it describes, by their headings.
    """

    slug: str
    group: str
    text: str
    operations: dict[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return self.text.partition("\n")[0].lstrip("# ")

    @property
    def opening(self) -> str:
        """Its first paragraph as plain text; empty where it begins with a heading, a list or a table."""
        first = self.text.partition("\n")[2].strip().partition("\n\n")[0].replace("\n", " ")
        return "" if first.startswith(("#", "|", "-", "`")) else re.sub(r"\*\*|\[([^\]]+)\]\([^)]+\)", r"\1", first)


def chapters(document: dict[str, Any], folder: Path) -> list[Chapter]:
    """The hand-written guide of that folder's `guide/`, every operation, every object, scopes, events and errors."""
    objects = (_object(*found) for found in sorted(document["components"]["schemas"].items()) if _is_told(found[0]))
    return [
        *(Chapter(slug, group, _guide(folder, slug)) for group, slugs in GUIDE.items() for slug in slugs),
        *(_tag(tag, document) for tag in TAGS),
        Chapter("reference/objects", REFERENCE, _joined("## Objects\n", *objects)),
        Chapter("reference/scopes", REFERENCE, _scopes()),
        Chapter("reference/event-types", REFERENCE, _events()),
        Chapter("reference/error-codes", REFERENCE, _errors()),
    ]


def markdown(parts: list[Chapter]) -> str:
    """docs/api.md: all of it, on one page."""
    return _joined(*(part.text for part in parts))


def llms_txt(parts: list[Chapter]) -> str:
    """docs/llms.txt, as llmstxt.org has it: what there is to read, for a program that chooses by title and first words."""
    first, sections = parts[0], list(dict.fromkeys(part.group for part in parts))
    machines = [
        ("OpenAPI 3.1", "/api/v1/public/openapi.json", "every operation, with examples"),
        ("Event schemas", "/backend/docs/events.json", "a JSON Schema for each type of event"),
        ("Tools for agents (MCP)", "/backend/docs/agents.md", "how an assistant finds and books games through `/mcp`"),
        ("API catalog", CATALOG, "where all of this is, as RFC 9727 has it"),
    ]
    whole = ("Everything in one file", "/backend/docs/api.md", "all chapters above")
    return _joined(
        f"# {first.title}\n\n> {first.opening}\n",
        *(f"## {name}\n\n" + "\n".join(_listed(part) for part in parts if part.group == name) for name in sections),
        "## For programs\n\n" + "\n".join(_way(*way) for way in machines),
        "## Optional\n\n" + _way(*whole),
    )


def _listed(part: Chapter) -> str:
    sentence = ", ".join(part.operations) or part.opening.partition(". ")[0].rstrip(".:")
    return _way(part.title, f"/backend/docs/{part.slug}.md", sentence)


def _way(title: str, path: str, what: str) -> str:
    return f"- [{title}]({PUBLIC_URL}{path})" + (f": {what}" if what else "")


def api_catalog() -> str:
    """docs/api-catalog.json (RFC 9727): a linkset that leads a program to all there is about the API."""

    def link(path: str, type: str) -> list[dict[str, str]]:
        return [{"href": PUBLIC_URL + path, "type": type}]

    api = {
        "anchor": f"{PUBLIC_URL}/api/v1/public",
        "service-desc": link("/api/v1/public/openapi.json", "application/json"),
        "service-doc": [
            *link("/backend/docs/", "text/html"),
            *link("/backend/docs/api.md", "text/markdown"),
            *link("/backend/docs/calendar", "text/html"),
            *link("/llms.txt", "text/plain"),
        ],
        "service-meta": link("/backend/docs/events.json", "application/json"),
        "status": link("/api/v1/public/status", "application/json"),
    }
    tools = {
        "anchor": f"{PUBLIC_URL}/mcp",
        "service-doc": [*link("/backend/docs/agents", "text/html"), *link("/backend/docs/agents.md", "text/markdown")],
    }
    return json.dumps({"linkset": [api, tools]}, indent=1) + "\n"


def _joined(*parts: str) -> str:
    return "\n".join(part.rstrip() + "\n" for part in parts)


def _guide(folder: Path, slug: str) -> str:
    """`{{snippet:name}}` becomes the file of that name, so that what is printed is what the tests run."""

    def snippet(match: re.Match[str]) -> str:
        path = folder / "snippets" / match[1]
        return f"```{LANGUAGES[path.suffix]}\n{path.read_text()}```"

    common = ", ".join(f"`{error.code}`" for error in ErrorCode if error in COMMON)
    text = (folder / "guide" / f"{slug}.md").read_text()
    text = text.replace("{{set_up}}", f"```bash\n{SET_UP}```").replace("{{common_errors}}", common)
    text = text.replace("{{tools}}", _tools())
    return re.sub(r"\{\{snippet:([\w.]+)\}\}", snippet, text)


def _tag(tag: str, document: dict[str, Any]) -> Chapter:
    found = list(_operations(document, tag))
    text = _joined(f"## {tag}\n", *(_operation(*one, document) for one in found))
    named = {operation["summary"]: operation["operationId"] for _, _, operation in found}
    return Chapter(f"reference/{tag.lower()}", REFERENCE, text, named)


def _is_told(name: str) -> bool:
    """PATCH is an alias of PUT, whose body stands under its own name."""
    return not name.startswith("Patched")


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
    blocks.append(_answers(operation, document))
    return "\n\n".join(blocks) + "\n"


def curl(path: str, method: str, example: Example) -> str:
    """The call with the set-up's variables."""
    url = f"$BOOKINGFLOW_URL{path}".replace("{id}", example.id) + example.query
    return shell.curl(method, url, example.headers, example.body, quote=shell.with_variables)


def _answers(operation: dict[str, Any], document: dict[str, Any]) -> str:
    lines, shared = [], document["components"]["responses"]
    for status, response in sorted(operation["responses"].items()):
        response = shared[_reference(response)] if "$ref" in response else response
        content = response.get("content", {})
        if "application/json" in content:
            lines.append(f"- **{status}** {_type(content['application/json']['schema'])}")
        elif files := {"text/csv", "text/calendar"} & content.keys():
            lines.append(f"- **{status}** `{files.pop()}`")
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


def _tools() -> str:
    rows = []
    for tool in TOOLS.values():
        scopes = ", ".join(f"`{scope}`" for scope in tool.scopes)
        rows.append((f"`{tool.name}`", scopes or "none", tool.description.partition(". ")[0].rstrip(".") + "."))
    return _table(("tool", "scope", "does"), rows)


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
