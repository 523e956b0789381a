"""A call of the API as a form: its fields come from the operation's parameters and body."""

import json
import re
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qsl, quote, urlencode

from django import forms
from django.conf import settings
from django.utils.safestring import SafeString

from dashboard.highlight import highlighted
from developers import shell
from developers.examples import Example
from developers.operations import Operation, Parameter

LONG = 1_000  # letters from which on a text gets several lines
LIMITS = {"minimum": "At least {}.", "maximum": "At most {}.", "default": "Default: {}."}
NOT_SENT = ("", "Not sent")


@dataclass(frozen=True, slots=True)
class Call:
    """A request to the API. `body` is sent as JSON; None: none."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any

    @property
    def curl(self) -> str:
        return shell.curl(self.method, settings.PUBLIC_URL + self.path, self.headers, self.body)

    @property
    def coloured(self) -> SafeString:
        return highlighted(self.curl, "bash")

    @property
    def body_text(self) -> str | None:
        return None if self.body is None else json.dumps(self.body, ensure_ascii=False)


class JSONField(forms.CharField):
    """JSON; or, where the schema takes a text too, that text as it is."""

    widget = forms.Textarea

    def __init__(self, *, takes_text: bool, **more: Any) -> None:
        super().__init__(**more)
        self.takes_text = takes_text

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text or (self.takes_text and text[0] not in '{["'):
            return text
        try:
            found = json.loads(text)
            json.dumps(found, ensure_ascii=False).encode()  # half a surrogate pair is no text
        except json.JSONDecodeError as error:
            raise forms.ValidationError(f"This is not JSON: {error.msg} in line {error.lineno}.") from None
        except (ValueError, RecursionError):
            raise forms.ValidationError("This is not JSON that can be sent.") from None
        return found


class OperationForm(forms.Form):
    """What is left empty is not sent. Values of a wrong type are sent as they are: the API says what it thinks of them."""

    def __init__(self, operation: Operation, data: Any = None, *, example: Example = Example(), confirm: str = "") -> None:
        """`example` fills it in; `confirm` is a text that has to be typed before it is run."""
        super().__init__(data, initial=dict(_initial(operation, example)))
        self.operation, self.confirm = operation, confirm
        for parameter in operation.parameters:
            self.fields[_name(parameter)] = _field(parameter, self._shown(parameter))
        self.main = [self[_name(one)] for one in operation.parameters if one.required or self._shown(one)]
        self.more = [self[_name(one)] for one in operation.parameters if not (one.required or self._shown(one))]
        if confirm:
            text = f"This changes live data. Type {confirm} to run it."
            self.fields["confirm"] = forms.CharField(
                label="Confirm", help_text=text, error_messages={"required": self._not_confirmed}
            )
            self.confirm_field = self["confirm"]

    def _shown(self, parameter: Parameter) -> str:
        """What its field holds at first: what came, else the example's."""
        return str((self.data if self.is_bound else self.initial).get(_name(parameter), ""))

    def clean_confirm(self) -> str:
        typed = cast(str, self.cleaned_data["confirm"]).strip()
        if typed != self.confirm:
            raise forms.ValidationError(self._not_confirmed)
        return typed

    @property
    def _not_confirmed(self) -> str:
        return f"Type {self.confirm}, exactly as it is written here."

    def call(self) -> Call:
        """Of a valid form, or of one whose only fault is a confirmation that is not typed yet."""
        values = ((one, self.cleaned_data.get(_name(one))) for one in self.operation.parameters)
        sent = [(one, value) for one, value in values if value not in ("", None)]
        path = self.operation.path
        for one, value in sent:
            if one.place == "path":
                path = path.replace("{" + one.name + "}", quote(str(value), safe=""))
        query = urlencode({one.name: value for one, value in sent if one.place == "query"}, safe=",:")
        headers = {one.name: str(value) for one, value in sent if one.place == "header"}
        body = {one.name: _typed(value, one.schema) for one, value in sent if one.place == "body"}
        return Call(
            self.operation.method, f"{path}?{query}" if query else path, headers, body if self.operation.takes_body else None
        )

    def preview(self) -> Call | None:
        """The call as far as it is typed; None while something in it cannot be sent at all."""
        self.full_clean()
        return None if set(self.errors) - {"confirm"} else self.call()


def _name(parameter: Parameter) -> str:
    return f"{parameter.place}_{parameter.name}"


def _types(schema: dict[str, Any]) -> set[str]:
    kinds = schema.get("type", [])
    found = {kinds} if isinstance(kinds, str) else set(kinds)
    return found.union(*(_types(one) for one in schema.get("oneOf", ())))


def _is_json(parameter: Parameter) -> bool:
    schema = parameter.schema
    return parameter.place == "body" and ("$ref" in schema or "oneOf" in schema or bool(_types(schema) & {"object", "array"}))


def _field(parameter: Parameter, filled: str) -> forms.Field:
    schema, kinds = parameter.schema, _types(parameter.schema)
    common: dict[str, Any] = {"label": parameter.name, "required": parameter.required, "help_text": _help(parameter)}
    attrs = {"autocomplete": "off", "spellcheck": "false"}
    if _is_json(parameter):
        rows = min(max(filled.count("\n") + 1, 3), 14)
        return JSONField(takes_text="string" in kinds, widget=forms.Textarea({**attrs, "rows": rows, "class": "mono"}), **common)
    if choices := [(one, one) for one in schema.get("enum", ())]:
        return forms.ChoiceField(choices=[NOT_SENT, *choices], **common)
    if "boolean" in kinds:
        return forms.ChoiceField(choices=[NOT_SENT, ("true", "true"), ("false", "false")], **common)
    if schema.get("format") == "date":
        return forms.CharField(widget=forms.DateInput({**attrs, "type": "date"}), **common)
    if schema.get("maxLength", 0) >= LONG:
        return forms.CharField(widget=forms.Textarea({**attrs, "rows": 3}), **common)
    if schema.get("format") == "date-time":
        attrs["placeholder"] = "2027-01-09T17:30:00Z"
    return forms.CharField(widget=forms.TextInput(attrs), **common)


def _help(parameter: Parameter) -> str:
    limits = [text.format(parameter.schema[key]) for key, text in LIMITS.items() if key in parameter.schema]
    kind = ["JSON."] if _is_json(parameter) else []
    values = parameter.schema.get("items", {}).get("enum", ()) if parameter.place == "query" else ()
    one_of = [f"Of {', '.join(values)}."] if values else []
    return " ".join([*kind, parameter.description.replace("`", ""), *one_of, *limits]).strip()


def _typed(value: Any, schema: dict[str, Any]) -> Any:
    """A text as the JSON value that it stands for."""
    kinds = _types(schema)
    if not isinstance(value, str):
        return value
    if "integer" in kinds and re.fullmatch(r"-?\d{1,18}", value):
        return int(value)
    if "boolean" in kinds:
        return {"true": True, "false": False}.get(value, value)
    return value


def _initial(operation: Operation, example: Example) -> Any:
    query = dict(parse_qsl(example.query.lstrip("?")))
    for one in operation.parameters:
        given = {"path": {"id": example.id}, "query": query, "header": example.headers, "body": example.body or {}}[one.place]
        value = given.get(one.name, "")
        if value != "":
            yield _name(one), _text(value, as_json=_is_json(one))


def _text(value: Any, *, as_json: bool) -> str:
    if isinstance(value, str) and not (as_json and value[:1] in '{["'):
        return value
    return json.dumps(value, indent=2, ensure_ascii=False) if as_json else json.dumps(value)
