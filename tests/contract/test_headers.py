"""The headers of answers are those that the OpenAPI document tells of, in the form that it tells."""

import json
from typing import Any

import pytest

from developers.headers import OPTIONAL
from organizations.models import Plan
from tests.cast import Api, Player
from tests.contract import schema


def test_what_each_header_says_has_the_documented_form(alice: Player) -> None:
    made = alice.api.post("/customers", {"name": "Ada"}, idempotency_key="a")
    one = f"/customers/{made.json()['id']}"
    for number in range(2):
        alice.api.post("/customers", {"name": f"Grace {number}"})
    answers = [
        made,
        alice.api.post("/customers", {"name": "Ada"}, idempotency_key="a"),
        alice.api.post("/customers?dry_run=true", {"name": "Bea"}),
        alice.api.get("/customers?limit=1"),
        alice.api.get(one),
        alice.api.put(one, {"notes": "n"}, if_match='"9"'),
        Api().get("/me"),
    ]
    Plan.objects.update(rate_per_minute=1)
    answers.append(alice.api.get(one))
    assert [answer.status_code for answer in answers] == [201, 201, 201, 200, 200, 412, 401, 429]

    components, seen = schema.document()["components"]["headers"], set()
    for answer in answers:
        for name in schema.known_headers() & set(answer.headers):
            told = components[name]["schema"]
            value = json.loads(answer[name]) if told["type"] == "integer" else answer[name]
            assert schema.validator(told).is_valid(value), f"{name}: {value}"
            seen.add(name)
    assert seen == schema.known_headers()


def test_every_documented_header_has_an_example_of_its_form() -> None:
    for name, told in schema.document()["components"]["headers"].items():
        assert schema.validator(told["schema"]).is_valid(told["example"]), name
        assert told["description"], name
        assert told.get("required", False) is False or not name.endswith(OPTIONAL)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"Request-Id": None}, "lacks"),
        ({"RateLimit": None}, "lacks"),
        ({"Retry-After": "1"}, "does not document"),
        ({"ETag": '"1"'}, "does not document"),
    ],
)
def test_a_header_that_is_missing_or_that_no_document_tells_of_is_noticed(alice: Player, change: Any, complaint: str) -> None:
    answer = alice.api.get("/me")
    headers = {name: value for name, value in {**answer.headers, **change}.items() if value is not None}

    with pytest.raises(AssertionError, match=f"{complaint} .*{next(iter(change))}"):
        schema.check("GET", "/api/v1/public/me", answer.status_code, headers, answer.content)
