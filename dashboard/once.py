"""A secret on its way from the act that made it to the page that shows it: encrypted, in the session, for one display.

The act answers with a redirect, so that neither a reload, nor the back button, nor a form sent again brings it back.
"""

import time

from django.http import HttpRequest

from common.signing import Undecipherable, decrypt, encrypt

SLOT = "shown_once"
KEPT_SECONDS = 600  # a redirect takes a moment; what nobody fetched is not shown to whoever opens the page later


def keep(request: HttpRequest, public_id: str, secret: str) -> None:
    """For the next page about that object; one not shown yet gives way."""
    request.session[SLOT] = {"of": public_id, "secret": encrypt(secret), "until": time.time() + KEPT_SECONDS}


def take(request: HttpRequest, public_id: str) -> str:
    """What was kept for the page about that object, which then has it no more; empty when there is nothing (left)."""
    kept = request.session.get(SLOT)
    if request.method != "GET" or not kept or kept["of"] != public_id:
        return ""
    del request.session[SLOT]
    try:
        return decrypt(kept["secret"]) if kept["until"] > time.time() else ""
    except Undecipherable:
        return ""
