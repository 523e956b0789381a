"""What is queued after a commit, and how often."""

from typing import Any

import pytest
from django.db import transaction

from common import jobs

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    monkeypatch.setattr("common.jobs.send", lambda *arguments: found.append(arguments))
    return found


def test_the_same_task_asked_for_often_in_one_transaction_is_queued_once_after_it(sent: list[tuple[Any, ...]]) -> None:
    with transaction.atomic():
        for number in (1, 2, 1):
            with transaction.atomic():
                jobs.after_commit("deliver")
                jobs.after_commit("warn", number)
        assert sent == []

    assert sent == [("deliver",), ("warn", 1), ("warn", 2)]


def test_what_is_asked_for_in_two_transactions_is_queued_twice(sent: list[tuple[Any, ...]]) -> None:
    for _ in range(2):
        with transaction.atomic():
            jobs.after_commit("deliver")
    jobs.after_commit("deliver")

    assert sent == [("deliver",)] * 3


def test_a_savepoint_that_is_rolled_back_takes_only_its_own_request_with_it(sent: list[tuple[Any, ...]]) -> None:
    def fail() -> None:
        with transaction.atomic():
            jobs.after_commit("deliver")
            raise LookupError

    with transaction.atomic():
        with pytest.raises(LookupError):
            fail()
        jobs.after_commit("deliver")
        with pytest.raises(LookupError):
            fail()

    assert sent == [("deliver",)]
