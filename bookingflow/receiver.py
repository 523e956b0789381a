"""A receiver of webhooks to look at: `python -m bookingflow.receiver PORT DEMO_ENV` verifies what arrives with
BOOKINGFLOW_WEBHOOK_SECRET out of that file and prints a line for each event. `make run` starts it; it is for nothing else.
"""

import json
import sys
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from standardwebhooks import Webhook

HOST = "127.0.0.1"
SECRET = "BOOKINGFLOW_WEBHOOK_SECRET"  # noqa: S105 - its name
MOST_BYTES = 128 * 1024  # twice the largest envelope


class Handler(BaseHTTPRequestHandler):
    demo_env: Path

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(min(length, MOST_BYTES))
        error = problem(body, {name.lower(): value for name, value in self.headers.items()}, secret(self.demo_env))
        sys.stdout.write(describe(body, error) + "\n")  # in one piece: print() would let another request's line between
        sys.stdout.flush()
        self.send_response(400 if error else 204)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """The line of each event is enough."""


def secret(demo_env: Path) -> str:
    """Read each time: a rotated one works at once."""
    lines = dict(line.split("=", 1) for line in demo_env.read_text().splitlines() if "=" in line)
    return lines.get(SECRET, "")


def problem(body: bytes, headers: dict[str, str], secret: str) -> str:
    """Why the request is not to be trusted; empty when its signature is right and fresh."""
    try:
        Webhook(secret).verify(body, headers)
    except Exception as error:  # the library lets errors of parsing through beside its own
        return str(error) or type(error).__name__
    return ""


def describe(body: bytes, error: str) -> str:
    try:
        event = json.loads(body)
        what = "".join(filter(str.isprintable, f"{event['type']} {event['object']['id']}"))  # anybody here may post
    except (ValueError, TypeError, KeyError):
        what = "something that is no event"
    return f"{datetime.now():%H:%M:%S} {what} {f'NOT verified: {error}' if error else 'verified'}"


def main(arguments: list[str]) -> int:
    port, Handler.demo_env = int(arguments[0]), Path(arguments[1])
    try:
        server = ThreadingHTTPServer((HOST, port), Handler)
    except OSError as error:
        print(f"The demo receiver cannot listen on {HOST}:{port}: {error.strerror}", file=sys.stderr)
        return 1
    server.daemon_threads = True
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
