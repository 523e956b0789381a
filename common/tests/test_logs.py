"""A line of the log tells whose request it was, to people and to programs."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from logging.config import DictConfigurator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from common import logs
from customers import services
from tests.cast import BASE, Player


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What a server with LOG_FORMAT=json has written so far."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(DictConfigurator({}).configure_formatter(dict(settings.JSON_LINES)))
    handler.addFilter(logs.Known())
    logging.getLogger().addHandler(handler)
    try:
        yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    finally:
        logging.getLogger().removeHandler(handler)


def test_a_line_tells_request_organization_and_key_and_never_the_query(
    alice: Player, lines: Callable[[], list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**arguments: Any) -> None:
        raise RuntimeError("boom\nin two lines")

    monkeypatch.setattr(services, "create_customer", broken)
    client = Client(raise_request_exception=False)
    answer = client.post(
        f"{BASE}/customers?dry_run=false", {"name": "Ada"}, content_type="application/json", headers=alice.api.headers
    )

    assert answer.status_code == 500
    line = next(line for line in lines() if line["logger"] == "developers.problems")
    assert line["request_id"] == answer["Request-Id"]
    assert (line["organization"], line["key"]) == (alice.organization.public_id, alice.key.public_id)
    assert (line["level"], line["message"]) == ("ERROR", "unexpected error")
    assert "boom\nin two lines" in line["exc_info"]
    assert {"timestamp"} <= line.keys()
    assert "dry_run" not in json.dumps(lines())


def test_what_is_known_ends_with_its_block_and_stays_in_its_thread(lines: Callable[[], list[dict[str, Any]]]) -> None:
    logger = logging.getLogger("common.tests")
    with logs.about(request_id="req_1"):
        logs.note(organization="org_1")
        logger.warning("inside")
        with ThreadPoolExecutor(1) as pool:
            pool.submit(logger.warning, "elsewhere").result()
    logger.warning("after")

    told = {line["message"]: {"request_id", "organization"} & line.keys() for line in lines()}
    assert told == {"inside": {"request_id", "organization"}, "elsewhere": set(), "after": set()}
