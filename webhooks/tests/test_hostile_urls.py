"""No URL leads inside: neither past the door, nor, if the door had let it pass, past the socket. A canary that listens on every
address of this machine hears nothing, and the owner is told no address that a name stands for.
"""

import re
import select
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from common.tests.test_addresses import NOT_PUBLIC
from tests.cast import Player
from webhooks.engine import drain
from webhooks.models import Delivery, Endpoint
from webhooks.services import create_endpoint
from webhooks.tests.conftest import Receiver, emit_some

PUBLIC = "8.8.8.8"  # never reached: tests may connect to this machine only
# fmt: off
LITERALS = [f"https://[{address}]:PORT/" if ":" in address else f"https://{address}:PORT/" for address in NOT_PUBLIC]
SPELLINGS = [
    f"https://{host}:PORT/hook"
    for host in (
        # decimal, octal, hex, short, with a dot at the end, in other digits and dots
        "2852039166", "0x7f000001", "0x7f.1", "0xA9.0xFE.0xA9.0xFE", "017700000001", "0251.0376.0251.0376", "127.0.1", "0",
        "127.0.0.1.", "１２７.0.0.1", "①②⑦.0.0.1", "127。0。0。1",
        # mapped, NAT64 and 6to4 in other words
        "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "[::FFFF:a9fe:a9fe]", "[64:ff9b::a9fe:a9fe]", "[2002:a9fe:a9fe::1]",
        # the machine itself, names of our network, our own
        "LOCALHOST", "localhost.", "app.localhost", "ⓛocalhost", "redis", "testserver", "app.ours.example", "Deep.Ours.example.",
        # in front of the host
        "user@127.0.0.1", "user:word@127.0.0.1", "hooks.example.com@127.0.0.1", "hooks.example.com%40127.0.0.1",
        "hooks.example.com\\@127.0.0.1", "127.0.0.1\\.hooks.example.com", "hooks.example.com#@127.0.0.1",
        "127.0.0.1%00.example.com",
    )
]
SCHEMES = [
    "http://127.0.0.1:PORT/", "ftp://127.0.0.1:PORT/", "gopher://127.0.0.1:PORT/_", "file:///etc/passwd", "//127.0.0.1:PORT/",
]
# What names stand for once their URLs have passed the door; until then all of them stand for a public address.
NAMES = {
    "loopback": ["127.0.0.1"], "loopback6": ["::1"], "zero": ["0.0.0.0"], "zero6": ["::"], "mapped": ["::ffff:127.0.0.1"],
    "private": ["10.0.0.1"], "mapped-private": ["::ffff:192.168.0.1"], "shared": ["100.64.0.1"], "multicast": ["224.0.1.1"],
    "metadata": ["169.254.169.254"], "metadata6": ["fd00:ec2::254"], "nat64": ["64:ff9b::7f00:1"], "6to4": ["2002:7f00:1::"],
    "teredo": ["2001:0:7f00:1::"], "compatible": ["::7f00:1"], "link-local": ["fe80::1"], "nothing": [],
    "several": ["127.0.0.1", "::1", "10.0.0.1"], "mixed": ["127.0.0.1", "::1", PUBLIC],
    "mixed-last": [PUBLIC, "127.0.0.1", "::1"],
}
# fmt: on


class Canary:
    """Listens, and tells whether anybody has knocked."""

    def __init__(self) -> None:
        both = socket.has_dualstack_ipv6()
        family = socket.AF_INET6 if both else socket.AF_INET
        self.socket = socket.create_server(("", 0), family=family, dualstack_ipv6=both)
        self.port: int = self.socket.getsockname()[1]

    def heard(self) -> bool:
        return bool(select.select([self.socket], [], [], 0.01)[0])


@pytest.fixture
def canary(settings: Any) -> Iterator[Canary]:
    settings.WEBHOOK_TOTAL_SECONDS = settings.WEBHOOK_CONNECT_SECONDS = 1.0
    found = Canary()
    with found.socket:
        yield found


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What names below names.example stand for now; without an entry, the public address."""
    found: dict[str, list[str]] = {}
    look_up = socket.getaddrinfo

    def name_server(host: Any, port: Any, *arguments: Any) -> Any:
        name, _, domain = str(host).partition(".")
        if domain != "names.example":
            return look_up(host, port, *arguments)
        addresses = found.get(name, [PUBLIC])
        if not addresses:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [row for address in addresses for row in look_up(address, port, type=socket.SOCK_STREAM)]

    monkeypatch.setattr(socket, "getaddrinfo", name_server)
    return found


@pytest.mark.parametrize("url", [*LITERALS, *SPELLINGS, *SCHEMES, *(f"https://{name}.names.example:PORT/" for name in NAMES)])
def test_a_hostile_url_is_refused_before_any_packet_leaves(
    alice: Player, canary: Canary, answers: dict[str, list[str]], settings: Any, url: str
) -> None:
    settings.WEBHOOK_ALLOW_LOOPBACK, settings.PUBLIC_URL = False, "https://app.ours.example"
    settings.ALLOWED_HOSTS = ["testserver", ".ours.example"]
    url = url.replace("PORT", str(canary.port))
    is_name = "names.example" in url

    made = alice.api.post("/webhook_endpoints", {"url": url})

    assert (made.status_code, made.json().get("errors", [{}])[0].get("pointer")) == ((201, None) if is_name else (422, "/url"))
    if not is_name:  # as if the door had let it pass
        create_endpoint(by=alice.actor, url="https://hooks.example.com")
    Endpoint.objects.update(url=url)
    answers.update(NAMES)
    emit_some(alice.actor)
    drain()

    assert not canary.heard()
    delivery = Delivery.objects.get()
    # Another protocol, or a public address that stands beside others: it is tried, and tests may not reach it.
    is_odd = "mixed" in url or not url.startswith(("http", "//"))
    assert delivery.failure in ("blocked_address", "dns", *(["connection"] if is_odd else []))
    assert (delivery.state, delivery.attempts, delivery.status_code) == ("scheduled", 1, None)
    shown = alice.api.get(f"/deliveries/{delivery.public_id}").content + alice.api.get("/deliveries").content
    (attempt,) = alice.api.get(f"/deliveries/{delivery.public_id}").json()["attempts_log"]
    assert (attempt["failure"], attempt["answer"], attempt["answer_headers"]) == (delivery.failure, "", {})
    assert not re.search(rb"\d+\.\d+\.\d+\.\d+|::", shown)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "loopback.names.example"])
def test_the_canary_hears_what_is_let_through(
    alice: Player, canary: Canary, answers: dict[str, list[str]], settings: Any, host: str
) -> None:
    settings.WEBHOOK_TOTAL_SECONDS = 0.2
    answers.update(NAMES)
    assert alice.api.post("/webhook_endpoints", {"url": f"https://{host}:{canary.port}/"}).status_code == 201
    emit_some(alice.actor)

    drain()

    assert canary.heard()


@pytest.mark.parametrize("status", [302, 308])
@pytest.mark.parametrize("location", ["http://127.0.0.1:PORT/", "http://localhost:PORT/", "//[::1]:PORT/", "file:///etc/passwd"])
def test_a_redirect_to_a_hostile_url_is_not_followed(
    alice: Player, endpoint: Endpoint, receiver: Receiver, canary: Canary, status: int, location: str
) -> None:
    """Even where the address itself may be connected to, as here."""
    receiver.answer = lambda request: (status, {"location": location.replace("PORT", str(canary.port))}, b"")
    emit_some(alice.actor)

    drain()

    assert not canary.heard()
    assert (len(receiver.requests), Delivery.objects.get().failure) == (1, "redirect")
