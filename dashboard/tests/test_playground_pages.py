"""Settings → Developers → Playground and Snippets."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bookings.models import Booking
from customers.models import Customer
from dashboard.forms.playground import OperationForm
from dashboard.tests.pages import queries, sign_in, text_of
from developers.operations import operations
from organizations.models import Organization
from rooms.models import Room
from rooms.services import sandbox_for
from tests.cast import BASE, Player

PAGE, RUN = reverse("dashboard:developers_playground"), reverse("dashboard:playground_run")
TOKEN, CURL = reverse("dashboard:playground_token"), reverse("dashboard:playground_curl")


@pytest.fixture
def twin(alice: Player, group_room: Room) -> Organization:
    return sandbox_for(alice.organization)


@pytest.fixture
def room(twin: Organization) -> Room:
    """The sandbox's copy of Alice's."""
    return Room.objects.get(organization=twin)


def filled_in(client: Client, operation: str, **query: str) -> dict[str, Any]:
    """What the page's form would send as it comes."""
    form = client.get(PAGE, {"operation": operation, **query}).context["form"]
    return {"operation": operation, **query, **form.initial}


def answered(answer: Any) -> tuple[int, Any]:
    shown = answer.context["answer"]
    return shown.status, json.loads(shown.text)


def test_the_first_visit_makes_the_sandbox_and_acts_on_it(alice: Player, group_room: Room) -> None:
    client = sign_in(alice)

    status, rooms = answered(client.post(RUN, filled_in(client, "list_rooms")))

    assert status == 200
    twin = Organization.objects.get(sandbox_of=alice.organization)
    assert [one["id"] for one in rooms["data"]] == list(
        Room.objects.filter(organization=twin).values_list("public_id", flat=True)
    )
    assert rooms["data"][0]["id"] != group_room.public_id


def test_a_booking_is_ready_to_be_made_and_is_made_in_the_sandbox_alone(alice: Player, room: Room) -> None:
    client = sign_in(alice)
    data = filled_in(client, "create_booking")
    assert data["body_room"] == room.public_id

    with queries(60):  # the booking's own, too
        answer = client.post(RUN, data)

    status, booking = answered(answer)
    assert (answer.status_code, status, booking["status"]) == (200, 201, "confirmed")
    assert Booking.objects.get().organization_id == room.organization_id
    assert "201 Created" in text_of(answer)
    assert ("Idempotency-Key: " + data["header_Idempotency-Key"]) in text_of(answer)


def test_a_live_write_has_to_be_confirmed_in_words(alice: Player, group_room: Room) -> None:
    client = sign_in(alice)
    data = filled_in(client, "create_customer", mode="live")

    for typed in ("", "yes", alice.organization.name.lower()):
        refused = client.post(RUN, {**data, "confirm": typed})
        assert refused.status_code == 422
        assert f"Type {alice.organization.name}, exactly" in text_of(refused)
        assert client.post(TOKEN, {**data, "confirm": typed}).status_code == 422
    assert not Customer.objects.exists()

    assert answered(client.post(RUN, {**data, "confirm": alice.organization.name}))[0] == 201
    assert Customer.objects.get().organization == alice.organization


def test_a_live_read_needs_no_confirmation(alice: Player, group_room: Room) -> None:
    client = sign_in(alice)

    assert answered(client.post(RUN, filled_in(client, "list_rooms", mode="live")))[0] == 200


def test_nothing_to_delete_is_named_in_live_mode(alice: Player, ids: dict[str, str]) -> None:
    assert "path_id" not in filled_in(sign_in(alice), "erase_customer", mode="live")


def test_what_cannot_be_sent_is_named_by_field_and_kept(alice: Player, room: Room) -> None:
    client = sign_in(alice)
    data = {**filled_in(client, "create_booking"), "body_customer": '{"name": ', "body_room": ""}

    answer = client.post(RUN, data)

    assert answer.status_code == 422
    assert answer.context["form"].errors.keys() == {"body_customer", "body_room"}
    assert "This is not JSON" in text_of(answer)
    assert '{"name": ' in text_of(answer)
    told = client.post(TOKEN, data)
    assert (told.status_code, set(told.json()["errors"])) == (422, {"body_customer", "body_room"})
    assert "As soon as" in text_of(client.post(CURL, data))


def test_a_wrong_value_is_sent_so_that_the_api_can_say_what_it_thinks(alice: Player, room: Room) -> None:
    client = sign_in(alice)

    status, problem = answered(client.post(RUN, {**filled_in(client, "create_booking"), "body_party_size": "many"}))

    assert (status, [error["pointer"] for error in problem["errors"]]) == (422, ["/party_size"])


def test_values_take_the_types_of_the_schema() -> None:
    data = {
        "body_room": "rm_1",
        "body_starts_at": "2027-01-09T17:30:00Z",
        "body_party_size": "4",
        "body_private": "true",
        "body_customer": "cus_1",
        "body_guests": '[{"name": "Zoë"}]',
        "body_notes_customer": "4",
    }

    form = OperationForm(operations()["create_booking"], data)

    assert form.is_valid()
    assert form.call().body == {
        "room": "rm_1",
        "starts_at": "2027-01-09T17:30:00Z",
        "party_size": 4,
        "private": True,
        "customer": "cus_1",
        "guests": [{"name": "Zoë"}],
        "notes_customer": "4",
    }


def test_a_read_only_member_sees_writes_and_cannot_run_them(alice: Player, bob: Player, room: Room) -> None:
    client = sign_in(bob)

    page = client.get(PAGE, {"operation": "create_booking"})
    assert "Run POST" not in text_of(page)
    assert "Your role lacks bookings:write" in text_of(page)
    status, problem = answered(client.post(RUN, filled_in(client, "create_booking")))
    assert (status, problem["code"]) == (403, "insufficient_scope")
    assert "Run GET" in text_of(client.get(PAGE, {"operation": "list_rooms"}))


def test_another_organizations_id_is_an_absent_one(charlie: Player, group_room: Room) -> None:
    client = sign_in(charlie)

    for mode in ("test", "live"):
        answer = client.post(RUN, {"operation": "get_room", "mode": mode, "path_id": group_room.public_id})
        assert (answered(answer)[0], answered(answer)[1]["code"]) == (404, "not_found")


def test_the_token_runs_the_same_call_from_the_browser(alice: Player, room: Room) -> None:
    client = sign_in(alice)
    data = filled_in(client, "get_room")
    here = answered(client.post(RUN, data))

    told = client.post(TOKEN, data)
    call = told.json()
    answer = client.generic(
        call["method"], call["path"], call["body"] or "", headers={**call["headers"], "Authorization": f"Bearer {call['token']}"}
    )

    assert "no-store" in told["Cache-Control"]
    assert call["path"].startswith(f"{BASE}/rooms/{room.public_id}?")
    assert (answer.status_code, answer.json()) == here


def test_the_command_quotes_whatever_is_typed(alice: Player, room: Room) -> None:
    data = {"operation": "list_rooms", "query_q": "O'Brien & $HOME`x`", "header_X": "ignored"}

    command = sign_in(alice).post(CURL, data)

    assert "curl 'http://127.0.0.1:8000/api/v1/public/rooms?q=O%27Brien+%26+%24HOME%60x%60'" in text_of(command)


def test_markup_is_text_wherever_it_is_typed_or_answered(alice: Player, room: Room) -> None:
    client, mark = sign_in(alice), "</code><script>alert(1)</script>"
    data = {"operation": "create_customer", "body_name": mark, "body_email": "not an address"}

    answer = client.post(RUN, data)

    assert "<script>alert" not in answer.content.decode()
    assert mark in text_of(answer)
    Room.objects.filter(pk=room.pk).update(name=mark)
    assert "<script>alert" not in client.post(RUN, {"operation": "list_rooms"}).content.decode()


def test_a_long_answer_is_cut(alice: Player, room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.inside.MOST_SHOWN", 100)

    answer = sign_in(alice).post(RUN, {"operation": "list_rooms"})

    assert len(answer.context["answer"].text) == 100
    assert "Cut here" in text_of(answer)


def test_a_file_is_shown_as_it_is(alice: Player, room: Room) -> None:
    answer = sign_in(alice).post(RUN, {"operation": "export_payments"})

    assert answer.context["answer"].status == 200
    assert not answer.context["answer"].is_json


@pytest.mark.parametrize("operation", ["nothing", "create_booking_by_patch", "../admin"])
def test_an_unknown_operation_is_not_found(alice: Player, operation: str) -> None:
    client = sign_in(alice)

    assert client.get(PAGE, {"operation": operation}).status_code == 404
    assert client.post(RUN, {"operation": operation}).status_code == 404


@pytest.mark.parametrize("language", ["curl", "python", "javascript", "cobol"])
def test_snippets_are_shown_in_each_language(alice: Player, language: str) -> None:
    client = sign_in(alice)

    with queries():
        page = client.get(reverse("dashboard:developers_snippets"), {"language": language})

    assert page.status_code == 200
    assert "BOOKINGFLOW_URL=http" in text_of(page)
