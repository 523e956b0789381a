"""What an import of 2,000 busy times costs: statements, and processor time, the expansion's own process included."""

import datetime as dt
import resource
from collections import Counter
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from calendars.models import CalendarImport, ImportedTime
from calendars.services import create_import, pause_import, resume_import, sync_due
from calendars.tests.host import listening
from organizations.actor import Actor
from organizations.services import create_organization
from rooms.services import create_room, create_venue

TIMES = 2_000


def main() -> None:
    by = Actor.system(create_organization(name="Calendars"))
    venue = create_venue(by=by, name="Paris", timezone="Europe/Paris", currency="EUR")
    room = create_room(by=by, venue=venue, name="Vault", pricing={"model": "per_group", "currency": "EUR", "amount": 10_000})
    settings.WEBHOOK_ALLOW_LOOPBACK = True
    CalendarImport.objects.update(status=CalendarImport.Status.PAUSED)  # those of earlier runs
    with listening() as host:
        source = create_import(by=by, room=room, name="Team calendar", secret_url=host.url)
        print(f"\nAn import of {TIMES:,} busy times; seconds of processor time\n")
        print("| what | statements | seconds |\n| --- | ---: | ---: |")
        host.serve(_calendar())
        _measured("first sync", _sync)
        _measured("sync, all as it was", _sync)
        host.serve(_calendar(moved=10))
        _measured("sync, 10 moved", _sync)
        _measured("pause", lambda: pause_import(source=source, by=by))
        _measured("resume", lambda: resume_import(source=source, by=by))
        _measured("first sync after it", _sync)
    assert ImportedTime.objects.filter(source=source).exclude(block=None).count() == TIMES


def _sync() -> None:
    CalendarImport.objects.update(next_sync_at=timezone.now())
    assert sync_due() == 1
    assert not CalendarImport.objects.due(timezone.now() + dt.timedelta(days=1)).exclude(failure="").exists()


def _measured(what: str, act: Callable[[], object]) -> None:
    before = _seconds()
    count = Counter[str]()

    def counted(execute: Any, sql: str, *given: Any) -> Any:
        count["statements"] += 1
        return execute(sql, *given)

    with connection.execute_wrapper(counted):
        act()
    print(f"| {what} | {count['statements']:,} | {_seconds() - before:.2f} |", flush=True)


def _seconds() -> float:
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _calendar(moved: int = 0) -> str:
    """One an hour from tomorrow on; the first of them at another minute."""
    first = timezone.now().replace(minute=0, second=0, microsecond=0) + dt.timedelta(days=1)
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Benchmark//EN"]
    for number in range(TIMES):
        start = first + dt.timedelta(hours=number, minutes=15 if number < moved else 0)
        lines += ["BEGIN:VEVENT", f"UID:{number}", f"DTSTAMP:{first:%Y%m%dT%H%M%SZ}", f"DTSTART:{start:%Y%m%dT%H%M%SZ}"]
        lines += ["DURATION:PT30M", "SUMMARY:Appointment", "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])
