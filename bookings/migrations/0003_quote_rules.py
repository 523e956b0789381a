"""A quote keeps what its price was made by, and which state of a booking a change was quoted for."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("bookings", "0002_history_append_only")]
    operations: ClassVar = [
        migrations.AddField(
            model_name="quote",
            name="price_rules",
            field=models.JSONField(default=dict, help_text="What the price was made by, for the booking to keep."),
        ),
        migrations.AddField(
            model_name="quote",
            name="booking_version",
            field=models.PositiveIntegerField(help_text="Of the booking that a change was quoted for.", null=True),
        ),
    ]
