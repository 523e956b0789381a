"""What calendars ask for, and the busy times that it comes to, worked out by hand."""

import datetime as dt
from typing import Any

import pytest

from calendars import expansion
from calendars.expansion import Busy, Refused, checked_text, expand
from calendars.ical import ORIGIN

SINCE, UNTIL = dt.datetime(2026, 10, 1, tzinfo=dt.UTC), dt.datetime(2027, 11, 5, tzinfo=dt.UTC)
# Paris by its rule, under a name that no machine knows.
HOME_MADE = """BEGIN:VTIMEZONE
TZID:Our office
BEGIN:STANDARD
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE"""


def calendar(*events: str, head: str = "") -> str:
    """Each event as its lines without BEGIN, END and UID; one that names a UID keeps it."""
    texts = [
        "\r\n".join(["BEGIN:VEVENT", *([] if "UID:" in event else [f"UID:event-{number}"]), *event.split("\n"), "END:VEVENT"])
        for number, event in enumerate(events)
    ]
    return "\r\n".join(
        ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//EN", *filter(None, head.split("\n")), *texts, "END:VCALENDAR", ""]
    )


def expanded(text: str, *, timezone: str = "Europe/Paris", since: dt.datetime = SINCE, until: dt.datetime = UNTIL) -> list[Busy]:
    return expand(checked_text(text.encode()), timezone=timezone, since=since, until=until, origin=ORIGIN)


def told(found: list[Busy]) -> list[str]:
    """`2026-12-05T17:30/18:30` in UTC, or the days of whole ones."""
    return [
        f"{busy.date_from}..{busy.date_to}"
        if busy.date_from
        else f"{busy.starts_at[:16]}/{busy.ends_at[:16].removeprefix(busy.starts_at[:11])}"
        for busy in found
    ]


CASES: dict[str, tuple[str, list[str]]] = {
    "UTC": (calendar("DTSTART:20261205T173000Z\nDTEND:20261205T183000Z"), ["2026-12-05T17:30/18:30"]),
    "a duration": (calendar("DTSTART:20261205T173000Z\nDURATION:PT1H30M"), ["2026-12-05T17:30/19:00"]),
    "floating is the venue's clock": (calendar("DTSTART:20261205T183000\nDTEND:20261205T193000"), ["2026-12-05T17:30/18:30"]),
    "floating in summer": (calendar("DTSTART:20270705T183000\nDTEND:20270705T193000"), ["2027-07-05T16:30/17:30"]),
    "floating in the hour that is skipped": (
        calendar("DTSTART:20270328T023000\nDTEND:20270328T033000"),
        [],  # 02:30 is 03:30 there, where it ends
    ),
    "floating across the skipped hour": (calendar("DTSTART:20270328T013000\nDTEND:20270328T033000"), ["2027-03-28T00:30/01:30"]),
    "floating across the repeated hour": (
        calendar("DTSTART:20261025T013000\nDTEND:20261025T033000"),
        ["2026-10-24T23:30/2026-10-25T02:30"],
    ),
    "another zone": (
        calendar("DTSTART;TZID=America/New_York:20261205T120000\nDTEND;TZID=America/New_York:20261205T130000"),
        ["2026-12-05T17:00/18:00"],
    ),
    "a zone by Outlook's name": (
        calendar("DTSTART;TZID=Romance Standard Time:20261205T183000\nDTEND;TZID=Romance Standard Time:20261205T193000"),
        ["2026-12-05T17:30/18:30"],
    ),
    "a zone of the file's own": (
        calendar("DTSTART;TZID=Our office:20270705T183000\nDTEND;TZID=Our office:20270705T193000", head=HOME_MADE),
        ["2027-07-05T16:30/17:30"],
    ),
    "a whole day": (calendar("DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261225"), ["2026-12-24..2026-12-24"]),
    "a whole day without an end": (calendar("DTSTART;VALUE=DATE:20261224"), ["2026-12-24..2026-12-24"]),
    "a whole day that ends on its own date": (
        calendar("DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261224"),
        ["2026-12-24..2026-12-24"],
    ),
    "several whole days": (calendar("DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261227"), ["2026-12-24..2026-12-26"]),
    "weekly across the clock change keeps its wall time": (
        calendar("DTSTART;TZID=Europe/Paris:20261019T180000\nDTEND;TZID=Europe/Paris:20261019T190000\nRRULE:FREQ=WEEKLY;COUNT=3"),
        ["2026-10-19T16:00/17:00", "2026-10-26T17:00/18:00", "2026-11-02T17:00/18:00"],
    ),
    "hours that pass across the clock change": (
        calendar("DTSTART;TZID=Europe/Paris:20270327T220000\nDURATION:PT6H", "DTSTART:20261024T220000\nDURATION:PT6H"),
        ["2026-10-24T20:00/2026-10-25T02:00", "2027-03-27T21:00/2027-03-28T03:00"],
    ),
    "a day by the clock across its change": (
        calendar("DTSTART;TZID=Europe/Paris:20270327T120000\nDURATION:P1DT2H"),
        ["2027-03-27T11:00/2027-03-28T12:00"],
    ),
    "a series with a last day": (
        calendar(
            "DTSTART;TZID=Europe/Paris:20261201T180000\nDURATION:PT1H\nRRULE:FREQ=DAILY;UNTIL=20261203",
            "DTSTART:20261208T180000\nDURATION:PT1H\nRRULE:FREQ=DAILY;UNTIL=20261209",
        ),
        [*(f"2026-12-0{day}T17:00/18:00" for day in (1, 2, 3, 8, 9))],
    ),
    "weekly in UTC keeps its instant": (
        calendar("DTSTART:20261019T160000Z\nDTEND:20261019T170000Z\nRRULE:FREQ=WEEKLY;COUNT=2"),
        ["2026-10-19T16:00/17:00", "2026-10-26T16:00/17:00"],
    ),
    "weekly on two days until a day": (
        calendar("DTSTART:20261201T100000Z\nDTEND:20261201T110000Z\nRRULE:FREQ=WEEKLY;BYDAY=TU,TH;UNTIL=20261208T100000Z"),
        ["2026-12-01T10:00/11:00", "2026-12-03T10:00/11:00", "2026-12-08T10:00/11:00"],
    ),
    "every other week of whole days": (
        calendar("DTSTART;VALUE=DATE:20261205\nRRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=3"),
        ["2026-12-05..2026-12-05", "2026-12-19..2026-12-19", "2027-01-02..2027-01-02"],
    ),
    "the last Friday of the month": (
        calendar("DTSTART:20261030T100000Z\nDTEND:20261030T110000Z\nRRULE:FREQ=MONTHLY;BYDAY=-1FR;COUNT=3"),
        ["2026-10-30T10:00/11:00", "2026-11-27T10:00/11:00", "2026-12-25T10:00/11:00"],
    ),
    "the thirty-first, where there is one": (
        calendar("DTSTART:20261031T100000Z\nDTEND:20261031T110000Z\nRRULE:FREQ=MONTHLY;COUNT=3"),
        ["2026-10-31T10:00/11:00", "2026-12-31T10:00/11:00", "2027-01-31T10:00/11:00"],
    ),
    "yearly from long ago": (
        calendar("DTSTART;VALUE=DATE:19000501\nRRULE:FREQ=YEARLY"),
        ["2027-05-01..2027-05-01"],
    ),
    "without those that are taken out": (
        calendar(
            "DTSTART;TZID=Europe/Paris:20261201T100000\nDTEND;TZID=Europe/Paris:20261201T110000\nRRULE:FREQ=DAILY;COUNT=4\n"
            "EXDATE;TZID=Europe/Paris:20261202T100000\nEXDATE:20261203T090000Z"
        ),
        ["2026-12-01T09:00/10:00", "2026-12-04T09:00/10:00"],
    ),
    "with those that are added": (
        calendar("DTSTART:20261201T100000Z\nDTEND:20261201T110000Z\nRDATE:20261203T120000Z,20261205T120000Z"),
        ["2026-12-01T10:00/11:00", "2026-12-03T12:00/13:00", "2026-12-05T12:00/13:00"],
    ),
    "one of a series is moved and one canceled": (
        calendar(
            "UID:s\nDTSTART:20261201T100000Z\nDTEND:20261201T110000Z\nRRULE:FREQ=DAILY;COUNT=4",
            "UID:s\nRECURRENCE-ID:20261202T100000Z\nDTSTART:20261202T150000Z\nDTEND:20261202T170000Z",
            "UID:s\nRECURRENCE-ID:20261203T100000Z\nDTSTART:20261203T100000Z\nDTEND:20261203T110000Z\nSTATUS:CANCELLED",
        ),
        ["2026-12-01T10:00/11:00", "2026-12-02T15:00/17:00", "2026-12-04T10:00/11:00"],
    ),
    "one and all that follow are moved": (
        calendar(
            "UID:s\nDTSTART:20261201T100000Z\nDTEND:20261201T110000Z\nRRULE:FREQ=DAILY;COUNT=3",
            "UID:s\nRECURRENCE-ID;RANGE=THISANDFUTURE:20261202T100000Z\nDTSTART:20261202T120000Z\nDTEND:20261202T130000Z",
        ),
        ["2026-12-01T10:00/11:00", "2026-12-02T12:00/13:00", "2026-12-03T12:00/13:00"],
    ),
    "free, canceled or without length: not busy": (
        calendar(
            "DTSTART:20261205T100000Z\nDTEND:20261205T110000Z\nTRANSP:TRANSPARENT",
            "DTSTART:20261205T120000Z\nDTEND:20261205T130000Z\nSTATUS:CANCELLED",
            "DTSTART:20261205T140000Z\nDTEND:20261205T150000Z\nX-MICROSOFT-CDO-BUSYSTATUS:FREE",
            "DTSTART:20261205T160000Z",
            "DTSTART:20261205T170000Z\nDTEND:20261205T180000Z\nSTATUS:TENTATIVE",
        ),
        ["2026-12-05T17:00/18:00"],
    ),
    "several of one UID": (
        calendar(
            "UID:\nDTSTART:20261205T100000Z\nDTEND:20261205T110000Z",
            "UID:\nDTSTART:20261206T100000Z\nDTEND:20261206T110000Z",
            "UID:a\nSEQUENCE:1\nDTSTART:20261207T100000Z\nDTEND:20261207T110000Z",
            "UID:a\nSEQUENCE:2\nDTSTART:20261208T100000Z\nDTEND:20261208T110000Z",
        ),
        ["2026-12-05T10:00/11:00", "2026-12-06T10:00/11:00", "2026-12-08T10:00/11:00"],
    ),
    "for ever": (
        calendar("DTSTART:20260928T000000Z\nDTEND:99991231T235959Z"),
        ["2026-09-28T00:00/2027-09-29T00:00", "2027-09-29T00:00/2028-09-29T00:00"],
    ),
    "a calendar's own clock by Outlook's name": (
        calendar("DTSTART:20261205T120000\nDTEND:20261205T130000", head="X-WR-TIMEZONE:Eastern Standard Time"),
        ["2026-12-05T17:00/18:00"],
    ),
    "a calendar's own clock that there is not": (
        calendar("DTSTART:20261205T183000\nDTEND:20261205T193000\nSUMMARY:x", head="X-WR-TIMEZONE:+01:00"),
        ["2026-12-05T17:30/18:30"],
    ),
    "nothing but what is in the window": (
        calendar(
            "DTSTART:20260101T100000Z\nDTEND:20260101T110000Z",
            "DTSTART:20260930T220000Z\nDTEND:20261001T020000Z",
            "DTSTART:20271105T000000Z\nDTEND:20271105T010000Z",
        ),
        ["2026-09-30T22:00/2026-10-01T02:00"],
    ),
    "what lasts for years is cut where it always is": (
        calendar("DTSTART;VALUE=DATE:20200101\nDTEND;VALUE=DATE:20300101"),
        # 2020-01-01 and each 366 days on
        ["2026-01-05..2027-01-05", "2027-01-06..2028-01-06"],
    ),
    "no event at all": (calendar(), []),
    "a billion days": (
        calendar("DTSTART:20271101T100000Z\nDTEND:20271101T110000Z\nRRULE:FREQ=DAILY;COUNT=1000000000"),
        [
            *("2027-11-01T10:00/11:00", "2027-11-02T10:00/11:00", "2027-11-03T10:00/11:00", "2027-11-04T10:00/11:00"),
        ],
    ),
    "folded lines, an alarm and a task": (
        calendar(
            "DTSTART:20261205T17\n 3000Z\nDTEND:20261205T183000Z\nBEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT15M\nEND:VALARM"
        ).replace(
            "END:VCALENDAR",
            "BEGIN:VTODO\r\nUID:t\r\nDTSTART:20261206T100000Z\r\nDUE:20261206T110000Z\r\nEND:VTODO\r\nEND:VCALENDAR",
        ),
        ["2026-12-05T17:30/18:30"],
    ),
}


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES.keys())
def test_a_calendar_is_busy_exactly_when_it_says(text: str, expected: list[str]) -> None:
    assert told(expanded(text)) == expected


def test_whole_days_are_the_venues() -> None:
    [busy] = expanded(CASES["a whole day"][0], timezone="America/New_York")

    assert (busy.starts_at, busy.ends_at) == ("2026-12-24T05:00:00+00:00", "2026-12-25T05:00:00+00:00")


def test_what_stays_the_same_is_known_by_the_same_words() -> None:
    """A single event by its UID wherever it is moved to, one of a series by when it would have been, in whichever zone."""
    series = "UID:s\nDTSTART;TZID=Europe/Paris:20261201T100000\nDTEND;TZID=Europe/Paris:20261201T110000\nRRULE:FREQ=DAILY;COUNT=2"
    moved = "UID:s\nRECURRENCE-ID:20261202T090000Z\nDTSTART:20261205T150000Z\nDTEND:20261205T170000Z"

    before, after = expanded(calendar(series)), expanded(calendar(series, moved))
    early = expanded(calendar("UID:a\nDTSTART:20261201T100000Z\nDTEND:20261201T110000Z"))
    late = expanded(calendar("UID:a\nDTSTART:20261207T100000Z\nDTEND:20261207T110000Z"))

    assert [(busy.uid, busy.recurrence) for busy in before] == [(busy.uid, busy.recurrence) for busy in after]
    assert before[1].starts_at != after[1].starts_at
    assert [(busy.uid, busy.recurrence) for busy in (*early, *late)] == [("a", "")] * 2


def test_a_title_is_one_line_of_what_can_be_kept() -> None:
    text = calendar(f"DTSTART:20261205T173000Z\nDTEND:20261205T183000Z\nSUMMARY:Team\\n day\\, {'x' * 300}\n{ORIGIN}:org_1")

    [busy] = expanded(text)

    assert busy.title.startswith("Team  day, xxx")
    assert len(busy.title) == 200
    assert busy.origin == "org_1"


ONE = "DTSTART:20261205T173000Z\nDTEND:20261205T183000Z"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not_a_calendar"),
        (b"<!doctype html><html><body>Sign in</body></html>", "not_a_calendar"),
        (b'{"error": "no"}', "not_a_calendar"),
        (calendar(ONE + "\nSUMMARY:Caf\u00e9").encode("latin-1"), "bad_encoding"),
        (calendar(ONE).encode("utf-16"), "bad_encoding"),
        (calendar(ONE + "\nSUMMARY:a\0b").encode(), "bad_encoding"),
        (calendar(ONE).encode()[:-30], "malformed"),
        (calendar("DTSTART:20261399T990000Z\nDTEND:20261205T183000Z").encode(), "malformed"),
        (calendar(ONE + "\nRRULE:FREQ=NEVER").encode(), "malformed"),
        (calendar(ONE + "\nRRULE:FREQ=SECONDLY").encode(), "too_frequent"),
        (calendar(ONE + "\nRRULE:INTERVAL=7;FREQ=MIN\n UTELY").encode(), "too_frequent"),
        (
            calendar("DTSTART:20260101T000000Z\nDTEND:20260101T001500Z\nRRULE:FREQ=HOURLY;UNTIL=20261003T040000Z").encode(),
            "too_many",
        ),
        (calendar(*[ONE] * 51).encode(), "too_many"),
        (b"BEGIN:VCALENDAR\n" + b"BEGIN:VEVENT\nEND:VEVENT\n" * 5_001 + b"END:VCALENDAR", "too_many"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(body: bytes, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expansion, "MAX_TIMES", 50)
    with pytest.raises(Refused, match=f"^{reason}$"):
        expand(checked_text(body), timezone="Europe/Paris", since=SINCE, until=UNTIL, origin=ORIGIN)


def test_a_byte_order_mark_and_several_calendars_in_one_are_read() -> None:
    both = calendar(ONE) + calendar("UID:b\nDTSTART:20261206T173000Z\nDTEND:20261206T183000Z")
    found: Any = expand(checked_text(b"\xef\xbb\xbf" + both.encode()), timezone="UTC", since=SINCE, until=UNTIL, origin=ORIGIN)

    assert told(found) == ["2026-12-05T17:30/18:30", "2026-12-06T17:30/18:30"]


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_lines_may_end_in_either_way_and_break_within_a_letter(end: str) -> None:
    text = calendar(f"{ONE}\nSUMMARY:Caf\u00e9").replace("\r\n", end).encode()
    folded = text.replace(b"\xc3\xa9", b"\xc3" + end.encode() + b" \xa9")

    [busy] = expand(checked_text(folded), timezone="Europe/Paris", since=SINCE, until=UNTIL, origin=ORIGIN)

    assert (busy.title, busy.starts_at[:16]) == ("Caf\u00e9", "2026-12-05T17:30")


def test_single_events_of_the_past_are_not_even_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expansion, "MAX_READ", 10)
    past = [
        *(
            "DTSTART:20200101T100000Z\nDTEND:20200101T110000Z",
            "DTSTART;VALUE=DATE:20200101",
            "DTSTART;TZID=Europe/Paris:20200101T100000",
        ),
        "DTSTART:20301205T173000Z\nDTEND:20301205T183000Z",
    ]
    lasting = ["DTSTART:20200101T100000Z\nDURATION:P3000D", "DTSTART;VALUE=DATE:20200101\nRRULE:FREQ=YEARLY"]

    found = expanded(calendar(*past * 100, ONE, *lasting))

    assert "2026-12-05T17:30/18:30" in told(found)
    assert "2027-01-01..2027-01-01" in told(found)
    assert len(found) == 4
