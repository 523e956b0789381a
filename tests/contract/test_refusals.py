"""What no route asked for is refused by every route in one shape, whoever refuses it: Django, DRF, a parser or the database."""

import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from django.db import connection
from django.test import Client

from rooms.models import Room
from tests.cast import BASE, Api, Player
from tests.contract.schema import document
from tests.security.routes import PUBLIC, ROUTES
from tests.server import Server
from tests.stage import book, slot_at

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")
ROUTED: dict[str, set[str]] = {}
for name in {route.name for route in ROUTES} | PUBLIC:
    method, _, path = name.partition(" ")
    ROUTED.setdefault(path.replace("{id}", "x_1"), set()).update({method, "HEAD"} if method == "GET" else {method})
READS = sorted(path for path, methods in ROUTED.items() if "GET" in methods)
WRITES = sorted((method, path) for path, methods in ROUTED.items() for method in methods & {"POST", "PUT", "PATCH", "DELETE"})
OF_ONE = sorted((method, path) for path, methods in ROUTED.items() for method in methods - {"HEAD"} if "x_1" in path)
TAKE_A_BODY = [(method, path) for method, path in WRITES if method != "DELETE"]
UNKNOWN = ("/nothing", "/nothing/here", "/bookings/", "/bookings/bkg_x/nothing", "/bookings/a.b", "/Bookings", "//me", "/me/..")
NAMES_IN_QUERIES = sorted(
    (path.removeprefix(BASE).replace("{id}", "x_1"), parameter["name"])
    for path, methods in document()["paths"].items()
    for method, operation in methods.items()
    for parameter in operation.get("parameters", ())
    if method == "get" and parameter["in"] == "query"
)
ODD_VALUES = (
    *("a%00b", "%FF%FE", "9" * 40, "x" * 20_000),
    *("%00", "%F0%9F%8E%B2", "%ED%A0%80", "-1", "1e400", "NaN", "%0A", ",", "'", "%25"),
)


def spread(*values: Any) -> list[Any]:
    """Each value on a third of the routes, each route with a third of the values; the long suite has all on all."""
    some = [pytest.param(*as_row(value), slice(number % 3, None, 3)) for number, value in enumerate(values)]
    return some + [pytest.param(*as_row(value), slice(None), marks=pytest.mark.soak) for value in values]


def as_row(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


class Caller(Api):
    """One that a browser could be: with the checks that the test client leaves out by default."""

    def __init__(self, secret: str | None = None) -> None:
        super().__init__(secret)
        self.client = Client(raise_request_exception=False, enforce_csrf_checks=True)

    def send(self, method: str, path: str, **raw: Any) -> Any:
        """As it is, unchecked."""
        return self.client.generic(method, BASE + path if path[0] == "/" and not path.startswith("/v1") else path, **raw)


def assert_is_problem(answer: Any, status: int, code: str, about: str) -> None:
    assert answer.status_code == status, f"{about}: {answer.status_code} {answer.content[:200]!r}"
    assert answer["Content-Type"] == "application/problem+json", about
    assert {"Authorization", "Accept"} <= {name.strip() for name in answer["Vary"].split(",")}, about
    assert answer["Request-Id"].startswith("req_"), about
    if answer.request["REQUEST_METHOD"] != "HEAD":
        body = answer.json()
        assert (body["code"], body["status"], body["request_id"]) == (code, status, answer["Request-Id"]), about
        assert body["type"].endswith(f"#error-{code}"), about


@pytest.fixture
def caller(alice: Player) -> Caller:
    return Caller(alice.secret)


@pytest.fixture
def headers(alice: Player) -> dict[str, str]:
    return {"HTTP_AUTHORIZATION": f"Bearer {alice.secret}"}


@pytest.mark.parametrize("base", ["", "/v1"])
def test_an_unknown_url_is_not_found_with_any_method(caller: Caller, headers: dict[str, str], base: str) -> None:
    for path in UNKNOWN:
        for method in METHODS:
            for credentials in ({}, headers):
                answer = caller.send(method, base + path, **credentials)
                assert_is_problem(answer, 404, "not_found", f"{method} {base}{path}")


def test_every_other_method_is_refused_with_those_there_are(caller: Caller, headers: dict[str, str]) -> None:
    for path, routed in ROUTED.items():
        for method in set(METHODS) - routed:
            answer = caller.send(method, path, **headers)
            assert_is_problem(answer, 405, "method_not_allowed", f"{method} {path}")
            assert set(answer["Allow"].split(", ")) == routed, f"{method} {path}"


def test_every_route_answers_json_alone(caller: Caller, headers: dict[str, str]) -> None:
    for path, routed in ROUTED.items():
        for method in routed - {"HEAD"}:
            if path in ("/payments/export", "/openapi.json"):
                continue
            answer = caller.send(method, path, **headers, HTTP_ACCEPT="text/html, image/png;q=0.5")
            assert_is_problem(answer, 406, "not_acceptable", f"{method} {path}")


@pytest.mark.parametrize(
    ("type", "data", "status", "code", "among"),
    spread(
        ("application/x-www-form-urlencoded", b"name=Ada", 415, "unsupported_media_type"),
        ("multipart/form-data; boundary=x", b"--x--", 415, "unsupported_media_type"),
        ("text/json", b"{}", 415, "unsupported_media_type"),
        ("", b"{}", 415, "unsupported_media_type"),
        ("nonsense", b"{}", 415, "unsupported_media_type"),
        ("application/json", b'{"name": "' + b"x" * 300_000 + b'"}', 413, "payload_too_large"),
        ("application/json", b'{"name": ', 400, "malformed_json"),
        ("application/json", b'{"name": "\\u0000"}', 400, "malformed_json"),
        ("application/json", b'{"name": "\xff"}', 400, "malformed_json"),
        ("application/json; charset=utf-16", '{"name": "Ada"}'.encode("utf-16"), 400, "malformed_json"),
        ("application/json", b"[]", 400, "malformed_json"),
    ),
    ids=lambda value: str(value)[:40],
)
def test_every_body_that_cannot_be_read_is_refused(
    caller: Caller, headers: dict[str, str], type: str, data: bytes, status: int, code: str, among: slice
) -> None:
    for method, path in TAKE_A_BODY[among]:
        answer = caller.send(method, path, data=data, content_type=type, **headers)
        # Of a path with an id, an object that is not there may be noticed first.
        if answer.status_code == 404 and "x_1" in path:
            assert_is_problem(answer, 404, "not_found", f"{method} {path}")
        else:
            assert_is_problem(answer, status, code, f"{method} {path}")


@pytest.mark.parametrize(("length", "among"), spread("nonsense", "-1", "", "99999999999999999999", "1e3"))
def test_an_absurd_content_length_is_no_crash(caller: Caller, headers: dict[str, str], length: str, among: slice) -> None:
    for method, path in WRITES[among]:
        answer = caller.send(method, path, data=b"{}", content_type="application/json", CONTENT_LENGTH=length, **headers)
        assert answer.status_code < 500, f"{method} {path}: {answer.content!r}"
        if answer.status_code >= 400:
            assert_is_problem(answer, answer.status_code, answer.json()["code"], f"{method} {path}")


@pytest.mark.django_db(transaction=True)
def test_a_body_in_chunks_is_read_like_any_other(server: Server, alice: Player) -> None:
    def sent(*chunks: bytes, **more: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {alice.secret}", "Content-Type": "application/json", **more}
        return requests.post(server.path("/customers"), data=iter(chunks), headers=headers, timeout=60)

    read, large = sent(b'{"name": ', b'"Ada"}'), sent(*[b"x" * 100_000] * 3)
    first, again = (sent(b'{"name": "Bea"}', **{"Idempotency-Key": "a"}) for _ in range(2))
    nothing = sent()

    assert (read.status_code, read.json()["name"]) == (201, "Ada")
    assert (large.status_code, large.json()["code"]) == (413, "payload_too_large")
    assert (first.status_code, again.text, again.headers["Idempotency-Replayed"]) == (201, first.text, "true")
    assert (nothing.status_code, nothing.json()["code"]) == (400, "bad_request")


@pytest.mark.django_db(transaction=True)
def test_a_confirmation_that_breaks_off_before_its_payment_confirms_nothing(
    server: Server, alice: Player, group_room: Room
) -> None:
    hold = book(alice.actor, group_room, slot_at(10), hold=True)
    path = urlsplit(server.path(f"/bookings/{hold.public_id}/confirm"))
    head = f"POST {path.path} HTTP/1.1\r\nHost: {path.netloc}\r\nAuthorization: Bearer {alice.secret}\r\n"

    with socket.create_connection((path.hostname, path.port), timeout=30) as line:
        line.sendall(f"{head}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        line.shutdown(socket.SHUT_WR)
        answer = line.recv(4096)

    hold.refresh_from_db()
    assert (hold.status, b" 200 " in answer[:20]) == ("held", False)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "parameters",
    [
        *("charset=rot13", "charset=undefined", "charset=punycode", 'charset="base64"', "charset*=utf-8''zlib", "charset*0=hex"),
        *("x*=nope''a", "x*0*=a; x*=b", "x*=idna''%ff", "x*=\"a'b'c'd\"", "x*0*=a''b; x*0*=c''d"),
    ],
)
def test_no_parameter_of_a_media_type_is_a_crash(server: Server, alice: Player, parameters: str) -> None:
    odd, api = f"application/json; {parameters}", server.session(alice.secret)

    read = api.get(server.path("/customers"), params={"q": "Zoë"}, headers={"Content-Type": odd, "Accept": odd}, timeout=60)
    unknown = api.get(f"{server.url}/nowhere", headers={"Content-Type": odd}, timeout=60)
    written = api.post(server.path("/customers"), data=b'{"name": "Ada"}', headers={"Content-Type": odd}, timeout=60)

    assert (read.status_code, written.status_code) == (200, 201)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.soak)], ids=["in turns", "all"])
def test_nothing_that_is_asked_in_a_query_is_a_crash(caller: Caller, headers: dict[str, str], step: int) -> None:
    for number, (path, name) in enumerate(NAMES_IN_QUERIES):
        for value in ODD_VALUES[number % step :: step]:
            answer = caller.send("GET", f"{path}?{name}={value}", **headers)
            about = f"{path}?{name}={value[:40]}"
            assert answer.status_code in (200, 400, 404, 422), f"{about}: {answer.status_code} {answer.content[:300]!r}"
            if answer.status_code != 200:
                assert_is_problem(answer, answer.status_code, answer.json()["code"], about)


def test_an_unknown_parameter_is_refused_by_name_by_every_route(caller: Caller, headers: dict[str, str]) -> None:
    for path, routed in ROUTED.items():
        for method in routed - {"HEAD"}:
            if f"{method} {path}" in PUBLIC:
                continue
            answer = caller.send(method, f"{path}?nonsense%00=1", **headers)
            assert_is_problem(answer, 422, "validation_failed", f"{method} {path}")
            assert answer.json()["errors"][0]["parameter"] == "nonsense\0", f"{method} {path}"


@pytest.mark.parametrize(("id", "among"), spread("%00", "%FF", "..%2F..", "x" * 65, "x%0A", "%E2%80%8B", "-", "bkg_%00"))
def test_an_odd_id_is_an_absent_one(caller: Caller, headers: dict[str, str], id: str, among: slice) -> None:
    for method, path in OF_ONE[among]:
        body = {} if method in ("GET", "DELETE") else {"data": b"{}", "content_type": "application/json"}
        answer = caller.send(method, path.replace("x_1", id), **body, **headers)
        if answer.status_code != 422:  # the body is read first where it must have something
            assert_is_problem(answer, 404, "not_found", f"{method} {path}")


def test_a_head_is_a_get_without_its_body(caller: Caller, headers: dict[str, str]) -> None:
    for path in READS:
        got, head = (caller.send(method, path, **headers) for method in ("GET", "HEAD"))
        assert (head.status_code, b"".join(head)) == (got.status_code, b""), path
        for name in ("Content-Type", "Vary", "ETag", "Link"):
            assert head.get(name) == got.get(name), path


@pytest.mark.parametrize("headers_", [{"HTTP_HOST": "evil.example"}, {"HTTP_HOST": "a b"}, {"HTTP_HOST": ""}], ids=str)
def test_another_host_is_refused(caller: Caller, headers: dict[str, str], headers_: dict[str, str]) -> None:
    for path in ("/me", "/nothing"):
        answer = caller.send("GET", path, **headers, **headers_)
        if answer.status_code != 200:
            assert_is_problem(answer, 400, "bad_request", path)


@pytest.mark.parametrize(
    ("authorization", "among"),
    spread("Bearer", "Bearer ", "Basic eDp5", "Bearer \xff", "Bearer " + "x" * 20_000, "\0", "bearer bkf_live_"),
)
def test_no_authorization_header_is_a_crash(caller: Caller, plans: None, authorization: str, among: slice) -> None:
    for route in ROUTES[among]:
        answer = caller.send(route.method, route.path.replace("{id}", "x_1"), HTTP_AUTHORIZATION=authorization)
        assert_is_problem(answer, 401, answer.json()["code"], route.name)
        assert answer["WWW-Authenticate"].startswith("Bearer"), route.name


def test_what_nobody_expected_is_a_problem_too(caller: Caller, headers: dict[str, str]) -> None:
    """A table that is not as the code believes it to be."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE customers_customer RENAME COLUMN notes TO remarks")

    answer = caller.send("GET", "/customers", **headers)

    assert_is_problem(answer, 500, "internal_error", "GET /customers")
    assert b"remarks" not in answer.content
    assert b"notes" not in answer.content


@pytest.mark.django_db(transaction=True)
def test_a_database_that_goes_away_in_the_middle_is_a_problem_too(alice: Player) -> None:
    caller, headers = Caller(alice.secret), {"HTTP_AUTHORIZATION": f"Bearer {alice.secret}"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        number = cursor.fetchone()[0]
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [number])
    finally:
        other.close()

    answer = caller.send("GET", "/customers", **headers)

    assert_is_problem(answer, 503, "service_unavailable", "GET /customers")
    assert answer.json()["retryable"] is True
    connection.close()
    assert caller.send("GET", "/customers", **headers).status_code == 200
