"""How often a key may ask, and all keys of an organization together: by plan, within a minute and within a second. Doors that
ask for no key count in windows of their own.
"""

import time
from http import HTTPStatus

from django.http import HttpRequest

from developers import counting
from developers.counting import Reading, Window
from developers.errors import RateLimited
from developers.models import ApiKey
from organizations.actor import Actor

MINUTE, SECOND = 60, 1  # seconds


class Meter:
    """One request's place in the windows of its key and of its organization. A test key's is the sandbox twin: test runs take
    nothing away from what is live.
    """

    def __init__(self, *, caller: Actor, key: ApiKey) -> None:
        plan, organization = key.organization.plan, caller.organization.public_id
        # The playground's key stands for a person, who may be at work in several organizations.
        subject = f"{caller.id}/{organization}" if key.pk is None else caller.id
        self._windows = (
            Window("minute", subject, plan.rate_per_minute, MINUTE),
            Window("burst", subject, plan.rate_burst, SECOND),
            Window("organization-minute", organization, plan.organization_rate_per_minute, MINUTE),
            Window("organization-burst", organization, plan.organization_rate_burst, SECOND),
        )
        self._readings: list[Reading] = []
        self._full: list[Window] = []
        self._is_counted = False

    def start(self, request: HttpRequest) -> None:
        """Count the request before any work is done for it. One that may be answered with 304, which costs nothing, is let in
        while there is room, and counted by `finish`. Raises RateLimited.
        """
        if request.method in ("GET", "HEAD") and "If-None-Match" in request.headers:
            self._readings = counting.read(self._windows)
            self._refuse([reading.window for reading in self._readings if not reading.remaining])
        else:
            self._count()

    def finish(self, status: int) -> None:
        """Raises RateLimited when others have taken what was left while this one worked."""
        if not self._is_counted and not self._full and status != HTTPStatus.NOT_MODIFIED:
            self._count()

    def headers(self) -> dict[str, str]:
        """`RateLimit` in the words of draft-ietf-httpapi-ratelimit-headers, and the older `X-RateLimit-*` of the window that has
        refused, else of the key's minute.
        """
        told = next((reading for reading in self._readings if reading.window in self._full), self._readings[0])
        return {
            "RateLimit-Policy": ", ".join(f'"{window.name}";q={window.quota};w={window.seconds}' for window in self._windows),
            "RateLimit": ", ".join(
                f'"{reading.window.name}";r={reading.remaining};t={reading.reset_seconds}' for reading in self._readings
            ),
            "X-RateLimit-Limit": str(told.window.quota),
            "X-RateLimit-Remaining": str(told.remaining),
            "X-RateLimit-Reset": str(int(time.time()) + told.reset_seconds),
        }

    def _count(self) -> None:
        self._is_counted = True
        full, self._readings = counting.take(self._windows)
        self._refuse(full)

    def _refuse(self, full: list[Window]) -> None:
        self._full = full
        _refuse(full, self._readings)


def look(window: Window, *, whose: str) -> None:
    """For a door without keys: takes nothing. Raises RateLimited when nothing is left."""
    [reading] = counting.read([window])
    _refuse([] if reading.remaining else [window], [reading], whose=whose)


def take(window: Window, *, whose: str) -> None:
    """For a door without keys: count one request. Raises RateLimited."""
    full, readings = counting.take([window])
    _refuse(full, readings, whose=whose)


def _refuse(full: list[Window], readings: list[Reading], *, whose: str = "") -> None:
    if full:
        wait = max(reading.reset_seconds for reading in readings if reading.window in full)
        raise RateLimited(limit=full[0].name, quota=full[0].quota, seconds=full[0].seconds, retry_after=wait, whose=whose)
