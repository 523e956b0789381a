"""What everybody may open, and what a refusal looks like to a person and to a program."""

from typing import Any

import pytest
from django.test import Client

from developers.operations import operations
from tests.cast import Player

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture(autouse=True)
def uncollected_static_files(settings: Any) -> None:
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.mark.parametrize("path", ["/", "/developers"])
def test_public_pages_say_what_they_are(db: None, path: str) -> None:
    text = Client().get(path).content.decode()

    assert text.count("<h1>") == 1
    assert '<meta name="description" content="' in text


def test_what_django_itself_refuses_is_a_page_for_people_and_a_problem_for_programs(alice: Player) -> None:
    client, strict = Client(), Client(enforce_csrf_checks=True)
    for one in (client, strict):
        one.force_login(alice.user)
    large = "x" * 300_000

    for send, path, data, status, words in (
        (strict.post, "/accounts/logout/", {}, 403, "Go back, reload the page and send it again"),
        (client.post, "/dashboard/rooms/new", {"name": large}, 413, "make it shorter"),
        (client.put, "/developers", None, 405, "This method is not supported here"),
        (client.get, "/admin/login/", None, 403, "for BookingFlow&#x27;s own operators"),
    ):
        person = send(path, data, headers=BROWSER) if data is not None else send(path, headers=BROWSER)
        program = send(path, data) if data is not None else send(path)
        assert (person.status_code, program.status_code) == (status, status)
        assert words in person.content.decode()
        assert program["Content-Type"] == "application/problem+json"
        assert program.json()["status"] == status
    assert client.put("/developers")["Allow"] == "GET, HEAD"


def test_the_start_page_leads_in_or_on(alice: Player) -> None:
    guest, member = Client(), Client()
    member.force_login(alice.user)

    assert "/accounts/signup/" in guest.get("/").content.decode()
    assert "/accounts/signup/" not in member.get("/").content.decode()


def test_the_developers_page_names_every_endpoint_and_the_state_of_the_service(db: None) -> None:
    text = Client().get("/developers").content.decode()

    for operation in operations().values():
        assert f"<code>{operation.path.removeprefix('/api/v1/public')}</code>" in text
    assert "Everything works" in text
    assert Client().get("/developers/status")["Cache-Control"] == "no-store"


def test_a_person_gets_a_page_and_a_program_a_problem(db: None) -> None:
    page, problem = Client().get("/nothing", headers=BROWSER), Client().get("/nothing", headers={"Accept": "*/*"})

    assert (page.status_code, page["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert "<h1>Nothing is here</h1>" in page.content.decode()
    assert (problem.status_code, problem["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("path", ["/api/v1/public/nothing", "/v1/nothing", "/webhooks/nothing"])
def test_below_the_api_everybody_gets_a_problem(db: None, path: str) -> None:
    assert Client().get(path, headers=BROWSER)["Content-Type"] == "application/problem+json"


def test_an_error_of_ours_is_a_page_too(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Any:
        raise RuntimeError("boom")

    monkeypatch.setattr("bookingflow.pages.service_status", broken)
    answer = Client(raise_request_exception=False).get("/developers", headers=BROWSER)

    assert (answer.status_code, answer["Content-Type"]) == (500, "text/html; charset=utf-8")
    assert "boom" not in answer.content.decode()
