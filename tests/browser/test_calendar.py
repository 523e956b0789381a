"""The calendar in a browser: it hears of changes by itself, and is read by keyboard."""

import datetime as dt

from playwright.sync_api import expect

from common.walltime import utc_text
from rooms.services import create_block
from tests.browser.conftest import Open
from tests.browser.looking import Look, check_pages
from tests.cast import Player
from tests.stage import PER_PERSON, book, booking_body, make_room, make_venue, slot_at


def test_a_booking_made_elsewhere_appears_and_a_canceled_one_goes(open_browser: Open, alice: Player) -> None:
    room = make_room(alice.actor, make_venue(alice.actor))
    page = open_browser(alice)
    page.goto(f"/dashboard/calendar?day={slot_at(3).date()}")
    expect(page.get_by_text("Free, from €100.00").first).to_be_visible()

    made = alice.api.post("/bookings", booking_body(room, slot_at(3)))
    link = page.get_by_role("link", name="Ada")
    expect(link).to_be_visible()
    expect(link).to_contain_text("€100.00 due")

    alice.api.delete(f"/bookings/{made.json()['id']}")
    expect(link).to_have_count(0)


def test_arrows_and_t_lead_through_the_days(open_browser: Open, alice: Player) -> None:
    make_room(alice.actor, make_venue(alice.actor))
    page = open_browser(alice)
    page.goto("/dashboard/calendar")
    today = page.locator("h1").inner_text()

    for key, other_day in (("ArrowRight", True), ("ArrowLeft", False), ("ArrowLeft", True), ("t", False)):
        with page.expect_navigation():  # waits for the new page's scripts too, that they hear the next key
            page.keyboard.press(key)
        assert (page.locator("h1").inner_text() != today) is other_day

    page.get_by_label("Another day").focus()
    page.keyboard.press("t")
    expect(page.locator("h1")).to_have_text(today)


def test_a_booking_is_moved_with_a_few_touches(open_browser: Open, alice: Player) -> None:
    room = make_room(alice.actor, make_venue(alice.actor))
    booking = book(alice.actor, room, slot_at(3))
    page = open_browser(alice, phone=True)
    page.goto(f"/dashboard/bookings/{booking.public_id}/move")

    page.get_by_role("link", name=f"{(slot_at(3) + dt.timedelta(days=1)):%a}").first.click()
    page.get_by_role("link", name="20:00").click()
    page.get_by_role("button", name="Move to").click()

    expect(page.get_by_role("list", name="Messages")).to_contain_text("moved to")


def test_a_full_day_a_week_and_an_offer_are_accessible_and_fit(open_browser: Open, alice: Player) -> None:
    room = make_room(alice.actor, make_venue(alice.actor))
    cove = make_room(alice.actor, room.venue, name="Cove", booking_mode="shared", pricing=PER_PERSON)
    make_room(alice.actor, room.venue, name="Torchlight", shares_space_with=[room])
    booking = book(alice.actor, room, slot_at(3))
    for name in ("Grace", "Linus"):
        book(alice.actor, cove, slot_at(3), party_size=2, customer={"name": name})
    book(alice.actor, room, slot_at(3, 14), hold=True)
    create_block(by=alice.actor, rooms=[room], starts_at=slot_at(3, 17), ends_at=slot_at(3, 18), reason="New lock")
    day = slot_at(3).date()
    paths = [
        f"/dashboard/calendar?day={day}",
        f"/dashboard/calendar/week?day={day}",
        f"/dashboard/bookings/{booking.public_id}/move?room={room.public_id}&starts_at={utc_text(slot_at(4))}",
    ]

    check_pages(open_browser, alice, paths, Look.LIGHT_WIDE)
    check_pages(open_browser, alice, paths, Look.DARK_PHONE)  # loaded anew: a phone gets another calendar
