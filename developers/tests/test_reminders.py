"""Letters before a key expires: to whom, when, and once."""

import datetime as dt
import smtplib
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.urls import reverse
from django.utils import timezone

from developers import reminders
from developers.models import ApiKey
from developers.services import create_key, revoke_key
from developers.tasks import remind_of_expiring_keys
from organizations.models import User
from organizations.permissions import Role
from organizations.services import add_member
from tests.cast import Player
from tests.crowd import at_once


def make_key(alice: Player) -> ApiKey:
    month = timezone.now() + dt.timedelta(days=30)
    return create_key(by=alice.actor, name="Website", preset=ApiKey.Preset.READ_ONLY, expires_at=month)[0]


def pass_until(key: ApiKey, **left: float) -> list[str]:
    """Let so much time be left, run the task, and answer the subjects of what it sent."""
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() + dt.timedelta(**left))
    mail.outbox.clear()
    remind_of_expiring_keys()
    return [str(letter.subject) for letter in mail.outbox]


def test_three_letters_come_and_each_once(alice: Player) -> None:
    key = make_key(alice)

    assert pass_until(key, days=14, hours=1) == []
    assert pass_until(key, days=13, hours=23) == ["The API key Website of Alpha expires in 14 days"]
    assert pass_until(key, days=13, hours=22) == []
    assert pass_until(key, days=6, hours=23) == ["The API key Website of Alpha expires in 7 days"]
    assert pass_until(key, days=2) == []
    assert pass_until(key, hours=23) == ["The API key Website of Alpha expires within a day"]
    assert pass_until(key, hours=1) == []
    assert pass_until(key, hours=-1) == []


def test_after_a_pause_only_the_newest_is_sent(alice: Player) -> None:
    key = make_key(alice)

    assert pass_until(key, days=5) == ["The API key Website of Alpha expires in 5 days"]
    assert pass_until(key, days=4) == []


def test_owners_and_managers_get_it_with_what_to_do(alice: Player, bob: Player) -> None:
    manager = User.objects.create_user("mia@example.com")
    add_member(organization=alice.organization, user=manager, role=Role.MANAGER, by=alice.actor)
    key = make_key(alice)

    pass_until(key, days=1)

    (letter,) = mail.outbox
    assert sorted(letter.to) == ["alice@example.com", "mia@example.com"]
    page = reverse("dashboard:developers_key", args=[key.public_id])
    ((html, _),) = letter.alternatives
    for text in (str(letter.body), str(html)):
        assert key.public_id in text
        assert page in text
        assert "make another key" in text


def test_a_key_that_is_short_lived_from_the_start_is_not_announced_at_once(alice: Player) -> None:
    soon = timezone.now() + dt.timedelta(days=6)
    key, _ = create_key(by=alice.actor, name="Trial", preset=ApiKey.Preset.READ_ONLY, expires_at=soon)

    assert pass_until(key, days=5) == []
    assert pass_until(key, hours=20) == ["The API key Trial of Alpha expires within a day"]


def test_revoked_keys_and_those_without_an_end_are_silent(alice: Player) -> None:
    key = make_key(alice)
    revoke_key(by=alice.actor, key=key)

    assert pass_until(key, days=1) == []


def test_a_letter_that_no_server_took_is_sent_by_the_next_run(alice: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    key = make_key(alice)

    def refuse(*arguments: Any) -> None:
        raise smtplib.SMTPServerDisconnected

    with monkeypatch.context() as broken:
        broken.setattr(EmailBackend, "send_messages", refuse)
        assert pass_until(key, days=7) == []

    assert pass_until(key, days=7) == ["The API key Website of Alpha expires in 7 days"]


@pytest.mark.django_db(transaction=True)
def test_of_many_runs_at_once_one_sends_the_letter(alice: Player) -> None:
    key = make_key(alice)
    ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() + dt.timedelta(days=3))
    mail.outbox.clear()

    assert sum(at_once([reminders.remind_of_expiring_keys] * 8)) == 1
    assert len(mail.outbox) == 1
