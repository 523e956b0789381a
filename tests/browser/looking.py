"""How a page is looked at: it breaks no rule of accessibility, fits a phone, loads little and nothing foreign, keeps still."""

import gzip
from enum import Enum
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

from dashboard.tests.objects import one_of_each
from tests.browser.conftest import PHONE, WIDE, Open
from tests.browser.pages import ACCOUNT, PUBLIC, dashboard
from tests.cast import Player
from tests.stage import make_room, make_venue

HEAVIEST = 150_000  # bytes, all that a page loads, gzipped
RULES = {
    "resultTypes": ["violations"],
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]},
    "preload": False,  # none of these rules reads what it would load again
}


class Look(Enum):
    """Of the theme and the screen; each is (dark, phone)."""

    LIGHT_WIDE = (False, False)
    DARK_PHONE = (True, True)
    LIGHT_PHONE = (False, True)
    DARK_WIDE = (True, False)


_static: dict[str, int] = {}


def check_pages(open_browser: Open, player: Player | None, paths: list[str], *looks: Look) -> None:
    """Each page comes up in one look, where all rules are tried, and is turned to the others as it is. The next page comes up in
    the last of them.
    """
    page = open_browser(player, reduced_motion="reduce")  # colours change at once
    _turn(page, looks[0])
    sizes: dict[str, int] = {}
    page.on("response", lambda response: sizes.update({response.url: _weight(response)}))
    found = []
    for number, path in enumerate(paths):
        in_turn = looks if number % 2 == 0 else looks[::-1]
        sizes.clear()
        answer = page.goto(path, wait_until="load")
        if answer is None or answer.status != 200:
            found.append(f"{path}: answers {answer and answer.status}")
            continue
        troubles = _troubles(page, in_turn)
        if troubles:  # once more: on a busy machine a page may come up in pieces
            _turn(page, in_turn[0])
            page.reload(wait_until="load")
            troubles = _troubles(page, in_turn)
        found += [f"{path}: {trouble}" for trouble in troubles]
        if (weight := sum(sizes.values())) > HEAVIEST:
            found.append(f"{path}: {weight:,} bytes")
        found += [f"{path}: loads {url}" for url in sizes if not url.startswith((page.url.split("/dashboard")[0][:16], "data:"))]
    assert not found, "\n".join(found)


def _troubles(page: Page, looks: tuple[Look, ...]) -> list[str]:
    found = [*_moves(page), *_broken_rules(page), *_misfits(page)]
    found = [f"{looks[0].name}: {trouble}" for trouble in found]
    for look in looks[1:]:
        _turn(page, look)
        found += [f"{look.name}: {trouble}" for trouble in _misfits(page)]
    return found


def _misfits(page: Page) -> list[str]:
    return [*_too_wide(page), *_shape(page), *_beyond_keys(page)]


def _turn(page: Page, look: Look) -> None:
    dark, phone = look.value
    page.emulate_media(color_scheme="dark" if dark else "light")
    page.set_viewport_size(PHONE if phone else WIDE)


def _broken_rules(page: Page) -> list[str]:
    page.evaluate(AXE_SCRIPT)
    violations = page.evaluate("rules => axe.run(rules).then(found => found.violations)", RULES)
    return [f"{one['id']}: {one['nodes'][0]['html'][:160]} ({len(one['nodes'])})" for one in violations]


def _too_wide(page: Page) -> list[str]:
    beyond = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [f"scrolls sideways by {beyond} px"] if beyond > 0 else []


def _shape(page: Page) -> list[str]:
    headings = page.evaluate("document.querySelectorAll('h1').length")
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


def check_outside_and_settings(open_browser: Open, owner: Player, member: Player, *looks: Look) -> None:
    """Pages for strangers and of one's own account, and Settings with one object of each kind."""
    check_pages(open_browser, None, PUBLIC, *looks)
    paths = dashboard(_objects(owner, member))
    check_pages(open_browser, owner, [*ACCOUNT, *filter(_is_of_settings, paths)], *looks)


def check_daily_pages(open_browser: Open, owner: Player, member: Player, *looks: Look) -> None:
    """The dashboard's other pages."""
    paths = dashboard(_objects(owner, member))
    check_pages(open_browser, owner, [path for path in paths if not _is_of_settings(path)], *looks)


def _objects(owner: Player, member: Player) -> dict[str, str]:
    return one_of_each(owner, member, make_room(owner.actor, make_venue(owner.actor)))


def _is_of_settings(path: str) -> bool:
    return path.startswith("/dashboard/settings/")
