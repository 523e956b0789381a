"""The playground in a browser: the command follows what is typed, and Run calls the real route."""

import json
from typing import Any

from playwright.sync_api import Page, expect

from bookings.models import Booking
from customers.models import Customer
from developers import request_log
from developers.tests import waiting
from rooms.models import Room
from rooms.services import sandbox_for
from tests.browser.conftest import Open
from tests.cast import Player

queue = waiting.queue
PLAYGROUND = "/dashboard/settings/developers/playground"


def run(page: Page) -> tuple[str, str]:
    """The status line and the answer's text."""
    page.get_by_role("button", name="Run").click()
    answer = page.locator("#playground-answer")
    expect(answer).to_be_visible()
    expect(answer.locator(".badge").first).to_be_visible()
    return answer.locator(".badge").first.inner_text(), answer.locator("pre code").inner_text()


def test_a_call_is_typed_read_and_run(open_browser: Open, alice: Player, group_room: Room) -> None:
    twin = sandbox_for(alice.organization)
    page = open_browser(alice)
    asked: list[str] = []
    page.on(
        "request",
        lambda request: asked.append(f"{request.method} {request.url.partition('/api')[1]}{request.url.partition('/api')[2]}"),
    )
    page.goto(f"{PLAYGROUND}?operation=create_booking")

    page.get_by_label("party_size").fill("3")

    expect(page.locator("#playground-curl code")).to_contain_text('"party_size": 3')
    status, text = run(page)
    booking = json.loads(text)
    assert (status, booking["party_size"]) == ("201 Created", 3)
    assert "POST /api/v1/public/bookings" in asked
    assert Booking.objects.get().organization_id == twin.pk
    assert page.evaluate("document.querySelectorAll('#playground-answer code span.nt').length") > 10
    page.get_by_text("Headers").click()
    expect(page.locator(".playground__headers")).to_contain_text("request-id")


def test_another_operation_is_shown_as_it_is_chosen(open_browser: Open, alice: Player, group_room: Room) -> None:
    page = open_browser(alice)
    page.goto(PLAYGROUND)

    page.get_by_label("Operation").select_option("get_me")

    expect(page.get_by_role("heading", name="Who am I")).to_be_visible()
    status, text = run(page)
    assert (status, json.loads(text)["mode"]) == ("200 OK", "test")


def test_a_live_write_that_is_not_confirmed_does_nothing_and_says_why(
    open_browser: Open, alice: Player, group_room: Room
) -> None:
    page = open_browser(alice)
    page.goto(f"{PLAYGROUND}?operation=create_customer&mode=live")

    page.get_by_label("Confirm").fill("yes")
    page.get_by_role("button", name="Run").click()

    expect(page.get_by_text(f"Type {alice.organization.name}, exactly as it is written here.", exact=True)).to_be_visible()
    assert not Customer.objects.exists()
    page.get_by_label("Confirm").fill(alice.organization.name)
    assert run(page)[0] == "201 Created"
    assert Customer.objects.get().organization == alice.organization


def test_it_shows_the_same_without_scripts(open_browser: Open, alice: Player, group_room: Room) -> None:
    with_scripts, without = open_browser(alice), open_browser(alice, java_script_enabled=False)
    answers = []
    for page in (with_scripts, without):
        page.goto(f"{PLAYGROUND}?operation=list_rooms")
        answers.append(run(page))

    assert answers[0] == answers[1]


def test_a_refusal_and_markup_are_shown_as_text(open_browser: Open, alice: Player, group_room: Room) -> None:
    page = open_browser(alice)
    page.goto(f"{PLAYGROUND}?operation=get_room")

    page.get_by_label("id", exact=True).fill("<img src=x onerror=alert(1)>")
    status, text = run(page)

    assert (status, json.loads(text)["code"]) == ("404 Not Found", "not_found")
    assert page.locator("#playground-answer img").count() == 0


def test_a_call_leads_to_its_entry_in_the_log_as_soon_as_that_is_there(
    queue: Any, open_browser: Open, alice: Player, group_room: Room
) -> None:
    page = open_browser(alice)
    page.goto(f"{PLAYGROUND}?operation=list_rooms")
    run(page)

    page.get_by_role("link", name="This call in the request log").click()
    expect(page.get_by_role("heading", name="Not there yet")).to_be_visible()
    assert request_log.drain() == 1

    expect(page.get_by_role("heading", name="GET /rooms")).to_be_visible()
    expect(page.get_by_role("heading", name="Not there yet")).to_be_hidden()
    page.get_by_role("link", name="Open in the playground").click()
    expect(page.get_by_text("and not run")).to_be_visible()
    assert request_log.drain() == 0
