"""When a booking was confirmed first: subscribers hear of it from then on."""

from typing import Any, ClassVar

from django.db import migrations, models


def fill(apps: Any, schema_editor: Any) -> None:
    """Of those that stand, the creation is the best guess; of the others it is unknown, and nobody hears of them again."""
    bookings = apps.get_model("bookings", "Booking").objects.exclude(status__in=["held", "expired", "canceled"])
    bookings.filter(confirmed_at=None).update(confirmed_at=models.F("created_at"))


class Migration(migrations.Migration):
    dependencies: ClassVar = [("bookings", "0003_quote_rules")]
    operations: ClassVar = [
        migrations.AddField(
            model_name="booking",
            name="confirmed_at",
            field=models.DateTimeField(editable=False, help_text="First; no subscriber hears of it before.", null=True),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
