"""Settings → Developers → Request log."""

import datetime as dt
import html
import json
import re
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from common.ids import new_id
from common.signing import encrypt
from dashboard.tests.pages import queries, sign_in
from developers.models import ApiKey, RequestLogEntry
from organizations.permissions import Role
from rooms.models import Room
from rooms.services import sandbox_for
from tests.cast import Player, enter
from tests.security.routes import log_entry

LOG, PLAYGROUND = reverse("dashboard:developers_log"), reverse("dashboard:developers_playground")
EVIL = "<script>alert(1)</script>"


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", answer.content.decode())))


def kept(request: str = "", answer: str = "", *, is_cut: bool = False) -> str:
    said = {"request": {"text": request, "is_cut": is_cut}, "answer": {"text": answer, "is_cut": is_cut}}
    return encrypt(json.dumps(said))


def path_of(entry: RequestLogEntry) -> str:
    return reverse("dashboard:log_entry", args=[entry.public_id])


def test_an_empty_log_leads_to_a_first_call(alice: Player) -> None:
    page = sign_in(alice).get(LOG)

    assert "No requests yet" in text_of(page)
    assert PLAYGROUND in page.content.decode()


def test_the_list_shows_filters_and_pages(alice: Player) -> None:
    client = sign_in(alice)
    for number in range(30):
        log_entry(alice, path=f"/rooms/{number}")
    refused = log_entry(
        alice, method="POST", path="/bookings", status=409, error_code="slot_unavailable", client_address="203.0.113.7"
    )

    def rows(query: str = "") -> list[str]:
        return [
            re.sub(r"<[^>]+>", "", row)
            for row in re.findall(r'<th scope="row">(.*?)</a>', client.get(LOG + query).content.decode())
        ]

    assert rows()[:2] == ["POST /bookings", "GET /rooms/29"]
    assert len(rows()) == 25
    (older,) = re.findall(r'rel="next" href="([^"]+)"', client.get(LOG).content.decode())
    assert len(rows(html.unescape(older))) == 6
    for query in (
        "?status=409",
        "?status=4xx,5xx",
        "?method=POST",
        "?path=/bookings",
        "?error_code=slot_unavailable",
        f"?request_id={refused.request_id}",
        "?status=4xx&created_since=2026-01-01T00:00",
        "?status=4xx&created_since=2026-01-01T00:00:00%2B02:00&created_until=",
    ):
        assert rows(query) == ["POST /bookings"], query
    assert rows("?created_until=2026-01-01T00:00") == []
    assert "None like that" in text_of(client.get(LOG + "?status=500"))
    shown = text_of(client.get(LOG + "?method=POST"))
    for words in ("409 Conflict", "slot_unavailable", "alice's key", "203.0.113.7"):
        assert words in shown


@pytest.mark.parametrize(
    "query", ["?status=nonsense", "?created_since=yesterday", "?method=FETCH", "?error_code=x", "?path=" + "x" * 300]
)
def test_what_is_no_filter_is_named(alice: Player, query: str) -> None:
    log_entry(alice)
    page = sign_in(alice).get(LOG + query)

    assert page.status_code == 422
    assert query[1:].partition("=")[0] + ":" in text_of(page)


def test_an_entry_shows_what_was_said_as_text(alice: Player) -> None:
    entry = log_entry(
        alice,
        method="POST",
        path="/customers",
        query=f"q={EVIL}",
        status=422,
        error_code="validation_failed",
        user_agent=EVIL,
        idempotency_key="order-7",
        request_headers={"X-Note": EVIL},
        answer_headers={"Content-Type": "application/problem+json"},
        content=kept(json.dumps({"name": EVIL}), '{"code":"validation_failed"}'),
    )

    client = sign_in(alice)

    with queries():
        page = client.get(path_of(entry))

    assert EVIL not in page.content.decode()
    assert text_of(page).count(EVIL) == 4
    for words in ("422 Unprocessable", "order-7", entry.request_id, '"code": "validation_failed"', "application/problem+json"):
        assert words in text_of(page)
    assert 'class="nt"' in page.content.decode()
    assert sign_in(alice).get(reverse("dashboard:log_entry", args=[entry.request_id])).status_code == 200


def test_what_is_gone_is_said_to_be_gone(alice: Player) -> None:
    client = sign_in(alice)

    assert "emptied: they mentioned a customer" in text_of(client.get(path_of(log_entry(alice, is_erased=True))))
    assert "None are left" in text_of(client.get(path_of(log_entry(alice))))
    assert "Cut at 16 KiB" in text_of(client.get(path_of(log_entry(alice, content=kept('{"name": "A', is_cut=True)))))
    assert "was not kept: it may hold a secret" in text_of(client.get(path_of(log_entry(alice, content=kept(is_cut=True)))))


def test_a_call_is_opened_in_the_playground_filled_in_and_not_run(alice: Player, group_room: Room) -> None:
    client = sign_in(alice)
    body = {"room": group_room.public_id, "starts_at": "2027-01-09T17:30:00Z", "party_size": 3, "customer": {"name": "Ada & Co"}}
    entry = log_entry(alice, method="POST", path="/bookings", query="dry_run=true", content=kept(json.dumps(body)))
    (link,) = re.findall(rf'href="({PLAYGROUND}[^"]+log=[^"]+)"', client.get(path_of(entry)).content.decode())

    with queries():
        page = client.get(html.unescape(link))

    assert (page.context["operation"].id, page.context["run_mode"]) == ("create_booking", "live")
    call = page.context["call"]
    assert call.path == "/api/v1/public/bookings?dry_run=true"
    assert {name: call.body[name] for name in body} == body
    assert "not run" in text_of(page)
    assert RequestLogEntry.objects.count() == 1


@pytest.mark.parametrize(
    ("method", "path", "query", "operation", "shown"),
    [
        ("GET", "/bookings/bkg_1", "expand=room&expand=customer", "get_booking", "/bookings/bkg_1?expand=room,customer"),
        ("PATCH", "/customers/cus_1", "", "change_customer", "/customers/cus_1"),
        ("GET", "/customers", "q=a%26b%2Bc&limit=3", "list_customers", "/customers?q=a%26b%2Bc&limit=3"),
        ("POST", "/bookings/quote", "", "quote_booking", "/bookings/quote"),
    ],
)
def test_path_and_query_are_filled_in(alice: Player, method: str, path: str, query: str, operation: str, shown: str) -> None:
    entry = log_entry(alice, method=method, path=path, query=query, content=kept("{}"))
    page = sign_in(alice).get(f"{PLAYGROUND}?operation={operation}&log={entry.public_id}&mode=live")

    command = page.context["call"]
    if command is not None:  # a quote without a body lacks what it must have
        assert sorted(re.split("[?&]", command.path.removeprefix("/api/v1/public"))) == sorted(re.split("[?&]", shown))
    assert sign_in(alice).get(path_of(entry)).context["operation"].id == operation


def test_a_body_that_is_not_kept_whole_is_not_filled_in(alice: Player) -> None:
    entry = log_entry(alice, method="POST", path="/customers", content=kept('{"name": "A', is_cut=True))

    page = sign_in(alice).get(f"{PLAYGROUND}?operation=create_customer&log={entry.public_id}&mode=live")

    assert "Its body is not kept whole" in text_of(page)
    assert "body_name" not in page.context["form"].initial


def test_a_call_that_is_no_operation_is_shown_without_a_way_to_the_playground(alice: Player) -> None:
    page = sign_in(alice).get(path_of(log_entry(alice, method="DELETE", path="/me", status=405)))

    assert "Open in the playground" not in text_of(page)


def test_a_request_that_is_on_its_way_is_waited_for(alice: Player) -> None:
    client = sign_in(alice)
    path = reverse("dashboard:log_entry", args=[new_id("req")])

    page = client.get(path)
    assert (page.status_code, "Not there yet" in text_of(page)) == (200, True)
    assert f'hx-get="{path}"' in page.content.decode()

    log_entry(alice, request_id=path.rpartition("/")[2])
    assert client.get(path, headers={"HX-Request": "true", "HX-Target": "coming"})["HX-Refresh"] == "true"
    assert "Not there yet" not in text_of(client.get(path))
    assert client.get(reverse("dashboard:log_entry", args=["req_" + "0" * 26])).status_code == 404


def test_the_playground_leads_to_its_call_also_from_live_mode(alice: Player, group_room: Room) -> None:
    client = sign_in(alice)
    twin = sandbox_for(alice.organization)
    run = client.post(reverse("dashboard:playground_run"), {"operation": "list_rooms", "mode": "test"})

    (link,) = re.findall(r'href="([^"]+/log/req_[^"]+)"', run.content.decode())
    assert "Not there yet" in text_of(client.get(link))
    log_entry(alice, organization=twin, request_id=re.findall(r"req_\w+", link)[0], path="/rooms", mode="test")

    assert "GET /rooms" in text_of(client.get(link))
    assert client.get(link.partition("?")[0] + "?mode=live").context.get("entry") is None


def test_another_organizations_request_is_an_absent_one(alice: Player, charlie: Player) -> None:
    theirs = log_entry(alice, request_id="req_" + "0" * 26)

    for id in (theirs.public_id, theirs.request_id):
        assert sign_in(charlie).get(reverse("dashboard:log_entry", args=[id])).status_code == 404
    refused = sign_in(charlie).get(f"{PLAYGROUND}?operation=get_me&log={theirs.public_id}&mode=live")
    assert refused.status_code == 404


def test_who_runs_the_desk_is_not_led_to_the_log(alice: Player, bob: Player, group_room: Room) -> None:
    staff = enter("sam", alice.organization, Role.STAFF, ApiKey.Preset.READ_ONLY)
    for player in (bob, staff):
        client = sign_in(player)
        run = client.post(reverse("dashboard:playground_run"), {"operation": "list_rooms", "mode": "test"})
        for page in (run, client.get(reverse("dashboard:developers")), client.get(PLAYGROUND)):
            assert LOG not in page.content.decode()
        assert client.get(f"{PLAYGROUND}?operation=get_me&log={log_entry(alice).public_id}&mode=live").status_code == 403


def test_the_overview_counts_todays_requests_and_errors(alice: Player) -> None:
    log_entry(alice)
    log_entry(alice, status=404)
    log_entry(alice, status=500, created_at=timezone.now() - dt.timedelta(days=2))

    client = sign_in(alice)

    with queries():
        page = client.get(reverse("dashboard:developers"))

    assert (page.context["calls"], page.context["errors"]) == (2, 1)
    assert "Requests refused or failed" in text_of(page)
