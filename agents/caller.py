"""The one whose tools are listed and called: a key, and the request that it came with."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson
from django.conf import settings
from django.http import HttpRequest

from bookings.models import REFERENCE_LETTERS
from common.errors import DomainError, FieldError, NotFound, ValidationFailed
from developers import inside
from developers.authentication import bearer_of, caller_of, note_use
from developers.idempotency import HEADER
from developers.limits import Meter
from developers.models import ApiKeySecret
from developers.problems import problem
from organizations.actor import Actor
from organizations.permissions import Scope
from rooms.models import Room

BASE = "/api/v1/public"
SEARCH = "/backend/docs/search"
MOST_ERRORS = 20
_BOOKING = re.compile(rf"bkg_[0-9A-Za-z]+|[0-9A-Za-z]{{{REFERENCE_LETTERS}}}")


class Refused(Exception):
    """A call of the API that was refused; with the problem that it answered."""

    def __init__(self, problem: dict[str, Any]) -> None:
        self.problem = problem
        super().__init__(problem.get("detail", ""))


@dataclass(slots=True)
class Caller:
    """`tool` is the one that is being called; `is_counted` tells whether the rate limits know of the request."""

    request: HttpRequest
    token: str
    actor: Actor
    secret: ApiKeySecret
    tool: str = ""
    is_counted: bool = False

    @classmethod
    def of(cls, request: HttpRequest) -> "Caller":
        """By the key in the header; the playground's tokens open nothing here. Raises as the API's authentication does."""
        token = bearer_of(request)
        actor, secret = caller_of(request, token, origins=settings.MCP_ALLOWED_ORIGINS)
        note_use(request, secret)
        return cls(request, token, actor, secret)

    def count(self) -> None:
        """Where no call of the API does. Raises RateLimited."""
        if not self.is_counted:
            self.is_counted = True
            Meter(caller=self.actor, key=self.secret.key).start(self.request)

    def may(self, *scopes: Scope) -> bool:
        return set(scopes) <= self.actor.scopes

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        return self.ask("GET", path, query=query)

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> dict[str, Any]:
        """What the API answers to the key's own call, which is counted and logged as any other, in the name of the one whom this
        request has been authenticated as. Raises Refused.
        """
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        if idempotency_key is not None:
            # Agents think of the same short keys, and other programs of the organization may have had them too.
            headers[HEADER] = f"{self.actor.id}:{self.tool}:{idempotency_key}"
        self.is_counted = True
        return self._ask(method, BASE + path, query or {}, body, headers, caller=(self.actor, self.secret))

    def search(self, words: str) -> list[dict[str, Any]]:
        """What the docs site finds. Raises RateLimited, Refused."""
        self.count()
        found: list[dict[str, Any]] = self._ask("GET", SEARCH, {"q": words}, None, {"Accept": "application/json"})["data"]
        return found

    def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any],
        body: Mapping[str, Any] | None,
        headers: dict[str, str],
        caller: tuple[Actor, ApiKeySecret] | None = None,
    ) -> dict[str, Any]:
        response = inside.ask(
            method,
            path,
            query=urlencode({name: _text(value) for name, value in query.items() if value is not None}),
            body=b"" if body is None else json.dumps(body).encode(),
            headers=headers,
            visitor=self.request,
            tool=self.tool,
            caller=caller,
        )
        answer: dict[str, Any] = orjson.loads(response.content)  # type: ignore[attr-defined]
        if response.status_code >= 400:
            raise Refused({**answer, "errors": answer["errors"][:MOST_ERRORS]} if "errors" in answer else answer)
        return answer

    def room_names(self, *ids: str) -> dict[str, str]:
        """Of those whose names the key may read."""
        if not self.may(Scope.ROOMS_READ):
            return {}
        return dict(Room.objects.visible_to(self.actor).filter(public_id__in=set(ids)).values_list("public_id", "name"))

    def problem(self, error: DomainError) -> dict[str, Any]:
        """As the API would answer it."""
        return problem(error, self.request.request_id)  # type: ignore[attr-defined]


def one(booking: str) -> str:
    """Its id or reference as a part of a path. Raises ValidationFailed where there is none, and NotFound for what can be neither:
    the path would lead elsewhere, and a slash does so however it is escaped.
    """
    if booking in ("", ".", ".."):
        raise ValidationFailed(FieldError("Give the id.", pointer="/booking"))
    if not _BOOKING.fullmatch(booking):
        raise NotFound("booking")
    return booking


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(map(_text, value))
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
