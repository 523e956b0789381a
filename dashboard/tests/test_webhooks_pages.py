"""Settings → Developers: webhook endpoints."""

import datetime as dt
import html
import json
import logging
import re
from typing import Any

import pytest
from django.utils import timezone

from common.ids import new_id
from common.signing import decrypt
from dashboard import once
from dashboard.tests import receiving
from dashboard.tests.pages import queries, sign_in
from dashboard.tests.receiving import DEVELOPERS, HOSTILE, WEBHOOKS, path, text_of
from organizations.models import Plan
from rooms.services import sandbox_for
from tests.cast import Player
from webhooks.engine import drain
from webhooks.engine.record import reclaim
from webhooks.engine.relay import relay
from webhooks.models import Delivery, Endpoint, EndpointSecret, Event, Replay
from webhooks.services import create_endpoint, pause_endpoint
from webhooks.tests.conftest import emit_some
from webhooks.types import EventType

SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{43}=")
receiver, endpoint, loopback = receiving.receiver, receiving.endpoint, receiving.loopback


def shown(answer: Any) -> set[str]:
    return set(SECRET.findall(html.unescape(answer.content.decode())))


def add(client: Any, **typed: Any) -> Any:
    return client.post(f"{WEBHOOKS}/new", {"url": "https://example.com/hook", "events": "everything", **typed})


def test_a_new_endpoints_secret_is_shown_once(alice: Player, caplog: pytest.LogCaptureFixture) -> None:
    client: Any = sign_in(alice)
    with caplog.at_level(logging.DEBUG):
        answer = add(client, description="Till")
        secret = decrypt(client.session[once.SLOT]["secret"])
        assert secret not in json.dumps(dict(client.session.items()))
        first = client.get(answer.url)

    made = Endpoint.objects.get()
    assert shown(first) == {secret} == {decrypt(EndpointSecret.objects.get(endpoint=made).encrypted)}
    assert "no-store" in first["Cache-Control"]
    assert secret not in caplog.text
    assert once.SLOT not in client.session
    assert shown(client.get(answer.url)) == set()
    assert secret[:10] in client.get(answer.url).content.decode()
    assert (made.url, made.description, made.event_types) == ("https://example.com/hook", "Till", [])


def test_an_endpoint_for_some_events_with_headers_whose_values_are_never_shown(alice: Player) -> None:
    client: Any = sign_in(alice)
    typed = {
        "events": "chosen",
        "event_types": ["booking.created", "room.updated"],
        "headers": "X-Till: 3\nAuthorization: Bearer sesame",
    }
    page = add(client, **typed).url
    made = Endpoint.objects.get()

    assert made.event_types == ["booking.created", "room.updated"]
    assert json.loads(decrypt(made.headers)) == {"X-Till": "3", "Authorization": "Bearer sesame"}
    for each in (page, page, WEBHOOKS, path(made, "edit"), path(made, "rotate"), path(made, "delete"), path(made, "test")):
        answer = client.get(each)
        assert answer.status_code == 200
        assert "sesame" not in answer.content.decode()
    assert "Authorization: ••••••••" in text_of(client.get(page))


def test_headers_are_kept_or_replaced_as_a_whole(alice: Player) -> None:
    made, _ = create_endpoint(by=alice.actor, url="https://example.com/hook", headers={"X-Till": "3", "X-Key": "sesame"})
    client: Any = sign_in(alice)
    typed = {"url": made.url, "events": "everything", "description": "Till"}

    def save(**more: Any) -> Endpoint:
        version = Endpoint.objects.get().version
        answer = client.post(path(made, "edit"), {**typed, "version": version, **more})
        assert answer.status_code == 302, text_of(answer)
        return Endpoint.objects.get()

    assert json.loads(decrypt(save(headers_now="keep", headers="X-New: 1").headers)) == {"X-Till": "3", "X-Key": "sesame"}
    assert json.loads(decrypt(save(headers_now="replace", headers="X-New: 1").headers)) == {"X-New": "1"}
    assert json.loads(decrypt(save(headers_now="replace").headers)) == {}
    assert Endpoint.objects.get().description == "Till"


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"url": ""}, "This field is required."),
        ({"url": "http://example.com/"}, "must start with https://"),
        ({"url": "https://10.0.0.1/"}, "this one is private or reserved"),
        ({"events": "chosen"}, "Choose at least one."),
        ({"events": "chosen", "event_types": ["booking.lost"]}, "Select a valid choice."),
        ({"headers": "no colon here"}, "has no colon"),
        ({"headers": "Host: evil"}, "Host: This header is set by us."),
        ({"headers": "X-A: é"}, "X-A: At most 1000 printable ASCII characters."),
    ],
)
def test_what_is_wrong_is_named_and_what_was_typed_stays(alice: Player, typed: dict[str, Any], words: str) -> None:
    answer = add(sign_in(alice), **{"description": HOSTILE, **typed})

    assert (answer.status_code, Endpoint.objects.count()) == (422, 0)
    assert words in text_of(answer)
    assert "<script>alert" not in answer.content.decode()
    assert html.escape(HOSTILE) in answer.content.decode()


def test_the_plans_limit_is_told(alice: Player) -> None:
    Plan.objects.filter(pk=alice.organization.plan_id).update(max_webhook_endpoints=0)

    answer = add(sign_in(alice))

    assert (answer.status_code, Endpoint.objects.count()) == (422, 0)
    assert "plan includes 0 webhook endpoints" in text_of(answer)


def test_a_stale_form_is_refused_once_and_says_so(alice: Player, endpoint: Endpoint) -> None:
    client: Any = sign_in(alice)
    typed = {"url": endpoint.url, "events": "everything", "description": "Mine", "version": endpoint.version}
    Endpoint.objects.update(version=7, description="Theirs")

    refused = client.post(path(endpoint, "edit"), typed)

    assert (refused.status_code, Endpoint.objects.get().description) == (422, "Theirs")
    assert "Somebody else has changed this endpoint" in text_of(refused)
    assert 'name="version" value="7"' in refused.content.decode()
    assert client.post(path(endpoint, "edit"), {**typed, "version": 7}).status_code == 302
    assert Endpoint.objects.get().description == "Mine"


def test_rotating_the_secret(alice: Player, endpoint: Any, receiver: Any) -> None:
    client: Any = sign_in(alice)

    answer = client.post(path(endpoint, "rotate"), {"overlap": "24h"})
    (new,) = shown(client.get(answer.url))
    assert shown(client.get(answer.url)) == set()
    emit_some(alice.actor)
    drain()
    assert len(receiver.requests[0].headers["webhook-signature"].split()) == 2
    assert "until" in text_of(client.get(path(endpoint)))

    client.post(path(endpoint, "rotate"), {"overlap": "now"})
    live = [decrypt(row.encrypted) for row in EndpointSecret.objects.live(timezone.now())]
    assert len(live) == 1
    assert not {endpoint.secret_text, new} & set(live)


def test_a_fourth_live_secret_is_refused_in_words(alice: Player, endpoint: Endpoint) -> None:
    client: Any = sign_in(alice)
    for _ in range(2):
        client.post(path(endpoint, "rotate"), {"overlap": "24h"})

    answer = client.post(path(endpoint, "rotate"), {"overlap": "24h"})

    assert answer.status_code == 422
    assert "3 secrets sign already" in text_of(answer)


def test_pausing_holds_and_enabling_asks_what_to_send(alice: Player, endpoint: Endpoint, receiver: Any) -> None:
    client: Any = sign_in(alice)
    assert client.post(path(endpoint, "pause")).status_code == 302
    emit_some(alice.actor, 3)
    drain()
    reclaim()
    assert (receiver.requests, Delivery.objects.filter(state="held").count()) == ([], 3)

    page = text_of(client.get(path(endpoint)))
    assert "Paused. Nothing is sent" in page
    assert "3 so far" in page
    assert "3 deliveries are held" in text_of(client.get(path(endpoint, "enable")))
    assert client.post(path(endpoint, "enable"), {"release": "since"}).status_code == 422
    assert client.post(path(endpoint, "enable"), {"release": "none"}).status_code == 302
    drain()
    assert receiver.requests == []

    assert "3 deliveries are still held" in text_of(client.get(path(endpoint)))
    assert client.post(path(endpoint, "enable"), {"release": "all"}).status_code == 302
    drain()
    assert len(receiver.requests) == 3


def test_what_was_held_is_sent_since_an_instant(alice: Player, endpoint: Endpoint) -> None:
    pause_endpoint(endpoint=endpoint, by=alice.actor)
    emit_some(alice.actor, 2)
    relay()
    reclaim()
    old = Event.objects.order_by("pk").first()
    Event.objects.filter(pk=old.pk).update(occurred_at=timezone.now() - dt.timedelta(days=2))

    since = (timezone.now() - dt.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    sign_in(alice).post(path(endpoint, "enable"), {"release": "since", "since": since})

    assert Delivery.objects.get(state="held").event == old
    assert Delivery.objects.filter(state="pending").count() == 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": "disabled", "disabled_reason": "gone"}, "The address answered 410"),
        ({"status": "disabled", "disabled_reason": "failing"}, "Nothing had arrived there for five days."),
        ({"failing_since": True}, "Nothing has arrived since"),
        ({"resting_until": True}, "Resting until"),
    ],
)
def test_why_it_is_in_trouble_and_what_to_do(alice: Player, endpoint: Endpoint, fields: dict[str, Any], words: str) -> None:
    soon = timezone.now() + dt.timedelta(minutes=5)
    fields = {name: soon if value is True else value for name, value in fields.items()}
    disabled_at = timezone.now() if fields.get("status") == "disabled" else None
    Endpoint.objects.update(disabled_at=disabled_at, **fields)

    page = text_of(sign_in(alice).get(path(endpoint)))

    assert words in page
    assert ("Enable again" in page) == (disabled_at is not None)


def test_deleting_asks_first(alice: Player, endpoint: Endpoint) -> None:
    client: Any = sign_in(alice)
    assert "pause it instead" in text_of(client.get(path(endpoint, "delete")))
    assert Endpoint.objects.count() == 1

    assert client.post(path(endpoint, "delete")).url == WEBHOOKS
    assert Endpoint.objects.count() == 0


def test_a_test_event_arrives_and_its_page_shows_it(alice: Player, endpoint: Endpoint, receiver: Any) -> None:
    client: Any = sign_in(alice)
    assert '"K7QXM3TR"' in text_of(client.get(path(endpoint, "test") + "?type=booking.created"))

    answer = client.post(path(endpoint, "test"), {"type": "room.updated"})
    assert "On its way" in text_of(client.get(answer.url))
    assert 'hx-trigger="every 2s"' in client.get(answer.url).content.decode()
    drain()

    page = client.get(answer.url)
    assert receiver.types == ["room.updated"]
    assert "Arrived" in text_of(page)
    assert "hx-trigger" not in page.content.decode()
    assert client.post(path(endpoint, "test"), {"type": "nothing.happened"}).status_code == 422
    assert client.get(path(endpoint, "test") + "?type=nothing").status_code == 422


def test_a_ping(alice: Player, endpoint: Endpoint, receiver: Any) -> None:
    answer: Any = sign_in(alice).post(path(endpoint, "ping"))
    drain()

    assert receiver.types == ["webhook.ping"]
    assert answer.url == f"{DEVELOPERS}/events/{Event.objects.get().public_id}"


def test_each_mode_has_its_own_endpoints(alice: Player, endpoint: Endpoint) -> None:
    sandbox_for(alice.organization)
    client: Any = sign_in(alice, mode="test")

    assert "No endpoints yet" in text_of(client.get(WEBHOOKS))
    assert client.get(path(endpoint)).status_code == 404
    add(client, url="https://example.com/test")
    assert Endpoint.objects.get(url="https://example.com/test").organization.sandbox_of == alice.organization


READER_PAGES = ["", "/deliveries/{delivery}", "/replays/{replay}", "/{endpoint}"]


def test_readers_see_all_and_no_button(bob: Player, ids: dict[str, str]) -> None:
    client: Any = sign_in(bob)
    for each in READER_PAGES:
        body = client.get(WEBHOOKS + each.format(**ids)).content.decode()
        main = body[body.index("<main") : body.index("</main>")]
        assert 'method="post"' not in main
        assert not re.findall(r'href="[^"]*/(?:new|edit|rotate|enable|delete|test|replay)"', main)


@pytest.mark.parametrize(
    "verb",
    ["edit", "rotate", "pause", "enable", "delete", "ping", "test", "replay"],
)
def test_readers_and_strangers_change_nothing(bob: Player, charlie: Player, endpoint: Endpoint, verb: str) -> None:
    before = list(Endpoint.objects.values()), EndpointSecret.objects.count(), Event.objects.count(), Replay.objects.count()
    typed = {
        "url": "https://e.com",
        "events": "everything",
        "overlap": "now",
        "type": "booking.created",
        "since": "2026-05-01T00:00",
    }

    assert sign_in(bob).post(path(endpoint, verb), typed).status_code == 403
    assert sign_in(charlie).post(path(endpoint, verb), typed).status_code == 404
    assert (
        list(Endpoint.objects.values()),
        EndpointSecret.objects.count(),
        Event.objects.count(),
        Replay.objects.count(),
    ) == before


def test_queries_do_not_grow(alice: Player, ids: dict[str, str], receiver: Any) -> None:
    for number in range(3):
        create_endpoint(by=alice.actor, url=receiver.url(f"/{number}"), headers={"X-A": "1"})
    emit_some(alice.actor, 10)
    relay()
    client: Any = sign_in(alice)
    each = ["", *(f"/{ids['endpoint']}/{verb}" for verb in ("edit", "rotate", "enable", "delete", "test", "replay"))]
    paths = [WEBHOOKS + one for one in (*each, *(one.format(**ids) for one in READER_PAGES))]
    for one in (*paths, f"{DEVELOPERS}/events", f"{DEVELOPERS}/events/{ids['event']}"):
        with queries():
            assert client.get(one).status_code == 200, one


def test_unknown_ids_are_pages(alice: Player) -> None:
    client: Any = sign_in(alice)
    for prefix, base in (("whe", ""), ("dlv", "/deliveries"), ("rpl", "/replays")):
        assert client.get(f"{WEBHOOKS}{base}/{new_id(prefix)}").status_code == 404


def test_every_type_can_be_sent_as_a_test(alice: Player, endpoint: Endpoint) -> None:
    client: Any = sign_in(alice)
    for type in EventType:
        assert client.get(path(endpoint, "test"), {"type": type.value}).status_code == 200
