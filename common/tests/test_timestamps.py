"""Instants from the database are what they were with Django's own reader."""

import datetime as dt

import pytest
from django.db import DataError, connection

from common.timestamps import InstantLoader


@pytest.mark.parametrize(
    "text", ["2026-11-29 03:25:49.123456+00", "2026-03-29 01:30:00+00", "1899-12-31 23:59:59.5+00", "0001-01-01 00:00:00+00"]
)
def test_an_instant_is_in_utc_to_the_microsecond(db: None, text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz, tstzrange(%s, NULL), NULL::timestamptz", [text, text])
        instant, period, nothing = cursor.fetchone()

    assert instant == period.lower == dt.datetime.fromisoformat(text)
    assert instant.tzinfo is dt.UTC
    assert nothing is None


@pytest.mark.parametrize("text", ["infinity", "10000-01-01 00:00:00+00", "0044-03-15 12:00:00+00 BC"])
def test_what_python_has_no_instant_for_is_refused(db: None, text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", [text])
        with pytest.raises(DataError):
            cursor.fetchone()


def test_another_zones_text_is_brought_to_utc() -> None:
    assert InstantLoader(0).load(b"2026-07-01 12:00:00+05:30") == dt.datetime(2026, 7, 1, 6, 30, tzinfo=dt.UTC)
