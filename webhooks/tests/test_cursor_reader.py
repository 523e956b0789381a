"""A reader by cursor never skips an event, however long the transactions take that write them."""

import random
import threading
import time
from collections.abc import Callable
from functools import partial

import pytest
from django.db import transaction

from tests.cast import Player
from tests.crowd import at_once
from webhooks.engine.relay import relay
from webhooks.models import Event
from webhooks.tests.conftest import emit_some

WRITERS, EACH = 6, 12


@pytest.mark.django_db(transaction=True)
def test_paging_by_cursor_skips_nothing_beside_long_concurrent_transactions(alice: Player) -> None:
    """Each writer draws its event's key early and commits late, in another order than the others; two relays number them."""
    done = threading.Event()
    writing = threading.Semaphore(0)

    def write(seed: int) -> list[int]:
        dice = random.Random(seed)
        for _ in range(EACH):
            with transaction.atomic():
                emit_some(alice.actor)
                time.sleep(dice.uniform(0, 0.04))
        writing.release()
        return []

    def number() -> list[int]:
        while not done.is_set():
            relay()
            time.sleep(0.003)
        while relay():
            pass
        return []

    def read() -> list[int]:
        seen: list[int] = []
        while True:
            was_done = done.is_set()
            page = alice.api.get(f"/events?after={seen[-1] if seen else 0}&limit=7").json()
            seen += [event["sequence"] for event in page["data"]]
            if was_done and not page["data"]:
                return seen

    def finish() -> list[int]:
        for _ in range(WRITERS):
            writing.acquire()
        while Event.objects.filter(sequence=None).exists():
            time.sleep(0.01)
        done.set()
        return []

    writers: list[Callable[[], list[int]]] = [partial(write, seed) for seed in range(WRITERS)]
    *_, seen = at_once([*writers, number, number, finish, read])

    assert seen == list(range(1, WRITERS * EACH + 1))
    assert list(Event.objects.order_by("pk").values_list("pk", flat=True)) != list(
        Event.objects.order_by("sequence").values_list("pk", flat=True)
    )  # they did commit out of order
