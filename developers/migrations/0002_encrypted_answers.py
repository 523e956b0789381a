"""Kept answers are encrypted at rest; those of the last 72 hours are encrypted here."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.db import migrations, models

from common.signing import decrypt, encrypt


def rewrite(convert: Callable[[str], str]) -> Callable[[Any, Any], None]:
    def run(apps: Any, schema_editor: Any) -> None:
        for record in apps.get_model("developers", "IdempotencyRecord").objects.filter(body__isnull=False).iterator():
            record.body = convert(bytes(record.body).decode()).encode()
            record.save(update_fields=["body"])

    return run


class Migration(migrations.Migration):
    dependencies: ClassVar = [("developers", "0001_initial")]
    operations: ClassVar = [
        migrations.AlterField(
            "idempotencyrecord",
            "body",
            models.BinaryField(help_text="Encrypted: an answer may hold a secret or a person's data.", null=True),
        ),
        migrations.RunPython(rewrite(encrypt), rewrite(decrypt)),
    ]
