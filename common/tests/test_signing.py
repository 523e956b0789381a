"""Secrets and signatures of webhooks, checked as a receiver checks them; encryption at rest."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from cryptography.fernet import Fernet
from standardwebhooks import Webhook, WebhookVerificationError

from common.signing import Undecipherable, decrypt, encrypt, new_secret, sign

BODY = '{"id": "evt_1", "name": "Zoë’s \U0001f5dd\\u0000"}'.encode()


def headers(secrets: list[str], *, body: bytes = BODY) -> dict[str, str]:
    now = datetime.now(UTC)
    signature = sign(secrets, message_id="evt_1", timestamp=now, body=body)
    return {"webhook-id": "evt_1", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}


def test_a_secret_is_32_random_bytes() -> None:
    first, second = new_secret(), new_secret()
    assert first != second
    assert first.startswith("whsec_")
    assert len(base64.b64decode(first.removeprefix("whsec_"), validate=True)) == 32


def test_the_published_library_verifies_what_we_sign() -> None:
    secret = new_secret()
    assert Webhook(secret).verify(BODY, headers([secret])) == {"id": "evt_1", "name": "Zoë’s \U0001f5dd\x00"}


def test_the_published_example_signs_alike() -> None:
    signature = sign(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=datetime.fromtimestamp(1614265330, UTC),
        body=b'{"test": 2432232314}',
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_bytes_sent_are_the_bytes_signed() -> None:
    secret = new_secret()
    sent = headers([secret])
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join([b"evt_1", sent["webhook-timestamp"].encode(), BODY])
    assert sent["webhook-signature"] == "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def test_every_live_secret_verifies_and_no_other() -> None:
    old, new = new_secret(), new_secret()
    sent = headers([new, old])
    assert [len(part) for part in sent["webhook-signature"].split(" ")] == [47, 47]
    Webhook(old).verify(BODY, sent)
    Webhook(new).verify(BODY, sent)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(BODY, sent)


@pytest.mark.parametrize(
    "change", [{"webhook-id": "evt_2"}, {"webhook-timestamp": str(int(datetime.now(UTC).timestamp()) - 60)}, {}]
)
def test_a_tampered_message_does_not_verify(change: dict[str, str]) -> None:
    secret = new_secret()
    body = BODY if change else BODY.replace(b"evt_1", b"evt_2")
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, headers([secret]) | change)


@pytest.mark.parametrize("zone", [None, timezone(timedelta(hours=2))])
def test_a_time_that_is_not_utc_is_refused(zone: timezone | None) -> None:
    with pytest.raises(ValueError, match="UTC"):
        sign([new_secret()], message_id="evt_1", timestamp=datetime(2025, 1, 1, tzinfo=zone), body=BODY)


@pytest.mark.parametrize(
    ("secrets", "message_id", "body"),
    [([], "evt_1", BODY), ([new_secret()], "evt.1", BODY), ([new_secret()], "evt_1", b"\xff")],
)
def test_what_could_not_be_verified_is_not_signed(secrets: list[str], message_id: str, body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        sign(secrets, message_id=message_id, timestamp=datetime.now(UTC), body=body)


@pytest.fixture
def keys(settings: Any) -> list[str]:
    settings.SECRET_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    return settings.SECRET_ENCRYPTION_KEYS


@pytest.mark.parametrize("text", ["", "whsec_abc", "Bearer Zoë \U0001f5dd"])
def test_what_is_encrypted_can_be_read_again(text: str, keys: list[str]) -> None:
    encrypted = encrypt(text)
    assert decrypt(encrypted) == text
    assert not text or text not in encrypted
    assert encrypted != encrypt(text)


def test_a_new_first_key_reads_what_the_old_one_wrote_until_that_is_removed(keys: list[str]) -> None:
    old = encrypt("whsec_abc")
    keys.insert(0, Fernet.generate_key().decode())
    new = encrypt("whsec_abc")
    assert decrypt(old) == decrypt(new) == "whsec_abc"
    keys.pop()
    assert decrypt(new) == "whsec_abc"
    with pytest.raises(Undecipherable):
        decrypt(old)


@pytest.mark.parametrize("text", ["", "whsec_abc", "gAAAAAB", "ž"])
def test_what_we_did_not_encrypt_is_refused(text: str, keys: list[str]) -> None:
    with pytest.raises(Undecipherable):
        decrypt(text)


def test_altered_text_is_refused(keys: list[str]) -> None:
    encrypted = encrypt("whsec_abc")
    with pytest.raises(Undecipherable):
        decrypt(encrypted[:50] + ("A" if encrypted[50] != "A" else "B") + encrypted[51:])
