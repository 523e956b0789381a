"""The pages of every day, as everybody may see them. Two files, so that two processes can share all pages."""

import pytest

from tests.browser.conftest import Open
from tests.browser.looking import Look, check_daily_pages
from tests.cast import Player


@pytest.mark.timeout(600)
def test_on_a_wide_screen_in_the_light_and_on_a_phone_in_the_dark(open_browser: Open, alice: Player, bob: Player) -> None:
    check_daily_pages(open_browser, alice, bob, Look.LIGHT_WIDE, Look.DARK_PHONE)


@pytest.mark.soak
@pytest.mark.parametrize("look", Look)
def test_in_each_look_from_the_start(open_browser: Open, alice: Player, bob: Player, look: Look) -> None:
    check_daily_pages(open_browser, alice, bob, look)
