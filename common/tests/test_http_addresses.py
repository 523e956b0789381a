"""Where the client connects, and where it never does."""

import asyncio
import socket
import time
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from common.http import Failure, Outcome, WebhookClient
from common.tests.receiver import BODY, Receiver, answering, http, send


@pytest.mark.parametrize(("allow_loopback", "connections"), [(False, 0), (True, 1)])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "①②⑦.0.0.1"])
def test_no_packet_goes_to_a_private_address(host: str, allow_loopback: bool, connections: int) -> None:
    async def run() -> tuple[Outcome, Receiver]:
        async with Receiver(answering(http(200))).listening() as receiver:
            return await send(receiver.url(host), allow_loopback=allow_loopback), receiver

    outcome, receiver = asyncio.run(run())
    assert receiver.connections == connections
    assert outcome.failure == (Failure.NONE if allow_loopback else Failure.BLOCKED_ADDRESS)
    assert outcome.status == (200 if allow_loopback else None)


@pytest.mark.parametrize("host", ["2130706433", "127.1", "0x7f.1", "0177.0.0.1", "0", "[::ffff:127.0.0.1]", "localhost."])
def test_decimal_octal_and_hex_hosts_lead_nowhere(host: str) -> None:
    async def run() -> tuple[Outcome, Receiver]:
        async with Receiver(answering(http(200))).listening() as receiver:
            return await send(receiver.url(host), allow_loopback=False), receiver

    outcome, receiver = asyncio.run(run())
    assert receiver.connections == 0
    assert outcome.failure in (Failure.BLOCKED_ADDRESS, Failure.DNS)


@pytest.mark.parametrize("host", ["10.0.0.1", "169.254.169.254", "[fd00:ec2::254]", "[64:ff9b::7f00:1]", "0.0.0.0"])
def test_allowing_loopback_opens_no_other_private_address(host: str) -> None:
    assert asyncio.run(send(f"http://{host}:9/")).failure == Failure.BLOCKED_ADDRESS


class Answers(AbstractResolver):
    """A name server that answers every question with the next list of addresses."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = [*answers]

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host=address, port=port, family=socket.AF_INET, proto=0, flags=0)
            for address in self.answers.pop(0)
        ]

    async def close(self) -> None:
        pass


def test_dns_rebinding_to_a_private_address_after_a_first_visit_is_blocked() -> None:
    """Loopback stands for the public internet, which tests cannot reach."""

    async def run() -> tuple[list[Failure], int]:
        resolver = Answers(["127.0.0.1"], ["169.254.169.254"], ["127.0.0.1"])
        async with (
            Receiver(answering(http(200, "connection: close"))).listening() as receiver,
            WebhookClient(allow_loopback=True, resolver=resolver) as client,
        ):
            found = [await client.post(receiver.url("rebind.example"), body=BODY, headers={}) for _ in range(3)]
            return [outcome.failure for outcome in found], receiver.connections

    failures, connections = asyncio.run(run())
    assert failures == [Failure.NONE, Failure.BLOCKED_ADDRESS, Failure.NONE]
    assert connections == 2


@pytest.mark.parametrize("addresses", [["10.0.0.1", "127.0.0.1"], ["127.0.0.1", "10.0.0.1"]])
def test_of_mixed_public_and_private_answers_only_the_public_is_used(addresses: list[str]) -> None:
    async def run() -> tuple[Outcome, int]:
        async with Receiver(answering(http(200))).listening() as receiver:
            return await send(receiver.url("mixed.example"), resolver=Answers(addresses)), receiver.connections

    outcome, connections = asyncio.run(run())
    assert (outcome.failure, connections) == (Failure.NONE, 1)


def test_an_answer_of_several_private_addresses_is_blocked() -> None:
    resolver = Answers(["10.0.0.1", "127.0.0.1", "::1"])
    outcome = asyncio.run(send("http://inside.example:9/", resolver=resolver, allow_loopback=False))
    assert outcome.failure == Failure.BLOCKED_ADDRESS


def test_an_empty_answer_is_a_failure_too(caplog: pytest.LogCaptureFixture) -> None:
    assert asyncio.run(send("http://empty.example/", resolver=Answers([]))).failure in (Failure.DNS, Failure.CONNECTION)


def test_silent_name_servers_keep_nobody_else_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    look_up = socket.getaddrinfo

    def slow(host: str, *args: Any) -> Any:
        time.sleep(0.8 if host.startswith("silent") else 0)
        return look_up("127.0.0.1" if host.startswith("silent") else host, *args)

    monkeypatch.setattr(socket, "getaddrinfo", slow)

    async def run() -> tuple[list[Outcome], Outcome]:
        async with (
            Receiver(answering(http(200))).listening() as receiver,
            WebhookClient(allow_loopback=True, connect_seconds=0.5) as client,
        ):
            urls = [receiver.url(f"silent{number}.example") for number in range(40)]
            silent = asyncio.gather(*(client.post(url, body=BODY, headers={}) for url in urls))
            await asyncio.sleep(0.05)
            quick = await client.post(receiver.url("localhost"), body=BODY, headers={})
            return await silent, quick

    silent, quick = asyncio.run(run())
    assert {outcome.failure for outcome in silent} == {Failure.TIMEOUT}
    assert (quick.failure, quick.seconds < 0.4) == (Failure.NONE, True)
