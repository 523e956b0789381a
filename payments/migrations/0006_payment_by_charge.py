"""The charge, by which operators look for a payment."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0005_words"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(condition=models.Q(("charge", ""), _negated=True), fields=["charge"], name="payment_by_charge"),
        ),
    ]
