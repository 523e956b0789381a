"""Every page, on a wide screen in the light. Two files, so that two processes can share them."""

import pytest

from tests.browser.conftest import Open
from tests.browser.looking import check_every_page
from tests.cast import Player


@pytest.mark.timeout(600)
def test_every_page_on_a_wide_screen_in_the_light(open_browser: Open, alice: Player, bob: Player) -> None:
    check_every_page(open_browser, alice, bob, dark=False, phone=False)


@pytest.mark.soak
def test_every_page_on_a_phone_in_the_light(open_browser: Open, alice: Player, bob: Player) -> None:
    check_every_page(open_browser, alice, bob, dark=False, phone=True)
