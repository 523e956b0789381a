"""Keys and idempotency while many call at once."""

import threading
from collections import Counter
from functools import partial

import pytest
import requests

from bookings.models import Booking
from developers.models import IdempotencyRecord
from developers.services import revoke_key, rotate_key
from rooms.models import Room
from tests.cast import Player
from tests.crowd import at_once
from tests.server import Server, eventually
from tests.stage import booking_body, slot_at

pytestmark = pytest.mark.django_db(transaction=True)


def test_forty_identical_posts_with_one_key_make_one_booking(server: Server, alice: Player, group_room: Room) -> None:
    body = booking_body(group_room, slot_at(10))
    headers = {"Authorization": f"Bearer {alice.secret}", "Idempotency-Key": "order-1"}
    send = partial(requests.post, server.path("/bookings"), json=body, headers=headers, timeout=60)

    answers = at_once([send] * 40)

    assert set(Counter(answer.status_code for answer in answers)) <= {201, 409}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"idempotency_in_progress"}
    bodies = {answer.text for answer in answers if answer.status_code == 201}
    assert bodies == {send().text}
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers if answer.status_code == 201) == 1
    assert (Booking.objects.count(), IdempotencyRecord.objects.count()) == (1, 1)


def test_a_client_that_calls_all_the_time_meets_no_401_through_a_rotation(server: Server, alice: Player) -> None:
    current, done = [alice.secret], threading.Event()
    answers: list[list[int]] = []

    def keep_calling() -> list[int]:
        session = requests.Session()
        seen: list[int] = []
        answers.append(seen)
        while not done.is_set():
            answer = session.get(server.path("/me"), headers={"Authorization": f"Bearer {current[0]}"}, timeout=30)
            seen.append(answer.status_code)
        return seen

    def call_again() -> None:
        """Until each has been answered twice: what was under way before is over."""
        counts = [len(seen) for seen in answers]
        eventually(lambda: all(len(seen) > count + 1 for seen, count in zip(answers, counts, strict=True)))

    def rotate() -> list[int]:
        """The new secret, rolled out; the old one works until it is revoked, and from then on not once more."""
        try:
            eventually(lambda: len(answers) == 3 and all(answers))
            new = rotate_key(by=alice.actor, key=alice.key)
            old_headers = {"Authorization": f"Bearer {alice.secret}"}
            before = requests.get(server.path("/me"), headers=old_headers, timeout=30)
            current[0] = new
            call_again()
            revoke_key(by=alice.actor, key=alice.key, prefix=alice.secret[:13])
            after = requests.get(server.path("/me"), headers=old_headers, timeout=30)
            call_again()
        finally:
            done.set()
        return [before.status_code, after.status_code]

    *callers, (before, after) = at_once([keep_calling, keep_calling, keep_calling, rotate])

    assert (before, after) == (200, 401)
    assert {status for seen in callers for status in seen} == {200}
