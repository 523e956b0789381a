"""The documents are made from the code, complete, and valid by their own standards."""

import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client
from openapi_spec_validator import OpenAPIV31SpecValidator

from bookingflow.documents import curl
from bookingflow.management.commands import build_docs
from bookingflow.openapi import VALUES
from common.errors import ErrorCode
from developers.examples import EXAMPLES
from developers.operations import METHODS
from developers.renderers import PROBLEM
from organizations.permissions import Scope
from tests.contract.schema import BASE, document, response_of, validator
from tests.security.routes import ROUTES
from webhooks.types import EventType

NAMES = ["api-catalog.json", "api.md", "events.json", "llms.txt", "openapi.json"]


def test_the_documents_are_up_to_date() -> None:
    made = build_docs.documents()

    assert sorted(path.name for path in made) == NAMES
    assert [path.name for path, text in made.items() if path.read_text() != text] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_document_that_has_drifted_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = {build_docs.DOCS / other: (build_docs.DOCS / other).read_text() for other in NAMES}
    monkeypatch.setattr(build_docs, "documents", lambda: kept | {build_docs.DOCS / name: "something else"})

    with pytest.raises(CommandError, match=re.escape(name)):
        call_command("build_docs", check=True)


def test_the_openapi_document_is_valid() -> None:
    assert [str(error) for error in OpenAPIV31SpecValidator(document()).iter_errors()] == []


def test_every_route_is_documented_and_every_documented_route_exists() -> None:
    documented = {
        f"{method.upper()} {path.removeprefix(BASE)}" for path, methods in document()["paths"].items() for method in methods
    }

    assert documented == {route.name for route in ROUTES} | {"GET /status"}


def test_every_operation_has_an_example_that_runs() -> None:
    operations = {
        operation["operationId"]
        for methods in document()["paths"].values()
        for name, operation in methods.items()
        if name != "patch"
    }

    assert set(EXAMPLES) == operations


def each_operation() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document()["paths"].items():
        for method in METHODS:
            if method in methods:
                yield path, method, methods[method]


def test_every_operation_says_what_it_does_and_which_scope_it_needs() -> None:
    silent, free = [], []
    for path, method, operation in each_operation():
        silent += [] if operation["summary"] and operation["description"] else [f"{method} {path}"]
        free += [] if operation.get("x-scope") in Scope.values else [operation["operationId"]]

    assert (silent, sorted(free)) == ([], ["get_me", "get_status"])


# A curl that tells what it was given, with the documents' variables as the OpenAPI document fills them in.
TELLING = "curl() { printf '%s\\x1f' \"$@\"; cat; printf '\\x1e'; }\nunset RANDOM\n" + "".join(
    f"{name}={shlex.quote(value)}\n" for name, value in {**VALUES, "BOOKINGFLOW_URL": "", "BOOKINGFLOW_KEY": "key"}.items()
)


def test_the_curl_of_the_reference_and_the_openapi_document_show_the_same_call() -> None:
    reference, operations = (settings.BASE_DIR / "docs" / "api.md").read_text(), list(each_operation())
    printed = [curl(path, method, EXAMPLES[operation["operationId"]]) for path, method, operation in operations]
    assert [command for command in printed if f"```bash\n{command}\n```" not in reference] == []

    script = TELLING + "\n".join(printed)
    told = subprocess.run(["bash", "-uc", script], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True).stdout

    for (path, method, operation), call in zip(operations, told.split("\x1e"), strict=False):
        *arguments, body = call.split("\x1f")
        assert arguments[:2] == ["-X", method.upper()] if method != "get" else "-X" not in arguments
        url = urlsplit(next(argument for argument in arguments if argument.startswith("/")))
        headers = dict(arguments[index + 1].split(": ", 1) for index, one in enumerate(arguments) if one == "-H")
        assert headers.pop("Authorization") == "Bearer key"
        assert ("Content-Type" in headers) == bool(body)
        assert shown(path, operation) == {
            "path": url.path,
            "query": sorted(parse_qsl(url.query)),
            "headers": {name: value for name, value in headers.items() if name != "Content-Type"},
            "body": json.loads(body or "{}"),
        }, operation["operationId"]


def shown(path: str, operation: dict[str, Any]) -> dict[str, Any]:
    """The call of the OpenAPI document's examples."""
    given = [one for one in operation.get("parameters", ()) if "example" in one]
    query = {one["name"]: one["example"] for one in given if one["in"] == "query"}
    joined = {name: ",".join(value) if isinstance(value, list) else value for name, value in query.items()}
    for one in given:
        if one["in"] == "path":
            path = path.replace(f"{{{one['name']}}}", one["example"])
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    return {
        "path": path,
        "query": sorted(parse_qsl(urlencode(joined))),
        "headers": {one["name"]: one["example"] for one in given if one["in"] == "header"},
        "body": content.get("example", {}),
    }


def broken(schema: dict[str, Any], example: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in validator(schema).iter_errors(example)]


def test_every_example_keeps_to_its_own_schema_and_every_answer_has_one() -> None:
    wrong, silent = {}, []
    for methods in document()["paths"].values():
        for operation in methods.values():  # PATCH too
            name = operation["operationId"]
            answers = [content for status in operation["responses"] for content in answers_of(operation, status)]
            silent += [name] if any("example" not in content for content in answers) else []
            for one in [
                *operation.get("parameters", ()),
                *operation.get("requestBody", {}).get("content", {}).values(),
                *answers,
            ]:
                if "example" in one and (found := broken(one["schema"], one["example"])):
                    wrong[name] = found

    assert (wrong, silent) == ({}, [])


def answers_of(operation: dict[str, Any], status: str) -> list[dict[str, Any]]:
    return [told for kind, told in response_of(operation, status).get("content", {}).items() if kind != PROBLEM]


def test_every_refusal_is_shown_by_an_example_of_each_of_its_codes() -> None:
    components = document()["components"]
    assert list(components["examples"]) == [error.code for error in ErrorCode]
    for error in ErrorCode:
        body = components["examples"][error.code]["value"]
        assert broken({"$ref": "#/components/schemas/Problem"}, body) == [], error
        assert (body["code"], body["status"], body["title"]) == (error.code, error.status, error.title)
        assert body["type"].endswith(f"#error-{error.code}")

    refused = []
    for path, method, operation in each_operation():
        for status in operation["responses"]:
            told = response_of(operation, status)
            for content in [content for kind, content in told.get("content", {}).items() if kind == PROBLEM]:
                codes = re.findall(r"`(\w+)`", told["description"])
                assert content["examples"] == {code: {"$ref": f"#/components/examples/{code}"} for code in codes}, (method, path)
                assert {components["examples"][code]["value"]["status"] for code in codes} == {int(status)}, (method, path)
                refused.append((operation["operationId"], status))

    assert ("create_booking", "409") in refused


def test_the_served_openapi_document_leads_to_this_server() -> None:
    served = Client().get(f"{BASE}/openapi.json").content.decode()

    assert "{PUBLIC_URL}" not in served
    assert f'"{settings.PUBLIC_URL}/backend/docs/api.md#error-not_found"' in served


def test_the_reference_names_every_error_scope_and_event() -> None:
    reference = Client().get("/backend/docs/api.md")

    assert reference["Content-Type"] == "text/markdown; charset=utf-8"
    text = reference.content.decode()
    for error in ErrorCode:
        assert f"### error {error.code}\n" in text
    for value in (*Scope.values, *EventType.values):
        assert f"`{value}`" in text


def test_links_inside_the_reference_lead_somewhere() -> None:
    text = (settings.BASE_DIR / "docs" / "api.md").read_text()
    anchors = {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for title in re.findall(r"^#+ (.+)$", text, re.M)}

    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors
