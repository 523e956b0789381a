"""Home: the day as it goes, what needs a person, how it compares."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from bookings.models import Booking
from bookings.services import cancel_booking
from dashboard.tests.pages import queries, sign_in
from dashboard.today import today
from dashboard.trends import trends, weeks_until
from developers.models import ApiKey
from payments.models import Payment, Refund
from rooms.models import Room
from tests.cast import Player
from tests.stage import book, slot_at
from webhooks.models import Endpoint
from webhooks.services import create_endpoint

PARIS = ZoneInfo("Europe/Paris")


def at(booking: Booking, starts_at: dt.datetime) -> Booking:
    """The booking at another time, as if it had been made long ago."""
    Booking.objects.filter(pk=booking.pk).update(starts_at=starts_at, ends_at=starts_at + dt.timedelta(minutes=50))
    booking.refresh_from_db()
    return booking


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def noon(days: int = 0) -> dt.datetime:
    """So many days from today in Paris."""
    day = now().astimezone(PARIS).date() + dt.timedelta(days=days)
    return dt.datetime.combine(day, dt.time(12), tzinfo=PARIS)


def test_an_organization_without_rooms_is_led_to_its_first(alice: Player) -> None:
    page = sign_in(alice).get("/dashboard")

    assert "Make a room" in page.content.decode()


def test_a_reader_is_not_offered_what_they_may_not_do(bob: Player) -> None:
    text = sign_in(bob).get("/dashboard").content.decode()

    assert "Make a room" not in text
    assert "invite the people" not in text


def test_home_lists_todays_games_and_no_other_day(alice: Player, group_room: Room) -> None:
    today = at(book(alice.actor, group_room, slot_at(9), customer={"name": "Grace"}), noon())
    at(book(alice.actor, group_room, slot_at(10), customer={"name": "Later"}), noon(1))
    canceled = at(book(alice.actor, group_room, slot_at(11), customer={"name": "Gone"}), noon())
    Booking.objects.filter(pk=canceled.pk).update(status=Booking.Status.CANCELED)
    Booking.objects.filter(pk=today.pk).update(ends_at=noon() + dt.timedelta(hours=11, minutes=59))

    glance = sign_in(alice).get("/dashboard").context["today"]

    assert [booking.reference for booking in glance.bookings] == [today.reference]
    assert glance.guests == 4


@pytest.mark.parametrize("count", [0, 30])
def test_home_costs_the_same_however_much_there_is(alice: Player, group_room: Room, shared_room: Room, count: int) -> None:
    made = [book(alice.actor, shared_room, slot_at(5), party_size=1, customer={"name": f"N{n}"}) for n in range(min(count, 10))]
    made += [book(alice.actor, group_room, slot_at(2 + n % 20, 8 + n // 20)) for n in range(max(0, count - 10))]
    client = sign_in(alice)

    with queries():
        assert client.get("/dashboard").status_code == 200


def test_what_needs_a_person_is_named_with_a_link(alice: Player, group_room: Room) -> None:
    late = at(book(alice.actor, group_room, slot_at(9), customer={"name": "Grace"}), now() - dt.timedelta(minutes=20))
    paid = book(alice.actor, group_room, slot_at(10), payment={"mode": "pos", "amount": 10_000})
    payment = Payment.objects.of(paid.public_id).get()
    payment.pk, payment.public_id = None, "pay_" + "1" * 26
    payment.mode, payment.status, payment.failure_message = "stripe", Payment.Status.FAILED, "Your card was declined."
    payment.save()
    Refund.objects.create(
        payment=payment, organization=alice.organization, subject=paid.public_id, amount=500, currency="EUR", status="failed"
    )
    endpoint, _ = create_endpoint(by=alice.actor, url="https://example.com/hook")
    Endpoint.objects.filter(pk=endpoint.pk).update(failing_since=now())
    ApiKey.objects.filter(pk=alice.key.pk).update(expires_at=now() + dt.timedelta(days=3))

    found = sign_in(alice).get("/dashboard").context["concerns"]

    assert [(concern.text.split(":")[0], concern.url.rsplit("/", 1)[1]) for concern in found] == [
        ("Grace has not been checked in to Vault", late.public_id),
        ("A payment of €100 failed", paid.public_id),
        ("A refund of €5 did not go through", paid.public_id),
        ("The webhook to https", endpoint.public_id),
        ("The API key “alice's key” expires in 2 days", alice.key.public_id),
    ]


def test_a_game_that_runs_past_midnight_stays_on_the_page(alice: Player, group_room: Room) -> None:
    midnight = dt.datetime(2027, 1, 9, 0, 10, tzinfo=PARIS)
    running = at(book(alice.actor, group_room, slot_at(9)), midnight - dt.timedelta(minutes=30))
    at(book(alice.actor, group_room, slot_at(10)), midnight - dt.timedelta(hours=4))

    day = today(alice.actor, tz=PARIS, now=midnight)

    assert (day.bookings, day.next) == ([running], [running])


def test_a_reader_hears_nothing_of_keys(alice: Player, bob: Player, group_room: Room) -> None:
    ApiKey.objects.filter(pk=alice.key.pk).update(expires_at=now() + dt.timedelta(days=3))

    assert sign_in(bob).get("/dashboard").context["concerns"] == []


def test_the_open_page_is_told_that_nothing_has_changed(alice: Player, group_room: Room) -> None:
    client = sign_in(alice)
    first = client.get("/dashboard/live")
    with queries(6):
        same = client.get("/dashboard/live", headers={"If-None-Match": first["ETag"]})
    alice.api.post("/bookings", {
        "room": group_room.public_id, "starts_at": slot_at(5).isoformat(), "party_size": 2, "customer": {"name": "New"},
    })  # fmt: skip
    changed = client.get("/dashboard/live", headers={"If-None-Match": first["ETag"]})

    assert (same.status_code, same.content) == (304, b"")
    assert changed.status_code == 200


class TestTrends:
    def test_each_booking_counts_on_the_venues_day(self, alice: Player, group_room: Room) -> None:
        """A quarter to midnight in Paris is the next day in Tokyo and the day before in New York."""
        sunday = now().astimezone(PARIS).date() + dt.timedelta(days=6 - now().astimezone(PARIS).weekday())
        for hour, minute in ((0, 0), (23, 45)):
            start = dt.datetime.combine(sunday, dt.time(hour, minute), tzinfo=PARIS)
            at(book(alice.actor, group_room, slot_at(9 + hour), party_size=3), start)
        periods = weeks_until(sunday, 1, by_day=True)

        found = trends(alice.actor, [group_room], periods, tz=PARIS, currency="EUR")

        assert periods[-1] == (sunday, sunday)
        assert found.bookings == [0, 0, 0, 0, 0, 0, 2]
        assert found.guests[-1] == 6
        assert found.occupancy[-1] == round(2 / 15 * 100, 1)  # of the 15 games from 8 to 22

    def test_parties_of_a_shared_game_are_one_game(self, alice: Player, shared_room: Room) -> None:
        for number in range(3):
            book(alice.actor, shared_room, slot_at(2), party_size=1, customer={"name": f"N{number}"})
        day = slot_at(2).astimezone(PARIS).date()

        found = trends(alice.actor, [shared_room], [(day, day)], tz=PARIS, currency="EUR")

        assert (found.bookings, found.occupancy) == ([3], [round(1 / 15 * 100, 1)])

    def test_revenue_is_what_came_minus_what_went_back(self, alice: Player, group_room: Room) -> None:
        booking = book(alice.actor, group_room, slot_at(20), payment={"mode": "pos", "amount": 10_000})
        cancel_booking(booking=booking, by=alice.actor)
        book(alice.actor, group_room, slot_at(21), payment={"mode": "pos", "amount": 4_000})
        this_day = now().astimezone(PARIS).date()

        found = trends(alice.actor, [group_room], [(this_day, this_day)], tz=PARIS, currency="EUR")

        assert found.revenue == [4_000]
        assert trends(alice.actor, [], [(this_day, this_day)], tz=PARIS, currency="USD").elsewhere == {"EUR": [4_000]}

    def test_another_organizations_games_do_not_count(self, alice: Player, charlie: Player, group_room: Room) -> None:
        book(alice.actor, group_room, slot_at(1))
        days = weeks_until(now().date(), 4, by_day=True)

        assert set(trends(charlie.actor, [], days, tz=PARIS, currency="EUR").bookings) == {0}
