"""How often feeds may be read. Their addresses ask for no key, so that two windows stand in for the plan's:

1. A feed's own, which all who read it share. Calendars come by every few minutes at most; 304 counts too, because what is on has
   to be looked up to say so.
2. One of each client's misses. A secret of 190 bits cannot be guessed, but every guess would cost a look-up: whoever has missed
   too often is refused before any, by right addresses too. Where nobody tells the client's address, there is no such window.
"""

from ipaddress import IPv4Address, IPv6Address, ip_network

from calendars.models import CalendarFeed
from developers import limits
from developers.counting import Window

READS, MISSES = 60, 60  # within MINUTE; one address of a calendar's host stands for very many people's revoked feeds
MINUTE = 60  # seconds
_READERS = "All who read this feed together"
_MISSED = "Whoever has asked for feeds that there are not"

Client = IPv4Address | IPv6Address


def start(client: Client | None) -> None:
    """Raises RateLimited."""
    if client is not None:
        limits.look(_misses(client), whose=_MISSED)


def missed(client: Client | None) -> None:
    """Raises RateLimited."""
    if client is not None:
        limits.take(_misses(client), whose=_MISSED)


def read(feed: CalendarFeed) -> None:
    """Raises RateLimited."""
    limits.take(Window("feed", feed.public_id, READS, MINUTE), whose=_READERS)


def _misses(client: Client) -> Window:
    """Of version 6 a whole network: whoever has one address has 2^64 of them."""
    subject = ip_network((client, 64), strict=False) if isinstance(client, IPv6Address) else client
    return Window("feed-misses", f"feed-misses/{subject}", MISSES, MINUTE)
