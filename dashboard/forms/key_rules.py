"""What binds an API key beside its permissions, as one types it; and the same in words."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from django import forms

from common import money
from dashboard.forms.fields import AmountField, ReadText, minor_units, plain_amount
from developers.models import ApiKey
from developers.rules import MAX_HOLDS, MAX_NETWORKS, KeyRules
from rooms.models import Room

AMOUNTS = ("max_amount_per_booking", "max_amount_per_day")


class NetworksField(ReadText):
    """One a line, or behind commas."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"rows": 2, "spellcheck": "false", "placeholder": "203.0.113.0/24"}
        super().__init__(max_length=4_000, widget=forms.Textarea(attrs=attrs), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list | tuple) else value

    def read(self, text: str) -> tuple[str, ...]:
        return tuple(text.replace(",", " ").split())


class KeyRulesForm(forms.Form):
    """`key_rules` are what was typed; the service says whether they can be."""

    networks = NetworksField(
        label="Calls come from",
        required=False,
        help_text=f"Addresses or networks of your servers, at most {MAX_NETWORKS}, one a line. Empty: from anywhere.",
    )
    rooms = forms.MultipleChoiceField(
        label="Rooms that it may book",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None ticked: all of them, those to come included. It still sees the others.",
    )
    currency = forms.ChoiceField(required=False)
    max_amount_per_booking = AmountField(
        label="At most for a booking", required=False, help_text="The whole price, whatever is paid at once."
    )
    max_amount_per_day = AmountField(
        label="At most for a day", required=False, help_text="All that it books from midnight to midnight, UTC."
    )
    max_open_holds = forms.IntegerField(
        label="Holds open at a time",
        required=False,
        min_value=0,
        max_value=MAX_HOLDS,
        help_text="Slots that it keeps without booking them yet.",
    )

    def __init__(self, *args: Any, rooms: Sequence[Room], rules: KeyRules, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        named = {room.public_id: room.name for room in rooms}
        gone = {public_id: _gone(public_id) for public_id in rules.rooms if public_id not in named}
        self.fields["rooms"].choices = [*named.items(), *gone.items()]  # type: ignore[attr-defined]
        currencies = dict.fromkeys([*filter(None, [rules.currency]), *(room.pricing["currency"] for room in rooms)]) or {
            "EUR": None
        }
        self.fields["currency"].choices = [(code, code) for code in currencies]  # type: ignore[attr-defined]
        self.only_currency = next(iter(currencies)) if len(currencies) == 1 else ""
        self.initial.update({name: getattr(rules, name) for name in ("networks", "rooms", "currency", "max_open_holds")})
        for name in AMOUNTS:
            amount = getattr(rules, name)
            self.initial[name] = None if amount is None else plain_amount(amount, rules.currency)

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        found["currency"] = found.get("currency") or self.only_currency
        for name in AMOUNTS:
            if isinstance(found.get(name), Decimal):
                try:
                    found[name] = minor_units(found[name], found["currency"])
                except forms.ValidationError as error:
                    self.add_error(name, error)
        return found

    @property
    def key_rules(self) -> KeyRules:
        typed = self.cleaned_data
        return KeyRules(
            networks=typed["networks"],
            rooms=tuple(typed["rooms"]),
            currency=typed["currency"] if any(typed[name] is not None for name in AMOUNTS) else "",
            max_amount_per_booking=typed["max_amount_per_booking"],
            max_amount_per_day=typed["max_amount_per_day"],
            max_open_holds=typed["max_open_holds"],
        )

    @property
    def are_shown(self) -> bool:
        """Whether there is something to see before anybody asks."""
        names = set(KeyRulesForm.base_fields) - {"currency"}
        return any(name in self.errors or self[name].value() not in (None, "", (), []) for name in names)


class EditKeyForm(KeyRulesForm):
    name = forms.CharField(max_length=80, help_text="What will use it: Website, Till, n8n.")

    def __init__(self, *args: Any, key: ApiKey, **kwargs: Any) -> None:
        super().__init__(*args, rules=rules_of(key), initial={"name": key.name}, **kwargs)


def rules_of(key: ApiKey) -> KeyRules:
    return KeyRules(
        networks=tuple(key.networks),
        rooms=tuple(key.rooms),
        currency=key.currency,
        max_amount_per_booking=key.max_amount_per_booking,
        max_amount_per_day=key.max_amount_per_day,
        max_open_holds=key.max_open_holds,
    )


def sentences(key: ApiKey, rooms: Sequence[Room]) -> Iterator[str]:
    """The key's rules for people to read; `rooms` are those of the organization that it acts on."""
    yield f"Calls come from {_listed(key.networks)} only." if key.networks else "Calls may come from anywhere."
    names = {room.public_id: room.name for room in rooms}
    chosen = [names.get(public_id, _gone(public_id)) for public_id in key.rooms]
    yield f"It books in {_listed(chosen)} only." if chosen else "It may book in every room."
    if key.max_amount_per_booking is not None:
        yield f"A booking costs {money.text(key.max_amount_per_booking, key.currency)} at most."
    if key.max_amount_per_day is not None:
        most = money.text(key.max_amount_per_day, key.currency)
        yield f"The bookings of a day, midnight to midnight UTC, cost {most} at most together."
    if key.max_open_holds is not None:
        yield f"At most {key.max_open_holds} of its holds are open at a time." if key.max_open_holds else "It may hold nothing."


def _gone(public_id: str) -> str:
    return f"{public_id} (not there any more)"


def _listed(names: Sequence[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
