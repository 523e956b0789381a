"""What the policy kept when the price fell is kept for good."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("bookings", "0004_booking_confirmed_at")]
    operations: ClassVar = [
        migrations.AddField(
            model_name="booking",
            name="kept",
            field=models.BigIntegerField(default=0, editable=False, help_text="What the policy kept each time the price fell."),
        ),
    ]
