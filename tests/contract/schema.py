"""The OpenAPI document as a judge: every answer that a test gets is held against what the document promises."""

import functools
import json
import re
from typing import Any

from django.conf import settings
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

BASE = "/api/v1/public"
_URI = "urn:openapi"


@functools.cache
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((settings.BASE_DIR / "docs" / "openapi.json").read_text())
    return found


@functools.cache
def _routes() -> list[tuple[re.Pattern[str], str]]:
    """Fixed paths before those with an id in the same place."""
    paths = sorted(document()["paths"], key=lambda path: path.count("{"))
    return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", path)), path) for path in paths]


@functools.cache
def _validator(path: str, method: str, status: str, media_type: str) -> Draft202012Validator:
    registry: Any = Registry().with_resource(_URI, Resource.from_contents(document(), default_specification=DRAFT202012))
    operation = document()["paths"][path][method]
    assert status in operation["responses"], f"{method} {path} does not document {status}"
    content = operation["responses"][status]["content"]
    assert media_type in content, f"{method} {path} answers {media_type}, which its {status} does not document"
    pointer = "/".join(part.replace("~", "~0").replace("/", "~1") for part in (path, method, "responses", status, "content"))
    schema = {"$ref": f"{_URI}#/paths/{pointer}/{media_type.replace('/', '~1')}/schema"}
    return Draft202012Validator(schema, registry=registry, format_checker=FormatChecker())


def check(method: str, path: str, status: int, headers: Any, content: bytes) -> None:
    """Raises when the answer is not what the document promises for the operation; routes outside the document pass."""
    path = re.sub("^/v1/", f"{BASE}/", path.partition("?")[0])
    route = next((route for pattern, route in _routes() if pattern.fullmatch(path)), None)
    if route is None or method.lower() not in document()["paths"][route] or status in (304, 405):
        return
    media_type = headers["Content-Type"].partition(";")[0]
    validator = _validator(route, method.lower(), str(status), media_type)
    found = json.loads(content) if media_type.endswith("json") else content.decode()
    errors = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(found)]
    assert not errors, f"{method} {path} → {status} breaks its schema: {errors[:3]}"
