"""What templates need to show money, times, icons and ways. `{% load ui %}`."""

import datetime as dt
import functools
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import formats, timezone, translation
from django.utils.safestring import SafeString, mark_safe
from heroicons.templatetags.heroicons import heroicon_mini, heroicon_outline

from common.money import exponent, symbol
from common.walltime import zone as zone_of

register = template.Library()

MINUS, NO_BREAK_SPACE = "\N{MINUS SIGN}", "\N{NO-BREAK SPACE}"
SYMBOL_FIRST = {"en", "ja", "nl", "zh"}  # languages that write €5; the others write 5 €
SMALL = 20  # px; heroicons draws up to this size anew, with fewer details, as "mini" (filled): for 16 px


@register.filter
def money(amount: int | None, currency: str) -> str:
    """Minor units as the page's language writes them: `{{ 9000|money:"EUR" }}` is €90.00. Nothing for None."""
    if amount is None:
        return ""
    digits = exponent(currency)
    number = formats.number_format(Decimal(abs(amount)).scaleb(-digits), digits, use_l10n=True, force_grouping=True)
    unit = symbol(currency)
    sign = MINUS if amount < 0 else ""
    if (translation.get_language() or "en").split("-")[0] in SYMBOL_FIRST:
        return f"{sign}{unit}{NO_BREAK_SPACE if unit == currency else ''}{number}"
    return f"{sign}{number}{NO_BREAK_SPACE}{unit}"


@register.filter
def day(when: dt.datetime | dt.date | None, zone: str | ZoneInfo = "UTC") -> str:
    """Of an instant in a zone, or of a day: `Sat 28 Nov`, with the year unless it is this one. Nothing for None."""
    if when is None:
        return ""
    date = _wall(when, zone).date() if isinstance(when, dt.datetime) else when
    this_year = date.year == _wall(timezone.now(), zone).year
    return formats.date_format(date, "D j M" if this_year else "D j M Y")


@register.filter
def clock(when: dt.datetime | dt.time | None, zone: str | ZoneInfo = "UTC") -> str:
    """Of an instant in a zone, or of a wall time: `20:00`. Nothing for None."""
    if when is None:
        return ""
    return (_wall(when, zone) if isinstance(when, dt.datetime) else when).strftime("%H:%M")


@register.filter
def local(when: dt.datetime | None, zone: str | ZoneInfo = "UTC") -> str:
    """An instant in a zone: `Sat 28 Nov, 20:00`. Nothing for None."""
    return "" if when is None else f"{day(when, zone)}, {clock(when, zone)}"


@register.filter
def ago(when: dt.datetime | None) -> str:
    """How far from now, roughly: `just now`, `3 min ago`, `in 2 h`, `5 days ago`; from 30 days on, the day. Nothing for None."""
    if when is None:
        return ""
    seconds = (timezone.now() - when).total_seconds()
    size = abs(seconds)
    if size < 60:
        return "just now" if seconds >= 0 else "in a moment"
    if size < 3600:
        text = f"{size // 60:.0f} min"
    elif size < 48 * 3600:
        text = f"{size // 3600:.0f} h"
    elif size < 30 * 86400:
        text = f"{size // 86400:.0f} days"
    else:
        return day(when)
    return f"{text} ago" if seconds > 0 else f"in {text}"


@register.filter
def minutes(count: int | None) -> str:
    """A stretch of time for people: `45 min`, `1 h`, `1 h 30 min`, `2 days`. Nothing for None."""
    if count is None:
        return ""
    days, rest = divmod(count, 24 * 60)
    hours, rest = divmod(rest, 60)
    parts = [f"{days} day{'s' if days > 1 else ''}" if days else "", f"{hours} h" if hours else "", f"{rest} min" if rest else ""]
    return " ".join(part for part in parts if part) or "0 min"


def _wall(when: dt.datetime, zone: str | ZoneInfo) -> dt.datetime:
    return when.astimezone(zone_of(zone) if isinstance(zone, str) else zone)


@register.simple_tag
def icon(name: str, size: int = 20) -> SafeString:
    """A heroicon by its name (heroicons.com), hidden from screen readers: put a word beside it. 16 px is drawn filled."""
    return _drawn(str(name), int(size))


@functools.cache
def _drawn(name: str, size: int) -> SafeString:
    draw = heroicon_mini if size < SMALL else heroicon_outline
    return mark_safe(draw(name, size=size))  # noqa: S308 (the package's own drawing)


@register.simple_tag(takes_context=True)
def query(context: template.Context, **changes: Any) -> str:
    """The page's query string with changes; None or an empty text takes a parameter out: `<a href="{% query page=2 %}">`."""
    request: HttpRequest = context["request"]
    params = request.GET.copy()
    for name, value in changes.items():
        if value is None or value == "":
            params.pop(name, None)
        elif isinstance(value, list | tuple):
            params.setlist(name, [str(one) for one in value])
        else:
            params[name] = str(value)
    return "?" + params.urlencode()


def _url(name: str) -> str:
    """Of a page of the dashboard; empty when there is none of that name."""
    try:
        return reverse(f"dashboard:{name}")
    except NoReverseMatch:
        return ""


@register.inclusion_tag("components/entry.html", takes_context=True)
def entry(context: template.Context, name: str, text: str, icon: str = "", sections: str = "") -> dict[str, str]:
    """A way to a page of the dashboard, by its url's name; nothing when there is no such page.

    It is current in the frame's `section` of that name, or in one of `sections`.
    """
    url = _url(name)
    here = context.get("section") in (sections or name).split()
    exactly = here and url == getattr(context.get("request"), "path", None)
    return {"url": url, "text": text, "icon": icon, "current": "page" if exactly else "true" if here else ""}


@dataclass
class Way:
    """An entry of the settings' menu; `current` is `page` on the page itself, `true` below it."""

    name: str
    text: str
    url: str
    current: str = ""


@dataclass
class Menu:
    """`here` is the entry that one is in, `trail` the entries above it and itself."""

    groups: list[dict[str, Any]] = field(default_factory=list)
    trail: list[Way] = field(default_factory=list)

    @property
    def here(self) -> Way | None:
        return self.trail[-1] if self.trail else None


# title, ((url's name, text, for administrators only), …)
SETTINGS: tuple[tuple[str, tuple[tuple[str, str, bool], ...]], ...] = (
    (
        "",
        (
            ("settings_organization", "Organization", False),
            ("settings_venues", "Venues", False),
            ("settings_policies", "Policies", False),
            ("settings_members", "Members", True),
            ("settings_plan", "Plan", False),
            ("settings_payments", "Payments", True),
            ("settings_audit", "Audit trail", True),
        ),
    ),
    (
        "Developers",
        (
            ("developers", "Overview", False),
            ("developers_keys", "API keys", True),
            ("developers_webhooks", "Webhooks", False),
            ("developers_calendars", "Calendars", False),
            ("developers_events", "Events", False),
            ("developers_log", "Request log", True),
            ("developers_agents", "Agents", False),
            ("developers_snippets", "Snippets", False),
            ("developers_playground", "Playground", False),
        ),
    ),
)


@register.simple_tag(takes_context=True)
def settings_menu(context: template.Context) -> Menu:
    """The settings' pages that exist and that the person may open, and where among them the request is.

    A page belongs to the entry whose path begins its own, the longest of them.
    """
    path = context["request"].path
    may: dict[str, bool] = context.get("may") or {}
    administers = may.get("administer", False)
    menu = Menu()
    for title, entries in SETTINGS:
        ways = [Way(name, text, url) for name, text, admin in entries if (url := _url(name)) and (administers or not admin)]
        if ways:
            menu.groups.append({"title": title, "entries": ways})
    all_ways = [way for group in menu.groups for way in group["entries"]]
    above = [way for way in all_ways if path == way.url or path.startswith(way.url + "/")]
    menu.trail = sorted(above, key=lambda way: len(way.url))
    if menu.here:
        menu.here.current = "page" if path == menu.here.url else "true"
    return menu
