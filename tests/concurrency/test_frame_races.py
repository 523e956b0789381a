"""Two requests at the same moment on one customer, or with one idempotency key. One of them is stopped in the middle of
its transaction until the other has been answered, or clearly waits.
"""

import threading
import time
from functools import partial
from typing import Any

import pytest
from django.utils import timezone

from bookings.models import Booking
from customers.models import Customer
from customers.services import create_customer
from developers.idempotency import once
from developers.models import IdempotencyRecord
from rooms.models import Room
from tests.cast import Player
from tests.crowd import at_once
from tests.stage import booking_body, slot_at

pytestmark = pytest.mark.django_db(transaction=True)

WAITS = 0.6  # seconds after which a request that has no answer is taken for one that waits for a lock


class Pause:
    """The first call of a function stops before it does anything, until the other request is through or so long."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, target: str, *, seconds: float = WAITS) -> None:
        module, _, name = target.rpartition(".")
        self.reached, self.through, self.seconds = threading.Event(), threading.Event(), seconds
        self.real = getattr(__import__(module, fromlist=[name]), name)
        monkeypatch.setattr(target, self)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        if not self.reached.is_set():
            self.reached.set()
            self.through.wait(self.seconds)
        return self.real(*arguments, **options)

    def meanwhile(self, call: Any) -> Any:
        """`call`, once the other request has stopped."""
        assert self.reached.wait(10)
        try:
            return call()
        finally:
            self.through.set()


ADA = {"name": "Ada", "email": "ada@example.com"}
WITH_PHONE = {"email": "ada@example.com", "phone": "+33612345678"}


@pytest.fixture
def path(alice: Player) -> str:
    return f"/customers/{alice.api.post('/customers', ADA).json()['id']}"


def test_a_change_during_a_booking_is_not_lost(
    alice: Player, group_room: Room, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = Pause(monkeypatch, "customers.services._save")
    book = partial(alice.api.post, "/bookings", booking_body(group_room, slot_at(10), customer=WITH_PHONE))
    change = partial(alice.api.put, path, {"name": "Ada L.", "tags": ["vip"]})

    booked, changed = at_once([book, partial(pause.meanwhile, change)])

    assert (booked.status_code, changed.status_code) == (201, 200)
    customer = Customer.objects.get()
    assert (customer.name, customer.tags, customer.phone, customer.version) == ("Ada L.", ["vip"], "+33612345678", 3)


def test_a_booking_during_a_change_loses_nothing(
    alice: Player, group_room: Room, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = Pause(monkeypatch, "customers.events.customer_updated")
    change = partial(alice.api.put, path, {"name": "Ada L.", "email": "lovelace@example.com"})
    book = partial(alice.api.post, "/bookings", booking_body(group_room, slot_at(10), customer=WITH_PHONE))

    changed, booked = at_once([change, partial(pause.meanwhile, book)])

    assert (changed.status_code, booked.status_code) == (200, 201)
    renamed, new = Customer.objects.order_by("pk")
    assert (renamed.email, renamed.phone, new.email, new.phone) == ("lovelace@example.com", None, *WITH_PHONE.values())
    assert booked.json()["customer"] == new.public_id


def test_an_erasure_during_a_booking_finds_the_booking(
    alice: Player, group_room: Room, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = Pause(monkeypatch, "customers.services._save")
    book = partial(alice.api.post, "/bookings", booking_body(group_room, slot_at(10), customer=WITH_PHONE))

    booked, erased = at_once([book, partial(pause.meanwhile, partial(alice.api.delete, path))])

    assert (booked.status_code, erased.status_code) == (201, 409)
    assert erased.json()["code"] == "customer_has_future_bookings"
    assert Customer.objects.get().erased_at is None


def test_a_booking_during_an_erasure_brings_nothing_back(
    alice: Player, group_room: Room, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = Pause(monkeypatch, "bookings.services.erasure.record")
    book = partial(alice.api.post, "/bookings", booking_body(group_room, slot_at(10), customer=WITH_PHONE))

    erased, booked = at_once([partial(alice.api.delete, path), partial(pause.meanwhile, book)])

    assert (erased.status_code, booked.status_code) == (200, 201)
    gone, new = Customer.objects.order_by("pk")
    assert (gone.name, gone.email, gone.phone, gone.erased_at is None) == ("", None, None, False)
    assert Booking.objects.get().customer == new


def test_a_repeat_while_the_first_runs_is_told_so_at_once(
    alice: Player, group_room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = Pause(monkeypatch, "customers.services._save", seconds=20)
    book = partial(alice.api.post, "/bookings", booking_body(group_room, slot_at(10)), idempotency_key="a")

    def repeat() -> tuple[Any, float]:
        began = time.monotonic()
        return book(), time.monotonic() - began

    first, (second, seconds) = at_once([book, partial(pause.meanwhile, repeat)])

    assert (second.status_code, second.json()["code"], second["Retry-After"]) == (409, "idempotency_in_progress", "1")
    assert seconds < 4  # milliseconds, even on a busy machine; waiting for the first ends after LOCK_TIMEOUT_MS, 8 s
    assert first.status_code == 201
    assert book()["Idempotency-Replayed"] == "true"
    assert Booking.objects.count() == 1


def test_a_dry_run_waits_for_the_writer_before_it(alice: Player, group_room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the same locks: otherwise it would promise the slot that the other is about to have."""
    pause = Pause(monkeypatch, "developers.viewsets.rendered")
    book = partial(alice.api.post, "/bookings", booking_body(group_room, slot_at(10)))
    rehearse = partial(alice.api.post, "/bookings?dry_run=true", booking_body(group_room, slot_at(10)))

    booked, rehearsed = at_once([book, partial(pause.meanwhile, rehearse)])

    assert (booked.status_code, rehearsed.status_code, rehearsed.json()["code"]) == (201, 409, "slot_unavailable")
    assert Booking.objects.count() == 1


def test_nobody_takes_over_from_a_first_that_is_late_but_alive(
    alice: Player, group_room: Room, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.IDEMPOTENCY_LEASE_SECONDS = 0.0
    pause = Pause(monkeypatch, "customers.services._save", seconds=20)
    book = partial(alice.api.post, "/bookings", booking_body(group_room, slot_at(10)), idempotency_key="a")

    first, second = at_once([book, partial(pause.meanwhile, book)])

    assert (first.status_code, second.status_code, second.json()["code"]) == (201, 409, "idempotency_in_progress")
    assert Booking.objects.count() == 1


def test_of_many_repeats_after_a_crash_one_takes_over(alice: Player) -> None:
    """The first claimed the key and died; its lease has run out."""
    create = partial(alice.api.post, "/customers", {"name": "Ada"}, idempotency_key="a")
    create()
    Customer.objects.all().delete()
    IdempotencyRecord.objects.update(status=None, body=None, lease_expires_at=timezone.now())

    answers = at_once([create] * 8)

    assert {answer.status_code for answer in answers} <= {201, 409}
    assert [answer.status_code for answer in answers if "Idempotency-Replayed" not in answer].count(201) == 1
    assert Customer.objects.count() == 1


def test_a_form_sent_twice_at_once_makes_one_thing(alice: Player) -> None:
    made: list[str] = []

    def make() -> str:
        time.sleep(WAITS / 2)  # long enough for the other to arrive
        customer = create_customer(by=alice.actor, name="Ada")
        made.append(customer.public_id)
        return customer.public_id

    first, second = at_once([partial(once, make, by=alice.actor, key="token")] * 2)

    assert Customer.objects.count() == len(made) == 1
    assert sorted([first, second]) == [(made[0], False), (made[0], True)]
