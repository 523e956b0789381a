"""Other people's calendars over the network."""

import asyncio
from collections.abc import Iterable
from urllib.parse import urlsplit

from django.conf import settings

from calendars.models import CalendarImport
from common.addresses import RefusedAddress, check_url
from common.errors import FieldError, ValidationFailed
from common.fetch import Answer, FetchFailed, fetch
from common.signing import Undecipherable, decrypt

TOTAL_SECONDS = 15.0  # wall clock, redirects and body included
MAX_BYTES = 5 * 1024 * 1024  # unpacked
USER_AGENT = "BookingFlow-Calendars/1"

Outcome = Answer | FetchFailed


def check(url: str) -> None:
    """Raises RefusedAddress for what is no address of a calendar elsewhere."""
    own_hosts = [*settings.ALLOWED_HOSTS, urlsplit(settings.PUBLIC_URL).hostname or ""]
    check_url(url, own_hosts=own_hosts, allow_loopback=settings.WEBHOOK_ALLOW_LOOPBACK, allow_http=False)


def checked(url: str) -> str:
    """The address as it will be asked: `webcal://`, as calendars write it, is https. Raises ValidationFailed."""
    scheme, _, rest = url.partition("://")
    url = f"https://{rest}" if scheme.lower() in ("webcal", "webcals") else url
    try:
        check(url)
    except RefusedAddress as refusal:
        raise ValidationFailed(FieldError(str(refusal), "refused_address", pointer="/secret_url")) from None
    return url


def fetch_all(imports: Iterable[CalendarImport], *, unconditional: set[int]) -> list[Outcome]:
    """All at the same time, in their order; those of the keys in `unconditional` whether they have changed or not."""

    async def run() -> list[Outcome]:
        return await asyncio.gather(*(_fetched(one, unconditional=one.pk in unconditional) for one in imports))

    return asyncio.run(run())


async def _fetched(source: CalendarImport, *, unconditional: bool) -> Outcome:
    headers = {"user-agent": USER_AGENT, "accept": "text/calendar, */*;q=0.5"}
    if not unconditional:
        known = {"if-none-match": source.etag, "if-modified-since": source.last_modified}
        headers |= {name: value for name, value in known.items() if value}
    try:
        url = decrypt(source.url)
        return await fetch(
            url,
            check=check,
            allow_loopback=settings.WEBHOOK_ALLOW_LOOPBACK,
            max_bytes=MAX_BYTES,
            total_seconds=TOTAL_SECONDS,
            headers=headers,
        )
    except FetchFailed as failed:
        return failed
    except Undecipherable:
        return FetchFailed("internal")
