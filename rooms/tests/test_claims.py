"""The database's own net, and that showing and booking never disagree."""

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bookings.models import Booking
from common.errors import DomainError, ErrorCode
from common.ids import new_id
from common.walltime import zone
from rooms import availability, claims
from rooms.availability import Party
from rooms.errors import ClaimIsDead, SlotUnavailable
from rooms.models import Claim, Occupancy, Room, Session
from rooms.services import create_block, update_room
from tests.cast import Player
from tests.stage import book, make_room, make_venue, slot_at


def occupy(room: Room, start: dt.datetime, minutes: int = 60) -> None:
    """A game written around every service."""
    session = Session.objects.create(
        room=room, starts_at=start, ends_at=start + dt.timedelta(minutes=minutes), exclusive=True, capacity=6, seats_taken=2
    )
    period = DateTimeTZRange(start, start + dt.timedelta(minutes=minutes))
    Occupancy.objects.create(space_id=room.space_ids[0], session=session, period=period)


@pytest.mark.parametrize("offset", [-30, 10, 30])
def test_a_write_around_the_services_meets_the_exclusion_constraint(alice: Player, group_room: Room, offset: int) -> None:
    book(alice.actor, group_room, slot_at(10))

    with pytest.raises(IntegrityError, match="occupancy_one_game_a_space"), transaction.atomic():
        occupy(group_room, slot_at(10) + dt.timedelta(minutes=offset))


def test_games_that_touch_are_no_overlap(alice: Player, group_room: Room) -> None:
    occupy(group_room, slot_at(10))
    occupy(group_room, slot_at(10) + dt.timedelta(hours=1))


def test_seats_beyond_capacity_meet_the_check_constraint(alice: Player, shared_room: Room) -> None:
    booking = book(alice.actor, shared_room, slot_at(10))
    assert booking.claim is not None

    with pytest.raises(IntegrityError, match="session_never_oversold"), transaction.atomic():
        Session.objects.filter(pk=booking.claim.session_id).update(seats_taken=11)


def test_a_session_ends_with_its_last_claim(alice: Player, shared_room: Room) -> None:
    first = book(alice.actor, shared_room, slot_at(10), party_size=2)
    second = book(alice.actor, shared_room, slot_at(10), party_size=3)
    assert first.claim is not None
    assert second.claim is not None

    claims.release(first.claim)
    session = Session.objects.get()
    assert (session.seats_taken, session.ended) == (3, False)
    claims.release(first.claim)
    claims.release(second.claim)
    session.refresh_from_db()
    assert (session.seats_taken, session.ended, Occupancy.objects.get().active) == (0, True, False)


def expired_hold(alice: Player, room: Room, **more: Any) -> Claim:
    booking = book(alice.actor, room, slot_at(10), hold=True, customer={"name": "Late"}, **more)
    past = timezone.now() - dt.timedelta(seconds=5)
    Booking.objects.filter(pk=booking.pk).update(hold_expires_at=past)
    Claim.objects.filter(holder=booking.public_id).update(expires_at=past)
    return Claim.objects.get(holder=booking.public_id)


def test_a_party_grows_into_the_seats_of_a_hold_that_has_expired(alice: Player, shared_room: Room) -> None:
    booking = book(alice.actor, shared_room, slot_at(10), party_size=4)
    dead = expired_hold(alice, shared_room, party_size=5)

    grown = alice.api.put(f"/bookings/{booking.public_id}", {"party_size": 8})

    assert (grown.status_code, Session.objects.get().seats_taken) == (200, 8)
    dead.refresh_from_db()
    assert dead.released_at is not None


def test_capacity_shrinks_over_a_hold_that_has_expired(alice: Player, shared_room: Room) -> None:
    book(alice.actor, shared_room, slot_at(10), party_size=4)
    expired_hold(alice, shared_room, party_size=5)

    assert alice.api.put(f"/rooms/{shared_room.public_id}", {"capacity": 8}).status_code == 200
    assert (Session.objects.get().capacity, Session.objects.get().seats_taken) == (8, 4)


def test_a_hold_that_has_expired_grows_no_more(alice: Player, shared_room: Room) -> None:
    dead = expired_hold(alice, shared_room, party_size=5)

    with pytest.raises(ClaimIsDead):
        claims.resize(dead, room=shared_room, party_size=6)


def test_a_party_that_cannot_grow_hears_all_reasons(alice: Player, shared_room: Room) -> None:
    booking = book(alice.actor, shared_room, slot_at(10), party_size=4)
    book(alice.actor, shared_room, slot_at(10), party_size=5, customer={"name": "Others"})
    update_room(room=shared_room, by=alice.actor, horizon_days=5)
    room = Room.objects.with_spaces().get()
    assert booking.claim is not None

    for size, reason in ((6, "insufficient_seats"), (9, "party_too_large")):
        with pytest.raises(DomainError) as refusal:
            claims.resize(booking.claim, room=room, party_size=size)
        asked = Party(size)
        slot = availability.check(room, slot_at(10), now=timezone.now(), party=asked, ignore_holder=booking.public_id)
        assert {*refusal.value.extra["reasons"]} == {"beyond_horizon", reason} == {str(found) for found in slot.reasons}


@pytest.mark.parametrize("rule", [{"lead_time_minutes": 30 * 24 * 60}, {"horizon_days": 3}])
def test_what_is_paid_late_is_claimed_without_notice_and_horizon(alice: Player, group_room: Room, rule: dict[str, int]) -> None:
    update_room(room=group_room, by=alice.actor, **rule)
    room = Room.objects.with_spaces().get()
    asked: dict[str, Any] = {"room": room, "starts_at": slot_at(10), "party_size": 4, "private": True, "holder": new_id("bkg")}

    with pytest.raises(DomainError):
        claims.claim_slot(**asked)
    assert claims.claim_slot(**asked, late=True).session.starts_at == slot_at(10)
    with pytest.raises(SlotUnavailable) as taken:
        claims.claim_slot(**{**asked, "holder": new_id("bkg")}, late=True)
    assert taken.value.extra["reasons"] == ["booked"]


def test_what_is_paid_after_its_start_is_not_claimed(alice: Player, group_room: Room) -> None:
    with pytest.raises(DomainError) as refusal:
        claims.claim_slot(room=group_room, starts_at=slot_at(-1), party_size=4, private=True, holder=new_id("bkg"), late=True)

    assert (refusal.value.code, refusal.value.extra["reasons"]) == (ErrorCode.PAST_START, ["lead_time"])


ZONES = ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia"]
times = st.builds(lambda hour, half: f"{hour:02}:{half:02}", st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
weekdays = st.lists(st.integers(1, 7), min_size=1, max_size=7, unique=True)
rules = st.one_of(
    st.builds(
        lambda days, starts: {"weekdays": days, "start_times": starts},
        weekdays,
        st.lists(times, min_size=1, max_size=4, unique=True),
    ),
    st.builds(
        lambda days, first, last, step: {"weekdays": days, "first_start": first, "last_start": last, "interval_minutes": step},
        weekdays,
        times,
        times,
        st.sampled_from([30, 45, 60, 90]),
    ),
)


@pytest.mark.property
@pytest.mark.django_db
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_slot_that_is_shown_can_be_booked_and_one_that_is_not_is_refused_with_its_reasons(alice: Player, data: Any) -> None:
    """Random timetables, zones, buffers, notice and parties, games, holds and blocks in the way, clock changes too."""
    draw = data.draw
    with transaction.atomic():
        room = _random_room(alice, draw)
        now = timezone.now()
        first = now.astimezone(zone(room.venue.timezone)).date() + dt.timedelta(days=draw(st.integers(0, 200)))
        party = Party(draw(st.integers(1, 8)), draw(st.sampled_from([None, True, False])))
        _random_traffic(alice, room, first, now, draw)

        days = availability.days([room], first, first + dt.timedelta(days=2), now=now, party=party, include_unavailable=True)
        slots = [slot for day in days for slot in day.slots]
        for slot in draw(st.lists(st.sampled_from(slots), max_size=3)) if slots else []:
            _assert_booking_agrees(room, slot, party, now)
        transaction.set_rollback(True)


def _random_room(alice: Player, draw: Any) -> Room:
    mode = draw(st.sampled_from(Room.BookingMode.values))
    venue = make_venue(alice.actor, timezone=draw(st.sampled_from(ZONES)))
    return make_room(
        alice.actor,
        venue,
        booking_mode=mode,
        min_party=draw(st.integers(1, 3)),
        capacity=8,
        schedule={"rules": draw(st.lists(rules, min_size=1, max_size=3)), "overrides": []},
        setup_minutes=draw(st.sampled_from([0, 10])),
        turnaround_minutes=draw(st.sampled_from([0, 20])),
        lead_time_minutes=draw(st.sampled_from([0, 600, 3000])),
        horizon_days=draw(st.sampled_from([2, 90, 365])),
    )


def _random_traffic(alice: Player, room: Room, first: dt.date, now: dt.datetime, draw: Any) -> None:
    tz = zone(room.venue.timezone)
    for _ in range(draw(st.integers(0, 4))):
        at = dt.datetime.combine(first, dt.time(draw(st.integers(0, 23)), draw(st.sampled_from([0, 30]))), tzinfo=tz).astimezone(
            dt.UTC
        )
        kind = draw(st.sampled_from(["book", "hold", "block"]))
        try:
            if kind == "block":
                create_block(by=alice.actor, rooms=[room], on_conflict="keep", starts_at=at, ends_at=at + dt.timedelta(hours=1))
            else:
                expires = now + dt.timedelta(minutes=draw(st.sampled_from([-5, 5]))) if kind == "hold" else None
                with transaction.atomic():
                    claims.claim_slot(
                        room=room,
                        starts_at=at,
                        party_size=3,
                        private=availability.default_private(room),
                        holder=new_id("bkg"),
                        expires_at=expires,
                        now=now,
                    )
        except DomainError:
            continue


def _assert_booking_agrees(room: Room, slot: availability.Slot, party: Party, now: dt.datetime) -> None:
    private = availability.default_private(room) if party.private is None else party.private
    try:
        with transaction.atomic():
            claims.claim_slot(
                room=room, starts_at=slot.starts_at, party_size=party.size or 1, private=private, holder=new_id("bkg"), now=now
            )
            transaction.set_rollback(True)
    except DomainError as refusal:
        assert refusal.extra["reasons"] == [str(reason) for reason in slot.reasons]
    else:
        assert slot.reasons == []
