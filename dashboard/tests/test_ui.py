"""What templates show: money, times, ways."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.utils import timezone, translation

from dashboard.templatetags import ui

EVENING = dt.datetime(2026, 11, 28, 19, 0, tzinfo=dt.UTC)


@pytest.fixture
def november(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: dt.datetime(2026, 11, 25, 12, 0, tzinfo=dt.UTC))


def render(source: str, path: str = "/dashboard", **context: Any) -> str:
    return Template("{% load ui %}" + source).render(Context({"request": RequestFactory().get(path), **context}))


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (9000, "EUR", "€90.00"),
        (123456, "USD", "$1,234.56"),
        (0, "GBP", "£0.00"),
        (-9000, "EUR", "−€90.00"),
        (5000, "JPY", "¥5,000"),
        (12345, "KWD", "KWD\u00a012.345"),
        (9000, "CHF", "CHF\u00a090.00"),
        (None, "EUR", ""),
    ],
)
def test_money_has_the_currencys_own_digits(amount: int | None, currency: str, text: str) -> None:
    assert ui.money(amount, currency) == text


def test_money_is_written_as_the_language_writes_it() -> None:
    with translation.override("de"):
        assert ui.money(123456, "EUR") == "1.234,56\u00a0€"


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("Europe/Paris", "Sat 28 Nov, 20:00"),
        ("Asia/Tokyo", "Sun 29 Nov, 04:00"),
        (ZoneInfo("America/New_York"), "Sat 28 Nov, 14:00"),
    ],
)
def test_an_instant_is_shown_in_its_zone(november: None, zone: str | ZoneInfo, text: str) -> None:
    assert ui.local(EVENING, zone) == text
    assert f"{ui.day(EVENING, zone)}, {ui.clock(EVENING, zone)}" == text


def test_another_year_is_named(november: None) -> None:
    assert ui.day(dt.date(2027, 1, 2)) == "Sat 2 Jan 2027"
    assert ui.day(dt.date(2026, 1, 2)) == "Fri 2 Jan"


def test_a_wall_time_is_shown_as_it_is() -> None:
    assert ui.clock(dt.time(8, 5)) == "08:05"


@pytest.mark.parametrize(
    ("before", "text"),
    [
        (dt.timedelta(seconds=5), "just now"),
        (dt.timedelta(seconds=-5), "in a moment"),
        (dt.timedelta(minutes=3, seconds=59), "3 min ago"),
        (dt.timedelta(hours=-2, minutes=-5), "in 2 h"),
        (dt.timedelta(hours=47), "47 h ago"),
        (dt.timedelta(days=5), "5 days ago"),
        (dt.timedelta(days=40), "Fri 16 Oct"),
    ],
)
def test_ago_is_rough(november: None, before: dt.timedelta, text: str) -> None:
    assert ui.ago(timezone.now() - before) == text


@pytest.mark.parametrize(("minutes", "text"), [(45, "45 min"), (60, "1 h"), (90, "1 h 30 min"), (2880, "2 days"), (0, "0 min")])
def test_lengths_are_in_words(minutes: int, text: str) -> None:
    assert ui.minutes(minutes) == text


@pytest.mark.parametrize("show", [ui.day, ui.clock, ui.local, ui.ago, ui.minutes])
def test_nothing_is_shown_for_none(show: Any) -> None:
    assert show(None) == ""


def test_an_icon_is_drawn_and_not_spoken() -> None:
    drawn = render('{% icon "calendar" %}')

    assert drawn.startswith("<svg")
    assert 'aria-hidden="true"' in drawn
    assert 'width="20"' in drawn


@pytest.mark.parametrize(
    ("tag", "text"),
    [
        ("{% query page=2 %}", "?status=held&amp;q=a+b&amp;page=2"),
        ("{% query q=none %}", "?status=held"),
        ("{% query q='' status='' %}", "?"),
        ("{% query status=many %}", "?status=x&amp;status=y&amp;q=a+b"),
    ],
)
def test_a_query_keeps_what_is_not_changed(tag: str, text: str) -> None:
    assert render(tag, "/dashboard/bookings?status=held&q=a+b", none=None, many=["x", "y"]) == text


@pytest.mark.parametrize(
    ("path", "section", "current"),
    [("/dashboard", "home", "page"), ("/dashboard/live", "home", "true"), ("/dashboard/more", "more", "")],
)
def test_the_entry_of_the_section_is_current(path: str, section: str, current: str) -> None:
    html = render('{% entry "home" "Home" icon="home" %}', path, section=section)

    assert 'href="/dashboard"' in html
    assert (f'aria-current="{current}"' in html) if current else ("aria-current" not in html)


def test_an_entry_of_a_page_that_is_not_there_is_nothing() -> None:
    assert render('{% entry "nowhere" "Nowhere" %}').strip() == ""


def settings_menu(path: str, *, administers: bool = True) -> ui.Menu:
    return ui.settings_menu(Context({"request": RequestFactory().get(path), "may": {"administer": administers}}))


def test_the_settings_menu_knows_where_one_is() -> None:
    menu = settings_menu("/dashboard/settings/members/mem_1")

    assert menu.here is not None
    assert (menu.here.name, menu.here.current) == ("settings_members", "true")


def test_the_settings_menu_shows_what_one_may_open() -> None:
    names = {way.name for group in settings_menu("/dashboard/settings", administers=False).groups for way in group["entries"]}

    assert "settings_members" not in names
