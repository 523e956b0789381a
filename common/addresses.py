"""Where we may connect on a user's word: which addresses are public, and which URLs can be an endpoint's at all.

`check_url` answers a person early and in words. What keeps our network closed is `is_allowed`, asked about every address
at the moment of connecting (`common.http`): a name's answer may change after its URL was checked.
"""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from django.utils.http import is_same_domain
from yarl import URL

Address = IPv4Address | IPv6Address

MAX_URL_LENGTH = 2000  # characters

_RELAYS_6TO4 = IPv4Network("192.88.99.0/24")  # anycast to whichever 6to4 relay is near
_UNICAST = IPv6Network("2000::/3")  # all that IANA has given out as global unicast
_NOT_PUBLIC = (
    IPv6Network("2001::/23"),  # protocol assignments; Teredo carries an IPv4 address
    IPv6Network("2001:db8::/32"),  # documentation
    IPv6Network("2002::/16"),  # 6to4 carries an IPv4 address
    IPv6Network("3fff::/20"),  # documentation
)

_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")  # a host whose last label is one is an IPv4 address to most resolvers


class RefusedAddress(ValueError):
    """The URL cannot be an endpoint; the text says why, for a person to read."""


def is_public(address: str | Address) -> bool:
    """Whether the address lies on the public internet. What is not an address is not public.

    `is_global` alone passes multicast, 6to4, NAT64, site-local and IPv4-compatible addresses, which can lead inside.
    """
    found = _parse(address)
    if isinstance(found, IPv4Address):
        return found.is_global and not found.is_multicast and found not in _RELAYS_6TO4
    if isinstance(found, IPv6Address):
        return found in _UNICAST and not any(found in network for network in _NOT_PUBLIC)
    return False


def is_loopback(address: str | Address) -> bool:
    found = _parse(address)
    return found is not None and found.is_loopback


def is_allowed(address: str | Address, *, allow_loopback: bool) -> bool:
    """Whether a connection to the address may be opened."""
    return is_public(address) or (allow_loopback and is_loopback(address))


def check_url(url: str, *, own_hosts: Iterable[str], allow_loopback: bool, allow_http: bool) -> None:
    """Refuse what cannot be an endpoint. Looks no name up.

    `own_hosts` are names without a port; one with a leading dot stands for its subdomains too (as in ALLOWED_HOSTS).
    Where loopback is allowed (development), it may be http and may be one of our own names.
    Raises RefusedAddress.
    """
    parsed = _split(url)
    host = parsed.raw_host or ""
    loopback = _check_host(host, allow_loopback=allow_loopback)
    if parsed.scheme == "http" and not (allow_http or loopback):
        raise RefusedAddress("The address must start with https://: what we send must not be readable on the way.")
    if not loopback and any(is_same_domain(host.rstrip("."), own) for own in own_hosts):
        raise RefusedAddress("The address is one of our own.")


def _split(url: str) -> URL:
    """The URL as the HTTP client reads it, so that no second reading of it can differ."""
    if len(url) > MAX_URL_LENGTH:
        raise RefusedAddress(f"The address is longer than {MAX_URL_LENGTH} characters.")
    if not url.isprintable() or any(letter.isspace() for letter in url):
        raise RefusedAddress("The address contains spaces or invisible characters.")
    if "\\" in url:  # browsers read it as a slash, libraries do not
        raise RefusedAddress("The address contains a backslash.")
    if "#" in url:
        raise RefusedAddress("The address must not have a fragment (#…): it would never be sent.")
    if "@" in re.split("[/?]", url.partition("//")[2], maxsplit=1)[0]:
        raise RefusedAddress("The address must not contain a user name or a password. Use a custom header instead.")
    try:
        parsed = URL(url)
        host, port = parsed.raw_host, parsed.explicit_port
    except ValueError as error:  # a port out of range, brackets that do not close, a name that IDNA cannot write
        raise RefusedAddress("The address is not a valid URL.") from error
    if parsed.scheme not in ("http", "https"):
        raise RefusedAddress("The address must start with https://.")
    if not host:
        raise RefusedAddress("The address has no host name.")
    if port == 0:
        raise RefusedAddress("The address has an invalid port.")
    return parsed


def _check_host(host: str, *, allow_loopback: bool) -> bool:
    """Whether the host is a loopback that is allowed. Raises RefusedAddress for what is neither a public address nor a name."""
    name = host.removesuffix(".")
    labels = name.split(".")
    if ":" in host or _NUMBER.fullmatch(labels[-1]):
        return _check_literal(host, allow_loopback=allow_loopback)
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise RefusedAddress("The address has no valid host name.")
    if labels[-1] == "localhost":  # RFC 6761: itself and everything below it are loopback
        if allow_loopback:
            return True
        raise RefusedAddress("The address must be reachable from the internet; localhost is not.")
    if len(labels) == 1:
        raise RefusedAddress("The address must have a full host name, such as example.com.")
    return False


def _check_literal(host: str, *, allow_loopback: bool) -> bool:
    # `ip_address` takes the canonical form only; 127.1, 0177.0.0.1, 0x7f.1 and 2130706433 are left to no resolver to read.
    if "%" in host or _parse(host) is None:
        raise RefusedAddress("The host is written as an unusual number. Use a host name.")
    if not is_allowed(host, allow_loopback=allow_loopback):
        raise RefusedAddress("The address must be reachable from the internet; this one is private or reserved.")
    return is_loopback(host)


def _parse(address: str | Address) -> Address | None:
    """The address, out of its IPv6 wrapping (::ffff:127.0.0.1) where it has one; None for anything else."""
    try:
        found = ip_address(address)
    except ValueError:
        return None
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        return found.ipv4_mapped
    return found
