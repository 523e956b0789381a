"""Numbers become a drawing that fits any width, a sentence and a table."""

from itertools import pairwise

import pytest

from dashboard import charts
from dashboard.charts import FLOOR, TOP, Series, bars, line

WEEK = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def test_a_bar_is_as_high_as_its_value() -> None:
    chart = bars("Bookings", ["Mon", "Tue", "Wed"], Series("Now", [0, 5, 10]))

    assert [bar.height for bar in chart.bars] == [0, (FLOOR - TOP) / 2, FLOOR - TOP]
    assert all(bar.y + bar.height == FLOOR for bar in chart.bars)


@pytest.mark.parametrize("columns", [1, 7, 31])
def test_bars_stay_inside_and_apart(columns: int) -> None:
    chart = bars("Bookings", [str(day) for day in range(columns)], Series("Now", [1] * columns), Series("Then", [2] * columns))

    ends = [0.0, *(edge for bar in chart.bars for edge in (bar.x, bar.x + bar.width)), 100.0]
    assert all(left <= right + 0.02 for left, right in pairwise(ends))


def test_a_line_runs_through_every_value() -> None:
    chart = line("Requests", WEEK, Series("Now", [1, 2, 3, 4, 5, 6, 7]), Series("Then", [7] * 7, tone="quiet"))

    assert [stroke.tone for stroke in chart.strokes] == ["quiet"] * 6 + ["accent"] * 6
    assert len(chart.dots) == 7


def test_the_table_and_the_sentence_say_the_same() -> None:
    chart = bars("Revenue", ["Mon", "Tue"], Series("Now", [100, 250]), text=lambda amount: f"€{amount / 100:.2f}")

    assert chart.summary == "Now: highest Tue, €2.50; lowest Mon, €1.00."
    assert [(row.label, row.cells[0].text) for row in chart.rows] == [("Mon", "€1.00"), ("Tue", "€2.50")]


@pytest.mark.parametrize("values", [[0, 0], []])
def test_nothing_is_said_to_be_nothing(values: list[float]) -> None:
    chart = bars("Refunds", WEEK[: len(values)], Series("Now", values))

    assert (chart.is_empty, chart.bars, chart.summary) == (True, [], "Nothing yet.")


@pytest.mark.parametrize(("highest", "top"), [(1, 2), (3, 4), (9, 10), (11, 12), (119, 120), (121, 160), (171_000, 200_000)])
def test_grid_lines_stand_at_whole_numbers(highest: int, top: int) -> None:
    chart = line("Requests", WEEK, Series("Now", [highest] * 7), text="{:.1f}".format)

    assert [tick.text for tick in chart.ticks] == ["", f"{top / 2:.1f}", f"{top:.1f}"]


def test_words_below_do_not_touch() -> None:
    chart = line("Requests", [f"{day} Nov" for day in range(1, 31)], Series("Now", [1] * 30))

    words = [label for label in chart.labels if label.y == charts.LABELS]
    assert len(words) <= charts.MOST_LABELS
    assert (words[0].text, words[0].anchor, words[0].x) == ("1 Nov", "start", 0)


def test_each_column_needs_a_value() -> None:
    with pytest.raises(ValueError, match="one value for each column"):
        bars("Bookings", WEEK, Series("Now", [1, 2]))
