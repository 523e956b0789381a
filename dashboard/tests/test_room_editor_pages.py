"""A room's settings, section by section: what is saved, what is refused and where, and what is shown before."""

import datetime as dt

import pytest
from django.urls import reverse

from dashboard.forms import typed
from dashboard.tests.filling import filled
from dashboard.tests.pages import sign_in
from rooms.models import Room
from rooms.services import update_room
from tests import standing
from tests.cast import Player
from tests.stage import PER_PERSON, book, slot_at

house, alice, group_room, paris = standing.house, standing.owner, standing.group_room, standing.paris


def url(name: str, room: Room) -> str:
    return reverse(f"dashboard:{name}", kwargs={"public_id": room.public_id})


# A new room


@pytest.mark.parametrize("section", ["basics", "party", "schedule", "price", "policy", "rules"])
def test_a_section_saved_as_it_is_changes_nothing(alice: Player, upgrade_room: Room, section: str) -> None:
    furnished(alice, upgrade_room)
    client, path = sign_in(alice), url(f"room_edit_{section}", upgrade_room)

    before = alice.api.get(f"/rooms/{upgrade_room.public_id}?availability_days=0").json()
    answer = client.post(path, filled(client, path))

    assert answer.status_code == 302, answer.context["form"].errors
    assert alice.api.get(f"/rooms/{upgrade_room.public_id}?availability_days=0").json() == before


def furnished(alice: Player, room: Room) -> None:
    """Something in each of the fields that a room has."""
    year = dt.datetime.now(dt.UTC).year + 1
    update_room(
        room=room,
        by=alice.actor,
        description="Two\nlines",
        images=["https://example.com/1.jpg"],
        languages=["en", "fr"],
        category="horror",
        difficulty=3,
        min_age=12,
        external_id="till-7",
        metadata={"shelf": "B: 2"},
        setup_minutes=5,
        turnaround_minutes=10,
        lead_time_minutes=180,
        schedule={
            "rules": [
                {"weekdays": [1, 2], "start_times": ["17:00", "18:30"]},
                {"weekdays": [5, 6], "first_start": "16:00", "last_start": "00:30", "interval_minutes": 90},
                {
                    "weekdays": [7],
                    "start_times": ["12:00"],
                    "valid_from": f"{year}-07-01",
                    "valid_until": f"{year}-08-31",
                    "price_override": 3_000,
                },
            ],
            "overrides": [{"date": f"{year}-12-25", "closed": True}, {"date": f"{year}-12-31", "start_times": ["10:00"]}],
        },
        pricing={
            "model": "tiered",
            "currency": "EUR",
            "tiers": [{"min": 1, "max": 4, "amount": 9_000}, {"min": 5, "max": 8, "amount": 15_000}],
            "adjustments": [
                {"label": "Weekend", "weekdays": [6, 7], "percent": 12.5, "priority": 1},
                {"times": {"from": "22:00", "to": "02:00"}, "fixed": -500},
                {
                    "dates": {"from": f"{year}-12-24", "to": f"{year}-12-26"},
                    "party": {"min": 2, "max": 3},
                    "set": 20_000,
                    "priority": 2,
                },
            ],
            "private_upgrade": {"amount": 5_000},
            "deposit": {"percent": 30},
        },
        cancellation_policy={
            "windows": [{"hours_before": 48, "refund_percent": 100}, {"hours_before": 5, "refund_percent": 50}],
            "fee": 250,
            "deposit_refundable": False,
        },
        reschedule_policy={
            "windows": [{"hours_before": 24, "allowed": True, "fee": 0}, {"hours_before": 2, "allowed": False, "fee": 0}],
            "max_times": 2,
        },
        custom_fields=[
            {"key": "allergies", "label": "Allergies?", "type": "text", "required": False},
            {"key": "level", "label": "Level", "type": "choice", "required": True, "choices": ["easy", "hard"]},
        ],
    )


def test_basics_are_saved(alice: Player, group_room: Room) -> None:
    client, path = sign_in(alice), url("room_edit_basics", group_room)
    client.post(path, filled(client, path, name="Cellar", status="hidden", languages="en, de", metadata="a: b", min_age="14"))

    group_room.refresh_from_db()
    assert (group_room.name, group_room.status, group_room.min_age) == ("Cellar", "hidden", 14)
    assert (group_room.languages, group_room.metadata) == (["en", "de"], {"a": "b"})


def test_a_refused_party_stands_on_its_field(alice: Player, group_room: Room) -> None:
    client, path = sign_in(alice), url("room_edit_party", group_room)
    answer = client.post(path, filled(client, path, min_party="9"))

    assert answer.status_code == 422
    assert answer.context["form"].errors == {"min_party": ["This is more than the largest party."]}
    assert 'value="9"' in answer.content.decode()


def test_the_party_may_not_outgrow_the_price_table(alice: Player, group_room: Room) -> None:
    tiers = [{"min": 2, "max": 6, "amount": 9_000}]
    update_room(room=group_room, by=alice.actor, pricing={"model": "tiered", "currency": "EUR", "tiers": tiers})
    client, path = sign_in(alice), url("room_edit_party", group_room)
    answer = client.post(path, filled(client, path, max_party="8"))

    assert "under Price first" in answer.context["form"].non_field_errors()[0]


def test_schedule_errors_land_on_their_line_and_empty_lines_do_not_count(alice: Player, group_room: Room) -> None:
    client, path = sign_in(alice), url("room_edit_schedule", group_room)
    lines = {
        "rules-TOTAL_FORMS": "3",
        "rules-1-weekdays": [],
        "rules-2-weekdays": ["1"],
        "rules-2-start_times": "10:00",
        "rules-2-first_start": "11:00",
        "overrides-TOTAL_FORMS": "1",
        "overrides-0-date": "2027-01-01",
        "overrides-0-start_times": "8pm",
    }
    answer = client.post(path, filled(client, path, **lines))

    rows = answer.context["form"].rows
    assert answer.status_code == 422
    assert [bool(row.errors) for row in rows["rules"]] == [False, False, True]
    assert "list the times" in rows["rules"][2].errors["start_times"][0]
    assert rows["overrides"][0]["start_times"].value() == "8pm"

    answer = client.post(path, filled(client, path, **{**lines, "rules-2-first_start": ""}))
    group_room.refresh_from_db()
    assert len(group_room.schedule["rules"]) == 2
    assert group_room.schedule["overrides"] == [{"date": "2027-01-01", "start_times": ["20:00"]}]


def test_the_same_day_twice_is_told_at_the_table(alice: Player, group_room: Room) -> None:
    client, path = sign_in(alice), url("room_edit_schedule", group_room)
    twice = {f"overrides-{n}-{name}": value for n in (0, 1) for name, value in {"date": "2027-01-01", "closed": "on"}.items()}
    answer = client.post(path, filled(client, path, **twice, **{"overrides-TOTAL_FORMS": "2"}))

    assert answer.context["form"].rows["overrides"].non_form_errors() == ["The same date stands there twice."]
    assert "The same date stands there twice." in answer.content.decode()


def test_days_past_stay_as_they_are(alice: Player, group_room: Room) -> None:
    past = [{"date": "2020-12-25", "closed": True}]
    update_room(room=group_room, by=alice.actor, schedule={"rules": [], "overrides": past})
    client, path = sign_in(alice), url("room_edit_schedule", group_room)
    new = {"overrides-TOTAL_FORMS": "1", "overrides-0-date": "2027-01-01", "overrides-0-closed": "on"}
    client.post(path, filled(client, path, **new))

    group_room.refresh_from_db()
    assert group_room.schedule["overrides"] == [{"date": "2027-01-01", "closed": True}, *past]


def test_lines_come_and_go_without_saving_and_without_losing_what_is_typed(alice: Player, group_room: Room) -> None:
    client, path = sign_in(alice), url("room_edit_schedule", group_room)
    answer = client.post(path, filled(client, path, **{"rules-0-interval_minutes": "abc", "add": "rules"}))

    rules = answer.context["form"].rows["rules"]
    assert (answer.status_code, len(rules.forms), rules[0].errors) == (200, 2, {})
    assert 'value="abc"' in answer.content.decode()
    answer = client.post(path, filled(client, path, remove="rules-0"))
    assert [row["weekdays"].value() for row in answer.context["form"].rows["rules"]] == [None]  # an empty line to begin with
    group_room.refresh_from_db()
    assert len(group_room.schedule["rules"]) == 1


def test_a_timetable_as_long_as_the_api_takes_can_be_saved(alice: Player, group_room: Room) -> None:
    rules = [{"weekdays": [1, 2, 3, 4, 5, 6, 7], "start_times": [f"{n // 60:02}:{n % 60:02}"]} for n in range(100)]
    coming = [{"date": (slot_at(n)).date().isoformat(), "closed": True} for n in range(1, 400)]
    update_room(room=group_room, by=alice.actor, schedule={"rules": rules, "overrides": coming})
    client, path = sign_in(alice), url("room_edit_schedule", group_room)

    assert client.post(path, filled(client, path, setup_minutes="5")).status_code == 302
    group_room.refresh_from_db()
    assert (len(group_room.schedule["rules"]), len(group_room.schedule["overrides"])) == (100, 399)


@pytest.mark.parametrize(
    "nonsense",
    ["\0", "99999999999999999999", *(pytest.param(text, marks=pytest.mark.soak) for text in ("rules-", "١", "é" * 3_000))],
)
def test_nonsense_is_refused_and_breaks_nothing(alice: Player, group_room: Room, nonsense: str) -> None:
    client = sign_in(alice)
    assert client.get(reverse("dashboard:rooms"), {"q": nonsense, "venue": nonsense, "cursor": nonsense}).status_code == 200
    for section in ("basics", "party", "schedule", "price", "policy", "rules"):
        path = url(f"room_edit_{section}", group_room)
        data = {name: value if name.endswith("_FORMS") else nonsense for name, value in filled(client, path).items()}
        more = {"quote_day": nonsense, "quote_size": nonsense, "quote_time": nonsense}
        assert client.post(path, {**data, "version": "1"}).status_code == 422
        assert client.post(path, {**data, "add": nonsense, "remove": nonsense}).status_code == 200
        assert (
            client.post(url("room_preview", group_room), {**data, **more}, query_params={"section": section}).status_code == 200
        )
        assert client.post(path, {"rules-TOTAL_FORMS": nonsense}).status_code == 422


def test_the_preview_shows_the_slots_of_what_is_typed(alice: Player, group_room: Room) -> None:
    client, path = sign_in(alice), url("room_edit_schedule", group_room)
    typed_in = filled(client, path, **{"rules-0-first_start": "08:45", "rules-0-last_start": "08:45"})
    for answer in (
        client.post(url("room_preview", group_room) + "?section=schedule", typed_in),
        client.post(path, {**typed_in, "preview": "1"}),
    ):
        assert answer.status_code == 200
        assert "08:45" in answer.content.decode()
        assert "10:00" not in answer.content.decode().partition("aside")[2].partition("</aside>")[0]
    group_room.refresh_from_db()
    assert group_room.schedule["rules"][0]["first_start"] == "08:00"

    answer = client.post(url("room_preview", group_room) + "?section=schedule", {**typed_in, "duration_minutes": ""})
    assert "cannot be shown yet" in answer.content.decode()


def test_a_price_is_saved_in_minor_units_and_shown_before(alice: Player, upgrade_room: Room) -> None:
    client, path = sign_in(alice), url("room_edit_price", upgrade_room)
    saturday = dt.date.today() + dt.timedelta(days=(5 - dt.date.today().weekday()) % 7 + 7)
    priced = filled(
        client,
        path,
        amount="20,50",
        upgrade="percent",
        upgrade_value="10",
        deposit="amount",
        deposit_value="15",
        **{
            "adjustments-TOTAL_FORMS": "1",
            "adjustments-0-label": "Week<end>",
            "adjustments-0-kind": "fixed",
            "adjustments-0-value": "-1.50",
            "adjustments-0-weekdays": ["6"],
        },
    )
    asked = {"quote_day": saturday.isoformat(), "quote_time": "15:00", "quote_size": "4", "quote_private": "on"}
    answer = client.post(url("room_preview", upgrade_room) + "?section=price", {**priced, **asked})

    quote = answer.context["quote"]
    assert [(line["label"], line["amount"]) for line in quote.chosen["lines"]] == [
        ("4 people × €20.50", 8_200)
        if quote.chosen["lines"][0]["label"].endswith("20.50")
        else (quote.chosen["lines"][0]["label"], 8_200),
        ("Week<end>", -150),
        ("Private game", 805),
    ]
    assert (quote.start.hour in (13, 14), quote.deposit, dict(quote.sizes)[1]) == (True, 1_500, (2_050 - 150) * 11 // 10)
    assert "<end>" not in answer.content.decode()
    upgrade_room.refresh_from_db()
    assert upgrade_room.pricing["amount"] == 2_500

    assert client.post(path, priced).status_code == 302
    upgrade_room.refresh_from_db()
    assert upgrade_room.pricing == {
        **PER_PERSON,
        "amount": 2_050,
        "adjustments": [{"label": "Week<end>", "weekdays": [6], "fixed": -150}],
        "private_upgrade": {"percent": 10},
        "deposit": {"amount": 1_500},
    }


def test_price_errors_land_where_they_were_typed(alice: Player, group_room: Room) -> None:
    client, path = sign_in(alice), url("room_edit_price", group_room)
    gap = {
        "model": "tiered",
        "tiers-TOTAL_FORMS": "2",
        "tiers-0-min": "2",
        "tiers-0-max": "3",
        "tiers-0-amount": "80",
        "tiers-1-min": "5",
        "tiers-1-max": "6",
        "tiers-1-amount": "90",
    }
    answer = client.post(path, filled(client, path, **gap))
    assert "begin where the one before ends" in answer.context["form"].rows["tiers"].non_form_errors()[0]

    off = {"deposit": "percent", "deposit_value": "120"}
    assert "deposit_value" in client.post(path, filled(client, path, **off)).context["form"].errors
    line = {"adjustments-TOTAL_FORMS": "1", "adjustments-0-kind": "percent", "adjustments-0-value": "-101"}
    answer = client.post(path, filled(client, path, **line))
    assert list(answer.context["form"].rows["adjustments"][0].errors) == ["value"]
    assert 'value="-101"' in answer.content.decode()
    assert list(client.post(path, filled(client, path, amount="")).context["form"].errors) == ["amount"]


def test_the_price_page_says_where_other_prices_stand(alice: Player, group_room: Room) -> None:
    client, page = sign_in(alice), f"/dashboard/rooms/{group_room.public_id}/price"
    assert "Some starts have a price of their own" not in client.get(page).content.decode()

    rules = [{**group_room.schedule["rules"][0], "price_override": 13_900}]
    update_room(room=group_room, by=alice.actor, schedule={"rules": rules})

    assert "Some starts have a price of their own" in client.get(page).content.decode()


def test_a_room_takes_rules_of_its_own_and_gives_them_up(alice: Player, group_room: Room) -> None:
    client, path = sign_in(alice), url("room_edit_policy", group_room)
    own = {
        "cancellation_of": "own",
        "cancellation-TOTAL_FORMS": "1",
        "cancellation-0-hours_before": "3",
        "cancellation-0-hours_before_unit": "days",
        "cancellation-0-refund_percent": "80",
        "fee": "5",
        "deposit_refundable": None,
    }
    answer = client.post(url("room_preview", group_room) + "?section=policy", filled(client, path, **own))
    assert "80 % come back" in answer.content.decode()
    assert "€5.00 of what comes back" in answer.content.decode()
    client.post(path, filled(client, path, **own))
    group_room.refresh_from_db()
    assert group_room.cancellation_policy == {
        "windows": [{"hours_before": 72, "refund_percent": 80}],
        "fee": 500,
        "deposit_refundable": False,
    }
    assert group_room.reschedule_policy is None

    answer = client.post(path, filled(client, path, **{"cancellation-0-refund_percent": "101"}))
    assert list(answer.context["form"].rows["cancellation"][0].errors) == ["refund_percent"]
    client.post(path, filled(client, path, cancellation_of="venue", **{"cancellation-0-refund_percent": "101"}))
    group_room.refresh_from_db()
    assert group_room.cancellation_policy is None


def test_booking_rules_and_questions_are_saved(alice: Player, group_room: Room) -> None:
    client, path = sign_in(alice), url("room_edit_rules", group_room)
    asked = {
        "lead_time_minutes": "2",
        "lead_time_minutes_unit": "days",
        "custom_fields-TOTAL_FORMS": "2",
        "custom_fields-0-label": "Level",
        "custom_fields-0-type": "choice",
        "custom_fields-0-choices": "easy, hard",
        "custom_fields-1-label": "Allergies?",
        "custom_fields-1-type": "text",
        "custom_fields-1-required": "on",
    }
    client.post(path, filled(client, path, **asked))

    group_room.refresh_from_db()
    assert group_room.lead_time_minutes == 2 * 1_440
    assert group_room.custom_fields == [
        {"key": "question_1", "label": "Level", "type": "choice", "required": False, "choices": ["easy", "hard"]},
        {"key": "question_2", "label": "Allergies?", "type": "text", "required": True},
    ]
    answer = client.post(path, filled(client, path, **{"custom_fields-0-choices": "", "hold_minutes": "40"}))
    assert list(answer.context["form"].errors) == ["hold_minutes"]
    answer = client.post(path, filled(client, path, **{"custom_fields-0-choices": ""}))
    assert list(answer.context["form"].rows["custom_fields"][0].errors) == ["choices"]


def test_who_types_while_another_saves_is_told_and_may_save_knowingly(alice: Player, group_room: Room) -> None:
    client, path = sign_in(alice), url("room_edit_basics", group_room)
    mine = filled(client, path, name="Mine")
    update_room(room=group_room, by=alice.actor, description="Theirs")

    answer = client.post(path, mine)
    assert (answer.status_code, answer.context["form"].non_field_errors()) == (422, [typed.CHANGED])
    again = {**mine, "version": answer.context["form"]["version"].value()}
    assert client.post(path, again).status_code == 302
    group_room.refresh_from_db()
    assert group_room.name == "Mine"


def test_a_refusal_of_the_rules_is_shown_on_the_page(alice: Player, shared_room: Room) -> None:
    book(alice.actor, shared_room, slot_at(3), party_size=8)
    book(alice.actor, shared_room, slot_at(3), party_size=2, customer={"name": "B"})
    client, path = sign_in(alice), url("room_edit_party", shared_room)
    answer = client.post(path, filled(client, path, capacity="8"))

    assert answer.status_code == 422
    assert "10" in answer.context["form"].errors["capacity"][0]


# Archiving
