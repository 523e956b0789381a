"""Which addresses webhooks may connect to, and which URLs can be an endpoint's."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.addresses import RefusedAddress, check_url, is_allowed, is_public

PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "192.88.98.255", "2606:4700::1111", "2a00:1450:4001::1", "::ffff:8.8.8.8"]
# fmt: off
NOT_PUBLIC = [
    # IPv4: this network, private, shared, loopback, link-local and the metadata service, protocol, documentation, benchmarks
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1",
    "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.168.0.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    # multicast (globally scoped too), reserved, broadcast, 6to4 relays
    "224.0.0.1", "224.0.1.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "192.88.99.1",
    # IPv6: unspecified, loopback, mapped, compatible, NAT64 (well-known and local), translated, discard
    "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:224.0.1.1", "::ffff:192.88.99.1",
    "::7f00:1", "::8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::8.8.8.8", "64:ff9b:1::1", "::ffff:0:127.0.0.1", "100::1",
    # Teredo, protocol assignments, ORCHID, documentation, 6to4, segment routing
    "2001::1", "2001:0:7f00:1::", "2001:10::1", "2001:20::1", "2001:1ff:ffff::1", "2001:db8::1", "2002:7f00:1::",
    "2002:808:808::1", "3fff::1", "3fff:fff:ffff::1", "4000::1", "5f00::1",
    # unique local, link-local with and without its zone, site-local, multicast
    "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1",
    # not addresses
    "", "localhost", "127.1", "0177.0.0.1", "0x7f.0.0.1", "2130706433", "8.8.8.8.8", " 8.8.8.8",
]
# fmt: on


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_may_be_connected_to(address: str) -> None:
    assert is_public(address)
    assert is_public(ip_address(address))
    assert is_allowed(address, allow_loopback=False)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_any_other_address_may_not(address: str) -> None:
    assert not is_public(address)
    assert not is_allowed(address, allow_loopback=False)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_allowing_loopback_allows_loopback(address: str) -> None:
    assert is_allowed(address, allow_loopback=True)


@pytest.mark.parametrize("address", sorted({*NOT_PUBLIC} - {"127.0.0.1", "127.255.255.254", "::1", "::ffff:127.0.0.1"}))
def test_allowing_loopback_allows_nothing_else(address: str) -> None:
    assert not is_allowed(address, allow_loopback=True)


@given(st.ip_addresses(v=4))
def test_wrapping_an_address_changes_nothing(address: object) -> None:
    assert is_public(f"::ffff:{address}") == is_public(str(address))


def check(url: str, *, allow_loopback: bool = False, allow_http: bool = False) -> None:
    check_url(url, own_hosts=["bookingflow.example", ".ours.example"], allow_loopback=allow_loopback, allow_http=allow_http)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com/hooks?key=a%2Fb&to=me@example.com",
        "https://example.com:8443/hooks/@me",
        "HTTPS://Example.COM/",
        "https://example.com./",
        "https://my_service.example.com/",
        "https://bücher.example/",
        "https://例え.テスト/",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]:444/",
        "https://1.example.com/",
        "https://notours.example/",
        "https://bookingflow.example.org/",
        "https://example.com/" + "a" * 1980,
    ],
)
def test_a_public_https_url_is_accepted(url: str) -> None:
    check(url)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "https://"),
        ("example.com/hooks", "https://"),
        ("//example.com/hooks", "https://"),
        ("http://example.com/", "https://"),
        ("ftp://example.com/", "https://"),
        ("file:///etc/passwd", "https://"),
        ("gopher://example.com/", "https://"),
        ("https://", "no host"),
        ("https:///hooks", "no host"),
        ("https:/example.com", "no host"),
        ("https://user@example.com/", "user name"),
        ("https://user:word@example.com/", "user name"),
        ("https://@example.com/", "user name"),
        ("https://example.com@127.0.0.1/", "user name"),
        ("https://example.com\\@127.0.0.1/", "backslash"),
        ("https://example.com/#", "fragment"),
        ("https://example.com#@127.0.0.1/", "fragment"),
        ("https://example.com/" + "a" * 1981, "longer"),
        ("https://example.com/a b", "spaces"),
        (" https://example.com/", "spaces"),
        ("https://example.com/\r\nhost: inside", "spaces"),
        ("https://example.com/\x00", "spaces"),
        ("https://example.com/\x7f", "spaces"),
        ("https://example\u200b.com/", "spaces"),
        ("https://example.com/\u3000", "spaces"),
        ("https://example.com:0/", "port"),
        ("https://example.com:65536/", "not a valid URL"),
        ("https://example.com:http/", "not a valid URL"),
        ("https://[::1/", "not a valid URL"),
        ("https://a..example/", "host name"),
        ("https://-a.example/", "host name"),
        ("https://ex%61mple.com/", "host name"),
        ("https://" + "a" * 64 + ".example/", "host name"),
        ("https://" + "a." * 130 + "example/", "host name"),
        ("https://redis/", "full host name"),
        ("https://bookingflow.example/", "our own"),
        ("https://BookingFlow.example./", "our own"),
        ("https://ours.example/", "our own"),
        ("https://deep.down.ours.example:8443/", "our own"),
        ("https://localhost/", "localhost"),
        ("https://LOCALHOST./", "localhost"),
        ("https://ⓛocalhost/", "localhost"),
        ("https://app.localhost/", "localhost"),
    ],
)
def test_a_url_that_cannot_be_an_endpoint_is_refused_with_a_reason(url: str, reason: str) -> None:
    with pytest.raises(RefusedAddress, match=reason):
        check(url)


@pytest.mark.parametrize(
    "host",
    [
        *["2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "127.0.1", "127.0.0.1.", "0x", "8.8.8.010", "1.2.3.4.5"],
        *["256.1.1.1", "017700000001", "example.1", "[fe80::1%25eth0]", "[2606:4700::1111%251]", "[::1:zz]"],
    ],
)
@pytest.mark.parametrize("allow_loopback", [False, True])
def test_a_number_in_an_unusual_form_is_refused_whatever_it_stands_for(host: str, allow_loopback: bool) -> None:
    with pytest.raises(RefusedAddress, match=r"unusual number|not a valid URL"):
        check(f"https://{host}/", allow_loopback=allow_loopback, allow_http=True)


@pytest.mark.parametrize(
    "host",
    [
        *["127.0.0.1", "10.0.0.1", "169.254.169.254", "0.0.0.0", "224.0.1.1", "[::1]", "[::]", "[::ffff:127.0.0.1]"],
        *["[fe80::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::7f00:1]", "１２７.0.0.1", "①②⑦.0.0.1", "127。0。0。1"],
    ],
)
def test_a_private_address_is_refused(host: str) -> None:
    with pytest.raises(RefusedAddress, match="private or reserved"):
        check(f"https://{host}/")


@pytest.mark.parametrize("host", ["127.0.0.1:9000", "[::1]:9000", "localhost:9000", "app.localhost"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_development_may_use_loopback_even_without_tls(host: str, scheme: str) -> None:
    check_url(f"{scheme}://{host}/hooks", own_hosts=["localhost", "127.0.0.1"], allow_loopback=True, allow_http=False)


@pytest.mark.parametrize("url", ["http://example.com/", "http://10.0.0.1/", "https://10.0.0.1/", "https://redis/"])
def test_development_may_use_nothing_else_than_loopback(url: str) -> None:
    with pytest.raises(RefusedAddress):
        check(url, allow_loopback=True)


def test_plain_http_can_be_allowed() -> None:
    check("http://example.com/hooks", allow_http=True)
