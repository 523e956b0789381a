"""The OpenAPI 3.1 document: what drf-spectacular cannot see from the views alone."""

import inspect
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentIdentity, ResolvedComponent, force_instance
from drf_spectacular.utils import OpenApiParameter

from common.errors import ErrorCode
from developers.headers import header_components, headers_of_answer, headers_of_refusal
from developers.inputs import Input
from developers.shapes import Shape
from organizations.permissions import Scope

PUBLIC_PREFIX = "/api/v1/public"
_WRITES = {"POST", "PUT", "PATCH", "DELETE"}
# The refusals that need no mention by a view, by what brings them about.
_OF_ANY = (ErrorCode.BAD_REQUEST, ErrorCode.NOT_ACCEPTABLE, ErrorCode.VALIDATION_FAILED, ErrorCode.INTERNAL_ERROR)
_OF_ITS_OWN = (ErrorCode.FORM_EXPIRED, ErrorCode.KEY_CAP_EXCEEDED)  # of pages, and of bookings
_OF_KEYS = tuple(error for error in ErrorCode if error.status in (401, 403, 429) and error not in _OF_ITS_OWN)
_OF_WRITES = (
    ErrorCode.MALFORMED_JSON,
    ErrorCode.PAYLOAD_TOO_LARGE,
    ErrorCode.UNSUPPORTED_MEDIA_TYPE,
    ErrorCode.IDEMPOTENCY_IN_PROGRESS,
    ErrorCode.IDEMPOTENCY_KEY_REUSED,
)
_DRY_RUN = OpenApiParameter(
    "dry_run",
    bool,
    description="true: everything is checked and done, then undone. The answer is the one of the write, with `Dry-Run: true`.",
)
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag of an earlier answer: 304 where it still holds.",
    "schema": {"type": "string"},
}
_OF_THE_CODE = {inspect.getdoc(Shape), inspect.getdoc(Input)}
_OF_THE_DATABASE = (ErrorCode.BUSY_RETRY, ErrorCode.SERVICE_UNAVAILABLE)
COMMON = {*_OF_ANY, *_OF_KEYS, *_OF_WRITES, *_OF_THE_DATABASE}
_SHARED = {*COMMON, ErrorCode.NOT_FOUND, ErrorCode.VERSION_CONFLICT, ErrorCode.CURSOR_MISMATCH}
_TAGGED = {"Event", "EventPage", "LogEntryWithBodies"}  # answered with an ETag, though they show no version


class ApiSchema(AutoSchema):
    """Adds to every operation its scope, its headers and its refusals."""

    def get_override_parameters(self) -> list[OpenApiParameter]:
        given: list[OpenApiParameter] = super().get_override_parameters()
        header = OpenApiParameter.HEADER
        if self.method in _WRITES:
            text = "Up to 255 printable ASCII characters: the write takes effect once for it, repeats get the first answer."
            given = [*given, OpenApiParameter("Idempotency-Key", str, header, description=text), _DRY_RUN]
        expandable = getattr(getattr(self.view, "shape", None), "expandable", {})
        if expandable and self.method == "GET" and self._shows_shape():
            text = f"Ids to swap for the objects: {', '.join(expandable)}; repeated or comma-separated."
            given = [*given, OpenApiParameter("expand", str, description=text)]
        if self._takes_if_match():
            text = "The ETag that was read: 412 when the object has changed since."
            given = [*given, OpenApiParameter("If-Match", str, header, description=text)]
        return given

    def _shows_shape(self) -> bool:
        return self.view.action in ("list", "retrieve")

    def _map_basic_serializer(self, serializer: Any, direction: str) -> dict[str, Any]:
        """What an Input does not know it refuses; answers may grow."""
        schema: dict[str, Any] = super()._map_basic_serializer(serializer, direction)
        if direction == "request" and isinstance(force_instance(serializer), Input):
            schema["additionalProperties"] = False
        return schema

    def get_serializer_name(self, serializer: Any, direction: str) -> str:
        """`BookingShape` is the Booking of answers, `CustomerInput` the Customer of requests."""
        name: str = super().get_serializer_name(serializer, direction)
        return name.removesuffix("Shape").removesuffix("Input")

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        if self.method == "PATCH":  # an alias of PUT
            operation["operationId"] += "_by_patch"
        scope: Scope | None = getattr(self.view, "scopes", {}).get(getattr(self.view, "action", None))
        public = not self.view.get_authenticators()
        if scope is not None:
            operation["description"] = f"{operation.get('description', '')}\n\nScope: `{scope}`.".strip()
            operation["x-scope"] = str(scope)
        for status, response in operation["responses"].items():
            response["headers"] = self._headers(int(status), response, public)
        if self.method == "GET" and "ETag" in operation["responses"].get("200", {}).get("headers", {}):
            operation["parameters"] = [*operation.get("parameters", ()), _IF_NONE_MATCH]
            headers = headers_of_answer(needs_key=not public, writes=False, has_version=True, has_pages=False)
            operation["responses"]["304"] = {"description": "Nothing has changed since.", "headers": headers}
        refusals = self._refusals(public)
        for status in sorted({error.status for error in refusals}):
            codes = [error for error in ErrorCode if error in refusals and error.status == status]
            operation["responses"].setdefault(str(status), self._refusal(codes, public))
        return operation

    def _headers(self, status: int, response: dict[str, Any], public: bool) -> dict[str, Any]:
        """Those of what the view itself answers."""
        if status >= 400:
            return headers_of_refusal(status, needs_key=not public, writes=False)
        shown = response["content"].get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
        members = self.registry[shown, ResolvedComponent.SCHEMA].schema.get("properties", {}) if shown else {}
        return headers_of_answer(
            needs_key=not public,
            writes=self.method in _WRITES,
            has_version="version" in members or shown in _TAGGED,
            has_pages="next_cursor" in members,
        )

    def _refusal(self, codes: list[ErrorCode], public: bool) -> dict[str, Any]:
        """A component, where other operations of the kind are refused in the same way."""
        status, writes = codes[0].status, self.method in _WRITES
        response = {
            "description": ", ".join(f"`{error.code}`" for error in codes),
            "headers": headers_of_refusal(status, needs_key=not public, writes=writes),
            "content": {
                "application/problem+json": {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "examples": {error.code: {"$ref": f"#/components/examples/{error.code}"} for error in codes},
                }
            },
        }
        if not set(codes) <= _SHARED:
            return response
        pages = ErrorCode.CURSOR_MISMATCH in codes
        name = f"{'Public' if public else 'Write' if writes else 'List' if pages else ''}Refused{status}"
        component = ResolvedComponent(name, ResolvedComponent.RESPONSE, response, ComponentIdentity(name))
        self.registry.register_on_missing(component)
        reference: dict[str, Any] = component.ref
        return reference if self.registry[component].schema == response else response

    def _refusals(self, public: bool) -> set[ErrorCode]:
        """Those of every call, those of its kind, and those that the view names for the action."""
        if public:
            return set(_OF_ANY)
        found = {*_OF_ANY, *_OF_KEYS, *_OF_THE_DATABASE}
        found |= set(self.view.refusals.get(self.view.action, ()))
        found |= set(_OF_WRITES) if self.method in _WRITES else set()
        found |= {ErrorCode.NOT_FOUND} if "{id}" in self.path else set()
        found |= {ErrorCode.VERSION_CONFLICT} if self._takes_if_match() else set()
        found |= {ErrorCode.CURSOR_MISMATCH} if self._is_list_view() and self.view.pagination_class else set()
        return found

    def _takes_if_match(self) -> bool:
        return self.method in _WRITES and "{id}" in self.path and not self.path.endswith("/quote")

    def get_description(self) -> str:
        """What the action's own docstring says; the view's speaks to those who read the code."""
        action = getattr(self.view, getattr(self.view, "action", None) or "", None)
        return inspect.getdoc(action) or ""


class ReferenceExtension(OpenApiSerializerFieldExtension):
    """An id, or the object itself where `expand` may swap it in."""

    target_class = "developers.shapes.Reference"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: str) -> dict[str, Any]:
        id_schema = {"type": "string", "pattern": f"^{self.target.kind}_[0-9a-z]{{26}}$"}
        expanded = getattr(self.target.parent, "expandable", {}).get(self.target.field_name)
        if expanded is None:
            return id_schema
        return {"oneOf": [id_schema, auto_schema.resolve_serializer(expanded, direction).ref]}


class ApiKeyScheme(OpenApiAuthenticationExtension):
    target_class = "developers.authentication.ApiKeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key of one organization: `Authorization: Bearer bkf_live_…`.",
        }


def only_public_paths(endpoints: list[Any], **kwargs: Any) -> list[Any]:
    """The same routes answer under /v1; the document tells of one address."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith(PUBLIC_PREFIX)]


def finish_document(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Headers and the error body as components, and the catalogue of its codes. What the classes of shapes and inputs say of
    themselves is for those who read the code.
    """
    for schema in result["components"]["schemas"].values():
        if schema.get("description") in _OF_THE_CODE:
            del schema["description"]
    result["components"]["headers"] = header_components()
    codes = [error.code for error in ErrorCode]
    result["components"]["schemas"]["Problem"] = {
        "type": "object",
        "description": "RFC 9457. Further members help on: `reasons`, `alternatives`, `required_scopes` and others.",
        "properties": {
            "type": {"type": "string", "format": "uri"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "code": {"type": "string", "enum": codes},
            "detail": {"type": "string"},
            "request_id": {"type": "string"},
            "retryable": {"type": "boolean"},
            "errors": {"type": "array", "items": _FIELD_ERROR},
        },
        "required": ["type", "title", "status", "code", "detail", "request_id", "retryable"],
    }
    return result


_FIELD_ERROR = {
    "type": "object",
    "properties": {
        "pointer": {"type": "string", "description": "JSON pointer into the body."},
        "parameter": {"type": "string", "description": "Query parameter or header."},
        "code": {"type": "string"},
        "detail": {"type": "string"},
    },
    "required": ["code", "detail"],
}
