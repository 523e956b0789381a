"""The index of what waits in the very order in which it is claimed."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("webhooks", "0004_event_is_test")]
    operations: ClassVar = [
        migrations.RemoveIndex(model_name="delivery", name="delivery_waiting"),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                fields=["endpoint", "lane", "due_at", "id"],
                name="delivery_waiting",
                condition=models.Q(state__in=["pending", "scheduled"]),
            ),
        ),
    ]
