"""The address that calendars read. Its secret is all that it asks for."""

import datetime as dt

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from calendars import feeds, limits, tokens
from calendars.models import CalendarFeed
from common.client import client_address
from developers.errors import RateLimited
from developers.problems import django_response

CALENDAR = "text/calendar; charset=utf-8"
READ_NOTED = dt.timedelta(minutes=10)  # a calendar that asks more often costs no write


@csrf_exempt  # another method is refused as such
@require_safe
def calendar_feed(request: HttpRequest, token: str) -> HttpResponseBase:
    """304 for who has it already; 404 for a revoked one as for one that never was; 429 for who asks too often."""
    try:
        feed = _named(token, client_address(request.META))
    except RateLimited as refusal:
        refused = django_response(refusal, request)
        refused["Cache-Control"] = "no-store"
        return refused
    now = timezone.now()
    content = feeds.content_of(feed, now=now)
    tag = content.tag
    changed_at = feeds.noticed(feed, tag, now=now)
    _note(feed, tag, changed_at, now)
    etag, stamp = f'"{tag[:32]}"', int(changed_at.timestamp())
    response = get_conditional_response(request, etag=etag, last_modified=stamp)
    if response is None:
        response = HttpResponse(content.text(), content_type=CALENDAR)
        response["Content-Disposition"] = f'inline; filename="{feed.public_id}.ics"'
    response["ETag"], response["Last-Modified"] = etag, changed_at.strftime("%a, %d %b %Y %H:%M:%S GMT")
    response["Cache-Control"] = "private, no-cache"
    response["X-Robots-Tag"] = "noindex"
    return response


def _named(token: str, client: limits.Client | None) -> CalendarFeed:
    """Raises Http404, RateLimited."""
    limits.start(client)
    found = CalendarFeed.objects.select_related("organization", "room__venue", "venue")
    feed = found.filter(digest=tokens.digest(token)).first() if tokens.PATTERN.fullmatch(token) else None
    if feed is None:
        limits.missed(client)
        raise Http404
    limits.read(feed)
    return feed


def _note(feed: CalendarFeed, tag: str, changed_at: dt.datetime, now: dt.datetime) -> None:
    """Not through the row's version: reading changes nothing of the feed."""
    if tag == feed.content_tag and feed.last_read_at and now - feed.last_read_at < READ_NOTED:
        return
    CalendarFeed.objects.filter(pk=feed.pk).update(content_tag=tag, content_changed_at=changed_at, last_read_at=now)
