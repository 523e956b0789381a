"""Tests are told by a mark of their own, so that their numbers outlive the endpoint that they were for."""

from typing import Any, ClassVar

import django.db.models.deletion
from django.db import migrations, models


def mark(apps: Any, schema_editor: Any) -> None:
    apps.get_model("webhooks", "Event").objects.exclude(only_to=None).update(is_test=True)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("webhooks", "0003_metrics_and_retention")]
    operations: ClassVar = [
        migrations.AddField(
            model_name="event",
            name="is_test",
            field=models.BooleanField(default=False, help_text="A ping or a test event: nothing has happened."),
        ),
        migrations.RunPython(mark, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="event",
            name="only_to",
            field=models.ForeignKey(
                blank=True,
                help_text="The one endpoint that is to hear of a test; null once that is deleted.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="webhooks.endpoint",
            ),
        ),
    ]
