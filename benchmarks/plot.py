"""The figures of `benchmarks.api` as a picture: for each call its floor, a tenth of the rows and all of them, by one client."""

import math
from html import escape
from typing import Any

WIDTH, LEFT, BAR, GAP = 960, 380, 14, 18
SERIES = (("floor", "#9aa5b1"), ("a tenth of the bookings", "#7fb3d5"), ("all bookings", "#1f5f8b"))
TICKS = (0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000)  # milliseconds


def draw(results: dict[str, dict[str, Any]]) -> str:
    """An SVG with a logarithmic scale: what grows tenfold is longer by the same length everywhere."""
    pairs = [
        (now, before)
        for now, before in zip(results["large"]["lines"], results["tenth"]["lines"], strict=True)
        if now["clients"] == 1
    ]
    height = 60 + len(pairs) * (3 * BAR + GAP) + 30
    values = [value for now, before in pairs for value in (now["floor_p50"], before["p50"], now["p50"])]
    low, high = (round_(edge, values) for edge in (min, max))
    shown = [tick for tick in TICKS if low <= tick <= high]

    def x(value: float) -> float:
        return LEFT + (WIDTH - LEFT - 80) * math.log(value / low) / math.log(high / low)

    parts = [_text(LEFT + index * 190, 24, name, color) for index, (name, color) in enumerate(SERIES)]
    parts += [
        f'<line x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="40" y2="{height - 30}" stroke="#d9dee3"/>'
        + _text(x(tick), height - 12, f"{tick:g} ms", "#52606d", "middle")
        for tick in shown
    ]
    for row, (now, before) in enumerate(pairs):
        top = 50 + row * (3 * BAR + GAP)
        parts.append(_text(LEFT - 12, top + 1.9 * BAR, now["call"], "#1f2933", "end"))
        for line, (value, (_, color)) in enumerate(zip((now["floor_p50"], before["p50"], now["p50"]), SERIES, strict=True)):
            y = top + line * BAR
            parts.append(f'<rect x="{LEFT}" y="{y}" width="{x(value) - LEFT:.1f}" height="{BAR - 2}" fill="{color}"/>')
            parts.append(_text(x(value) + 6, y + BAR - 4, f"{value:.2f}", "#52606d"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="12">'
        f'<rect width="100%" height="100%" fill="#ffffff"/>{"".join(parts)}</svg>\n'
    )


def round_(edge: Any, values: list[float]) -> float:
    """The tick beyond the least or the greatest value."""
    if edge is min:
        return max((tick for tick in TICKS if tick < min(values)), default=min(values) / 2)
    return min((tick for tick in TICKS if tick > max(values)), default=max(values) * 2)


def _text(x: float, y: float, text: str, color: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{color}" text-anchor="{anchor}">{escape(text)}</text>'
