"""The webhook client against real receivers on loopback, well-behaved and hostile ones."""

import asyncio
import gzip
import ipaddress
import socket
import ssl
import struct
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from common.http import KEEP_BYTES, Failure, Outcome, WebhookClient, parse_retry_after
from common.tests.receiver import BODY, Receiver, Script, answering, deliver, forever, http, read_request, send

NOW = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_a_2xx_is_a_success(status: int) -> None:
    outcome, _ = deliver(answering(http(status)))
    assert (outcome.status, outcome.failure, outcome.is_success, outcome.body) == (status, Failure.NONE, True, "")
    assert outcome.first_byte_seconds is not None
    assert 0 < outcome.first_byte_seconds <= outcome.seconds < 5


def test_the_request_carries_the_bytes_and_headers_given_and_no_others() -> None:
    requests: list[bytes] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await read_request(reader))
        writer.write(http(204, "set-cookie: a=b"))

    deliver(script, headers={"webhook-id": "evt_1", "user-agent": "BookingFlow-Webhooks/1", "content-type": "application/json"})
    head, body = requests[0].split(b"\r\n\r\n", 1)
    assert body == BODY
    line, *fields = head.decode().lower().split("\r\n")
    assert line == "post /hooks http/1.1"
    assert sorted(name.split(": ")[0] for name in fields) == sorted(
        ["host", "accept", "accept-encoding", "content-length", "content-type", "user-agent", "webhook-id"]
    )
    assert "accept-encoding: identity" in fields


def test_connections_are_kept_and_cookies_are_not() -> None:
    requests: list[bytes] = []

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            requests.append(await read_request(reader))
            writer.write(http(200, "set-cookie: a=b", body=b"ok"))

    async def run() -> int:
        async with Receiver(script).listening() as receiver, WebhookClient(allow_loopback=True) as client:
            for _ in range(3):
                assert (await client.post(receiver.url(), body=BODY, headers={})).is_success
            return receiver.connections

    assert asyncio.run(run()) == 1
    assert len(requests) == 3
    assert not any(b"cookie" in request.lower() for request in requests)


@pytest.mark.parametrize("status", [400, 404, 410, 429, 500, 503])
def test_any_other_answer_is_a_failure_with_what_its_owner_needs_to_see(status: int) -> None:
    head = ["content-type: text/plain", "Retry-After: 120", "X-Request-Id: r1", "set-cookie: a=b", "server: inside"]
    outcome, _ = deliver(answering(http(status, *head, body=b"no \x00 \xff " + b"x" * 8000)))
    assert (outcome.status, outcome.failure, outcome.retry_after) == (status, Failure.HTTP, "120")
    assert outcome.headers == {
        "content-type": "text/plain",
        "content-length": "8007",
        "retry-after": "120",
        "x-request-id": "r1",
    }
    assert outcome.body == "no \ufffd \ufffd " + "x" * (KEEP_BYTES - 7)


def test_answer_headers_can_be_stored() -> None:
    outcome, _ = deliver(answering(b"HTTP/1.1 500 No\r\nretry-after: \xff\xfe" + b"9" * 5000 + b"\r\ncontent-length: 0\r\n\r\n"))
    assert outcome.retry_after is not None
    assert len(outcome.retry_after.encode()) <= 1000


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_a_redirect_is_a_failure_and_not_followed(status: int) -> None:
    async def run() -> tuple[Outcome, int, int]:
        async with Receiver(answering(http(200))).listening() as target:
            redirect = answering(http(status, f"location: {target.url()}"))
            async with Receiver(redirect).listening() as receiver:
                return await send(receiver.url()), receiver.connections, target.connections

    outcome, connections, followed = asyncio.run(run())
    assert (outcome.status, outcome.failure, connections, followed) == (status, Failure.REDIRECT, 1, 0)


def test_a_redirect_to_a_metadata_address_is_not_followed() -> None:
    outcome, receiver = deliver(answering(http(302, "location: http://169.254.169.254/latest/meta-data/")))
    assert (outcome.failure, receiver.connections, outcome.headers) == (Failure.REDIRECT, 1, {"content-length": "0"})


async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


@pytest.mark.parametrize(
    ("script", "status"),
    [
        (say_nothing, None),
        (forever(b"HTTP/1.1 200 OK\r\n", b"", 0.05), None),
        (forever(b"HTTP/1.1 200 OK\r\n", b"a: b\r\n", 0.05), None),
        (forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.01), None),
        (forever(b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n", b"x", 0.05), 200),
        (forever(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n", 0.05), 200),
    ],
    ids=["silence", "half a header", "trickled headers", "continue", "trickled body", "trickled chunks"],
)
def test_a_silent_or_trickled_answer_meets_the_deadline_body_included(script: Script, status: int | None) -> None:
    outcome, _ = deliver(script, total_seconds=0.4)
    assert (outcome.status, outcome.failure) == (status, Failure.TIMEOUT)
    assert 0.35 < outcome.seconds < 1.5
    assert bool(outcome.body) == (status == 200)  # what came is kept


def test_a_receiver_that_does_not_read_meets_the_deadline() -> None:
    outcome, _ = deliver(say_nothing, body=b"x" * 1_000_000, total_seconds=0.4)
    assert (outcome.failure, outcome.seconds < 1.5) == (Failure.TIMEOUT, True)


def test_a_refusal_stays_one_when_its_body_hangs() -> None:
    outcome, _ = deliver(forever(b"HTTP/1.1 410 Gone\r\ncontent-length: 99\r\n\r\n", b"x", 0.05), total_seconds=0.4)
    assert (outcome.status, outcome.failure) == (410, Failure.HTTP)


@pytest.mark.parametrize("head", [b"", b"content-length: 99999999\r\n"])
def test_an_endless_body_is_left_at_the_limit(head: bytes) -> None:
    tracemalloc.start()
    outcome, _ = deliver(forever(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n", b"x" * 65536))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (outcome.failure, outcome.body) == (Failure.NONE, "x" * KEEP_BYTES)
    assert outcome.seconds < 2
    assert peak < 4_000_000


def test_a_gzip_bomb_is_not_expanded() -> None:
    bomb = gzip.compress(bytes(100_000_000))
    tracemalloc.start()
    outcome, _ = deliver(answering(http(200, "content-encoding: gzip", body=bomb)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (outcome.failure, outcome.body, outcome.headers["content-encoding"]) == (Failure.NONE, "", "gzip")
    assert peak < 4_000_000


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await read_request(reader)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def reset_in_the_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort")
    await asyncio.sleep(0.1)
    await reset(reader, writer)


@pytest.mark.parametrize(
    "script",
    [
        forever(b"HTTP/1.1 200 OK\r\na: ", b"x" * 65536),
        forever(b"HTTP/1.1 200 OK\r\n", b"a: b\r\n" * 1000),
        forever(b"HTTP/1.1 200 OK\r\n", b"x" * 65536),
        forever(b"", b"x" * 65536),
    ],
    ids=["long header", "many headers", "no colon", "no line"],
)
def test_a_header_bomb_is_a_protocol_failure_and_costs_little(script: Script) -> None:
    tracemalloc.start()
    outcome, _ = deliver(script)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert outcome.failure == Failure.PROTOCOL
    assert outcome.seconds < 2
    assert peak < 4_000_000


@pytest.mark.parametrize(
    "script",
    [
        answering(b"SSH-2.0-OpenSSH\r\n\r\n"),
        answering(http(200).replace(b"length: 0", b"length: -1")),
        answering(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"),
        answering(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort"),
        reset_in_the_body,
        answering(b"HTTP/1.1 101 Switching\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n"),
    ],
    ids=["not http", "length", "chunk", "cut off", "reset", "upgrade"],
)
def test_what_is_not_proper_http_is_a_protocol_failure(script: Script) -> None:
    outcome, _ = deliver(script)
    assert outcome.failure == Failure.PROTOCOL
    assert outcome.seconds < 2


@pytest.mark.parametrize("script", [reset, answering(b""), answering(b"HTTP/1.1 200 OK\r\n")])
def test_a_connection_that_breaks_off_is_a_reset(script: Script) -> None:
    outcome, _ = deliver(script)
    assert outcome.failure == Failure.RESET


def test_a_closed_port_is_a_refused_connection() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, not listening
        outcome = asyncio.run(send(f"http://127.0.0.1:{unused.getsockname()[1]}/"))
    assert (outcome.status, outcome.first_byte_seconds, outcome.failure) == (None, None, Failure.REFUSED)


@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 64 + ".example"])
def test_a_name_that_does_not_exist_is_a_dns_failure(host: str) -> None:
    assert asyncio.run(send(f"http://{host}/")).failure == Failure.DNS


def certificate(folder: Path, *, days: int = 1, host: str = "127.0.0.1") -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a self-signed certificate that ends in so many days, and a client's that trusts it."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "receiver")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.pem").write_bytes(private + made)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "server.pem")
    return server, ssl.create_default_context(cadata=made.decode())


@pytest.mark.parametrize(
    ("made", "trusted", "failure"),
    [
        ({}, True, Failure.NONE),
        ({}, False, Failure.TLS),
        ({"days": -1}, True, Failure.TLS),
        ({"host": "127.0.0.2"}, True, Failure.TLS),
    ],
    ids=["valid", "self-signed", "expired", "another host's"],
)
def test_a_valid_certificate_passes_and_an_expired_or_self_signed_one_does_not(
    made: dict[str, Any], trusted: bool, failure: Failure, tmp_path: Path
) -> None:
    server, client = certificate(tmp_path, **made)

    async def run() -> Outcome:
        async with Receiver(answering(http(200))).listening(server) as receiver:
            return await send(receiver.url(scheme="https"), tls=client if trusted else None)

    assert asyncio.run(run()).failure == failure


def test_a_receiver_without_tls_is_a_tls_failure() -> None:
    async def answer_anything(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(http(400))
        await writer.drain()

    async def run() -> Outcome:
        async with Receiver(answer_anything).listening() as receiver:
            return await send(receiver.url(scheme="https"))

    assert asyncio.run(run()).failure == Failure.TLS


def test_a_handshake_that_hangs_meets_the_shorter_deadline_for_connecting() -> None:
    async def run() -> Outcome:
        async with Receiver(say_nothing).listening() as receiver:
            return await send(receiver.url(scheme="https"), connect_seconds=0.3)

    outcome = asyncio.run(run())
    assert (outcome.failure, outcome.seconds < 1.5) == (Failure.TIMEOUT, True)


def test_being_canceled_is_not_an_outcome() -> None:
    async def run() -> None:
        async with Receiver(say_nothing).listening() as receiver, asyncio.timeout(0.2):
            await send(receiver.url())

    with pytest.raises(TimeoutError):
        asyncio.run(run())


def test_our_own_mistake_is_an_outcome_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    outcome, _ = deliver(answering(http(200)), headers={"bad": "a\r\nb: c"})
    assert (outcome.status, outcome.failure) == (None, Failure.CONNECTION)
    assert "for a reason of our own" in caplog.text


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("0", 0),
        ("120", 120),
        (" 120 ", 120),
        ("21600", 21600),
        ("21601", 21600),
        ("9999999999", 21600),
        ("9" * 5000, None),
        ("-1", None),
        ("1.5", None),
        ("+5", None),
        ("١٢٠", None),
        ("soon", None),
        ("nan", None),
        ("Sun, 01 Jun 2025 12:02:00 GMT", 120),
        ("Sunday, 01-Jun-25 12:02:00 GMT", 120),
        ("Sun Jun  1 12:02:00 2025", 120),
        ("Sun, 01 Jun 2025 14:02:00 +0200", 120),
        ("Sun, 01 Jun 2025 11:59:59 GMT", None),
        ("Sun, 01 Jun 2099 12:00:00 GMT", 21600),
        ("Sun, 41 Jun 2025 12:00:00 GMT", None),
        ("Sun, 01 Jun 99999 12:00:00 GMT", None),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert parse_retry_after(value, now=NOW) == seconds


@given(st.text() | st.from_regex(r"\w{3}, \d+ (Jan|Jun) \d+ \d+:\d+:\d+ ([+-]\d+|GMT)"))
def test_retry_after_never_raises(value: str) -> None:
    assert 0 <= (parse_retry_after(value, now=NOW) or 0) <= 21600
