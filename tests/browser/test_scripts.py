"""What frame.js and live.js promise, on a page of their own without a server behind it."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import SLOWEST

SITE = "http://scripts.example"
SCRIPTS = Path(settings.BASE_DIR / "static/js")
FRAME = """<!doctype html><html lang="en"><title>Scripts</title><ul id="toasts"></ul><main id="content" tabindex="-1">%s</main>
<div id="announcer" role="status"></div><script type="module" src="/js/%s"></script></html>"""
PART = '<section id="part" data-live="/part" data-etag=\'"1"\'%s>%s<p class="live-state"></p></section>'
BODY = '<a href="/booking">Booking %s</a><details><summary>Notes</summary><p>None</p></details>'


class Site:
    """The page, and what `/part` answers; counts what was asked."""

    def __init__(self) -> None:
        self.page = self.part = ""
        self.status, self.etag = 200, '"1"'
        self.asked: list[str] = []

    def answer(self, route: Route) -> None:
        path = route.request.url.removeprefix(SITE)
        if path.startswith("/js/"):
            route.fulfill(body=(SCRIPTS / path.removeprefix("/js/")).read_text(), content_type="text/javascript")
        elif path == "/part":
            self.asked.append(route.request.headers.get("if-none-match", ""))
            unchanged = self.status == 200 and self.asked[-1] == self.etag
            route.fulfill(
                status=304 if unchanged else self.status, body="" if unchanged else self.part, headers={"ETag": self.etag}
            )
        elif path == "/sent":
            self.asked.append(route.request.post_data or "")  # and no answer: the page goes on waiting
        else:
            route.fulfill(body=self.page, content_type="text/html")


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def page(chromium: Browser, site: Site) -> Iterator[Page]:
    context = chromium.new_context()
    page = context.new_page()
    page.set_default_timeout(SLOWEST)
    page.route("**/*", site.answer)
    yield page
    context.close()


def open_frame(page: Page, site: Site, content: str) -> None:
    site.page = FRAME % (content, "frame.js")
    page.goto(SITE)


def open_live(page: Page, site: Site) -> None:
    site.page = FRAME % (PART % ("", BODY % "one"), "live.js")
    page.goto(SITE)
    page.locator("summary").click()
    page.get_by_role("link").focus()


def changed(site: Site, text: str, announce: str = "") -> None:
    site.part, site.etag = PART % (f'data-announce="{announce}"', BODY % text), '"2"'


def test_a_slash_leads_to_the_search_box_but_not_out_of_another_field(page: Page, site: Site) -> None:
    open_frame(page, site, '<input id="name"><input id="search" data-shortcut="/">')

    page.locator("#name").press("/")
    assert page.locator("#name").input_value() == "/"

    page.locator("#content").press("/")
    expect(page.locator("#search")).to_be_focused()


def test_escape_closes_a_menu_and_so_does_going_on_elsewhere(page: Page, site: Site) -> None:
    open_frame(page, site, '<details class="popover"><summary>Menu</summary><a href="#">One</a></details><button>Other</button>')
    menu, summary = page.locator("details"), page.locator("summary")

    summary.click()
    page.keyboard.press("Escape")
    expect(menu).not_to_have_attribute("open", "")
    expect(summary).to_be_focused()

    summary.click()
    page.get_by_role("button").click()
    expect(menu).not_to_have_attribute("open", "")


def test_a_form_is_sent_once_and_says_that_it_is_at_work(page: Page, site: Site) -> None:
    open_frame(page, site, '<form method="post" action="/sent"><button name="act" value="cancel">Cancel</button></form>')

    said = page.evaluate(
        """async () => {
          const button = document.querySelector("button");
          for (let i = 0; i < 3; i++) button.click();
          await new Promise((resolve) => setTimeout(resolve, 500));
          return [button.getAttribute("aria-busy"), document.getElementById("announcer").textContent];
        }"""
    )

    assert said == ["true", "Working…"]
    assert site.asked == ["act=cancel"]


def test_a_code_is_copied_and_a_message_sent_away(page: Page, site: Site) -> None:
    """Over plain http browsers have no clipboard; then the text is selected."""
    code = '<span class="copy"><code>K7X2</code><button data-copy>Copy</button></span>'
    open_frame(page, site, code + '<p class="notice">Old <b data-dismiss>x</b></p>')

    page.get_by_role("button").click()
    expect(page.locator("#announcer")).to_have_text("Selected. Copy it with Control C.")
    assert page.evaluate("getSelection().toString()") == "K7X2"

    page.evaluate(
        "Object.defineProperty(navigator, 'clipboard', { value: { writeText: async (text) => (window.copied = text) } })"
    )
    page.get_by_role("button").click()
    expect(page.locator("#announcer")).to_have_text("Copied")
    assert page.evaluate("window.copied") == "K7X2"

    page.locator("[data-dismiss]").click()
    expect(page.locator(".notice")).to_have_count(0)


def test_a_live_part_changes_under_the_reader_without_disturbing(page: Page, site: Site) -> None:
    open_live(page, site)
    with page.expect_response("**/part") as first:
        pass
    assert first.value.status == 304

    changed(site, "two", "A booking has come.")

    expect(page.get_by_role("link")).to_have_text("Booking two")
    expect(page.get_by_role("link")).to_be_focused()
    expect(page.locator("details")).to_have_attribute("open", "")
    expect(page.locator("#announcer")).to_have_text("A booking has come.")
    with page.expect_response("**/part") as later:
        pass
    assert later.value.status == 304


def test_a_live_part_waits_for_one_who_types(page: Page, site: Site) -> None:
    site.page = FRAME % (PART % ("", '<label>Note <input></label><a href="/booking">one</a>'), "live.js")
    page.goto(SITE)
    page.get_by_label("Note").fill("half a sent")
    changed(site, "two")
    with page.expect_response("**/part"):
        pass
    expect(page.get_by_label("Note")).to_have_value("half a sent")

    page.get_by_label("Note").blur()
    expect(page.get_by_role("link")).to_have_text("Booking two")


def test_a_live_part_says_since_when_it_is_cut_off_and_comes_back(page: Page, site: Site) -> None:
    open_live(page, site)
    site.status = 503
    expect(page.locator(".live-state")).to_have_text(re.compile(r"^Not connected, showing \d\d:\d\d$"))

    site.status = 200
    expect(page.locator(".live-state")).to_have_text("")


@pytest.mark.parametrize("status", [401, pytest.param(403, marks=pytest.mark.soak), pytest.param(404, marks=pytest.mark.soak)])
def test_a_live_part_that_is_no_longer_allowed_stops(page: Page, site: Site, status: int) -> None:
    open_live(page, site)
    site.status = status
    expect(page.locator(".live-state")).to_contain_text("Reload the page")

    asked = len(site.asked)
    page.wait_for_timeout(2_500)
    assert len(site.asked) == asked
