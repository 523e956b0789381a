"""A tool: what it takes, what it answers, which scopes show it, and what it does."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema import ValidationError as Invalid

from agents.caller import MOST_ERRORS, Caller
from agents.shapes import fits, fitted
from common.errors import FieldError, ValidationFailed
from organizations.permissions import Scope

Json = dict[str, Any]


@dataclass(frozen=True)
class Tool:
    """`reads`: it changes nothing; `destroys`: it takes something away; `repeats`: called again the same way it changes nothing
    more. By these hints clients decide whether to ask a person before they call it.
    """

    name: str
    title: str
    description: str
    run: Callable[[Caller, Json], Json]
    takes: Json
    answers: Json
    scopes: tuple[Scope, ...] = field(default=())
    reads: bool = False
    destroys: bool = False
    repeats: bool = False

    @cached_property
    def _validator(self) -> Draft202012Validator:
        return Draft202012Validator(self.takes)

    def check(self, arguments: Json) -> None:
        """Raises ValidationFailed, which names each argument that is wrong; what they mean the API judges."""
        found = [told for error in self._validator.iter_errors(arguments) for told in _told(error)]
        if found:
            raise ValidationFailed(*found[:MOST_ERRORS])


def _told(error: Invalid) -> Iterator[FieldError]:
    """In the API's words, where it has some."""
    place = "".join(f"/{_escaped(part)}" for part in error.absolute_path)
    if error.validator == "additionalProperties":
        for name in sorted(set(error.instance) - set(error.schema["properties"])):
            yield FieldError("This field is unknown.", "unknown_field", pointer=f"{place}/{_escaped(name)}")
    elif error.validator == "required":
        yield FieldError("This field is required.", "required", pointer=f"{place}/{error.message.split(chr(39))[1]}")
    else:
        yield FieldError(error.message[:200], str(error.validator), pointer=place)


def _escaped(part: str | int) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")


def page(ask: Callable[[int], Json], shape: Callable[[Json], Json], *, limit: int) -> Json:
    """`data` and `next_cursor` of a list of the API's. Where so many rows are too much for one answer, fewer are asked for."""
    while True:
        found = ask(limit)
        answer = {"data": [shape(row) for row in found["data"]], "next_cursor": found["next_cursor"]}
        if fits(answer):
            return answer
        if limit == 1:
            return {**answer, "data": [fitted(row) for row in answer["data"]]}
        limit = max(1, limit * 2 // 3)
