"""What every API view shares: tenancy, scopes, idempotent writes, dry runs, conditional requests, keyset lists, expansion."""

import functools
import io
from collections.abc import Callable
from typing import Any, ClassVar

from django.conf import settings
from django.db import connection, transaction
from django.http import HttpRequest, QueryDict
from django_filters import FilterSet
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BooleanField, IntegerField, ListField, ValidationError
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from common.errors import DomainError, ErrorCode, FieldError, ValidationFailed
from developers import conditional, idempotency, problems
from developers.authentication import note_use
from developers.errors import RateLimited
from developers.filters import StrictFilterBackend
from developers.idempotency import Unfinished
from developers.inputs import Input
from developers.limits import Meter
from developers.pagination import KeysetPagination
from developers.renderers import rendered
from developers.shapes import Shape
from organizations.actor import Actor
from organizations.permissions import Scope

WRITES = {"POST", "PUT", "PATCH", "DELETE"}
LIST_PARAMETERS = {"limit", "cursor", "sort", "include"}
DRY_RUN = "dry_run"


class ApiView(APIView):
    """What holds for an unknown URL too."""

    http_method_names: ClassVar[list[str]] = [name for name in APIView.http_method_names if name != "options"]
    meter: Meter | None = None  # of a request with a valid key

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Whoever has a valid key is counted before anything else."""
        if request.auth is not None:
            self.meter = Meter(caller=request.user, key=request.auth.key)
            self.meter.start(request)
            note_use(request._request, request.auth)
        super().initial(request, *args, **kwargs)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """With the headers of the limits, on refusals too."""
        if self.meter is not None:
            try:
                self.meter.finish(response.status_code)
            except RateLimited as error:
                response = problems.respond(error, request)
            for name, value in self.meter.headers().items():
                response[name] = value
        return super().finalize_response(request, response, *args, **kwargs)

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {**super().default_response_headers, "Vary": problems.VARY}


class ApiViewSet(ApiView, GenericViewSet[Any]):
    """A resource. Subclasses state `scopes` for each action and call one service per write.

    `sorts` are the fields a list may be sorted by, the first the default; `shape` the outgoing shape.
    `query_inputs` says what an action that is no list reads from the query: anything else there is refused by name.
    `expand_scopes` are needed to see an expanded object whose own route needs them. `refusals` tells the documents which
    codes an action may answer beyond those that every one of its kind may.
    """

    scopes: ClassVar[dict[str, Scope | None]] = {}
    shape: ClassVar[type[Shape]]
    sorts: ClassVar[tuple[str, ...]] = ("-created_at",)
    filterset_class: ClassVar[type[FilterSet] | None] = None
    query_inputs: ClassVar[dict[str, type[Input]]] = {}
    expand_scopes: ClassVar[dict[str, Scope]] = {}
    refusals: ClassVar[dict[str, tuple[ErrorCode, ...]]] = {}
    lookup_value_regex = "[0-9A-Za-z_-]{1,64}"
    filter_backends: ClassVar[list[Any]] = [StrictFilterBackend]
    pagination_class: type[KeysetPagination] | None = KeysetPagination

    def get_queryset(self) -> Any:
        """What the caller can see; the only way to a row."""
        assert self.queryset is not None
        if getattr(self, "swagger_fake_view", False):  # the OpenAPI document is made without a caller
            return self.queryset.none()
        return self.queryset.visible_to(self.actor)  # type: ignore[attr-defined]

    def get_serializer_class(self) -> type[Shape]:
        """The shape is what answers look like; requests name their Input in `extend_schema`."""
        return self.shape

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """DRF takes any OPTIONS for the action `metadata`; it is a method that no route has."""
        prepared = super().initialize_request(request, *args, **kwargs)
        self.action = None if self.action == "metadata" else self.action
        return prepared

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """After authentication and scopes: refuse unknown parameters, and make each write one idempotent act."""
        super().initial(request, *args, **kwargs)
        self.refuse_unknown_parameters()
        if request.method in WRITES and self.action is not None:
            read_body(request._request)
            name = request.method.lower()
            setattr(self, name, functools.partial(self.write, getattr(self, name)))

    def write(self, handler: Callable[..., Response | Unfinished], request: Request, *args: Any, **kwargs: Any) -> Response:
        """Run the handler in one transaction, once for each Idempotency-Key; and `finish` after it, where it is unfinished.
        With `dry_run=true` everything is undone instead, and the key is left for the act itself.
        """

        def execute() -> Response | Unfinished:
            outcome = handler(request, *args, **kwargs)
            return outcome if isinstance(outcome, Unfinished) else rendered(outcome)

        def finish(resource: str) -> Response:
            return rendered(self.finish(resource))

        rehearses = self.is_dry_run()
        key = idempotency.key_of(request)
        if rehearses:
            return self.rehearse(execute)
        if key is None:
            with transaction.atomic():
                outcome = execute()
            return finish(outcome.resource) if isinstance(outcome, Unfinished) else outcome

        def refuse(error: Exception) -> Response:
            return rendered(problems.respond(problems.to_domain_error(error), request))

        return idempotency.run(request, key, execute=execute, finish=finish, refuse=refuse)

    def finish(self, resource: str) -> Response:
        """The answer to a write whose handler was Unfinished: ask outside for what it has made. No transaction is open."""
        raise NotImplementedError

    def is_dry_run(self) -> bool:
        """What the query says; from then on the answer says it too, a refusal like any other."""
        asked = set(self.request.query_params.getlist(DRY_RUN))
        if not asked <= {"true"} and not asked <= {"false"}:
            raise ValidationFailed(FieldError("true or false.", parameter=DRY_RUN))
        if "true" not in asked:
            return False
        self.headers["Dry-Run"] = "true"
        return True

    def rehearse(self, execute: Callable[[], Response | Unfinished]) -> Response:
        """What the write would answer: all of it is done, behind the same locks, and rolled back with what waits for the commit.

        Without an ETag: another change may yet become the version that this one would have made.
        """
        with transaction.atomic():
            outcome = execute()
            connection.check_constraints()  # those that only a commit looks at
            response = rendered(self.foretell(outcome.resource)) if isinstance(outcome, Unfinished) else outcome
            transaction.set_rollback(True)
        del response["ETag"]
        return response

    def foretell(self, resource: str) -> Response:
        """The answer to a dry run of a write that is Unfinished: what it has made, as it is before anybody outside is asked."""
        raise NotImplementedError

    @property
    def actor(self) -> Actor:
        """The caller, with the request's id and idempotency key for history and events."""
        caller: Actor = self.request.user
        return caller.in_request(
            request_id=self.request.request_id,
            idempotency_key=self.request.headers.get(idempotency.HEADER, ""),
        )

    def input(self, serializer: type[Input]) -> dict[str, Any]:
        """The validated body. Raises rest_framework's ValidationError, which becomes 422 with pointers."""
        parsed = serializer(data=self.request.data, context={"actor": self.actor})
        parsed.is_valid(raise_exception=True)
        values: dict[str, Any] = parsed.validated_data
        return values

    def query(self) -> dict[str, Any]:
        """The validated query string of the action; a refusal names the parameter."""
        parsed = self.query_inputs[self.action](
            data=query_data(self.query_inputs[self.action](), self.request.query_params), context={"actor": self.actor}
        )
        if not parsed.is_valid():
            raise ValidationFailed(
                *(
                    FieldError(error.detail, error.code, parameter=(error.pointer or "").split("/")[1])
                    for error in problems.field_errors(ValidationError(parsed.errors))
                )
            )
        values: dict[str, Any] = parsed.validated_data
        return values

    @property
    def expected_version(self) -> int | None:
        return conditional.expected_version(self.request.headers.get("If-Match"))

    def answer(self, obj: Any, *, status: int = 200, **more: Any) -> Response:
        """One object in its shape, with `more` members beside its own, and its ETag; 304 when the caller has it."""
        expand = self.expand()
        data = {**self.shape(expand=expand).to_representation(obj), **more}
        tag = conditional.etag(obj.version, data if more or expand or getattr(obj, "shows_time", False) else None)
        if self.request.method in ("GET", "HEAD") and conditional.is_unchanged(self.request.headers.get("If-None-Match"), tag):
            return Response(status=304, headers={"ETag": tag})
        return Response(data, status=status, headers={"ETag": tag})

    def answer_list(self, queryset: Any) -> Response:
        """One page of the queryset, filtered, sorted and expanded as the query asks."""
        rows = self.paginate_queryset(self.filter_queryset(queryset))
        shape = self.shape(expand=self.expand())
        return self.get_paginated_response([shape.to_representation(row) for row in rows or ()])

    def expand(self) -> frozenset[str]:
        """`expand=customer,room`: the fields whose ids are swapped for the objects."""
        asked = {name for item in self.request.query_params.getlist("expand") for name in item.split(",") if name}
        if unknown := asked - set(self.shape.expandable):
            raise ValidationFailed(
                *(FieldError(f"{name} cannot be expanded here.", parameter="expand") for name in sorted(unknown))
            )
        self.actor.require(*(self.expand_scopes[name] for name in asked if name in self.expand_scopes))
        return frozenset(asked)

    def refuse_unknown_parameters(self) -> None:
        """Before anything else is looked at; an unrouted method (action None) is refused as such later."""
        if self.action is None:
            return
        known = {"expand"} if getattr(self, "shape", None) and self.shape.expandable else set()
        known |= {DRY_RUN} if self.request.method in WRITES else set()
        if self.action in self.query_inputs:
            known |= set(self.query_inputs[self.action]().fields)
        elif self.action == "list":
            known |= LIST_PARAMETERS | set(self.filterset_class.base_filters if self.filterset_class else ())
        if unknown := set(self.request.query_params) - known:
            raise ValidationFailed(
                *(FieldError("This parameter is unknown.", "unknown_parameter", parameter=name) for name in sorted(unknown))
            )


def read_body(request: HttpRequest) -> None:
    """Now, within the size limit. One that comes in chunks has no length, without which Django would take it for empty; and the
    web server does not tell one that is empty from one that broke off, without whose payment a hold would be confirmed.
    """
    if "HTTP_TRANSFER_ENCODING" in request.META and not request.META.get("CONTENT_LENGTH"):
        body = request.environ["wsgi.input"].read(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)
        if not body:
            raise DomainError("No chunk of the body has arrived. For none send Content-Length: 0.", code=ErrorCode.BAD_REQUEST)
        request.META["CONTENT_LENGTH"], request._stream = str(len(body)), io.BytesIO(body)
    try:
        _ = request.body
    except ValueError:
        raise DomainError("The Content-Length is no number.", code=ErrorCode.BAD_REQUEST) from None


def query_data(serializer: Input, params: QueryDict) -> dict[str, Any]:
    """Texts of a query string as the JSON values they stand for: numbers, true and false, lists by comma or repetition.

    What does not look like its field's type is passed on as it is, and the field refuses it. What has no field is the frame's.
    """
    data: dict[str, Any] = {}
    for name in params:
        field, text = serializer.fields.get(name), params[name]
        if field is None:
            continue
        if isinstance(field, ListField):
            # An empty one is not a list of nothing, which would stand for everything.
            data[name] = [value for item in params.getlist(name) for value in item.split(",") if value] or [""]
        elif isinstance(field, IntegerField) and text.isascii() and text.isdigit() and len(text) < 16:
            data[name] = int(text)
        elif isinstance(field, BooleanField):
            data[name] = {"true": True, "false": False}.get(text, text)
        else:
            data[name] = text
    return data
