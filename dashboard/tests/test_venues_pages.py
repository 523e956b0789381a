"""Settings → Venues and Policies."""

from typing import Any

from django.urls import reverse

from dashboard.tests.filling import filled
from dashboard.tests.pages import queries, sign_in
from rooms.models import Room, Venue
from rooms.policies import DEFAULT_CANCELLATION
from rooms.services import update_room, update_venue
from tests.cast import Player
from tests.stage import book, make_room, make_venue, slot_at

LIST, NEW, POLICIES = "/dashboard/settings/venues", "/dashboard/settings/venues/new", "/dashboard/settings/policies"
TOKYO = {
    "name": "Tokyo <1>",
    "timezone": "Asia/Tokyo",
    "currency": "jpy",
    "tax_rate": "10",
    "tax_inclusive": "no",
    "tax_label": "VAT",
}
NO_HOURS = {"weekly_hours-TOTAL_FORMS": "0", "weekly_hours-INITIAL_FORMS": "0"}


def of(venue: Venue, name: str = "settings_venue") -> str:
    return reverse(f"dashboard:{name}", kwargs={"public_id": venue.public_id})


def test_a_venue_is_made(alice: Player) -> None:
    hours = {
        "weekly_hours-TOTAL_FORMS": "1",
        "weekly_hours-INITIAL_FORMS": "0",
        "weekly_hours-0-weekdays": ["6", "7"],
        "weekly_hours-0-opens": "10",
        "weekly_hours-0-closes": "1:30",
    }
    answer = sign_in(alice).post(NEW, {**TOKYO, **hours}, follow=True)

    venue = Venue.objects.get()
    assert (venue.timezone, venue.currency, venue.tax) == (
        "Asia/Tokyo",
        "JPY",
        {"rate": "10", "inclusive": False, "label": "VAT"},
    )
    assert venue.weekly_hours == [{"weekday": day, "opens": "10:00", "closes": "01:30"} for day in (6, 7)]
    assert "Tokyo &lt;1&gt;" in answer.content.decode()


def test_a_venue_saved_as_it_is_changes_nothing(alice: Player, paris: Venue) -> None:
    hours = [{"weekday": day, "opens": "10:00", "closes": "22:00"} for day in (1, 2, 5)]
    update_venue(venue=paris, by=alice.actor, weekly_hours=hours)
    client = sign_in(alice)
    before = alice.api.get(f"/venues/{paris.public_id}").json()

    assert client.post(of(paris), filled(client, of(paris))).status_code == 302
    assert alice.api.get(f"/venues/{paris.public_id}").json() == before


def test_bad_input_is_named_and_kept(alice: Player) -> None:
    answer = sign_in(alice).post(NEW, {**TOKYO, **NO_HOURS, "currency": "€", "tax_rate": "abc"})

    assert (answer.status_code, Venue.objects.count()) == (422, 0)
    assert set(answer.context["form"].errors) == {"currency", "tax_rate"}
    assert 'value="abc"' in answer.content.decode()


def test_a_venue_with_bookings_keeps_its_clock_and_says_why(alice: Player, group_room: Room) -> None:
    book(alice.actor, group_room, slot_at(3))
    client, path = sign_in(alice), of(group_room.venue)

    assert "Fixed: bookings were made by this clock" in client.get(path).content.decode()
    assert client.post(path, {**TOKYO, **NO_HOURS, "currency": "EUR"}).status_code == 302
    group_room.venue.refresh_from_db()
    assert (group_room.venue.name, group_room.venue.timezone) == ("Tokyo <1>", "Europe/Paris")


def test_a_stale_page_overwrites_nothing(alice: Player, paris: Venue) -> None:
    client = sign_in(alice)
    mine = filled(client, of(paris), name="Mine")
    update_venue(venue=paris, by=alice.actor, name="Theirs")

    assert client.post(of(paris), mine).status_code == 422
    paris.refresh_from_db()
    assert paris.name == "Theirs"


def test_only_a_venue_without_rooms_is_deleted(alice: Player, group_room: Room) -> None:
    empty = make_venue(alice.actor, name="Empty")
    client = sign_in(alice)

    assert "it has rooms" in client.get(of(group_room.venue, "settings_venue_delete")).content.decode()
    assert client.post(of(group_room.venue, "settings_venue_delete"), {"version": 1}).status_code == 409
    assert client.post(of(empty, "settings_venue_delete"), {"version": 1}).status_code == 302
    assert list(Venue.objects.all()) == [group_room.venue]


def test_a_reader_sees_venues_and_policies_and_no_way_to_change_them(bob: Player, group_room: Room) -> None:
    client = sign_in(bob)
    for path in (LIST, POLICIES):
        page = client.get(path).content.decode()
        assert "Paris" in page
        assert of(group_room.venue) not in page
    assert "Save the rules" not in client.get(POLICIES).content.decode()
    assert client.post(POLICIES, {}).status_code == 403


def test_pages_ask_little_of_the_database(alice: Player, group_room: Room) -> None:
    for number in range(4):
        make_room(alice.actor, make_venue(alice.actor, name=f"V{number}"), name=f"R{number}")
    client = sign_in(alice)
    for path in (LIST, NEW, of(group_room.venue), of(group_room.venue, "settings_venue_delete"), POLICIES):
        with queries():
            client.get(path)


def rules(client: Any, **more: Any) -> dict[str, Any]:
    one_step = {
        "cancellation-TOTAL_FORMS": "1",
        "cancellation-0-hours_before": "7",
        "cancellation-0-hours_before_unit": "days",
        "cancellation-0-refund_percent": "100",
    }
    return filled(client, POLICIES, **one_step, **more)


def test_one_form_sets_the_rules_of_several_venues_and_of_rooms_with_their_own(alice: Player, group_room: Room) -> None:
    lyon = make_venue(alice.actor, name="Lyon")
    update_room(room=group_room, by=alice.actor, cancellation_policy=DEFAULT_CANCELLATION)
    client = sign_in(alice)
    page = client.get(POLICIES).content.decode()
    assert "With rules of their own" in page
    assert "all of it comes back" in page

    assert client.post(POLICIES, rules(client, rooms_too="on")).status_code == 302
    for venue in (lyon, group_room.venue):
        venue.refresh_from_db()
        assert venue.cancellation_policy["windows"] == [{"hours_before": 168, "refund_percent": 100}]
    group_room.refresh_from_db()
    assert group_room.cancellation_policy is None


def test_rules_of_one_venue_leave_the_others(alice: Player, group_room: Room) -> None:
    lyon = make_venue(alice.actor, name="Lyon")
    client = sign_in(alice)
    client.post(POLICIES, rules(client, venues=[lyon.public_id]))

    lyon.refresh_from_db()
    group_room.venue.refresh_from_db()
    assert len(lyon.cancellation_policy["windows"]) == 1
    assert group_room.venue.cancellation_policy == DEFAULT_CANCELLATION


def test_fees_are_not_put_into_several_currencies_at_once(alice: Player, paris: Venue) -> None:
    tokyo = make_venue(alice.actor, name="Tokyo", currency="JPY")
    client = sign_in(alice)
    answer = client.post(POLICIES, rules(client, venues=[paris.public_id, tokyo.public_id]))

    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["venues"])


def test_a_wrong_step_is_named_on_its_line(alice: Player, paris: Venue) -> None:
    client = sign_in(alice)
    answer = client.post(POLICIES, {**rules(client), "cancellation-0-refund_percent": "120"})

    assert answer.status_code == 422
    assert list(answer.context["form"].rows["cancellation"][0].errors) == ["refund_percent"]
    assert 'value="120"' in answer.content.decode()
