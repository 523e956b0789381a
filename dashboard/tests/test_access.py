"""Every page × {nobody, owner, read-only member, another organization's owner}."""

from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern
from django.utils.html import escape

from bookings.models import Booking
from customers.models import Customer
from dashboard import urls
from dashboard.tests.access_table import OTHER, PAGES, STAFF, Page
from dashboard.tests.pages import queries, sign_in
from developers.models import ApiKey
from organizations.models import Organization, User
from organizations.permissions import Role
from payments.models import Payment
from rooms.models import Block, Room, Venue
from tests import standing
from tests.cast import Player, enter
from tests.security.routes import ABSENT
from webhooks.models import Endpoint

stage, alice, bob, charlie, ids = standing.stage, standing.alice, standing.bob, standing.charlie, standing.ids

EVIL = "<b onload=alert(1)>"
TYPED = {
    Organization: ["name"],
    User: ["name"],
    ApiKey: ["name"],
    Venue: ["name", "tax_label"],
    Block: ["reason"],
    Room: ["name", "description", "category"],
    Booking: ["notes_customer", "notes_internal", "cancel_reason"],
    Customer: ["notes", "language"],
    Payment: ["reference", "failure_message"],
    Endpoint: ["description"],
}


def each_page(*pages: Page) -> Any:
    return pytest.mark.parametrize("page", pages or PAGES, ids=lambda page: page.name)


def visit(client: Client, page: Page, ids: dict[str, str], *, public_id: str = "") -> Any:
    path = page.path(ids, public_id=public_id)
    return client.get(path) if page.post is None else client.post(path, page.post)


@pytest.fixture(scope="module")
def desk(stage: standing.Stage) -> Player:
    return standing.signed_in(enter("sam", stage.alice.organization, Role.STAFF, ApiKey.Preset.READ_ONLY))


@pytest.fixture(scope="module")
def manager(stage: standing.Stage) -> Player:
    return standing.signed_in(enter("mary", stage.alice.organization, Role.MANAGER, ApiKey.Preset.READ_ONLY))


@each_page(*(page for page in PAGES if page.post is not None))
def test_an_owner_may_do_everything(alice: Player, ids: dict[str, str], page: Page) -> None:
    assert visit(sign_in(alice), page, ids).status_code == page.ok


@each_page(*(page for page in PAGES if page.post is None))
def test_an_owner_sees_pages_that_ask_the_database_little_and_are_neither_kept_nor_framed(
    alice: Player, ids: dict[str, str], page: Page
) -> None:
    client = sign_in(alice)
    answer = visit(client, page, ids)

    assert answer.status_code == page.ok
    assert "no-store" in answer["Cache-Control"]
    assert answer["X-Frame-Options"] == "DENY"
    assert "script-src 'self'" in answer["Content-Security-Policy"]
    with queries():  # the first visit of some makes what later ones find
        visit(client, page, ids)


@each_page()
def test_nobody_gets_in_without_signing_in(ids: dict[str, str], page: Page) -> None:
    answer = visit(Client(), page, ids)

    assert (answer.status_code, answer.url.partition("?")[0]) == (302, "/accounts/login/")


@each_page()
def test_a_read_only_member_reads_and_nothing_else(bob: Player, ids: dict[str, str], page: Page) -> None:
    assert visit(sign_in(bob), page, ids).status_code == (page.ok if page.reader else 403)


@each_page()
def test_the_desk_does_bookings_customers_and_blocks(desk: Player, ids: dict[str, str], page: Page) -> None:
    assert visit(sign_in(desk), page, ids).status_code == (page.ok if page.reader or page.name in STAFF else 403)


@each_page(*(page for page in PAGES if not page.reader))
def test_a_manager_does_all_of_it(manager: Player, ids: dict[str, str], page: Page) -> None:
    assert visit(sign_in(manager), page, ids).status_code == page.ok


@each_page(*(page for page in PAGES if page.id))
def test_another_organizations_id_is_an_absent_one(charlie: Player, ids: dict[str, str], page: Page) -> None:
    client = sign_in(charlie)
    theirs = visit(client, page, ids)
    absent = visit(client, page, ids, public_id=ids[page.id].split("_")[0] + "_" + ABSENT)

    assert theirs.status_code == absent.status_code == 404
    assert ids[page.id] not in theirs.content.decode().replace(theirs.wsgi_request.path, "")


@each_page(*(page for page in PAGES if page.post is not None))
def test_a_form_of_another_site_is_refused(alice: Player, ids: dict[str, str], page: Page) -> None:
    client = sign_in(alice)
    client.handler.enforce_csrf_checks = True

    assert visit(client, page, ids).status_code == 403


def test_no_page_takes_markup_from_what_people_typed(alice: Player, ids: dict[str, str]) -> None:
    """Whatever it is the name of, and wherever it is shown."""
    for model, names in TYPED.items():
        model._base_manager.update(**dict.fromkeys(names, EVIL))
    Booking.objects.update(contact={"name": EVIL, "email": EVIL, "phone": EVIL, "language": EVIL}, metadata={"note": EVIL})
    Customer.objects.update(name=EVIL, tags=[EVIL])
    client = sign_in(alice)

    answers = {page.name: visit(client, page, ids) for page in PAGES if page.post is None}
    pages = {name: answer for name, answer in answers.items() if answer["Content-Type"].startswith("text/html")}
    shown = {name: answer.content.decode() for name, answer in pages.items()}

    assert [name for name, text in shown.items() if EVIL in text] == []
    assert sum(escape(EVIL) in text for text in shown.values()) > len(shown) / 2


@each_page(*(page for page in PAGES if page.id))
def test_an_id_with_a_letter_that_no_text_has_is_an_absent_one(alice: Player, ids: dict[str, str], page: Page) -> None:
    assert visit(sign_in(alice), page, ids, public_id="x").status_code == 404
    path = page.path(ids, public_id="x").replace("/x", "/%00")
    client = sign_in(alice)
    assert (client.get(path) if page.post is None else client.post(path, page.post)).status_code == 404


def test_an_absent_one_is_so_in_a_query_and_in_a_form_too(alice: Player) -> None:
    client = sign_in(alice)

    assert client.get("/dashboard/bookings/new", {"room": "\0"}, follow=True).status_code == 404
    assert client.get("/dashboard/bookings/new", {"form": "\0"}, follow=True).status_code == 200
    assert client.get("/dashboard/settings/developers/playground", {"log": "\0"}).status_code == 404
    assert client.post("/dashboard/bookings/check-in", {"booking": "\0"}).status_code == 302


def test_what_was_sent_after_the_session_had_ended_leads_back_to_its_page(ids: dict[str, str]) -> None:
    path = f"/dashboard/bookings/{ids['begun']}"
    here = Client().post(f"{path}/check-in", headers={"Referer": f"http://testserver{path}"})
    elsewhere = Client().post(f"{path}/check-in", headers={"Referer": "https://evil.example/dashboard"})

    assert here["Location"] == f"/accounts/login/?next={path}"
    assert elsewhere["Location"] == "/accounts/login/?next=/dashboard"


def test_no_page_is_missing_from_the_table() -> None:
    named = {pattern.name for pattern in urls.urlpatterns if isinstance(pattern, URLPattern)}

    assert named == {page.name for page in PAGES} | OTHER
