"""Owners hear of an endpoint that does not work before and when it is disabled."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from organizations.permissions import Role
from rooms.services import sandbox_for
from tests.cast import Player, enter
from webhooks import tasks
from webhooks.engine import drain
from webhooks.models import Attempt, Delivery, Endpoint
from webhooks.services import enable_endpoint, ping
from webhooks.tests.conftest import Receiver


@pytest.fixture(autouse=True)
def loopback(settings: Any) -> None:
    settings.WEBHOOK_ALLOW_LOOPBACK = True


@pytest.fixture
def failing(alice: Player, endpoint: Endpoint, receiver: Receiver) -> Endpoint:
    """One attempt has failed, three days ago."""
    receiver.answer = lambda request: (503, {}, b"")
    ping(endpoint=endpoint, by=alice.actor)
    drain()
    Endpoint.objects.update(failing_since=dt.datetime(2026, 3, 14, 9, 26, tzinfo=dt.UTC))
    return Endpoint.objects.get()


def disable(endpoint: Endpoint, reason: str) -> None:
    Endpoint.objects.filter(pk=endpoint.pk).update(status="disabled", disabled_reason=reason, disabled_at=timezone.now())


def test_a_warning_names_the_endpoint_since_when_why_what_follows_and_where_to_look(
    failing: Endpoint, mailoutbox: list[Any], settings: Any
) -> None:
    tasks.warn_owners(failing.pk, 72)

    (mail,) = mailoutbox
    assert mail.to == ["alice@example.com"]
    assert mail.subject == "Webhooks for Alpha have not arrived for 72 hours"
    html, kind = mail.alternatives[0]
    assert kind == "text/html"
    for text in (mail.body, html):
        assert failing.url in text
        assert "2026-03-14 09:26 UTC" in text
        assert "http (503)" in text
        assert "2026-03-19 09:26 UTC" in text  # 120 hours later
        assert f"{settings.PUBLIC_URL}/backend/docs/api.md#webhooks" in text


@pytest.mark.parametrize(("reason", "why"), [("gone", "410 Gone"), ("failing", "nothing has arrived for 120 hours")])
def test_a_disabled_endpoints_owners_are_told_why_and_how_to_go_on(
    failing: Endpoint, mailoutbox: list[Any], reason: str, why: str
) -> None:
    disable(failing, reason)

    tasks.tell_owners_disabled(failing.pk)

    (mail,) = mailoutbox
    assert mail.subject == "A webhook endpoint of Alpha is disabled"
    for text in (mail.body, mail.alternatives[0][0]):
        assert failing.url in text
        assert why in text
        assert "each for 30 days" in text
        assert "enable the endpoint" in text


def test_what_is_well_again_or_gone_worries_nobody(alice: Player, failing: Endpoint, mailoutbox: list[Any]) -> None:
    disable(failing, "failing")
    tasks.warn_owners(failing.pk, 108)
    enable_endpoint(endpoint=failing, by=alice.actor)
    for task in (lambda pk: tasks.warn_owners(pk, 1), tasks.tell_owners_disabled):
        task(failing.pk)
        task(failing.pk + 1)

    assert mailoutbox == []


def test_owners_and_managers_are_told_others_and_other_tenants_are_not(
    alice: Player, bob: Player, charlie: Player, failing: Endpoint, mailoutbox: list[Any]
) -> None:
    manager = enter("mallory", alice.organization, Role.MANAGER, alice.key.preset)  # type: ignore[arg-type]
    left = enter("lee", alice.organization, Role.MANAGER, alice.key.preset)  # type: ignore[arg-type]
    left.user.is_active = False
    left.user.save()

    tasks.warn_owners(failing.pk, 1)

    assert mailoutbox[0].to == [alice.user.email, manager.user.email]
    assert mailoutbox[0].subject.endswith("for 1 hour")


def test_the_owners_of_a_sandbox_are_those_of_the_organization(alice: Player, failing: Endpoint, mailoutbox: list[Any]) -> None:
    Endpoint.objects.update(organization=sandbox_for(alice.organization))

    tasks.warn_owners(failing.pk, 24)

    assert mailoutbox[0].to == [alice.user.email]
    assert "(test mode)" in mailoutbox[0].body


def test_a_vanished_worker_is_not_shown_as_the_receivers_failure_nor_a_url_as_markup(
    failing: Endpoint, mailoutbox: list[Any]
) -> None:
    delivery = Delivery.objects.get()
    Attempt.objects.create(
        delivery=delivery, endpoint=failing, number=2, started_at=timezone.now(), seconds=0, failure="lease_expired"
    )
    Endpoint.objects.update(url="https://example.com/?a=<b>&c")

    tasks.warn_owners(failing.pk, 24)

    assert "http (503)" in mailoutbox[0].body
    assert "https://example.com/?a=<b>&c" in mailoutbox[0].body
    assert "https://example.com/?a=&lt;b&gt;&amp;c" in mailoutbox[0].alternatives[0][0]


def test_a_mail_server_that_is_away_is_tried_again(failing: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Any) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("django.core.mail.EmailMultiAlternatives.send", refuse)
    monkeypatch.setattr("webhooks.tasks.warn_owners.retry", lambda **options: RuntimeError("again"))

    with pytest.raises(RuntimeError, match="again"):
        tasks.warn_owners(failing.pk, 1)


def test_a_410_tells_the_owners_at_once(
    alice: Player, endpoint: Endpoint, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr("common.jobs.after_commit", lambda *arguments: asked.append(arguments))
    receiver.answer = lambda request: (410, {}, b"")
    ping(endpoint=endpoint, by=alice.actor)

    drain()

    assert ("webhooks.tasks.tell_owners_disabled", endpoint.pk) in asked
