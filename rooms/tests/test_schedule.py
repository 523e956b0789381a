"""Wall time to instants: clock changes, midnight, leap days, overnight opening, priorities."""

import datetime as dt
from typing import Any

import pytest

from common.walltime import day_bounds, to_instant, zone
from rooms.schedule import Timetable, is_start, price_override, starts_on

ALL = [1, 2, 3, 4, 5, 6, 7]


def local_starts(schedule: dict[str, Any], day: str, zone_name: str) -> list[str]:
    tz = zone(zone_name)
    return [start.astimezone(tz).strftime("%d %H:%M %z") for start in starts_on(schedule, dt.date.fromisoformat(day), tz)]


def at(*times: str) -> dict[str, Any]:
    return {"rules": [{"weekdays": ALL, "start_times": list(times)}], "overrides": []}


@pytest.mark.parametrize(
    ("zone_name", "day", "times", "expected"),
    [
        # Spring: the skipped hour has no starts. Autumn: the repeated hour has them once, the first time.
        ("Europe/Paris", "2026-03-29", ["01:30", "02:30", "03:30"], ["29 01:30 +0100", "29 03:30 +0200"]),
        ("Europe/Paris", "2026-10-25", ["01:30", "02:30", "03:30"], ["25 01:30 +0200", "25 02:30 +0200", "25 03:30 +0100"]),
        ("America/New_York", "2026-03-08", ["01:30", "02:30", "03:30"], ["08 01:30 -0500", "08 03:30 -0400"]),
        ("America/New_York", "2026-11-01", ["00:30", "01:30", "02:30"], ["01 00:30 -0400", "01 01:30 -0400", "01 02:30 -0500"]),
        # Lord Howe changes by half an hour.
        ("Australia/Lord_Howe", "2026-10-04", ["01:45", "02:15", "02:30"], ["04 01:45 +1030", "04 02:30 +1100"]),
        (
            "Australia/Lord_Howe",
            "2026-04-05",
            ["01:15", "01:45", "02:15"],
            ["05 01:15 +1100", "05 01:45 +1100", "05 02:15 +1030"],
        ),
        ("Asia/Kolkata", "2026-03-29", ["02:30"], ["29 02:30 +0530"]),
        ("Asia/Kolkata", "2026-10-25", ["02:30"], ["25 02:30 +0530"]),
        # Midnight itself is skipped in Beirut.
        ("Asia/Beirut", "2026-03-29", ["00:00", "01:00"], ["29 01:00 +0300"]),
        ("Europe/Paris", "2028-02-29", ["00:00", "23:59"], ["29 00:00 +0100", "29 23:59 +0100"]),
    ],
)
def test_wall_times_on_days_when_clocks_change(zone_name: str, day: str, times: list[str], expected: list[str]) -> None:
    assert local_starts(at(*times), day, zone_name) == expected


@pytest.mark.parametrize(
    ("zone_name", "day", "hours"),
    [
        ("Europe/Paris", "2026-03-29", 23),
        ("Europe/Paris", "2026-10-25", 25),
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("Asia/Kolkata", "2026-03-29", 24),
        ("Asia/Beirut", "2026-03-29", 23),
    ],
)
def test_a_local_day_is_as_long_as_its_clock_says(zone_name: str, day: str, hours: float) -> None:
    date = dt.date.fromisoformat(day)
    start, end = day_bounds(date, date, zone(zone_name))

    assert (end - start) / dt.timedelta(hours=1) == hours


def test_the_same_wall_time_holds_on_both_sides_of_a_change() -> None:
    assert local_starts(at("18:30"), "2026-03-28", "Europe/Paris") == ["28 18:30 +0100"]
    assert local_starts(at("18:30"), "2026-03-30", "Europe/Paris") == ["30 18:30 +0200"]


def test_an_interval_steps_by_wall_time() -> None:
    schedule = {"rules": [{"weekdays": ALL, "first_start": "00:30", "last_start": "04:30", "interval_minutes": 60}]}

    assert local_starts(schedule, "2026-03-29", "Europe/Paris") == [
        "29 00:30 +0100",
        "29 01:30 +0100",
        "29 03:30 +0200",
        "29 04:30 +0200",
    ]


def test_overnight_starts_belong_to_the_evening_and_are_listed_on_their_date() -> None:
    friday_night = {"rules": [{"weekdays": [5], "first_start": "22:00", "last_start": "01:00", "interval_minutes": 60}]}

    assert local_starts(friday_night, "2026-12-04", "Europe/Paris") == ["04 22:00 +0100", "04 23:00 +0100"]  # a Friday
    assert local_starts(friday_night, "2026-12-05", "Europe/Paris") == ["05 00:00 +0100", "05 01:00 +0100"]
    assert local_starts(friday_night, "2026-12-06", "Europe/Paris") == []


def test_an_evening_knows_its_starts_after_midnight() -> None:
    late = Timetable(
        {"rules": [{"weekdays": [6], "first_start": "22:00", "last_start": "03:00", "interval_minutes": 60}]},
        zone("Europe/Paris"),
    )
    summer_ends = dt.date(2026, 10, 24)  # a Saturday

    starts = sorted(late.after_midnight(summer_ends))

    assert [f"{start:%d %H:%M}" for start in starts] == ["24 22:00", "24 23:00", "25 00:00", "25 02:00"]  # UTC
    assert late.after_midnight(summer_ends - dt.timedelta(days=1)) == set()


def test_closing_the_evening_closes_what_runs_past_its_midnight() -> None:
    schedule = {
        "rules": [{"weekdays": ALL, "first_start": "22:00", "last_start": "01:00", "interval_minutes": 60}],
        "overrides": [{"date": "2026-12-04", "closed": True}],
    }

    assert local_starts(schedule, "2026-12-04", "Europe/Paris") == ["04 00:00 +0100", "04 01:00 +0100"]
    assert local_starts(schedule, "2026-12-05", "Europe/Paris") == ["05 22:00 +0100", "05 23:00 +0100"]


def test_overrides_beat_seasons_and_seasons_beat_the_week() -> None:
    schedule = {
        "rules": [
            {"weekdays": ALL, "start_times": ["10:00"]},
            {"weekdays": [1], "start_times": ["12:00"], "valid_from": "2026-07-01", "valid_until": "2026-08-31"},
        ],
        "overrides": [{"date": "2026-07-13", "start_times": ["14:00"]}],
    }

    assert local_starts(schedule, "2026-06-29", "UTC") == ["29 10:00 +0000"]
    assert local_starts(schedule, "2026-07-06", "UTC") == ["06 12:00 +0000"]  # a Monday of the season
    assert local_starts(schedule, "2026-07-07", "UTC") == []  # the season has no Tuesdays
    assert local_starts(schedule, "2026-07-13", "UTC") == ["13 14:00 +0000"]
    assert local_starts(schedule, "2026-09-07", "UTC") == ["07 10:00 +0000"]


def test_a_rule_may_set_the_price_of_its_starts() -> None:
    rule = {"weekdays": ALL, "start_times": ["10:00"], "price_override": 7_000}
    tz = zone("UTC")
    ten = dt.datetime(2026, 7, 6, 10, tzinfo=dt.UTC)

    assert price_override({"rules": [rule]}, ten, tz) == 7_000
    assert price_override({"rules": [rule]}, ten + dt.timedelta(hours=1), tz) is None


def test_asking_for_one_start_agrees_with_listing_them() -> None:
    schedule, tz = at("01:30", "02:30"), zone("Europe/Paris")
    first = to_instant(dt.date(2026, 10, 25), dt.time(2, 30), tz)
    assert first is not None

    assert is_start(schedule, first, tz)
    assert not is_start(schedule, first + dt.timedelta(hours=1), tz)  # 02:30 once more
