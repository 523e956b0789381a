"""What the import contracts cannot see: models, and that the rules themselves are run."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models

LAYERS = ["organizations", "developers", "webhooks", "customers", "payments", "rooms", "bookings", "calendars"]
TENANT_MODELS = [model for model in apps.get_models() if any(field.name == "organization" for field in model._meta.get_fields())]


def test_imports_run_downwards() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


def test_no_foreign_key_runs_against_the_layers() -> None:
    wrong = []
    for model in apps.get_models():
        app = model._meta.app_label
        for field in model._meta.get_fields():
            target = getattr(field, "related_model", None)
            if app not in LAYERS or not isinstance(field, models.ForeignKey | models.ManyToManyField) or not target:
                continue
            other = target._meta.app_label
            siblings = {app, other} == {"rooms", "payments"}
            if other in LAYERS and (LAYERS.index(other) > LAYERS.index(app) or siblings):
                wrong.append(f"{model.__name__}.{field.name} → {target.__name__}")
            if other in LAYERS and other != app and not (field.remote_field.related_name or "").endswith("+"):
                wrong.append(f"{model.__name__}.{field.name} puts an accessor on {target.__name__}")
    assert wrong == []


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model.__name__)
def test_every_tenant_model_is_asked_for_through_visible_to(model: type[models.Model]) -> None:
    assert hasattr(model._default_manager, "visible_to")


def test_pages_have_no_inline_style_or_handler() -> None:
    for template in Path(settings.BASE_DIR / "templates").rglob("*.html"):
        text = template.read_text()
        assert " style=" not in text, template
        assert "<style" not in text, template
        assert not re.search(r"\son\w+=", text), template


def test_files_stay_small_enough_to_read() -> None:
    long = [
        f"{path.relative_to(settings.BASE_DIR)}: {lines}"
        for path in Path(settings.BASE_DIR).rglob("*.py")
        if ".venv" not in path.parts and "migrations" not in path.parts and (lines := len(path.read_text().splitlines())) > 500
    ]
    assert long == []


def test_only_one_place_turns_wall_time_into_instants() -> None:
    """`tzinfo=` with a zone belongs to common.walltime; elsewhere wall times are only shown."""
    guilty = []
    for app in LAYERS:
        for path in Path(settings.BASE_DIR / app).rglob("*.py"):
            if "tests" in path.parts or "migrations" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.keyword) and node.arg == "tzinfo" and "UTC" not in ast.dump(node.value):
                    guilty.append(f"{path}:{node.value.lineno}")
    assert guilty == []
