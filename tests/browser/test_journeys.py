"""Whole errands in a real browser, on a real server with Celery's worker behind it."""

import datetime as dt
import re
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, expect

from bookings.models import Booking
from organizations.models import Membership
from payments.models import Refund
from rooms.models import Room
from tests.browser.conftest import Open
from tests.cast import Player
from tests.server import Server, eventually
from tests.stage import book, make_room, make_venue, slot_at
from webhooks.models import Delivery
from webhooks.tests.conftest import receiver

__all__ = ["receiver"]
PASSWORD = "correct horse battery"
SETTINGS = "/dashboard/settings"


def press(page: Page, button: str) -> None:
    page.get_by_role("button", name=button, exact=True).click()


def open_letter(page: Page, link: str) -> None:
    """The newest letter's link, from the page that shows what a mail server would have sent."""
    page.goto("/mail")
    page.goto(page.locator("article").first.locator(f"a[href*='{link}']").get_attribute("href") or "")


def toast(page: Page, text: str) -> None:
    expect(page.get_by_text(text).first).to_be_visible()


def new_key(page: Page, name: str, preset: str = "Read-write") -> str:
    """Make a key as a developer does; answers the secret, shown this once."""
    page.goto(f"{SETTINGS}/developers/keys/new")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_text(preset, exact=True).click()
    press(page, "Create key and show its secret")
    return page.locator(".secret .copy code").inner_text()


def me(server: Server, secret: str) -> int:
    return server.session(secret).get(server.path("/me"), timeout=10).status_code


def test_from_sign_up_to_a_room_that_the_api_sells(open_browser: Open, plans: None, server: Server) -> None:
    page = open_browser()
    page.goto("/")
    page.get_by_role("link", name=re.compile("Sign up|Start|Create", re.IGNORECASE)).first.click()
    page.get_by_label("Your name").fill("Ada")
    page.locator("[name=email]").fill("ada@engines.example")
    page.locator("[name=password1]").fill(PASSWORD)
    page.get_by_label("Name of the organization").fill("Analytical Engines")
    page.locator("[name=timezone]").select_option("Europe/Paris")
    page.locator("form button[type=submit], form button:not([type])").last.click()
    expect(page.get_by_role("heading", name="Check your mailbox")).to_be_visible()
    open_letter(page, "confirm-email")
    press(page, "Yes, confirm")

    expect(page.get_by_role("heading", name="Welcome to Analytical Engines")).to_be_visible()
    page.get_by_role("link", name="Make a room").click()
    page.get_by_label("Name", exact=True).fill("The Engine")
    page.get_by_label(re.compile("^Price \\(")).fill("90")
    expect(page.get_by_label("Coming slots").get_by_text("€90.00").first).to_be_visible()  # before anything is saved
    press(page, "Put the room on sale")

    expect(page.get_by_role("heading", name="The Engine")).to_be_visible()
    api = server.session(new_key(page, "Website"))
    room = api.get(server.path("/rooms"), timeout=10).json()["data"][0]
    tomorrow = (dt.datetime.now(dt.UTC) + dt.timedelta(days=2)).date()
    slots = api.get(server.path(f"/schedules?room={room['id']}&date_from={tomorrow}&date_to={tomorrow}"), timeout=10)
    assert slots.status_code == 200, slots.text
    assert '"amount":9000' in slots.text.replace(" ", "")
    assert f"{tomorrow}T10:00:00" in slots.text


@pytest.fixture
def vault(alice: Player) -> Room:
    return make_room(alice.actor, make_venue(alice.actor))


def test_book_move_and_cancel_from_the_calendar(open_browser: Open, alice: Player, vault: Room) -> None:
    page = open_browser(alice)
    page.goto(f"/dashboard/calendar?day={slot_at(20).date()}")
    page.get_by_role("link", name=re.compile("Free, from €100.00")).first.click()
    page.locator("[name=name]").fill("Grace Hopper")
    page.locator("[name=phone]").fill("+33612345678")
    page.locator("[name=paid][value=pos]").check()
    page.get_by_label("How many guests").select_option("5")
    expect(page.locator("#price [name=party_size]")).to_have_value("5")  # the price is another's, what was chosen stays
    expect(page.locator("[name=paid][value=pos]")).to_be_checked()
    page.get_by_role("button", name=re.compile("^Book for €100.00")).click()

    expect(page.get_by_role("heading", name="Grace Hopper")).to_be_visible()
    booking = Booking.objects.get()
    assert (booking.status, booking.amount_paid, booking.party_size) == ("confirmed", 10_000, 5)

    page.goto(f"/dashboard/calendar?day={slot_at(20).date()}")
    page.get_by_role("link", name=re.compile("Grace Hopper")).first.click()
    page.get_by_role("link", name="Move", exact=True).click()
    page.get_by_role("link", name="20:00").click()
    page.get_by_role("button", name=re.compile("^Move to")).click()
    toast(page, "moved to")
    booking.refresh_from_db()
    assert booking.times_moved == 1

    page.goto(f"/dashboard/bookings/{booking.public_id}")
    page.get_by_role("link", name=re.compile("Cancel")).click()
    page.get_by_role("button", name=re.compile("Cancel booking and refund €100.00")).click()

    toast(page, "canceled")
    booking.refresh_from_db()
    assert booking.status == "canceled"
    assert Refund.objects.get().amount == 10_000


def test_a_key_is_made_used_rotated_and_revoked(open_browser: Open, alice: Player, server: Server) -> None:
    page = open_browser(alice)
    first = new_key(page, "Till")
    assert me(server, first) == 200
    page.reload()
    assert first not in page.content()
    page.go_back()
    assert first not in page.content()
    page.goto(f"{SETTINGS}/developers/keys")
    page.get_by_role("link", name="Till", exact=True).click()

    page.get_by_role("link", name="Rotate").click()
    press(page, "Rotate and show the new secret")
    second = page.locator(".secret .copy code").inner_text()
    assert (me(server, first), me(server, second)) == (200, 200)
    page.get_by_role("link", name="Revoke the old secret").click()
    page.locator("main form button.button--main").click()
    assert (me(server, first), me(server, second)) == (401, 200)

    page.get_by_role("link", name="Revoke", exact=True).first.click()
    page.get_by_label(re.compile("Till|name", re.IGNORECASE)).last.fill("Till")
    press(page, "Revoke key")
    toast(page, "revoked")
    assert me(server, second) == 401


@pytest.mark.usefixtures("background")
def test_a_webhook_is_added_seen_and_sent_again(
    open_browser: Open, alice: Player, vault: Room, server: Server, receiver: Any
) -> None:
    page = open_browser(alice)
    page.goto(f"{SETTINGS}/developers/webhooks/new")
    page.get_by_label(re.compile("^(Address|URL)")).fill(receiver.url())
    page.locator("main form button.button--main").click()
    expect(page.get_by_text("whsec_").first).to_be_visible()

    answer = server.session(alice.secret).post(
        server.path("/bookings"),
        json={
            "room": vault.public_id,
            "starts_at": slot_at(8).isoformat(),
            "party_size": 2,
            "customer": {"name": "Ada"},
        },
        timeout=10,
    )
    assert answer.status_code == 201
    eventually(lambda: "booking.created" in receiver.types)
    eventually(lambda: Delivery.objects.filter(event__type="booking.created", state="succeeded").exists())
    page.goto(f"{SETTINGS}/developers/webhooks")
    page.get_by_role("link", name=receiver.url()).first.click()
    page.get_by_role("link", name="booking.created").first.click()
    expect(page.get_by_text("Arrived").first).to_be_visible()
    press(page, "Send again")

    eventually(lambda: receiver.types.count("booking.created") == 2)


def test_a_read_only_member_sees_no_button_and_forges_none(
    open_browser: Open, alice: Player, vault: Room, server: Server
) -> None:
    booking = book(alice.actor, vault, slot_at(5))
    owner = open_browser(alice)
    owner.goto(f"{SETTINGS}/members/invite")
    owner.get_by_label("E-mail address").fill("reader@example.com")
    owner.locator("[name=role][value=read_only]").check()
    owner.locator("main form button.button--main").click()
    expect(owner.get_by_text("reader@example.com").first).to_be_visible()

    reader = open_browser()
    open_letter(reader, "invitations")
    reader.get_by_role("link", name="Create your account").click()
    reader.get_by_label("Your name").fill("Reader")
    reader.locator("[name=password1]").fill(PASSWORD)
    reader.locator("form button[type=submit], form button:not([type])").last.click()
    reader.wait_for_url("**/dashboard")
    assert Membership.objects.get(user__email="reader@example.com").role == "read_only"

    forbidden = re.compile("^(New booking|New room|Make a room|Cancel|Move|Check in|Take payment|Refund|Edit|New customer)")
    for path in (
        "/dashboard",
        "/dashboard/calendar",
        f"/dashboard/bookings/{booking.public_id}",
        "/dashboard/rooms",
        "/dashboard/customers",
    ):
        reader.goto(path)
        assert (
            reader.get_by_role("link", name=forbidden).or_(reader.get_by_role("button", name=forbidden)).all_inner_texts() == []
        )
    cookies = {one["name"]: one["value"] for one in reader.context.cookies()}
    forged = requests.post(
        f"{server.url}/dashboard/bookings/{booking.public_id}/cancel",
        data={"csrfmiddlewaretoken": cookies["csrftoken"], "refund": "policy"},
        cookies=cookies,
        headers={"Referer": server.url},
        timeout=10,
        allow_redirects=False,
    )
    assert forged.status_code == 403
    booking.refresh_from_db()
    assert booking.status == "confirmed"


def test_a_booking_made_through_the_api_appears_on_home(open_browser: Open, alice: Player, vault: Room) -> None:
    page = open_browser(alice)
    page.goto("/dashboard")
    expect(page.get_by_role("heading", name="Alpha")).to_be_visible()

    made = alice.api.post(
        "/bookings", {"room": vault.public_id, "starts_at": slot_at(1).isoformat(), "party_size": 2, "customer": {"name": "Now"}}
    ).json()
    now = dt.datetime.now(dt.UTC)
    Booking.objects.filter(public_id=made["id"]).update(starts_at=now, ends_at=now + dt.timedelta(hours=1), version=2)

    expect(page.get_by_role("link", name=re.compile("Now, 2"))).to_be_visible(timeout=5_000)
