"""When money came and went back for certain: a day's bookkeeping must not gain lines once the day is over."""

from typing import Any, ClassVar

from django.db import migrations, models
from django.db.models import F


def fill(apps: Any, schema_editor: Any) -> None:
    """As near as is known."""
    for name in ("Payment", "Refund"):
        apps.get_model("payments", name).objects.filter(status="succeeded").update(succeeded_at=F("created_at"))


class Migration(migrations.Migration):
    dependencies: ClassVar = [("payments", "0003_stripe")]
    operations: ClassVar = [
        migrations.AddField(
            model_name="payment",
            name="succeeded_at",
            field=models.DateTimeField(
                null=True, blank=True, editable=False, help_text="When the money was known to be here."
            ),
        ),
        migrations.AddField(
            model_name="refund",
            name="succeeded_at",
            field=models.DateTimeField(
                null=True, blank=True, editable=False,
                help_text="When the money was known to be back; a bank may still return it.",
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(fields=["organization", "succeeded_at", "id"], name="payment_by_success"),
        ),
        migrations.AddIndex(
            model_name="refund",
            index=models.Index(fields=["organization", "succeeded_at", "id"], name="refund_by_success"),
        ),
    ]
