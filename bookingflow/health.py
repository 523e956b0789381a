"""Is a container well? `python -m bookingflow.health web`, `… beat`, `… worker` or `… webhooks`: exit code 0 when it is."""

import http.client
import os
import socket
import sys
import time
from urllib.parse import urlsplit

from bookingflow import settings

REQUEST_SECONDS = 8
PING_SECONDS = 10
SCHEDULE_SECONDS = 600  # beat writes its schedule down every three minutes


def web() -> bool:
    """A real request, such as the proxy sends it. That the database or Redis is away is not the web server's illness: its answer
    says so, and to restart it would mend nothing.
    """
    host, port = os.environ.get("GRANIAN_HOST", "127.0.0.1"), int(os.environ.get("GRANIAN_PORT", "8000"))
    connection = http.client.HTTPConnection("127.0.0.1" if host == "0.0.0.0" else host, port, timeout=REQUEST_SECONDS)  # noqa: S104
    public = urlsplit(settings.PUBLIC_URL)
    connection.request("GET", "/api/v1/public/status", headers={"Host": public.netloc, "X-Forwarded-Proto": public.scheme})
    return connection.getresponse().status == 200


def worker(name: str) -> bool:
    """Asked through Redis. While that is away no worker can tell, and none can work."""
    from bookingflow.celery import app

    node = f"{name}@{socket.gethostname()}"
    return bool(app.control.ping(destination=[node], timeout=PING_SECONDS))


def beat() -> bool:
    written = [path.stat().st_mtime for path in settings.BEAT_SCHEDULE.parent.glob(f"{settings.BEAT_SCHEDULE.name}*")]
    return bool(written) and time.time() - max(written) < SCHEDULE_SECONDS


def main(name: str) -> int:
    try:
        is_well = {"web": web, "beat": beat}.get(name, lambda: worker(name))()
    except (OSError, http.client.HTTPException) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
