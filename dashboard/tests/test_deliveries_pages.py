"""Settings → Developers: deliveries, replays, events."""

import base64
import datetime as dt
import html
import re
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from dashboard.tests import receiving
from dashboard.tests.pages import sign_in
from dashboard.tests.receiving import DEVELOPERS, HOSTILE, WEBHOOKS, path, text_of
from tests.cast import Player
from webhooks.engine import drain
from webhooks.engine.relay import relay
from webhooks.models import Attempt, Delivery, Endpoint, Event, Replay
from webhooks.services import create_endpoint, pause_endpoint
from webhooks.tests.conftest import emit_some

receiver, endpoint, loopback = receiving.receiver, receiving.endpoint, receiving.loopback


def test_deliveries_are_filtered_and_paged(alice: Player, endpoint: Endpoint, receiver: Any) -> None:
    receiver.answer = lambda request: (500, {}, b"") if "customer" in request.event["type"] else (200, {}, b"")
    client: Any = sign_in(alice)
    emit_some(alice.actor, 3)
    client.post(path(endpoint, "ping"))
    drain()

    def rows(query: str) -> list[str]:
        body = client.get(path(endpoint) + query).content.decode()
        return re.findall(rf'<th scope="row"><a href="{WEBHOOKS}/deliveries/[^"]+">([^<]+)</a>', body)

    assert rows("") == ["webhook.ping", *["customer.created"] * 3]
    assert rows("?state=scheduled,exhausted") == ["customer.created"] * 3
    assert rows("?state=succeeded") == ["webhook.ping"]
    assert rows("?type=customer.created") == ["customer.created"] * 3
    assert rows("?type=webhook.ping&state=scheduled,exhausted") == []
    assert "No delivery of this endpoint matches." in text_of(client.get(path(endpoint) + "?state=held"))
    assert rows("?failure=http") == ["customer.created"] * 3
    assert len(rows("?state=nonsense&event=evt_x&endpoint=whe_x")) == 4  # what is no filter filters nothing

    emit_some(alice.actor, 30)
    relay()
    body = client.get(path(endpoint)).content.decode()
    assert len(rows("")) == 25
    (older,) = re.findall(r'rel="next" href="([^"]+)"', body)
    assert len(rows(html.unescape(older))) == 9


def test_a_delivery_shows_request_answer_and_hostile_texts_as_texts(alice: Player, receiver: Any) -> None:
    made, _ = create_endpoint(by=alice.actor, url=receiver.url(), headers={"X-Key": "sesame"}, description=HOSTILE)
    receiver.answer = lambda request: (500, {"request-id": HOSTILE}, (HOSTILE + "x" * 10_000).encode())
    emit_some(alice.actor)
    drain()
    delivery = Delivery.objects.get()
    client: Any = sign_in(alice)

    for each in (
        f"{WEBHOOKS}/deliveries/{delivery.public_id}",
        path(made),
        WEBHOOKS,
        f"{DEVELOPERS}/events/{delivery.event.public_id}",
    ):
        body = client.get(each).content.decode()
        assert "<script>alert" not in body
        assert "sesame" not in body
    page = client.get(f"{WEBHOOKS}/deliveries/{delivery.public_id}")
    assert html.escape(HOSTILE) in page.content.decode()
    assert page.content.decode().count("x" * 4_000) == 1
    assert "x" * 4_100 not in page.content.decode()
    text = text_of(page)
    for words in (
        "Failed, tried again",
        "Answered 500",
        "1 of at most 14",
        "X-Key: ••••••••",
        f"webhook-id: {delivery.event.public_id}",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("failure", "status", "words"),
    [
        ("timeout", None, "No whole answer in time"),
        ("dns", None, "The host's name was not found"),
        ("redirect", 302, "It answered with a redirect, which is not followed (302)"),
        ("lease_expired", None, "Our worker vanished"),
    ],
)
def test_failures_are_told_in_words(alice: Player, endpoint: Endpoint, failure: str, status: int | None, words: str) -> None:
    emit_some(alice.actor)
    relay()
    delivery = Delivery.objects.get()
    Delivery.objects.update(state="scheduled", attempts=1, failure=failure, status_code=status)
    Attempt.objects.create(
        delivery=delivery, endpoint=endpoint, number=1, started_at=timezone.now(), seconds=1, failure=failure, status_code=status
    )

    assert words in text_of(sign_in(alice).get(f"{WEBHOOKS}/deliveries/{delivery.public_id}"))


def test_the_signature_can_be_checked_by_hand(
    alice: Player,
    endpoint: Any,
    receiver: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    emit_some(alice.actor)
    drain()
    body = html.unescape(sign_in(alice).get(f"{WEBHOOKS}/deliveries/{Delivery.objects.get().public_id}").content.decode())
    snippet = next(code for code in re.findall(r"<code[^>]*>([^<]*)</code>", body) if "hmac.new" in code)
    (tmp_path / "body.json").write_bytes(receiver.requests[0].body)
    assert receiver.requests[0].body.decode() in body
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BOOKINGFLOW_WEBHOOK_SECRET", endpoint.secret_text)

    exec(compile(snippet, "snippet", "exec"), {})

    signature = receiver.requests[0].headers["webhook-signature"]
    assert capsys.readouterr().out.strip() == signature
    assert f"# {signature}" in snippet
    assert base64.b64decode(signature.removeprefix("v1,"))


def test_sending_again_is_a_new_delivery(alice: Player, endpoint: Endpoint, receiver: Any) -> None:
    emit_some(alice.actor)
    drain()
    first = Delivery.objects.get()
    client: Any = sign_in(alice)

    answer = client.post(f"{WEBHOOKS}/deliveries/{first.public_id}/resend")
    again = Delivery.objects.get(replay_of=first)
    assert answer.url == f"{WEBHOOKS}/deliveries/{again.public_id}"
    drain()

    assert len(receiver.requests) == 2
    assert first.public_id in text_of(client.get(answer.url))
    assert again.public_id in text_of(client.get(f"{WEBHOOKS}/deliveries/{first.public_id}"))
    pause_endpoint(endpoint=endpoint, by=alice.actor)
    refused = client.post(f"{WEBHOOKS}/deliveries/{first.public_id}/resend")
    assert refused.status_code == 409
    assert "Send again" not in text_of(client.get(f"{WEBHOOKS}/deliveries/{first.public_id}"))


def test_a_replay_counts_first_runs_and_can_be_stopped(alice: Player, endpoint: Endpoint, receiver: Any) -> None:
    emit_some(alice.actor, 5)
    drain()
    client: Any = sign_in(alice)
    asked = {"since": (timezone.now() - dt.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")}

    assert "0 events match" in text_of(client.get(path(endpoint, "replay"), {**asked, "only_failed": "on"}))
    counted = client.get(path(endpoint, "replay"), asked)
    assert "5 events match" in text_of(counted)
    assert Replay.objects.count() == 0
    form = re.findall(
        r'<input type="hidden" name="(since|until|event_types|only_failed)" value="([^"]*)"', counted.content.decode()
    )

    started = client.post(path(endpoint, "replay"), dict(form))
    assert started.status_code == 302
    assert "0 of 5 arrived" in text_of(client.get(started.url))
    assert 'hx-trigger="every 2s"' in client.get(started.url).content.decode()
    drain()
    drain()
    done = client.get(started.url)
    assert "5 of 5 arrived" in text_of(done)
    assert "Finished" in text_of(done)
    assert "hx-trigger" not in done.content.decode()

    second = client.post(path(endpoint, "replay"), dict(form))
    stopped = client.post(second.url + "/cancel")
    assert stopped.url == second.url
    assert Replay.objects.order_by("pk").last().state == "canceled"
    assert "Stopped" in text_of(client.get(second.url))


def test_a_replays_mistakes_are_named(alice: Player, endpoint: Endpoint) -> None:
    client: Any = sign_in(alice)

    backwards = client.get(path(endpoint, "replay"), {"since": "2026-05-02T00:00", "until": "2026-05-01T00:00"})
    assert backwards.status_code == 422
    assert "It lies before since." in text_of(backwards)
    assert client.post(path(endpoint, "replay"), {}).status_code == 422
    assert client.get(path(endpoint, "replay"), {"since": "yesterday"}).status_code == 422
    pause_endpoint(endpoint=endpoint, by=alice.actor)
    refused = client.post(path(endpoint, "replay"), {"since": "2026-05-02T00:00"})
    assert (refused.status_code, Replay.objects.count()) == (422, 0)


def test_events_are_listed_by_type_and_object(alice: Player, charlie: Player, endpoint: Endpoint) -> None:
    emit_some(alice.actor, 2)
    emit_some(charlie.actor, 1)
    client: Any = sign_in(alice)
    client.post(path(endpoint, "ping"))
    relay()

    def rows(query: str) -> list[str]:
        body = client.get(f"{DEVELOPERS}/events{query}").content.decode()
        return re.findall(rf'<a href="{DEVELOPERS}/events/[^"]+">([^<]+)</a>', body)

    assert rows("") == ["webhook.ping", "customer.created", "customer.created"]
    assert rows("?type=webhook.ping") == ["webhook.ping"]
    assert rows("?type=nonsense") == rows("")
    one = Event.objects.visible_to(alice.actor).first().object_id
    assert len(rows(f"?object={one}")) == 1
    assert rows("?object=%00") == rows("")
    theirs = Event.objects.visible_to(charlie.actor).first()
    assert rows(f"?object={theirs.object_id}") == []
    assert client.get(f"{DEVELOPERS}/events/{theirs.public_id}").status_code == 404


def test_an_events_page_after_its_body_is_gone(alice: Player, endpoint: Endpoint) -> None:
    emit_some(alice.actor)
    drain()
    Event.objects.update(body="", data={})
    event, delivery = Event.objects.get(), Delivery.objects.get()
    client: Any = sign_in(alice)

    assert "past keeping" in text_of(client.get(f"{DEVELOPERS}/events/{event.public_id}"))
    page = text_of(client.get(f"{WEBHOOKS}/deliveries/{delivery.public_id}"))
    assert "past keeping" in page
    assert "Send again" not in page
