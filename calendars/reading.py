"""Busy times out of what was fetched, worked out in a process of its own: with a limit to its time and memory, and without our
secrets in its environment.
"""

import datetime as dt
import json
import subprocess
import sys

from django.conf import settings

from calendars.expansion import CPU_SECONDS, Busy, Refused, checked_text
from calendars.ical import ORIGIN
from calendars.reasons import Reason

PAST, AHEAD = dt.timedelta(days=1), dt.timedelta(days=400)
WALL_SECONDS = 6 * CPU_SECONDS  # on a machine with more to do


def busy_times(body: bytes, *, timezone: str, now: dt.datetime) -> list[Busy]:
    """From a day ago to 400 days ahead. Raises Refused."""
    text = checked_text(body)
    asked = {"timezone": timezone, "since": (now - PAST).isoformat(), "until": (now + AHEAD).isoformat(), "origin": ORIGIN}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "calendars.expansion"],
            input=f"{json.dumps(asked)}\n{text}".encode(),
            capture_output=True,
            timeout=WALL_SECONDS,
            cwd=settings.BASE_DIR,
            env={"PYTHONUTF8": "1"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Refused(Reason.TOO_COMPLEX) from None
    if done.returncode != 0:  # its time or memory was up
        raise Refused(Reason.TOO_COMPLEX)
    answer = json.loads(done.stdout)
    if isinstance(answer, str):
        raise Refused(answer)
    return [Busy(**one) for one in answer]
