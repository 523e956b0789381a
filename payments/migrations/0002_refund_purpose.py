"""What money went back for: the answer to a cancellation tells only of its own refund."""

from typing import Any, ClassVar

from django.db import migrations, models


def fill(apps: Any, schema_editor: Any) -> None:
    """Until now the reason alone told them apart."""
    apps.get_model("payments", "Refund").objects.filter(reason="The price fell.").update(purpose="change")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("payments", "0001_initial")]
    operations: ClassVar = [
        migrations.AddField(
            model_name="refund",
            name="purpose",
            field=models.CharField(
                choices=[("cancellation", "Cancellation"), ("change", "The price fell")], default="cancellation", max_length=12
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
