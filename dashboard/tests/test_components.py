"""Each component draws what its head says that it takes, and escapes what people have typed."""

import datetime as dt
import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as product
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.utils import timezone

from dashboard.views.components import SampleForm, samples

EVIL = "<script>alert(1)</script>"
FOLDER = product.BASE_DIR / "templates/components"
STYLES = ["css/tokens.css", "css/base.css", "css/components.css", "css/pages/frame.css"]
SCRIPTS = ["js/frame.js", "js/live.js", "django_htmx/htmx-2.min.js"]


def draw(name: str, **inputs: Any) -> str:
    return render_to_string(f"components/{name}.html", {"request": RequestFactory().get("/dashboard?q=1"), **inputs})


INPUTS: dict[str, list[dict[str, Any]]] = {
    "announcer": [{}],
    "badge": [{"text": EVIL}, {"text": EVIL, "tone": "good", "icon": "check"}],
    "chart": [{"chart": samples()[name]} for name in ("bars", "compared", "line", "no_chart")],
    "chips": [{"filters": [{"label": EVIL, "url": "?", "active": True}, {"label": "b", "url": "?b", "remove": True}]}],
    "code": [{"code": EVIL}, {"code": EVIL, "language": "shell", "label": "curl"}],
    "confirm": [
        {"button": "Delete"},
        {
            "title": "Sure?",
            "lines": [EVIL],
            "pairs": [("a", EVIL)],
            "form": SampleForm(),
            "fields": [("version", 3)],
            "button": EVIL,
            "tone": "danger",
            "back": "/",
        },
    ],
    "copy": [{"text": EVIL}, {"text": "a", "label": EVIL}],
    "definition": [{"pairs": [("a", EVIL), ("b", None)]}, {"pairs": [("Total", "€1")], "money": True}],
    "empty": [{"title": EVIL}, {"title": "None", "text": EVIL, "icon": "ticket", "url": "/", "label": "Make one"}],
    "entry": [{"url": "/", "text": EVIL, "icon": "home", "current": "page"}, {"url": "", "text": "a"}],
    "form_errors": [{"form": SampleForm()}, {"form": SampleForm({"email": EVIL})}],
    "notice": [{"text": EVIL}, {"text": "a", "title": EVIL, "tone": "warn", "url": "/", "label": EVIL}],
    "pager": [{"pager": {"next_cursor": EVIL, "prev_cursor": None}}, {"pager": {"prev_cursor": "x"}}, {"pager": {}}],
    "skeleton": [{}, {"lines": "xxxx", "label": EVIL}],
    "stat": [
        {"label": EVIL, "value": EVIL},
        {"label": "a", "value": "1", "change": "−3 %", "tone": "bad", "hint": EVIL, "url": "/"},
    ],
    "switcher": [{"memberships": [], "membership": {"organization": {"name": EVIL}}, "mode": "test", "switch": "/"}],
    "tabs": [{"items": [{"label": EVIL, "url": "?", "active": True, "count": 0}, {"label": "b", "url": "?b"}]}],
    "timeline": [
        {"zone": "UTC", "entries": [{"title": EVIL, "when": timezone.now()}]},
        {
            "zone": "UTC",
            "entries": [
                {"title": "a", "when": timezone.now(), "actor": EVIL, "text": EVIL, "icon": "check", "tone": "good", "url": "/"}
            ],
        },
    ],
    "toast": [{"message": EVIL}, {"message": "a", "tone": "error"}],
    "toasts": [{"messages": []}, {"messages": [EVIL]}],
}
PARTS = {"field", "field_help", "field_error", "gallery"}  # drawn by forms, or made of the others


@pytest.mark.parametrize(("name", "inputs"), [(name, inputs) for name, many in INPUTS.items() for inputs in many])
def test_a_component_draws_its_inputs(name: str, inputs: dict[str, Any]) -> None:
    html = draw(name, **inputs)

    assert EVIL not in html
    assert "{#" not in html  # a comment over several lines is none
    assert " style=" not in html


def test_no_component_is_missing_here() -> None:
    """But for the states of rows, which are tested with the pages of those rows."""
    assert {path.stem for path in FOLDER.glob("*.html") if not path.stem.endswith("_state")} == set(INPUTS) | PARTS


def test_every_component_says_what_it_takes() -> None:
    silent = [path.name for path in FOLDER.glob("*.html") if not re.search(r"\{# |\{% comment %\}", path.read_text())]
    assert silent == []


def test_help_and_error_are_tied_to_their_control() -> None:
    html = SampleForm({"players": "9", "room": "vault", "name": "a", "color": "now"})["players"].as_field_group()

    assert 'aria-describedby="id_players_helptext id_players_error"' in html
    assert 'aria-invalid="true"' in html
    assert 'id="id_players_helptext">2 to 6.' in html
    assert 'id="id_players_error"' in html
    assert '<label class="field__label" for="id_players">Players' in html


@pytest.mark.parametrize("name", list(SampleForm.base_fields))
def test_every_kind_of_field_is_labelled_and_tells_its_error(name: str) -> None:
    form = SampleForm({})
    form.add_error(name, EVIL)
    html = form[name].as_field_group()

    assert html.count("<legend") + html.count(f'for="{form[name].id_for_label}"') >= 1
    assert f'id="{form[name].auto_id}_error"' in html
    assert f'{form[name].auto_id}_error"' in html.split("aria-describedby=", 1)[1]
    assert EVIL not in html


def test_what_was_typed_is_kept() -> None:
    assert 'value="ada@"' in SampleForm({"email": "ada@"})["email"].as_field_group()


def test_pickers_speak_iso() -> None:
    form = SampleForm(initial={"day": dt.date(2026, 11, 28), "time": dt.time(20, 5)})

    assert 'type="date"' in str(form["day"])
    assert 'value="2026-11-28"' in str(form["day"])
    assert 'value="20:05"' in str(form["time"])


def test_the_gallery_is_there_in_development_only(client: Client, settings: Any) -> None:
    settings.DEVELOPMENT = True
    assert client.get("/components?mode=test").status_code == 200

    settings.DEVELOPMENT = False
    assert client.get("/components").status_code == 404


@pytest.mark.parametrize(("files", "most"), [(STYLES, 12_000), (SCRIPTS, 25_000)], ids=["styles", "scripts"])
def test_a_page_is_light(files: list[str], most: int) -> None:
    """Bytes as they travel, compressed."""
    sizes = {name: len(gzip.compress(Path(str(finders.find(name))).read_bytes())) for name in files}

    assert sum(sizes.values()) <= most, sizes
