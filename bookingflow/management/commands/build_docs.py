import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from bookingflow.documents import api_catalog, chapters, llms_txt, markdown
from bookingflow.event_schemas import event_schemas

DOCS: Path = settings.BASE_DIR / "docs"


class Command(BaseCommand):
    help = "Make the API's documents in docs/ from the code, docs/guide and docs/snippets."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="Write nothing; fail when a document is out of date.")

    def handle(self, *args: Any, **options: Any) -> None:
        for path, text in documents().items():
            if not options["check"]:
                path.write_text(text)
            elif not path.exists() or path.read_text() != text:
                raise CommandError(f"{path.name} is out of date: run manage.py build_docs.")


def documents() -> dict[Path, str]:
    """Each document's path and text. Raises CommandError when the views leave something undocumented."""
    document = SchemaGenerator().get_schema(request=None, public=True)
    if GENERATOR_STATS:
        GENERATOR_STATS.emit_summary()
        raise CommandError("The OpenAPI document has warnings.")
    validate_schema(document)
    document = json.loads(json.dumps(document, default=str))
    parts = chapters(document, DOCS)
    return {
        DOCS / "openapi.json": json.dumps(document, indent=1, ensure_ascii=False) + "\n",
        DOCS / "events.json": json.dumps(event_schemas(document), indent=1, ensure_ascii=False) + "\n",
        DOCS / "api.md": markdown(parts),
        DOCS / "llms.txt": llms_txt(parts),
        DOCS / "api-catalog.json": api_catalog(),
    }
