"""What all keys of an organization may ask together: twice what one of them may."""

from typing import Any, ClassVar

from django.db import migrations, models
from django.db.models import F


def set_included(apps: Any, schema_editor: Any) -> None:
    apps.get_model("organizations", "Plan").objects.update(
        organization_rate_per_minute=F("rate_per_minute") * 2, organization_rate_burst=F("rate_burst") * 2
    )


class Migration(migrations.Migration):
    dependencies: ClassVar = [("organizations", "0007_invitation")]
    operations: ClassVar = [
        migrations.AlterField(
            "plan", "rate_per_minute", models.PositiveIntegerField(help_text="API requests of one key within a minute.")
        ),
        migrations.AlterField(
            "plan", "rate_burst", models.PositiveIntegerField(help_text="API requests of one key within a second.")
        ),
        migrations.AddField(
            "plan",
            "organization_rate_per_minute",
            models.PositiveIntegerField(default=2_400, help_text="API requests of all keys together within a minute."),
        ),
        migrations.AddField(
            "plan",
            "organization_rate_burst",
            models.PositiveIntegerField(default=400, help_text="API requests of all keys together within a second."),
        ),
        migrations.RunPython(set_included, migrations.RunPython.noop),
    ]
