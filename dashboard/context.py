"""What the frame around every page shows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from organizations.actor import Actor
from organizations.permissions import ADMINISTRATORS, Scope


def frame(request: HttpRequest) -> dict[str, Any]:
    """Nothing outside the dashboard. `may` answers `may.bookings_write`; `section` and `subsection` are the path's parts."""
    common = {"development": settings.DEVELOPMENT, "mailbox": settings.MAILBOX}
    actor: Actor | None = getattr(request, "actor", None)
    if actor is None:
        return common
    parts = request.path.removeprefix("/dashboard").strip("/").split("/")
    return {
        **common,
        "actor": actor,
        "organization": actor.organization,
        "membership": request.membership,  # type: ignore[attr-defined]
        "memberships": request.memberships,  # type: ignore[attr-defined]
        "mode": actor.organization.mode,
        "may": permissions(actor),
        "section": parts[0] or "home",
        "subsection": parts[1] if len(parts) > 1 else "",
    }


def permissions(actor: Actor) -> dict[str, bool]:
    may = {scope.replace(":", "_"): scope in actor.scopes for scope in Scope}
    return {**may, "administer": actor.role in ADMINISTRATORS}
