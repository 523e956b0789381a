"""Stripe's side of payments on a machine without a Stripe account: `python -m bookingflow.local_stripe PORT [FILE]`.

It is localstripe, with two things different: it listens on this machine only, and what it knows is kept in FILE, so that
payments outlive a restart as they do at Stripe; without FILE it forgets. With PUBLIC_URL and STRIPE_WEBHOOK_SECRET in the
environment it sends its events to the product's webhook address, signed. `make run` and the tests start it.
"""

import asyncio
import os
import pickle
import sys
from pathlib import Path

from aiohttp import web
from localstripe.resources import store
from localstripe.server import app
from localstripe.webhooks import register_webhook

HOST = "127.0.0.1"
WRITE_AFTER = 0.1  # seconds: one request makes several changes, and each writing takes all that is known


def keep_in(path: Path) -> None:
    """Begin with what the file knows; write it anew soon after a change and at the end, all or nothing."""
    if path.exists():
        store.update(pickle.loads(path.read_bytes()))  # noqa: S301 - a file of our own
    beside = path.with_suffix(".new")
    waiting: list[asyncio.TimerHandle] = []

    def write() -> None:
        waiting.clear()
        beside.write_bytes(pickle.dumps(dict(store)))
        beside.replace(path)

    def write_soon() -> None:
        if not waiting:
            waiting.append(asyncio.get_running_loop().call_later(WRITE_AFTER, write))

    async def write_now(_: web.Application) -> None:
        if waiting:
            write()

    store.dump_to_disk = write_soon
    app.on_cleanup.append(write_now)


def forget() -> None:
    """Without this, all of a machine's localstripes would write one file in /tmp."""
    store.dump_to_disk = lambda: None


def main(arguments: list[str]) -> int:
    port = int(arguments[0])
    if arguments[1:]:
        keep_in(Path(arguments[1]))
    else:
        forget()
    public_url, secret = os.environ.get("PUBLIC_URL"), os.environ.get("STRIPE_WEBHOOK_SECRET")
    if public_url and secret:
        register_webhook("bookingflow", f"{public_url.rstrip('/')}/webhooks/stripe", secret, None)
    try:
        web.run_app(app, host=HOST, port=port, print=None, access_log=None, shutdown_timeout=1)
    except OSError as error:
        print(f"The local Stripe cannot listen on {HOST}:{port}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
