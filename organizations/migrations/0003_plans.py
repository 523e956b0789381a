"""The plans to start with; operators change them in the admin."""

from typing import Any, ClassVar

from django.db import migrations

PLANS = [
    {"slug": "starter", "name": "Starter", "max_api_keys": 3, "keys_may_write": False, "rate_per_minute": 300, "rate_burst": 50},
    {
        "slug": "business",
        "name": "Business",
        "max_api_keys": 20,
        "keys_may_write": True,
        "rate_per_minute": 1200,
        "rate_burst": 200,
    },
    {
        "slug": "enterprise",
        "name": "Enterprise",
        "max_api_keys": 100,
        "keys_may_write": True,
        "rate_per_minute": 6000,
        "rate_burst": 1000,
    },
]


def create_plans(apps: Any, schema_editor: Any) -> None:
    plan = apps.get_model("organizations", "Plan")
    for values in PLANS:
        plan.objects.get_or_create(slug=values["slug"], defaults=values)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("organizations", "0002_audit_append_only")]
    operations: ClassVar = [migrations.RunPython(create_plans, migrations.RunPython.noop)]
