"""Numbers in, out comes what `components/chart.html` draws: bars or lines across the full width, whatever that is.

Horizontal places are percentages, vertical ones pixels: so letters and strokes keep their size on a phone.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

TOP, FLOOR, LABELS = 18, 136, 153  # px from the top: the highest value, zero, the base line of the words below
MOST_LABELS = 7  # words below, so that they do not touch at 320 px
MOST_VALUES = 8  # with more columns the values above them would touch; then there are grid lines
GAP = 0.3  # of a column's width, left free between columns

Tone = Literal["accent", "quiet", "good", "bad", "held"]
Values = Sequence[float]


@dataclass(frozen=True)
class Series:
    """Values of one kind. `quiet` is for comparison: hollow or dashed, so that colour alone says nothing."""

    name: str
    values: Values
    tone: Tone = "accent"


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    tone: Tone
    title: str


@dataclass(frozen=True)
class Stroke:
    x1: float
    y1: float
    x2: float
    y2: float
    tone: Tone


@dataclass(frozen=True)
class Dot:
    x: float
    y: float
    tone: Tone
    title: str


@dataclass(frozen=True)
class Label:
    x: float
    y: float
    text: str
    anchor: str = "middle"
    strong: bool = False


@dataclass(frozen=True)
class Tick:
    y: float
    text: str = ""


@dataclass(frozen=True)
class Cell:
    name: str
    text: str


@dataclass(frozen=True)
class Row:
    label: str
    cells: list[Cell]


@dataclass
class Chart:
    """A drawing and the same as a table. `unit` heads the table's first column ("Day"), `summary` tells it in a sentence."""

    kind: Literal["bars", "line"]
    title: str
    unit: str
    series: Sequence[Series]
    summary: str
    rows: list[Row]
    is_empty: bool
    ticks: list[Tick] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    strokes: list[Stroke] = field(default_factory=list)
    dots: list[Dot] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)


def bars(
    title: str, columns: Sequence[str], *series: Series, unit: str = "Day", text: Callable[[float], str] = "{:,.0f}".format
) -> Chart:
    """A group of bars for each column, one of each series. `text` writes a value. Values are not negative."""
    chart, scale = _begin("bars", title, columns, series, unit, text)
    if chart.is_empty:
        return chart
    step = 100 / len(columns)
    width = step * (1 - GAP) / len(series)
    few = len(columns) * len(series) <= MOST_VALUES
    for place, column in enumerate(columns):
        left = place * step + step * GAP / 2
        for number, one in enumerate(series):
            value = one.values[place]
            y = _height(value, scale)
            x = left + number * width
            name = f"{column}: {text(value)}" if len(series) == 1 else f"{column}, {one.name}: {text(value)}"
            chart.bars.append(Bar(_round(x), y, _round(width), _round(FLOOR - y), one.tone, name))
            if few and value:
                chart.labels.append(Label(_round(x + width / 2), _round(y - 5), text(value), strong=True))
    chart.ticks = [Tick(FLOOR)] if few else _ticks(scale, text)
    chart.labels += _words(columns, lambda place: (place + 0.5) * step)
    return chart


def line(
    title: str, columns: Sequence[str], *series: Series, unit: str = "Day", text: Callable[[float], str] = "{:,.0f}".format
) -> Chart:
    """A line for each series through its values, evenly spaced. `text` writes a value. Values are not negative."""
    chart, scale = _begin("line", title, columns, series, unit, text)
    if chart.is_empty:
        return chart
    chart.ticks = _ticks(scale, text)
    step = 100 / len(columns)

    def across(place: int) -> float:
        return (place + 0.5) * step

    for one in sorted(series, key=lambda one: one.tone != "quiet"):  # what is compared with lies below
        points = [(_round(across(place)), _height(value, scale)) for place, value in enumerate(one.values)]
        chart.strokes += [Stroke(x1, y1, x2, y2, one.tone) for (x1, y1), (x2, y2) in pairwise(points)]
        if one.tone != "quiet" and len(points) <= 31:
            for (x, y), column, value in zip(points, columns, one.values, strict=True):
                chart.dots.append(Dot(x, y, one.tone, f"{column}: {text(value)}"))
    chart.labels = _words(columns, across)
    return chart


def _begin(
    kind: Literal["bars", "line"],
    title: str,
    columns: Sequence[str],
    series: Sequence[Series],
    unit: str,
    text: Callable[[float], str],
) -> tuple[Chart, float]:
    """The chart with its table and its sentence, and the value at its top."""
    if any(len(one.values) != len(columns) for one in series):
        raise ValueError("Each series needs one value for each column.")
    rows = [Row(name, [Cell(one.name, text(one.values[place])) for one in series]) for place, name in enumerate(columns)]
    values = [value for one in series for value in one.values]
    highest = max(values, default=0)
    is_empty = highest <= 0
    summary = "Nothing yet." if is_empty else " ".join(_sentence(columns, one, text) for one in series)
    return Chart(kind, title, unit, series, summary, rows, is_empty), _nice(
        highest, whole=all(value == int(value) for value in values)
    )


def _sentence(columns: Sequence[str], one: Series, text: Callable[[float], str]) -> str:
    high, low = (place(range(len(columns)), key=lambda at: one.values[at]) for place in (max, min))
    return f"{one.name}: highest {columns[high]}, {text(one.values[high])}; lowest {columns[low]}, {text(one.values[low])}."


def _nice(highest: float, *, whole: bool) -> float:
    """A round number that is not below; where the values are whole, so is its half, at which a grid line stands."""
    if highest <= 0:
        return 1
    power = 10.0 ** math.floor(math.log10(highest))
    factors = (2, 4, 6, 8, 10) if whole and power == 1 else (1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10)
    return next(factor * power for factor in factors if factor * power >= highest * 0.9999)


def _ticks(scale: float, text: Callable[[float], str]) -> list[Tick]:
    """Zero first."""
    return [Tick(FLOOR), Tick(_height(scale / 2, scale), text(scale / 2)), Tick(_height(scale, scale), text(scale))]


def _height(value: float, scale: float) -> float:
    return _round(FLOOR - (FLOOR - TOP) * value / scale)


def _words(columns: Sequence[str], across: Callable[[int], float]) -> list[Label]:
    """Not more than fit; the first always. Where columns are narrow, the outermost words stay inside."""
    every = math.ceil(len(columns) / MOST_LABELS)
    labels = []
    for place in range(0, len(columns), every):
        x = across(place)
        anchor = "middle" if every == 1 else "start" if place == 0 else "end" if x > 95 else "middle"
        labels.append(Label({"start": 0.0, "end": 100.0}.get(anchor, _round(x)), LABELS, columns[place], anchor))
    return labels


def _round(value: float) -> float:
    return round(value, 2)
