"""`Idempotency-Key`: each write takes effect once."""

import datetime as dt

import pytest
from django.utils import timezone

from bookings.models import Booking
from developers import idempotency, services
from developers.models import IdempotencyRecord
from rooms.models import Room
from tests.cast import Player
from tests.stage import booking_body, slot_at


def test_a_repeated_request_gets_the_first_answer(alice: Player, group_room: Room) -> None:
    body = booking_body(group_room, slot_at(10))

    first = alice.api.post("/bookings", body, idempotency_key="a")
    again = alice.api.post("/bookings", body, idempotency_key="a")

    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert (again["Idempotency-Replayed"], again["ETag"]) == ("true", first["ETag"])
    assert "Idempotency-Replayed" not in first
    assert Booking.objects.count() == 1


def test_the_order_of_members_does_not_count(alice: Player, group_room: Room) -> None:
    body = booking_body(group_room, slot_at(10))
    alice.api.post("/bookings", body, idempotency_key="a")

    assert alice.api.post("/bookings", dict(reversed(body.items())), idempotency_key="a").status_code == 201


def test_another_body_or_path_is_refused(alice: Player, group_room: Room) -> None:
    booking = alice.api.post("/bookings", booking_body(group_room, slot_at(10)), idempotency_key="a").json()

    for answer in (
        alice.api.post("/bookings", booking_body(group_room, slot_at(11)), idempotency_key="a"),
        alice.api.delete(f"/bookings/{booking['id']}", idempotency_key="a"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


def test_decided_refusals_are_kept(alice: Player, group_room: Room) -> None:
    alice.api.post("/bookings", booking_body(group_room, slot_at(10)))
    body = booking_body(group_room, slot_at(10), party_size=5)

    first = alice.api.post("/bookings", body, idempotency_key="a")
    Booking.objects.get()
    again = alice.api.post("/bookings", body, idempotency_key="a")

    assert first.status_code == again.status_code == 409
    assert again.json() == first.json()
    assert again["Content-Type"] == "application/problem+json"


def test_bad_json_keeps_nothing(alice: Player) -> None:
    assert alice.api.post("/customers", b"{", idempotency_key="a").status_code == 400
    assert alice.api.post("/customers", {"name": "Ada"}, idempotency_key="a").status_code == 201


def test_keys_of_two_organizations_do_not_meet(alice: Player, charlie: Player) -> None:
    for player in (alice, charlie):
        assert player.api.post("/customers", {"name": player.user.name}, idempotency_key="a").json()["name"] == player.user.name


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there"])
def test_odd_keys_are_refused(alice: Player, key: str) -> None:
    answer = alice.api.post("/customers", {"name": "Ada"}, idempotency_key=key)

    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (422, "Idempotency-Key")


def test_a_request_that_still_runs_is_not_run_again(alice: Player) -> None:
    alice.api.post("/customers", {"name": "Ada"}, idempotency_key="a")
    IdempotencyRecord.objects.update(status=None, body=None)

    answer = alice.api.post("/customers", {"name": "Ada"}, idempotency_key="a")

    assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (409, "idempotency_in_progress", "1")
    assert answer.json()["retryable"] is True


def test_after_a_crash_between_claim_and_commit_the_retry_succeeds(
    alice: Player, group_room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies when the booking is written but not committed: nothing is left but the claim, whose lease runs out."""

    class Killed(BaseException):
        pass

    def die(*arguments: object) -> None:
        raise Killed

    body = booking_body(group_room, slot_at(10))
    monkeypatch.setattr(idempotency, "_store", die)
    with pytest.raises(Killed):
        alice.api.post("/bookings", body, idempotency_key="a")
    monkeypatch.undo()
    assert not Booking.objects.exists()
    assert alice.api.post("/bookings", body, idempotency_key="a").json()["code"] == "idempotency_in_progress"

    IdempotencyRecord.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))

    assert alice.api.post("/bookings", body, idempotency_key="a").status_code == 201
    assert Booking.objects.count() == 1


def test_a_request_that_lost_its_lease_writes_nothing(alice: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another took over while it slept: its lease is no longer in the row."""
    claim = idempotency._claim

    def claim_and_lose(*arguments: object) -> IdempotencyRecord:
        record = claim(*arguments)  # type: ignore[arg-type]
        IdempotencyRecord.objects.update(lease="00000000-0000-0000-0000-000000000000")
        return record

    monkeypatch.setattr(idempotency, "_claim", claim_and_lose)
    answer = alice.api.post("/customers", {"name": "Ada"}, idempotency_key="a")

    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_in_progress")
    assert alice.api.get("/customers").json()["data"] == []


def test_answers_are_forgotten_after_72_hours(alice: Player) -> None:
    for key, hours in (("old", 73), ("new", 71)):
        alice.api.post("/customers", {"name": key}, idempotency_key=key)
        IdempotencyRecord.objects.filter(key=key).update(created_at=timezone.now() - dt.timedelta(hours=hours))

    assert services.forget_idempotency() == 1
    assert IdempotencyRecord.objects.get().key == "new"
