"""How a page is looked at: it breaks no rule of accessibility, fits a phone, loads little and nothing foreign, keeps still."""

import gzip
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from dashboard.tests.objects import one_of_each
from tests.browser.conftest import Open
from tests.browser.pages import ACCOUNT, PUBLIC, dashboard
from tests.cast import Player
from tests.stage import make_room, make_venue

HEAVIEST = 150_000  # bytes, all that a page loads, gzipped
RULES = {
    "resultTypes": ["violations"],
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]},
}
LOOKS = [pytest.param(False, False, id="light-1280"), pytest.param(True, True, id="dark-390")]


_static: dict[str, int] = {}


def check_pages(open_browser: Open, player: Player | None, paths: list[str], *, dark: bool, phone: bool) -> None:
    page = open_browser(player, dark=dark, phone=phone)
    sizes: dict[str, int] = {}
    page.on("response", lambda response: sizes.update({response.url: _weight(response)}))
    found = []
    for path in paths:
        sizes.clear()
        answer = page.goto(path, wait_until="load")
        if answer is None or answer.status != 200:
            found.append(f"{path}: answers {answer and answer.status}")
            continue
        if troubles := _look(page):  # once more: on a busy machine a page may come up in pieces
            page.reload(wait_until="load")
            troubles = _look(page)
        found += [f"{path}: {trouble}" for trouble in troubles]
        if (weight := sum(sizes.values())) > HEAVIEST:
            found.append(f"{path}: {weight:,} bytes")
        found += [f"{path}: loads {url}" for url in sizes if not url.startswith((page.url.split("/dashboard")[0][:16], "data:"))]
    assert not found, "\n".join(found)


def _look(page: Page) -> list[str]:
    return [trouble for look in LOOKED_FOR for trouble in look(page)]


def _broken_rules(page: Page) -> list[str]:
    violations = Axe().run(page, options=RULES).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:160]} ({len(one['nodes'])})" for one in violations]


def _too_wide(page: Page) -> list[str]:
    beyond = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [f"scrolls sideways by {beyond} px"] if beyond > 0 else []


def _shape(page: Page) -> list[str]:
    headings = page.locator("h1").count()
    return [] if headings == 1 else [f"{headings} h1"]


# What has moved while the page came up, as browsers measure it: 0 is nothing, 0.1 is the most that is called good.
_SHIFT = """() => new Promise(done => {
    let sum = 0;
    new PerformanceObserver(list => list.getEntries().forEach(entry => { sum += entry.value; }))
        .observe({type: "layout-shift", buffered: true});
    setTimeout(() => done(sum), 50);
})"""
_STILL = 0.01
# What can be clicked and cannot be reached by Tab.
_OUT_OF_REACH = """() => [...document.querySelectorAll("a, button, input, select, textarea, summary, [role=button]")]
    .filter(one => one.checkVisibility({visibilityProperty: true}) && !one.disabled && one.type !== "hidden")
    .filter(one => one.tabIndex < 0 || (one.tagName === "A" && !one.href)).map(one => one.outerHTML.slice(0, 120))"""


def _moves(page: Page) -> list[str]:
    shift = page.evaluate(_SHIFT)
    return [f"moves by {shift:.3f} while it comes up"] if shift > _STILL else []


def _beyond_keys(page: Page) -> list[str]:
    return [f"cannot be reached by Tab: {one}" for one in page.evaluate(_OUT_OF_REACH)]


def _weight(response: Any) -> int:
    """Static files have their content's hash in their name: each is fetched and measured once."""
    if response.url not in _static:
        try:
            size = len(gzip.compress(response.body())) if response.ok else 0
        except Exception:  # a redirect has no body
            size = 0
        if "/static/" not in response.url:
            return size
        _static[response.url] = size
    return _static[response.url]


LOOKED_FOR = (_broken_rules, _too_wide, _shape, _moves, _beyond_keys)


def check_every_page(open_browser: Open, owner: Player, member: Player, *, dark: bool, phone: bool) -> None:
    """Those outside, and the dashboard's with one object of each kind."""
    ids = one_of_each(owner, member, make_room(owner.actor, make_venue(owner.actor)))
    check_pages(open_browser, None, PUBLIC, dark=dark, phone=phone)
    check_pages(open_browser, owner, [*ACCOUNT, *dashboard(ids)], dark=dark, phone=phone)
