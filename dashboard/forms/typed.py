"""Forms that say what they mean in the API's words: what was typed becomes a body, the API's own input reads it, and
what that refuses lands where it was typed, be it in the third row of a table.
"""

from collections.abc import Iterable
from typing import Any, ClassVar

from django import forms
from django.forms.formsets import BaseFormSet
from django.http import QueryDict
from rest_framework.exceptions import ValidationError

from common.errors import DomainError, FieldError, ValidationFailed, VersionConflict
from common.money import symbol
from dashboard.forms.fields import AmountField
from developers.inputs import Input
from developers.problems import field_errors
from organizations.actor import Actor

_STARTS = "Either list the times, or give the first start, the last, and every how many minutes."
# The API's refusals that speak of its own fields, in the words of pages.
PLAIN = {
    "It is more than max_party.": "This is more than the largest party.",
    "It is more than capacity.": "This is more than the seats of one game.",
    "Give exactly one of: start_times, first_start.": _STARTS,
    "last_start and interval_minutes go with it.": "Give the last start and every how many minutes, too.",
    "They go without last_start and interval_minutes.": _STARTS,
    "It lies before valid_from.": "This lies before the first day.",
    "Give either closed: true or start_times.": "Either it is closed, or it has times of its own.",
    "A date stands there twice.": "The same date stands there twice.",
    "This value does not match the required pattern.": "Write it as the words above say.",
    "They leave a gap or overlap.": "Each line must begin where the one before ends: 2 to 3, then 4 to 6.",
    "A tier begins at its min and ends at its max.": "Fill at least one line; each goes from a smaller party to a larger one.",
    "tiered prices take tiers and no amount.": "Fill at least one line.",
    "per_group prices take amount and no tiers.": "Fill in the price.",
    "per_person prices take amount and no tiers.": "Fill in the price.",
    "It goes with booking_mode shared_with_private_upgrade only.": "Only a shared room that can be taken privately has one.",
    "They go with type choice, and only there.": "A choice needs answers to choose from; other kinds have none.",
    "Give until or count, not both.": "Give the last day or the number of times, not both.",
    "It lies before the block itself.": "This lies before the block itself.",
    "It lies before starts_at.": "The end must lie after the start.",
    "It lies before date_from.": "The last day lies before the first.",
}
CHANGED = (
    "Somebody else has changed it while you were typing. Nothing you typed is lost: save again to put it in place of theirs."
)
ADD, REMOVE, PREVIEW = "add", "remove", "preview"  # names of buttons that do not save


class Row(forms.Form):
    """A line of a table in a form. An empty one counts for nothing."""

    def __init__(self, *args: Any, currency: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _in_currency(self, currency)

    def body(self) -> dict[str, Any]:
        """What the API is told of it."""
        raise NotImplementedError

    @property
    def detailed(self) -> bool:
        """Whether something is typed, or refused, in what stands folded away."""
        names = getattr(self, "folded", ())
        return any(self[name].value() not in (None, "", [], ["", ""]) or self[name].errors for name in names)


class Rows(BaseFormSet):  # type: ignore[type-arg]
    """The lines of a table, and the words around it. Lines come and go by buttons of the form, without a script too."""

    row: ClassVar[type[Row]] = Row
    most = 100
    spare = 0  # empty lines shown at first, where there are none
    noun, article = "row", "a"

    form: Any
    extra, can_order, can_delete, can_delete_extra = 0, False, False, False
    min_num, validate_min, validate_max, renderer, edit_only = 0, False, False, None, False

    def __init__(self, prefix: str, *, currency: str, data: QueryDict | None = None, rows: list[dict[str, Any]] | None = None):
        self.form, self.max_num, self.absolute_max = self.row, self.most, self.most + 1
        self.renderer = forms.renderers.get_default_renderer()
        rows = rows if rows is not None else []
        self.extra = max(0, self.spare - len(rows)) if not rows else 0
        super().__init__(data, prefix=prefix, initial=None if data is not None else rows, form_kwargs={"currency": currency})

    def initial_form_count(self) -> int:
        """When it comes back none of its lines is required: an emptied one is gone."""
        return 0 if self.is_bound else super().initial_form_count()

    def is_valid(self) -> bool:
        """A table that nobody has typed in is as good as it was."""
        return not self.is_bound or super().is_valid()

    @property
    def filled(self) -> list[Row]:
        return [row for row in self.forms if row.has_changed()]

    def bodies(self) -> list[dict[str, Any]]:
        return [row.body() for row in self.filled]

    def refuse(self, detail: str) -> None:
        self.non_form_errors().append(detail)

    def as_typed(self) -> list[dict[str, Any]]:
        """What stands in the lines, read by nobody yet."""
        return [
            {name: row.fields[name].widget.value_from_datadict(row.data, row.files, row.add_prefix(name)) for name in row.fields}
            for row in self.forms
        ]


class TypedForm(forms.Form):
    """A form whose body the API's `reader` reads; `values` is what came of it. `tables` are its Rows by their prefix."""

    reader: ClassVar[type[Input]]
    tables: ClassVar[dict[str, type[Rows]]] = {}
    amounts_in = ""  # the currency of its amounts

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        by: Actor,
        initial: dict[str, Any] | None = None,
        rows: dict[str, list[dict[str, Any]]] | None = None,
    ) -> None:
        """`rows`: what stands in the tables at first. Buttons that add and remove lines are obeyed here."""
        super().__init__(data, initial=initial)
        self.by = by
        self.values: dict[str, Any] = {}
        _in_currency(self, self.amounts_in)
        self.rows = {
            prefix: table(prefix, currency=self.amounts_in, data=data, rows=(rows or {}).get(prefix))
            for prefix, table in self.tables.items()
        }
        if data is not None and (ADD in data or REMOVE in data):
            self._edit_rows(data)

    def _edit_rows(self, data: QueryDict) -> None:
        """Show what was typed with a line more or less; nothing is checked, and nothing saved."""
        typed = {prefix: table.as_typed() for prefix, table in self.rows.items()}
        self.initial = {
            name: field.widget.value_from_datadict(data, self.files, self.add_prefix(name)) for name, field in self.fields.items()
        }
        self.is_bound = False
        prefix, _, index = data.get(REMOVE, "").rpartition("-")
        if prefix in typed and index.isdecimal() and len(index) < 5 and int(index) < len(typed[prefix]):
            del typed[prefix][int(index)]
        adding = data.get(ADD, "")
        for name, table in self.tables.items():
            self.rows[name] = table(name, currency=self.amounts_in, rows=typed[name])
            if name == adding and len(typed[name]) < table.most:
                self.rows[name] = table(name, currency=self.amounts_in, rows=[*typed[name], {}])
                self.rows[name].added = True  # type: ignore[attr-defined]

    def body(self) -> dict[str, Any]:
        """What the API is told."""
        raise NotImplementedError

    def full_clean(self) -> None:
        super().full_clean()
        if not self.is_bound:
            return
        if self.errors or not all(table.is_valid() for table in self.rows.values()):
            return
        parsed = self.reader(data=self.body(), context={"actor": self.by})
        if parsed.is_valid():
            self.values = parsed.validated_data
        else:
            self.refuse(field_errors(ValidationError(parsed.errors)))

    def is_valid(self) -> bool:
        return super().is_valid() and all(table.is_valid() for table in self.rows.values())

    def refused(self, error: DomainError) -> None:
        """A service's refusal, where it was typed. A stale version is replaced, so that one may save knowingly."""
        if isinstance(error, ValidationFailed):
            self.refuse(error.errors)
        elif isinstance(error, VersionConflict):
            self.data = self.data.copy()  # type: ignore[attr-defined]
            self.data["version"] = error.extra["current_version"]  # type: ignore[index]
            self.add_error(None, CHANGED)
        else:
            self.add_error(None, error.detail)

    def refuse(self, errors: Iterable[FieldError]) -> None:
        for error in errors:
            self._place([part for part in (error.pointer or "").split("/") if part], PLAIN.get(error.detail, error.detail))

    def _place(self, parts: list[str], detail: str) -> None:
        """On the field that the pointer names, on its line of a table, on the table, or above the form."""
        for at, part in enumerate(parts):
            if part not in self.rows:
                continue
            table, rest = self.rows[part], parts[at + 1 :]
            if rest and rest[0].isdecimal() and int(rest[0]) < len(table.filled):
                row = table.filled[int(rest[0])]
                row.add_error(_name(rest[1:], row), detail)
            else:
                table.refuse(detail)
            return
        name = _name(parts, self)
        self.add_error(name, detail if name or not parts else f"{' '.join(parts)}: {detail}")


def _name(parts: list[str], form: forms.Form) -> str | None:
    """The form's field for a pointer: `times/from` is times_from, `start_times/2` start_times."""
    joined = ["_".join(parts[start:end]) for start in range(len(parts)) for end in range(len(parts), start, -1)]
    return next((name for name in joined if name in form.fields), None)


def _in_currency(form: forms.Form, currency: str) -> None:
    """Amounts that are in no currency yet are in this one."""
    for field in form.fields.values():
        if isinstance(field, AmountField) and currency and not field.currency:
            field.currency, field.label = currency, f"{field.label} ({symbol(currency)})"
