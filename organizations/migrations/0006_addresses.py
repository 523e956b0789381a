"""Those who could sign in before addresses were confirmed go on doing so."""

from django.db import migrations


def confirm(apps, schema_editor):
    User, EmailAddress = apps.get_model("organizations", "User"), apps.get_model("account", "EmailAddress")
    known = EmailAddress.objects.values("user")
    EmailAddress.objects.bulk_create(
        EmailAddress(user=user, email=user.email, verified=True, primary=True)
        for user in User.objects.exclude(pk__in=known).iterator()
    )


class Migration(migrations.Migration):
    dependencies = [("organizations", "0005_cache"), ("account", "0009_emailaddress_unique_primary_email")]

    operations = [migrations.RunPython(confirm, migrations.RunPython.noop)]
