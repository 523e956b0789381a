"""`Idempotency-Key`: each write takes effect once."""

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from bookings.models import Booking
from common.signing import decrypt
from customers.models import Customer
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


def test_a_version_conflict_is_not_kept(alice: Player) -> None:
    """The repeat brings the ETag that the refusal told."""
    customer = alice.api.post("/customers", {"name": "Ada"}).json()
    path = f"/customers/{customer['id']}"

    stale = alice.api.put(path, {"notes": "x"}, idempotency_key="a", if_match='"9"')
    again = alice.api.put(path, {"notes": "x"}, idempotency_key="a", if_match=stale["ETag"])

    assert (stale.status_code, again.status_code, again.json()["notes"]) == (412, 200, "x")


def test_both_addresses_of_a_route_are_one(alice: Player) -> None:
    first = alice.api.post("/customers", {"name": "Ada"}, idempotency_key="a")
    again = alice.api.post("/v1/customers", {"name": "Ada"}, idempotency_key="a")

    assert (again.status_code, again.content, again["Idempotency-Replayed"]) == (201, first.content, "true")
    assert Customer.objects.count() == 1


def test_kept_answers_are_unreadable_at_rest(alice: Player) -> None:
    first = alice.api.post("/customers", {"name": "Ada Secret"}, idempotency_key="a")

    kept = bytes(IdempotencyRecord.objects.get().body or b"")
    assert b"Ada Secret" not in kept
    assert decrypt(kept.decode()).encode() == first.content
    assert alice.api.post("/customers", {"name": "Ada Secret"}, idempotency_key="a").content == first.content


def test_an_erasure_empties_the_answers_that_mention_the_person_and_those_that_nobody_can_read(alice: Player) -> None:
    ids = {key: alice.api.post("/customers", {"name": key}, idempotency_key=key).json()["id"] for key in ("a", "b", "c")}
    IdempotencyRecord.objects.filter(key="c").update(body=b"under a key that is gone")

    services.redact_answers(organization=alice.organization, mentions=[ids["a"]])

    kept = {record.key: decrypt(bytes(record.body or b"").decode()) for record in IdempotencyRecord.objects.all()}
    assert ids["b"] in kept["b"]
    assert kept["a"] == kept["c"] == '{"erased":true}'


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
    within = dt.timedelta(seconds=idempotency.CLAIM_SECONDS)
    assert IdempotencyRecord.objects.get().lease_expires_at <= timezone.now() + within

    IdempotencyRecord.objects.update(lease_expires_at=timezone.now() - dt.timedelta(seconds=1))

    assert alice.api.post("/bookings", body, idempotency_key="a").status_code == 201
    assert Booking.objects.count() == 1


def test_a_claim_that_vanishes_while_it_is_looked_at_is_made_anew(alice: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first request kept nothing and dropped its claim between our INSERT and our SELECT."""
    real = IdempotencyRecord.objects.bulk_create
    vanished: list[Any] = []

    def insert(*arguments: Any, **options: Any) -> Any:
        made = real(*arguments, **options)
        if not vanished:
            vanished.append(IdempotencyRecord.objects.all().delete())
        return made

    monkeypatch.setattr(type(IdempotencyRecord.objects), "bulk_create", lambda manager, *rest, **more: insert(*rest, **more))
    answer = alice.api.post("/customers", {"name": "Ada"}, idempotency_key="a")

    assert (answer.status_code, len(vanished), Customer.objects.count()) == (201, 1, 1)


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
