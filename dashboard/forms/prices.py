"""What a room costs: the base price, what changes it, the deposit."""

from typing import Any

from django import forms

from dashboard.forms.fields import AmountField, DayField, PercentField, WallTimeField, WeekdaysField, given, plain_amount
from dashboard.forms.rooms import RoomForm
from dashboard.forms.typed import Row, Rows
from rooms.models import Room


class Tier(Row):
    min = forms.IntegerField(label="From", min_value=1)
    max = forms.IntegerField(label="to", min_value=1)
    amount = AmountField(label="Price for the group")

    def body(self) -> dict[str, Any]:
        return dict(self.cleaned_data)


class Tiers(Rows):
    row, noun, spare = Tier, "line", 2


class Adjustment(Row):
    label = forms.CharField(label="Name", max_length=60, required=False)
    kind = forms.ChoiceField(
        label="Change",
        choices=[("percent", "Percent more or less"), ("fixed", "Amount more or less"), ("set", "Costs exactly")],
        initial="percent",
    )
    value = forms.CharField(
        label="By or to",
        max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "text", "autocomplete": "off", "placeholder": "15 or -20"}),
    )
    weekdays = WeekdaysField(label="Only on", required=False)
    times_from = WallTimeField(label="Only from (time)", required=False)
    times_to = WallTimeField(label="to before", required=False)
    dates_from = DayField(label="Only from (day)", required=False)
    dates_to = DayField(label="to", required=False)
    party_min = forms.IntegerField(label="Only parties from", min_value=1, required=False)
    party_max = forms.IntegerField(label="to", min_value=1, required=False)
    priority = forms.IntegerField(label="Order", min_value=0, max_value=1_000, required=False, help_text="Lowest first.")

    folded = ("times_from", "times_to", "dates_from", "dates_to", "party_min", "party_max")

    def __init__(self, *args: Any, currency: str = "", initial: dict[str, Any] | None = None, **kwargs: Any) -> None:
        self.currency = currency
        super().__init__(*args, currency=currency, initial=_flat(initial, currency) if initial else None, **kwargs)

    def has_changed(self) -> bool:
        return bool(set(self.changed_data) - {"kind"})

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        for pair in (("times_from", "times_to"), ("dates_from", "dates_to"), ("party_min", "party_max")):
            empty = [name for name in pair if name not in self.errors and cleaned.get(name) in (None, "")]
            if len(empty) == 1:
                self.add_error(empty[0], "Fill in both, or neither.")
        if cleaned.get("value"):
            percent = cleaned.get("kind") == "percent"
            field = PercentField() if percent else AmountField(currency=self.currency, signed=cleaned.get("kind") == "fixed")
            try:
                cleaned["value"] = field.clean(cleaned["value"])
            except forms.ValidationError as error:
                self.add_error("value", error)
        return cleaned

    def body(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        times = given(**{"from": cleaned["times_from"], "to": cleaned["times_to"]})
        dates = {end: cleaned[f"dates_{end}"].isoformat() for end in ("from", "to") if cleaned[f"dates_{end}"]}
        party = given(min=cleaned["party_min"], max=cleaned["party_max"])
        where = given(weekdays=cleaned["weekdays"], times=times, dates=dates, party=party)
        return {**given(label=cleaned["label"], priority=cleaned["priority"]), **where, cleaned["kind"]: cleaned["value"]}


def _flat(adjustment: dict[str, Any], currency: str) -> dict[str, Any]:
    """As the API has it, in the fields of a line; a line that is typed stays as it is."""
    if "kind" in adjustment:
        return adjustment
    kind = next(kind for kind in ("percent", "fixed", "set") if kind in adjustment)
    value = adjustment[kind] if kind == "percent" else plain_amount(adjustment[kind], currency)
    parts = {f"{name}_{end}": value for name in ("times", "dates", "party") for end, value in adjustment.get(name, {}).items()}
    return {**{name: adjustment.get(name) for name in ("label", "weekdays", "priority")}, "kind": kind, "value": value, **parts}


class Adjustments(Rows):
    row, noun, article = Adjustment, "adjustment", "an"


AMOUNT_OR_PERCENT = [("", "None"), ("amount", "An amount"), ("percent", "Percent of the price")]


class PriceForm(RoomForm):
    tables = {"tiers": Tiers, "adjustments": Adjustments}

    model = forms.ChoiceField(
        label="The price is",
        choices=[
            ("per_group", "One price for the group"),
            ("per_person", "A price for each person"),
            ("tiered", "A table by the size of the party"),
        ],
        widget=forms.RadioSelect,
    )
    amount = AmountField(label="Price", required=False)
    amount.needed_at_times = True
    upgrade = forms.ChoiceField(label="A private game costs more by", choices=AMOUNT_OR_PERCENT, required=False)
    upgrade_value = forms.CharField(label="How much", max_length=20, required=False)
    deposit = forms.ChoiceField(label="Deposit when booking", choices=AMOUNT_OR_PERCENT, required=False)
    deposit_value = forms.CharField(label="How much", max_length=20, required=False)

    def __init__(self, room: Room, *args: Any, **kwargs: Any) -> None:
        super().__init__(room, *args, **kwargs)
        if room.booking_mode != Room.BookingMode.SHARED_WITH_PRIVATE_UPGRADE and not room.pricing.get("private_upgrade"):
            del self.fields["upgrade"], self.fields["upgrade_value"]

    @property
    def is_in_old_currency(self) -> bool:
        return self.room.pricing["currency"] != self.amounts_in

    @property
    def has_prices_in_schedule(self) -> bool:
        """Starts whose price stands in the schedule come before all that this page says."""
        return any("price_override" in rule for rule in self.room.schedule.get("rules", []))

    def initial_values(self, room: Room) -> dict[str, Any]:
        values = {"model": room.pricing["model"], "amount": room.pricing.get("amount")}
        for field, name in (("upgrade", "private_upgrade"), ("deposit", "deposit")):
            for kind, value in (room.pricing.get(name) or {}).items():
                shown = value if kind == "percent" else plain_amount(value, self.amounts_in)
                values |= {field: kind, f"{field}_value": shown}
        return values

    def initial_rows(self, room: Room) -> dict[str, list[dict[str, Any]]]:
        return {"tiers": room.pricing.get("tiers", []), "adjustments": room.pricing.get("adjustments", [])}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        for name in ("upgrade", "deposit"):
            if not cleaned.get(name):
                continue
            percent = cleaned[name] == "percent"
            field = PercentField() if percent else AmountField(currency=self.amounts_in)
            try:
                cleaned[f"{name}_value"] = field.clean(cleaned.get(f"{name}_value"))
            except forms.ValidationError as error:
                self.add_error(f"{name}_value", error)
        if cleaned.get("model") != "tiered" and "amount" not in self.errors and cleaned.get("amount") is None:
            self.add_error("amount", "Fill in the price.")
        return cleaned

    def body(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        tiered = cleaned["model"] == "tiered"
        base = {"tiers": self.rows["tiers"].bodies()} if tiered else {"amount": cleaned["amount"]}
        pricing = {
            "model": cleaned["model"],
            "currency": self.amounts_in,
            **base,
            "adjustments": self.rows["adjustments"].bodies(),
        }
        for field, name in (("upgrade", "private_upgrade"), ("deposit", "deposit")):
            if cleaned.get(field):
                pricing[name] = {cleaned[field]: cleaned[f"{field}_value"]}
        return {"pricing": pricing}

    def refuse(self, errors: Any) -> None:
        """Of the deposit and the upgrade it is the number that can be wrong; of an adjustment its value."""
        for error in errors:
            pointer = error.pointer or ""
            for kind in ("percent", "fixed", "set"):
                pointer = pointer.replace(f"/{kind}", "/value") if "/adjustments/" in pointer else pointer
            for name, field in (("/pricing/deposit", "/deposit_value"), ("/pricing/private_upgrade", "/upgrade_value")):
                pointer = field if pointer.startswith(name) else pointer
            super().refuse([type(error)(error.detail, error.code, pointer=pointer)])
