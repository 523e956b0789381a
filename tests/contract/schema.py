"""The OpenAPI document as a judge: every answer that a test gets is held against what the document promises."""

import functools
import json
import re
from typing import Any

from django.conf import settings
from jsonschema import Draft202012Validator, FormatChecker

from developers.headers import OPTIONAL

BASE = "/api/v1/public"


@functools.cache
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((settings.BASE_DIR / "docs" / "openapi.json").read_text())
    return found


@functools.cache
def _routes() -> list[tuple[re.Pattern[str], str]]:
    """Fixed paths before those with an id in the same place."""
    paths = sorted(document()["paths"], key=lambda path: path.count("{"))
    return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path) for path in paths]


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    """Of a schema that stands in the document and may refer to its components."""
    return Draft202012Validator({**schema, "components": document()["components"]}, format_checker=FormatChecker())


@functools.cache
def _validator(path: str, method: str, status: str, media_type: str) -> Draft202012Validator:
    operation = document()["paths"][path][method]
    assert status in operation["responses"], f"{method} {path} does not document {status}"
    content = response_of(operation, status)["content"]
    assert media_type in content, f"{method} {path} answers {media_type}, which its {status} does not document"
    return validator(content[media_type]["schema"])


def response_of(operation: dict[str, Any], status: str) -> dict[str, Any]:
    """What is documented for the status, by itself or as a component."""
    told: dict[str, Any] = operation["responses"][status]
    return document()["components"]["responses"][told["$ref"].rpartition("/")[2]] if "$ref" in told else told


@functools.cache
def known_headers() -> frozenset[str]:
    return frozenset(name.removesuffix(OPTIONAL) for name in document()["components"]["headers"])


@functools.cache
def _headers(path: str, method: str, status: str) -> tuple[frozenset[str], frozenset[str]]:
    """Those that the answer must have, and those that it must not."""
    told = response_of(document()["paths"][path][method], status)["headers"]
    components = document()["components"]["headers"]
    required = {name for name, header in told.items() if components[header["$ref"].rpartition("/")[2]].get("required")}
    return frozenset(required), known_headers() - set(told)


def check(method: str, path: str, status: int, headers: Any, content: bytes) -> None:
    """Raises when the answer is not what the document promises for the operation; routes outside the document pass."""
    path = re.sub("^/v1/", f"{BASE}/", path.partition("?")[0])
    route = next((route for pattern, route in _routes() if pattern.fullmatch(path)), None)
    if route is None or method.lower() not in document()["paths"][route] or status == 405:
        return
    if status == 304:
        assert not content
    else:
        media_type = headers["Content-Type"].partition(";")[0]
        validator = _validator(route, method.lower(), str(status), media_type)
        found = json.loads(content) if media_type.endswith("json") else content.decode()
        errors = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(found)]
        assert not errors, f"{method} {path} → {status} breaks its schema: {errors[:3]}"
    required, unheard_of = _headers(route, method.lower(), str(status))
    missing = [name for name in required if name not in headers]
    extra = [name for name in unheard_of if name in headers]
    assert not missing, f"{method} {path} → {status} lacks {missing}"
    assert not extra, f"{method} {path} → {status} does not document {extra}"
