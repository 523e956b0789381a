"""Letters before a key expires: at 14, 7 and 1 day, each once."""

import datetime as dt
import logging

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from developers.models import ApiKey
from organizations.mail import mail_administrators

NOTICES = (1, 7, 14)  # days before the expiry, the shortest first

logger = logging.getLogger(__name__)


def remind_of_expiring_keys() -> int:
    """Tell owners and managers of each key that has come nearer to its end than they know. Answers how many letters went out.

    The row says which notice was given. It is taken before the letter is sent, so that of two runs only one sends it, and given
    back when no mail server takes the letter. Whoever was down for days sends the shortest notice alone.
    """
    soon = timezone.now() + dt.timedelta(days=NOTICES[-1])
    expiring = ApiKey.objects.live().filter(expires_at__isnull=False, expires_at__lte=soon)
    return sum(_remind(key) for key in expiring.select_related("organization").order_by("expires_at"))


def missed(expires_at: dt.datetime | None) -> int | None:
    """The notice that whoever makes a key with this expiry needs no letter for: they have just typed it."""
    return _due(expires_at) if expires_at is not None else None


def _remind(key: ApiKey) -> bool:
    assert key.expires_at is not None  # as it was asked for
    due, known = _due(key.expires_at), key.reminded_days
    if due is None or (known is not None and known <= due):
        return False
    if not ApiKey.objects.filter(pk=key.pk, reminded_days=known).update(reminded_days=due):
        return False  # another run got there first
    try:
        mail_administrators(key.organization, "key_expiring", _context(key))
    except OSError:  # smtplib's errors are among them
        logger.exception("could not send the reminder of %s", key.public_id)
        ApiKey.objects.filter(pk=key.pk, reminded_days=due).update(reminded_days=known)
        return False
    return True


def _due(expires_at: dt.datetime) -> int | None:
    left = expires_at - timezone.now()
    return next((days for days in NOTICES if left <= dt.timedelta(days=days)), None)


def _context(key: ApiKey) -> dict[str, object]:
    assert key.expires_at is not None
    return {
        "key": key,
        "days": max(1, round((key.expires_at - timezone.now()) / dt.timedelta(days=1))),
        "secret": key.secrets.live().order_by(F("last_used_at").desc(nulls_last=True)).first(),
        "key_url": f"{settings.PUBLIC_URL}/dashboard/settings/developers/keys/{key.public_id}",
    }
