"""Pure checks on what is asked for."""

from typing import Any

from common.errors import FieldError, ValidationFailed

# The whole numbers that JSON readers agree on; a larger one makes JSON that not every reader, nor we, can read back.
MAX_NUMBER = 2**53
_TYPES: dict[str, type | tuple[type, ...]] = {"text": str, "choice": str, "number": (int, float), "boolean": bool}


def check_answers(custom_fields: list[dict[str, Any]], answers: dict[str, Any]) -> dict[str, Any]:
    """The answers, if they fit the room's own questions. Raises ValidationFailed naming each that does not."""
    known = {field["key"]: field for field in custom_fields}
    errors = [_error(key, "The room asks no such question.", "unknown_field") for key in answers if key not in known]
    for key, field in known.items():
        answer = answers.get(key)
        if answer is None or answer == "":
            if field.get("required"):
                errors.append(_error(key, "This answer is required.", "required"))
        elif not _fits(field, answer):
            errors.append(_error(key, f"This is no {field['type']} of those allowed.", "invalid"))
    if errors:
        raise ValidationFailed(*errors)
    return answers


def _fits(field: dict[str, Any], answer: Any) -> bool:
    if isinstance(answer, bool) and field["type"] != "boolean":
        return False
    if not isinstance(answer, _TYPES[field["type"]]):
        return False
    if isinstance(answer, int | float) and not -MAX_NUMBER <= answer <= MAX_NUMBER:  # not-a-number lies nowhere
        return False
    return field["type"] != "choice" or answer in field.get("choices", ())


def _error(key: str, detail: str, code: str) -> FieldError:
    return FieldError(detail, code, pointer=f"/answers/{key}")
