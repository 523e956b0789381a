"""Where a request comes from."""

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from django.conf import settings


def client_address(meta: Mapping[str, Any]) -> IPv4Address | IPv6Address | None:
    """The client's address; None where nobody tells it, as behind a socket.

    Behind a proxy it is the last entry of `X-Forwarded-For`, which the proxy has added: those before it are what the client
    claims. Without one the header is anybody's claim, and the connection's own address counts.
    """
    text = str(meta.get("REMOTE_ADDR", ""))
    if settings.BEHIND_PROXY and (entries := str(meta.get("HTTP_X_FORWARDED_FOR", ""))):
        text = entries.rpartition(",")[2].strip()
    try:
        found = ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found
