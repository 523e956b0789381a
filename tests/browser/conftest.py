"""A real browser on a real server, with Celery's worker behind it."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

from dashboard.tests.pages import sign_in
from tests.cast import Player
from tests.server import Server

WIDE: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
# The shell is the same browser without windows, as Playwright's own is: a page costs it a third of the processor's time.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
SLOWEST = 20_000  # milliseconds that a step may take on a busy machine


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The system's, else Playwright's own. Gone after the module: as long as it lives, its loop runs in this thread, and no other
    test can have one.
    """
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # Playwright runs a loop of its own in this thread; our code does not
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(
                executable_path=found, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
            )
        except Exception as error:
            raise RuntimeError("No browser: install Debian's chromium, or run `playwright install chromium`.") from error
        yield browser
        browser.close()


Open = Callable[..., Page]


@pytest.fixture
def open_browser(transactional_db: None, server: Server, chromium: Browser) -> Iterator[Open]:
    """`open_browser(alice)` is a page of a browser of her own, signed in; without a player, of a stranger's.

    It fails the test on anything that the browser's console calls an error: a script's exception, a refused inline style.
    """
    contexts: list[BrowserContext] = []
    troubles: list[str] = []

    def open_for(player: Player | None = None, *, phone: bool = False, dark: bool = False, **more: Any) -> Page:
        context = chromium.new_context(
            base_url=server.url, viewport=PHONE if phone else WIDE, color_scheme="dark" if dark else "light", **more
        )
        contexts.append(context)
        if player is not None:
            cookie = sign_in(player).cookies["sessionid"].value
            context.add_cookies([{"name": "sessionid", "value": cookie, "url": server.url}])
        page = context.new_page()
        page.set_default_timeout(SLOWEST)
        page.on("pageerror", lambda error: troubles.append(f"{page.url}: {error}"))
        page.on("console", lambda message: troubles.append(f"{page.url}: {message.text}") if _is_trouble(message) else None)
        return page

    yield open_for
    for context in contexts:
        context.close()
    assert troubles == []


def _is_trouble(message: Any) -> bool:
    # A refused form answers 422, a missing page 404: the browser logs both, and both are meant.
    return message.type == "error" and "Failed to load resource" not in message.text
