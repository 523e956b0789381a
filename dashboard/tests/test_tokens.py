"""Colours can be told apart: letters 4.5:1, lines that say something 3:1 (WCAG 2.1 AA), in light and in dark."""

import re

import pytest
from django.conf import settings

ROOT = settings.BASE_DIR / "static/css"
PAPER = ["ground", "surface", "sunken"]
TONES = ["good", "warn", "bad", "info", "held", "blocked"]
LETTERS = [
    *((ink, paper) for ink in ("ink", "ink-soft", "accent", *TONES) for paper in PAPER),
    *((tone, f"{tone}-soft") for tone in ("accent", *TONES)),
    *(("ink", f"{tone}-soft") for tone in ("accent", *TONES)),
    ("accent-ink", "accent"),
    *((f"code-{word}", "code-ground") for word in ("ink", "soft", "word", "string", "number")),
    ("surface", "held"),  # the band of test mode
    ("surface", "bad"),  # the button of an act that cannot be taken back
    ("ground", "ink"),  # the avatar
]
LINES = [("line-strong", paper) for paper in PAPER] + [("accent", "surface"), ("accent", "accent-soft")]


def colours() -> dict[str, dict[str, str]]:
    light, dark = (ROOT / "tokens.css").read_text().split("@media (prefers-color-scheme: dark)")
    found = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", text)) for text in (light, dark)]
    return {"light": found[0], "dark": found[0] | found[1]}


def contrast(one: str, other: str) -> float:
    """WCAG's ratio of two colours."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("pairs", "least"), [(LETTERS, 4.5), (LINES, 3.0)], ids=["letters", "lines"])
def test_contrast_is_enough(scheme: str, pairs: list[tuple[str, str]], least: float) -> None:
    found = colours()[scheme]

    faint = {f"{one} on {other}": round(contrast(found[one], found[other]), 2) for one, other in pairs}
    assert {pair: ratio for pair, ratio in faint.items() if ratio < least} == {}


def test_every_colour_has_its_dark_counterpart() -> None:
    """But those of code, whose ground is dark in both."""
    light, dark = (ROOT / "tokens.css").read_text().split("@media (prefers-color-scheme: dark)")
    names = [set(re.findall(r"--(?!code-)[\w-]+(?=: #)", text)) for text in (light, dark)]

    assert names[0] == names[1]


def test_colours_come_from_the_tokens_alone() -> None:
    """No other style sheet names one, and none uses a name that is not there."""
    known = set(re.findall(r"(--[\w-]+):", (ROOT / "tokens.css").read_text()))
    for sheet in ROOT.rglob("*.css"):
        if sheet.name == "tokens.css":
            continue
        text = re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.S)
        own = set(re.findall(r"(--[\w-]+):", text))
        assert not re.search(r"#[0-9a-fA-F]{3,8}\b(?![^{]*\{)|\brgba?\(|\bhsla?\(", text), sheet.name
        assert set(re.findall(r"var\((--[\w-]+)", text)) <= known | own, sheet.name
