"""The headers of answers, as the OpenAPI document tells of them: each once, and which answers carry which."""

from typing import Any

from developers.idempotency import NOT_KEPT

OPTIONAL = "-Optional"  # ends the name of the twin that is referred to where a header of this name may be missing
_LIMITS = ("RateLimit", "RateLimit-Policy", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
_DRAFT = "draft-ietf-httpapi-ratelimit-headers"
_WINDOW = r'"[a-z-]+";r=\d+;t=\d+'
_POLICY = r'"[a-z-]+";q=\d+;w=\d+'
_TEXT: dict[str, Any] = {"type": "string"}
_TRUE: dict[str, Any] = {"type": "string", "enum": ["true"]}
_COUNT: dict[str, Any] = {"type": "integer", "minimum": 0}

_REFUSED_BEFORE_THE_WRITE = {401, 406, 413, 429}


def _lists(item: str) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^{item}(, {item})*$"}


# Name: what it says, its schema, an example.
_HEADERS: dict[str, tuple[str, dict[str, Any], Any]] = {
    "Request-Id": (
        "The request's id, which stands in problems, history, events and the request log too. Tell it when you ask for help.",
        {"type": "string", "pattern": "^req_[0-9a-z]{26}$"},
        "req_01m6e98q2wee9ag9yxnpgq1000",
    ),
    "RateLimit": (
        f"As {_DRAFT} has it: `r` requests are left in each window, `t` seconds until it ends.",
        _lists(_WINDOW),
        '"minute";r=1187;t=42, "burst";r=199;t=1, "organization-minute";r=2310;t=17, "organization-burst";r=398;t=1',
    ),
    "RateLimit-Policy": (
        f"As {_DRAFT} has it: `q` requests within `w` seconds, for the key and for all keys of the organization together.",
        _lists(_POLICY),
        '"minute";q=1200;w=60, "burst";q=200;w=1, "organization-minute";q=2400;w=60, "organization-burst";q=400;w=1',
    ),
    "X-RateLimit-Limit": ("Requests in the key's minute, or in the window that has refused.", _COUNT, 1200),
    "X-RateLimit-Remaining": ("How many of those are left.", _COUNT, 1187),
    "X-RateLimit-Reset": ("When that window ends, in Unix time.", _COUNT, 1793628373),
    "Retry-After": ("Whole seconds after which the same request can succeed.", {"type": "integer", "minimum": 1}, 7),
    "ETag": (
        "The version of what is answered. Send it as `If-Match` with a change, or as `If-None-Match` with the next read, which "
        "is answered with 304 where nothing has changed. With 412 it is the current version. A dry run has none.",
        {"type": "string", "pattern": r'^"\d+(-[0-9a-f]{16})?"$'},
        '"3"',
    ),
    "Idempotency-Replayed": ("This is the first answer to the `Idempotency-Key`, given again.", _TRUE, "true"),
    "Dry-Run": ("Nothing of this has happened: the request came with `dry_run=true`.", _TRUE, "true"),
    "WWW-Authenticate": ("How to authenticate.", _TEXT, 'Bearer realm="BookingFlow"'),
    "Link": (
        "The next and the previous page (RFC 8288), where there are such.",
        _TEXT,
        '<https://api.example.com/api/v1/public/bookings?limit=10&cursor=eyJ2IjpbXX0>; rel="next"',
    ),
}
_NEVER_CERTAIN = {"Idempotency-Replayed", "Dry-Run", "Link"}
_AT_TIMES = {*_LIMITS, "Retry-After", "ETag"}


def header_components() -> dict[str, dict[str, Any]]:
    """`components.headers`. Only there can a header be called required, hence the twins."""
    found = {}
    for name, (description, schema, example) in _HEADERS.items():
        told = {"description": description, "schema": schema, "example": example}
        found[name] = told if name in _NEVER_CERTAIN else {**told, "required": True}
        if name in _AT_TIMES:
            found[name + OPTIONAL] = told
    return found


def headers_of_answer(*, needs_key: bool, writes: bool, has_version: bool, has_pages: bool) -> dict[str, Any]:
    """Those of a 2xx. `has_version`: what it shows has an ETag."""
    always = ["Request-Id", *(_LIMITS if needs_key else ())]
    at_times = ["Idempotency-Replayed", "Dry-Run"] if writes else []
    if has_version:
        (at_times if writes else always).append("ETag")
    return _references(always, [*at_times, *(["Link"] if has_pages else ())])


def headers_of_refusal(status: int, *, needs_key: bool, writes: bool) -> dict[str, Any]:
    always = {401: ["WWW-Authenticate"], 412: ["ETag"], 429: [*_LIMITS, "Retry-After"], 503: ["Retry-After"]}.get(status, [])
    at_times: list[str] = []
    if needs_key and status not in (401, 429):  # nobody is counted before the key is known and may be used
        at_times += _LIMITS
    if writes and status == 409:
        at_times.append("Retry-After")
    if writes and status not in _REFUSED_BEFORE_THE_WRITE:
        at_times.append("Dry-Run")
        if status not in {*NOT_KEPT, 415} and status < 500:
            at_times.append("Idempotency-Replayed")
    return _references(["Request-Id", *always], at_times)


def _references(always: list[str], at_times: list[str]) -> dict[str, Any]:
    names = {**{name: name for name in always}, **{name: name + OPTIONAL * (name in _AT_TIMES) for name in at_times}}
    return {name: {"$ref": f"#/components/headers/{component}"} for name, component in names.items()}
