"""Money: integer minor units and an ISO 4217 currency. Floats never touch it."""

from decimal import ROUND_HALF_UP, Decimal

# ISO 4217 exponents that are not 2.
_EXPONENTS = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
_SYMBOLS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥", "INR": "₹"}
MAX_AMOUNT = 99_999_999_999  # minor units; keeps every sum inside PostgreSQL's bigint


def exponent(currency: str) -> int:
    """Digits after the point: 0 for JPY, 3 for KWD, 2 for most."""
    return _EXPONENTS.get(currency, 2)


def half_up(amount: Decimal) -> int:
    """Round to a whole minor unit, halves away from zero."""
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def percent_of(amount: int, percent: Decimal | float | str) -> int:
    """`percent` % of an amount in minor units, rounded half up. A float counts as it is written: 12.1, not 12.0999…"""
    return half_up(Decimal(amount) * Decimal(str(percent)) / 100)


def symbol(currency: str) -> str:
    """`€`; the currency's own code where it has no short sign that all understand."""
    return _SYMBOLS.get(currency, currency)


def text(amount: int, currency: str) -> str:
    """For people: `€150`, `€12.50`, `CHF 90`; pennies only where there are some."""
    digits = exponent(currency)
    value = Decimal(abs(amount)).scaleb(-digits)
    number = f"{value:,.0f}" if value == value.to_integral_value() else f"{value:,.{digits}f}"
    sign = "-" if amount < 0 else ""
    symbol = _SYMBOLS.get(currency)
    return f"{sign}{symbol}{number}" if symbol else f"{sign}{currency} {number}"
