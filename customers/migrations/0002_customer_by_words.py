"""Customers are found by the beginnings of words."""

from typing import ClassVar

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations

from common.search import Words


class Migration(migrations.Migration):
    dependencies: ClassVar = [("customers", "0001_initial")]
    operations: ClassVar = [
        migrations.AddIndex(
            model_name="customer", index=GinIndex(Words("name", "email", phone="phone"), name="customer_by_words")
        ),
    ]
