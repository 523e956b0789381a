"""Where a key may be used from and how much it may book: what people set for it beside its scopes."""

from dataclasses import dataclass
from ipaddress import IPv6Network, ip_network
from typing import Any

from common.errors import FieldError, ValidationFailed
from common.money import MAX_AMOUNT

MAX_NETWORKS, MAX_ROOMS = 50, 200
MAX_HOLDS = 10_000


@dataclass(frozen=True, slots=True)
class KeyRules:
    """The fields of ApiKey of these names. By default a key is bound by its scopes alone."""

    networks: tuple[str, ...] = ()
    rooms: tuple[str, ...] = ()
    currency: str = ""
    max_amount_per_booking: int | None = None
    max_amount_per_day: int | None = None
    max_open_holds: int | None = None

    def checked(self) -> dict[str, Any]:
        """What stands in the row: networks as everybody writes them, each once. Raises ValidationFailed."""
        if len(self.networks) > MAX_NETWORKS:
            raise ValidationFailed(FieldError(f"At most {MAX_NETWORKS} networks.", pointer="/networks"))
        if len(self.rooms) > MAX_ROOMS:
            raise ValidationFailed(FieldError(f"At most {MAX_ROOMS} rooms.", pointer="/rooms"))
        for name, most in (
            ("max_amount_per_booking", MAX_AMOUNT),
            ("max_amount_per_day", MAX_AMOUNT),
            ("max_open_holds", MAX_HOLDS),
        ):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= most:
                raise ValidationFailed(FieldError(f"0 to {most}.", pointer=f"/{name}"))
        has_amounts = (self.max_amount_per_booking, self.max_amount_per_day) != (None, None)
        if has_amounts and not self.currency:
            raise ValidationFailed(FieldError("Name the currency of the amounts.", pointer="/currency"))
        return {
            "networks": list(dict.fromkeys(map(_network, self.networks))),
            "rooms": list(dict.fromkeys(self.rooms)),
            "currency": self.currency if has_amounts else "",
            "max_amount_per_booking": self.max_amount_per_booking,
            "max_amount_per_day": self.max_amount_per_day,
            "max_open_holds": self.max_open_holds,
        }


UNBOUND = KeyRules()


def _network(text: str) -> str:
    """An IPv4 network in the clothes of IPv6 is told as what it is: so are the addresses that are held against it."""
    try:
        found = ip_network(text)
        if isinstance(found, IPv6Network) and found.prefixlen >= 96 and (mapped := found.network_address.ipv4_mapped):
            found = ip_network((mapped, found.prefixlen - 96))
        return str(found)
    except ValueError:
        raise ValidationFailed(FieldError(_advice(text), pointer="/networks")) from None


def _advice(text: str) -> str:
    try:
        meant = ip_network(text, strict=False)
    except ValueError:
        return f"“{text}” is no network. Write 203.0.113.7, 203.0.113.0/24 or 2001:db8::/32."
    return f"{text} is one address within {meant}. Write {meant} for all of them, or the address alone."
