"""Receives BookingFlow's webhooks. pip install standardwebhooks; WHSEC=whsec_… PORT=8080 python receive.py"""

import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook

MOST_BYTES = 256 * 1024  # an event has 64 kB at most
webhook = Webhook(os.environ["WHSEC"])
seen: set[str] = set()  # in real life a table with a unique column, written in the transaction that handles the event


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        try:
            length = int(self.headers.get("content-length", 0))
            body = self.rfile.read(length) if 0 <= length <= MOST_BYTES else b""
            event = webhook.verify(body, dict(self.headers.items()))  # the bytes as they came, not JSON made anew
        except Exception:  # whatever is wrong with it, it is not to be trusted
            self.answer(400)
            return
        if event["id"] not in seen:  # a delivery may come twice
            seen.add(event["id"])
            handle(event)
        self.answer(204)

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.end_headers()


def handle(event: dict[str, Any]) -> None:
    """Put it into a queue of your own: the answer is due within 15 seconds."""
    print(event["type"], event["object"]["id"], "version", event["object"]["version"], flush=True)


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Receiver).serve_forever()
