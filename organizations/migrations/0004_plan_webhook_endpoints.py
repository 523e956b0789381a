"""How many webhook endpoints a plan includes."""

from typing import Any, ClassVar

from django.db import migrations, models

INCLUDED = {"starter": 2, "business": 10, "enterprise": 50}


def set_included(apps: Any, schema_editor: Any) -> None:
    for slug, number in INCLUDED.items():
        apps.get_model("organizations", "Plan").objects.filter(slug=slug).update(max_webhook_endpoints=number)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("organizations", "0003_plans")]
    operations: ClassVar = [
        migrations.AddField("plan", "max_webhook_endpoints", models.PositiveIntegerField(default=10)),
        migrations.RunPython(set_included, migrations.RunPython.noop),
    ]
