"""What a place's clock says about its money: a first guess, which the owner corrects in the venue's settings."""

import functools
from importlib import resources

EURO = "EUR"
# ISO 3166 and ISO 4217, where it is not the euro.
_CURRENCIES = {
    "AE": "AED", "AR": "ARS", "AU": "AUD", "BR": "BRL", "CA": "CAD", "CH": "CHF", "CL": "CLP", "CN": "CNY", "CO": "COP",
    "CZ": "CZK", "DK": "DKK", "EG": "EGP", "GB": "GBP", "GE": "GEL", "GG": "GBP", "HK": "HKD", "HU": "HUF", "ID": "IDR",
    "IL": "ILS", "IM": "GBP", "IN": "INR", "IS": "ISK", "JE": "GBP", "JP": "JPY", "KE": "KES", "KR": "KRW", "KW": "KWD",
    "LI": "CHF", "MA": "MAD", "MX": "MXN", "MY": "MYR", "NO": "NOK", "NZ": "NZD", "PE": "PEN", "PH": "PHP", "PL": "PLN",
    "PR": "USD", "QA": "QAR", "RO": "RON", "RS": "RSD", "SA": "SAR", "SE": "SEK", "SG": "SGD", "TH": "THB", "TN": "TND",
    "TR": "TRY", "TW": "TWD", "UA": "UAH", "US": "USD", "UY": "UYU", "VN": "VND", "ZA": "ZAR",
}  # fmt: skip


def currency_of(timezone: str) -> str:
    """The currency of the country in whose zone the clocks are; the euro where that is not known."""
    return _CURRENCIES.get(_countries().get(timezone, ""), EURO)


@functools.cache
def _countries() -> dict[str, str]:
    """The country of each zone, from the zone database's own table: `FR<tab>+4852+00220<tab>Europe/Paris`."""
    lines = (resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text().splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return {row[2]: row[0] for row in rows}
