"""The documents are made from the code, complete, and valid by their own standards."""

import re

from django.conf import settings
from django.core.management import call_command
from django.test import Client
from openapi_spec_validator import OpenAPIV31SpecValidator

from common.errors import ErrorCode
from developers.examples import EXAMPLES
from organizations.permissions import Scope
from tests.contract.schema import BASE, document
from tests.security.routes import ROUTES
from webhooks.types import EventType


def test_the_documents_are_up_to_date() -> None:
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
