"""Bookings are found by the beginnings of words."""

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations
from django.db.models.fields.json import KT

from common.search import Words


class Migration(migrations.Migration):
    dependencies: ClassVar = [("bookings", "0005_booking_kept")]
    operations: ClassVar = [
        migrations.AddIndex(
            model_name="booking",
            index=GinIndex(
                Words("reference", "external_id", KT("contact__name"), KT("contact__email"), phone=KT("contact__phone")),
                name="booking_by_words",
            ),
        ),
    ]
